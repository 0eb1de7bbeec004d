//! Where the job's scripts run: in the VM itself, or in a container of it.

use std::time::Instant;

use crate::context::{Context, Failure};
use crate::control::Stop;
use crate::docker::Docker;
use crate::process::{self, End, Limits};

pub enum Executor {
    Shell,
    Docker(Docker),
}

impl Executor {
    pub fn prepare(job: &Context) -> Result<Executor, Failure> {
        if job.options.executor == "docker" {
            return Docker::prepare(job).map(Executor::Docker);
        }
        job.log.line("Using Shell executor...");
        Ok(Executor::Shell)
    }

    /// Runs a script until the deadline; reasons to stop that are weaker than `heeds` don't stop it.
    pub fn run(&self, job: &Context, script: &str, deadline: Instant, heeds: Stop) -> Result<End, Failure> {
        let limits = Limits { control: &job.control, deadline, heeds };
        let end = match self {
            Executor::Shell => process::run(job.command("bash").arg("--login"), script.as_bytes(), &job.log, &limits),
            Executor::Docker(docker) => docker.run(job, script, &limits),
        };
        end.map_err(Failure::system)
    }

    /// Who may read the folder of file variables and the files in it: whichever user a container has, otherwise the VM's only.
    pub fn modes(&self) -> (u32, u32) {
        match self {
            Executor::Shell => (0o700, 0o600),
            Executor::Docker(_) => (0o777, 0o666),
        }
    }
}
