//! The docker executor: the job's scripts run in a container of its image, beside its services. Repository, artifacts and file
//! variables stay in the VM's hands, in folders that the containers see under the same paths. Nothing is removed at the end: the VM
//! is, and everything with it.

mod container;
mod engine;
mod image;
mod reference;
mod service;

use std::fs;

use nix::sys::stat::{umask, Mode};
use serde_json::json;

pub use engine::Engine;
pub use image::PullPolicy;

use crate::context::{Context, Failure};
use crate::process::{End, Limits};
use image::{Had, Wanted};

/// Finds the best shell in any image, as GitLab's runner does.
const SHELL: &str = "for shell in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh
do if [ -x $shell ]; then exec $shell; fi; done; echo shell not found; exit 1";

pub struct Docker {
    engine: Engine,
    container: String,
}

impl Docker {
    /// Everything up to the first script: network, services, image, container.
    pub fn prepare(job: &Context) -> Result<Docker, Failure> {
        // Any user of a container may write what the VM's user makes, and the other way round: the VM has no one else.
        umask(Mode::empty());
        let wanted = Wanted::parse("image", &job.payload.image).map_err(Failure::configuration)?.unwrap_or_default();
        let name = match job.variables.expand(&wanted.name) {
            none if none.is_empty() => job.options.docker.image.clone(),
            name => name,
        };
        if name.is_empty() {
            return Err(Failure::configuration("the job names no image and there is no default one: add `image:` to the job, or the tag for the shell executor"));
        }
        job.log.line(&format!("Using Docker executor with image {name} ..."));
        warn_of_unknown(job, "image", &wanted);
        for folder in [&job.options.builds_dir, &job.options.cache_dir] {
            fs::create_dir_all(folder).map_err(|e| Failure::system(format!("could not make {folder}: {e}")))?;
        }
        let engine = Engine::at(job.options.docker.host.as_deref()).map_err(Failure::configuration)?;
        await_engine(job, &engine)?;
        let network = container::Network::create(job, &engine).map_err(|e| Failure::system(format!("the job's network could not be made: {e}")))?;
        let mut had = Had::new();
        let services = service::start_all(job, &engine, &network, &mut had)?;
        let id = image::ensure(job, &engine, &mut had, &name, &wanted)?;
        service::await_all(job, &engine, &services)?;
        let config = json!({
            "Image": id, "Hostname": format!("runner-{}", job.key.id), "User": wanted.user,
            "Cmd": ["sh", "-c", SHELL], "Entrypoint": wanted.entrypoint, "Env": image::environment(job, job.variables.effective().into_iter()),
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "OpenStdin": true, "StdinOnce": true,
            "HostConfig": container::host_config(job, &network, "none"), "NetworkingConfig": network.joined_as(&["build".to_string()]),
        });
        let container = container::create(&engine, &format!("mayfly-{}-build", job.key.id), &wanted.platform, config);
        let container = container.map_err(|e| Failure::system(format!("a container of image {name} could not be created: {e}")))?;
        Ok(Docker { engine, container })
    }

    pub fn run(&self, job: &Context, script: &str, limits: &Limits) -> Result<End, String> {
        container::run(&self.engine, &self.container, script, &job.log, limits)
    }
}

/// The first use of its socket starts it, which takes a while under emulation.
fn await_engine(job: &Context, engine: &Engine) -> Result<(), Failure> {
    let waiting = engine.clone();
    job.unless_stopped(move || waiting.bytes("/_ping"))?.map(drop).map_err(|e| Failure::system(e.message))
}

fn warn_of_unknown(job: &Context, what: &str, wanted: &Wanted) {
    for option in &wanted.unknown {
        job.log.warning(&format!("WARNING: the job's {what} has the docker option '{option}', which this runner does not have; ignored"));
    }
}
