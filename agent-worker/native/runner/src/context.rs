//! What every stage of a job needs to know, and how a stage fails.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use crate::api::Api;
use crate::control::{Control, Stop};
use crate::log::Log;
use crate::options::Options;
use crate::payload::{JobKey, Payload};
use crate::process::{self, End, Limits};
use crate::variables::{is_name, Variables};

pub struct Context {
    pub options: Options,
    pub api: Api,
    pub key: JobKey,
    pub payload: Payload,
    pub variables: Variables,
    pub log: Arc<Log>,
    pub control: Arc<Control>,
    /// When the job's own time is over.
    pub deadline: Instant,
    pub project: PathBuf,
}

/// How a job ends that doesn't succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: &'static str,
    pub exit_code: Option<i32>,
    pub message: String,
    pub stop: Option<Stop>,
}

impl Failure {
    pub fn system(message: impl Into<String>) -> Failure {
        Failure { reason: "runner_system_failure", exit_code: None, message: message.into(), stop: None }
    }

    pub fn configuration(message: impl Into<String>) -> Failure {
        Failure { reason: "runner_configuration_error", ..Failure::system(message) }
    }

    pub fn image(message: impl Into<String>) -> Failure {
        Failure { reason: "image_pull_failure", ..Failure::system(message) }
    }

    pub fn script(code: i32) -> Failure {
        Failure { reason: "script_failure", exit_code: Some(code), message: format!("exit status {code}"), stop: None }
    }

    pub fn timeout(seconds: u64) -> Failure {
        Failure { reason: "job_execution_timeout", ..Failure::system(format!("execution took longer than {seconds} seconds")) }
    }

    pub fn stopped(stop: Stop) -> Failure {
        let (reason, message) = match stop {
            Stop::Cancel => ("job_canceled", "canceled"),
            Stop::Interrupt => ("runner_interrupted", "the runner was told to end"),
            Stop::Abort => ("job_canceled", "aborted: the job has ended in GitLab"),
        };
        Failure { reason, exit_code: None, message: message.into(), stop: Some(stop) }
    }
}

impl Context {
    /// Runs a program of the job; anything but success is the failure that the job would end with.
    pub fn run(&self, command: &mut Command, input: &str) -> Result<(), Failure> {
        let limits = Limits { control: &self.control, deadline: self.deadline, heeds: Stop::Cancel };
        let end = process::run(command, input.as_bytes(), &self.log, &limits).map_err(Failure::system)?;
        self.judge(end, self.payload.timeout_seconds())
    }

    pub fn judge(&self, end: End, allowed_seconds: u64) -> Result<(), Failure> {
        match end {
            End::Code(0) => Ok(()),
            End::Code(code) => Err(Failure::script(code)),
            End::Stopped(stop) => Err(Failure::stopped(stop)),
            End::TimedOut => Err(Failure::timeout(allowed_seconds)),
        }
    }

    /// A command with the job's variables, and without what only the runner may know.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for variable in self.variables.effective() {
            if is_name(&variable.key) && !variable.value.contains('\0') {
                command.env(&variable.key, self.variables.get(&variable.key));
            }
        }
        for name in crate::options::SECRET_ENVIRONMENT {
            command.env_remove(name);
        }
        command
    }

    /// Work that can't be interrupted is left to itself when the job must stop or its time is over.
    pub fn unless_stopped<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let done = self.control.spawn(work);
        let ended = self.control.wait(self.deadline, |stop| done().map(Ok).or_else(|| stop.map(|s| Err(Failure::stopped(s)))));
        ended.unwrap_or_else(|| Err(Failure::timeout(self.payload.timeout_seconds())))
    }

    /// Tries a stage as often as a variable asks for, but never a job that must stop.
    pub fn attempts(&self, variable: &str, stage: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
        let attempts = self.variables.number(variable, 1).clamp(1, 10);
        let mut last = Ok(());
        for attempt in 1..=attempts {
            last = stage();
            let Err(failure) = &last else { break };
            if failure.stop.is_some() || failure.reason == "job_execution_timeout" {
                break;
            }
            if attempt < attempts {
                self.log.warning(&format!("{}: attempt {} of {attempts} follows", failure.message, attempt + 1));
            }
        }
        last
    }

    pub fn must_stop(&self) -> Result<(), Failure> {
        match self.control.stopped() {
            Some(stop) => Err(Failure::stopped(stop)),
            None if Instant::now() >= self.deadline => Err(Failure::timeout(self.payload.timeout_seconds())),
            None => Ok(()),
        }
    }
}
