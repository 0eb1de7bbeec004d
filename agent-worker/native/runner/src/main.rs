//! Mayfly's embedded runner: asks GitLab for a job and runs it in a shell or a container, in place of gitlab-runner and by its command line.

mod api;
mod artifacts;
mod context;
mod control;
mod delivery;
mod docker;
mod executor;
mod expand;
mod git;
mod info;
mod job;
mod log;
mod mask;
mod memory;
mod options;
mod payload;
mod places;
mod process;
mod script;
mod signals;
mod variables;
mod verdict;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::{Api, Request};
use crate::control::Control;
use crate::options::Options;
use crate::payload::JobKey;
use crate::signals::Signals;

const BETWEEN_REQUESTS: Duration = Duration::from_secs(3);
const AFTER_REFUSAL: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--version" | "-v") => print!("Version:      {}\nName:         {}\nOS/Arch:      linux/{}\n", info::VERSION, info::NAME, info::architecture()),
        Some("--help" | "-h" | "help") => print!("{}", options::HELP),
        Some("run-single") if arguments.iter().any(|a| a == "--help" || a == "-h") => print!("{}", options::HELP),
        Some("run-single") => {
            if let Err(message) = run_single(&arguments[1..]) {
                eprintln!("FATAL: {message}");
                return ExitCode::FAILURE;
            }
        }
        _ => {
            eprint!("{}", options::HELP);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Like gitlab-runner's, ends with success whether the job did or not, and also when no job came.
fn run_single(arguments: &[String]) -> Result<(), String> {
    let (options, token) = options::parse(arguments, &|name| std::env::var(name).ok())?;
    let signals = Signals::listen()?;
    let api = Api::new(&options.url, &token, &system_id(), options.tls_ca_file.as_deref())?;
    let mut builds = 0;
    let mut idle_since = Instant::now();
    while !signals.ending() {
        let pause = match api.request_job(&options.executor, &options.shell) {
            Request::Job(body) => {
                run_job(&options, &api, &token, &signals, body);
                builds += 1;
                idle_since = Instant::now();
                if options.max_builds > 0 && builds >= options.max_builds {
                    eprintln!("This runner has processed its build limit, so now exiting");
                    return Ok(());
                }
                continue;
            }
            Request::Nothing => BETWEEN_REQUESTS,
            Request::Forbidden => {
                eprintln!("GitLab refuses the runner's token");
                AFTER_REFUSAL
            }
            Request::Failed(cause) => {
                eprintln!("No answer to the request for a job: {cause}");
                BETWEEN_REQUESTS
            }
        };
        if let Some(limit) = options.wait_timeout.filter(|limit| idle_since.elapsed() >= *limit) {
            eprintln!("This runner has not received a job in {} seconds, so now exiting", limit.as_secs());
            return Ok(());
        }
        signals.pause(pause);
    }
    Ok(())
}

fn run_job(options: &Options, api: &Api, token: &str, signals: &Signals, body: Value) {
    let Some(key) = JobKey::of(&body) else {
        eprintln!("GitLab sent a job without id or token: nothing can be said about it");
        return;
    };
    let control = Arc::new(Control::default());
    signals.are_for(Some(control.clone()));
    let id = key.id;
    eprintln!("job={id} started");
    match job::run(options, api, &[token.to_string()], key, body, control) {
        Ok(ending) => eprintln!("job={id} {}{}", ending.state, ending.failure_reason.map(|r| format!(": {r}")).unwrap_or_default()),
        Err(cause) => eprintln!("job={id} GitLab did not take how it ended: {cause}"),
    }
    signals.are_for(None);
}

/// The machine's own, so that each VM is a runner manager of its own.
fn system_id() -> String {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in machine.trim().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("s_{:012x}", hash & 0xffff_ffff_ffff)
}
