//! The job's own container and how a script runs in it: started anew for each script, with the script as its input, as GitLab's
//! docker executor does. What a script changed in the container is still there for the next one.

use std::io::Write;
use std::net::Shutdown;
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{json, Value};

use crate::context::Context;
use crate::docker::engine::{self, encode, Engine, Trouble};
use crate::log::Log;
use crate::process::{self, End, Limits};

/// Ends by itself with the container; longer only if the engine is gone.
const LAST_OUTPUT: Duration = Duration::from_secs(10);

/// The job's network: containers find each other by name on it.
pub struct Network {
    name: String,
}

impl Network {
    pub fn create(job: &Context, engine: &Engine) -> Result<Network, Trouble> {
        let name = format!("mayfly-{}", job.key.id);
        match engine.post("/networks/create", json!({"Name": name, "CheckDuplicate": true})) {
            // An earlier attempt at the same job has made it.
            Err(trouble) if trouble.status == Some(409) => {}
            done => drop(done?),
        }
        Ok(Network { name })
    }

    pub fn joined_as(&self, names: &[String]) -> Value {
        json!({"EndpointsConfig": {&self.name: {"Aliases": names}}})
    }
}

/// What all containers of the job share.
pub fn host_config(job: &Context, network: &Network, log: &str) -> Value {
    let builds = &job.options.builds_dir;
    let cache = &job.options.cache_dir;
    let mut binds = vec![format!("{builds}:{builds}"), format!("{cache}:{cache}")];
    binds.extend(job.options.docker.volumes.iter().map(|volume| match volume.contains(':') {
        true => volume.clone(),
        // A volume of this name, made by the engine, so that all containers have the same one.
        false => format!("mayfly{}:{volume}", volume.replace('/', "-")),
    }));
    json!({"NetworkMode": network.name, "Binds": binds, "Privileged": job.options.docker.privileged, "LogConfig": {"Type": log}})
}

pub fn create(engine: &Engine, name: &str, platform: &str, config: Value) -> Result<String, Trouble> {
    let mut path = format!("/containers/create?name={}", encode(name));
    if !platform.is_empty() {
        path.push_str(&format!("&platform={}", encode(platform)));
    }
    let created = engine.post(&path, config)?;
    let id = created["Id"].as_str().map(str::to_string);
    id.ok_or_else(|| Trouble { status: None, message: "the docker engine named no container".into() })
}

/// Starts the container with the script as its input and waits for its end.
pub fn run(engine: &Engine, id: &str, script: &str, log: &Arc<Log>, limits: &Limits) -> Result<End, String> {
    let attached = engine.attach(&format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1"))?;
    let mut input = attached.get_ref().try_clone().map_err(|e| format!("could not attach to the container: {e}"))?;
    let (done, drained) = mpsc::channel::<()>();
    let shown = log.clone();
    thread::spawn(move || {
        // A connection that breaks is seen by whoever waits for the container.
        let _ = engine::output(attached, |piece| shown.write(piece));
        drop(done);
    });
    engine.post(&format!("/containers/{id}/start"), Value::Null)?;
    let script = script.as_bytes().to_vec();
    thread::spawn(move || {
        // A shell that ends without reading all of it is no error.
        let _ = input.write_all(&script).and_then(|()| input.shutdown(Shutdown::Write));
    });
    let (waiting, path) = (engine.clone(), format!("/containers/{id}/wait"));
    let exit = limits.control.spawn(move || {
        let answer = waiting.wait(&path).map_err(String::from)?;
        Ok(answer["StatusCode"].as_i64().and_then(|c| c.try_into().ok()).unwrap_or(255))
    });
    let end = process::supervise(limits, &|signal| end(engine, id, signal), &exit)?;
    let _ = drained.recv_timeout(LAST_OUTPUT);
    Ok(end)
}

/// First all of the container's processes are asked to end, in its own shell since the first process hears no signal that it does not
/// handle; then the container is killed.
fn end(engine: &Engine, id: &str, signal: Signal) -> Result<(), String> {
    let ended = match signal {
        Signal::SIGTERM => ask_to_end(engine, id),
        _ => engine.post(&format!("/containers/{id}/kill"), Value::Null).map(drop),
    };
    match ended {
        // Gone, or not running any more: what was wanted.
        Err(Trouble { status: Some(404 | 409), .. }) => Ok(()),
        ended => ended.map_err(|e| format!("could not end the job's container: {e}")),
    }
}

fn ask_to_end(engine: &Engine, id: &str) -> Result<(), Trouble> {
    let exec = engine.post(&format!("/containers/{id}/exec"), json!({"Cmd": ["sh", "-c", "kill -TERM -1"], "User": "0"}))?;
    let Some(exec) = exec["Id"].as_str() else { return Ok(()) };
    engine.post(&format!("/exec/{exec}/start"), json!({"Detach": true})).map(drop)
}
