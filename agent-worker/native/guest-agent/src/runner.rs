//! The runner's process. A small keeper, forked from the agent, waits for it and writes down how it ended, so that not even the
//! agent's own death loses that.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{sigprocmask, SigSet, SigmaskHow};
use nix::unistd::{fork, setsid, ForkResult};
use serde::{Deserialize, Serialize};

use crate::frame::StartRunner;
use crate::say;
use crate::setup::OWN_CA;

const FOLDER: &str = "/run/mayfly";
const STARTED: &str = "/run/mayfly/started";
pub const ENDED: &str = "/run/mayfly/ended";
const CGROUP: &str = "/sys/fs/cgroup/mayfly-runner";
/// Who the runner is. A docker job's script runs in a container, as whoever its image says; what is done in the VM for it, root does,
/// so that no file that a container made is out of reach. The VM is the boundary either way.
struct Account {
    user: &'static str,
    home: &'static str,
    builds: &'static str,
    cache: &'static str,
}
const RUNNER: Account = Account { user: "runner", home: "/home/runner", builds: "/home/runner/builds", cache: "/home/runner/cache" };
/// The folders are those that containers see, under the same names.
const ROOT: Account = Account { user: "root", home: "/root", builds: "/builds", cache: "/cache" };
/// What this image can run a job with.
const EXECUTORS: [&str; 2] = ["shell", "docker"];

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub message: Option<String>,
}

/// Prepares what survives a restart of the agent, and says whether an earlier one started the runner.
pub fn was_started() -> Result<bool, String> {
    fs::create_dir_all(FOLDER).map_err(|e| format!("could not make {FOLDER}: {e}"))?;
    Ok(Path::new(STARTED).exists())
}

/// How the runner ended, once it has.
pub fn ended() -> Option<Ended> {
    let text = fs::read(ENDED).ok()?;
    Some(serde_json::from_slice(&text).unwrap_or_else(|e| failed(format!("{ENDED} could not be read: {e}"))))
}

/// Starts the runner, once in the life of the VM.
pub fn start(order: &StartRunner) -> Result<(), String> {
    if !EXECUTORS.contains(&order.executor.as_str()) {
        return Err(format!("this image has no executor '{}', only {}", order.executor, EXECUTORS.join(", ")));
    }
    fs::write(STARTED, "").map_err(|e| format!("could not write {STARTED}: {e}"))?;
    // SAFETY: the agent has one thread, so the child may do whatever the parent may.
    match unsafe { fork() }.map_err(|e| format!("could not fork: {e}"))? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => {
            close_inherited();
            let end = keep(order).unwrap_or_else(failed);
            if let Err(message) = record(&end) {
                say(&message);
            }
            std::process::exit(0);
        }
    }
}

/// The port above all: it can be open once only, and the agent that follows this one needs it.
fn close_inherited() {
    // SAFETY: what owned these descriptors is the parent's; this process never comes back to it.
    if unsafe { libc::close_range(3, libc::c_uint::MAX, 0) } != 0 {
        say(&format!("could not let go of the port: {}", std::io::Error::last_os_error()));
    }
}

fn failed(message: String) -> Ended {
    Ended { exit_code: Some(255), signal: None, message: Some(message) }
}

fn record(end: &Ended) -> Result<(), String> {
    let temporary = format!("{ENDED}.new");
    let json = serde_json::to_vec(end).map_err(|e| e.to_string())?;
    fs::write(&temporary, json).and_then(|()| fs::rename(&temporary, ENDED)).map_err(|e| format!("could not write {ENDED}: {e}"))
}

/// The keeper's whole life.
fn keep(order: &StartRunner) -> Result<Ended, String> {
    setsid().map_err(|e| format!("could not start a session: {e}"))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).map_err(|e| format!("could not unblock signals: {e}"))?;
    fs::create_dir_all(CGROUP).map_err(|e| format!("could not make cgroup {CGROUP}: {e}"))?;
    let mut child = command(order).spawn().map_err(|e| format!("could not start the runner: {e}"))?;
    let (done, drained) = mpsc::channel::<()>();
    for pipe in [child.stdout.take().map(|p| Box::new(p) as Box<dyn std::io::Read + Send>), child.stderr.take().map(|p| Box::new(p) as _)] {
        let done = done.clone();
        thread::spawn(move || {
            if let Some(pipe) = pipe {
                copy_to_console(pipe);
            }
            drop(done);
        });
    }
    drop(done);
    let status = child.wait().map_err(|e| format!("could not wait for the runner: {e}"))?;
    // A process that the job left behind may hold the pipes for ever; the runner's own last lines are there already.
    let _ = drained.recv_timeout(Duration::from_millis(200));
    Ok(Ended { exit_code: status.code(), signal: status.signal(), message: None })
}

fn command(order: &StartRunner) -> Command {
    let docker = order.executor == "docker";
    let Account { user, home, builds, cache } = if docker { ROOT } else { RUNNER };
    let mut command = Command::new("/usr/bin/setpriv");
    command
        .args(["--reuid", user, "--regid", user, "--init-groups", "--", "gitlab-runner", "run-single"])
        .args(["--url", &order.url, "--executor", &order.executor, "--shell", "bash", "--name", &order.name])
        .args(["--builds-dir", builds, "--cache-dir", cache])
        .args(["--max-builds", "1", "--wait-timeout", "60"])
        .env_clear()
        // Not among the arguments, which every process in the VM can read.
        .env("CI_SERVER_TOKEN", &order.token)
        .envs([("HOME", home), ("USER", user), ("LOGNAME", user), ("SHELL", "/bin/bash"), ("LANG", "C.UTF-8")])
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(advice) = &order.memory_advice {
        command.env("MAYFLY_MEMORY_ADVICE", advice);
    }
    if docker {
        // Where an engine that runs as a service leaves its certificates for the job.
        command.args(["--docker-volumes", "/certs/client"]);
        if order.privileged {
            command.arg("--docker-privileged");
        }
        if !order.docker_image.is_empty() {
            command.args(["--docker-image", &order.docker_image]);
        }
        if !order.helper_image.is_empty() {
            command.env("DOCKER_HELPER_IMAGE", &order.helper_image);
        }
        // The VM itself trusts it; containers have to be given it, the official runner's helper where it looks for it.
        if Path::new(OWN_CA).exists() {
            command.args(["--tls-ca-file", OWN_CA, "--docker-volumes", &format!("{OWN_CA}:/etc/gitlab-runner/certs/ca.crt:ro")]);
        }
    }
    // SAFETY: nothing but two writes to files; the keeper has one thread so far.
    unsafe {
        command.pre_exec(|| {
            fs::write(format!("{CGROUP}/cgroup.procs"), "0")?;
            // The agent is spared when memory runs out; the job is not.
            fs::write("/proc/self/oom_score_adj", "0")
        })
    };
    command
}

fn copy_to_console(pipe: Box<dyn std::io::Read + Send>) {
    let mut console: Option<File> = OpenOptions::new().write(true).open("/dev/console").ok();
    for line in BufReader::new(pipe).split(b'\n') {
        let Ok(line) = line else { return };
        if let Some(console) = &mut console {
            let text = [b"runner: ", &line[..line.len().min(2000)], b"\n"].concat();
            // The console is for people; losing a line of it must not stop the runner.
            let _ = console.write_all(&text);
        }
    }
}

/// Ends the runner and everything it started that is still in its cgroup.
pub fn kill_all() {
    let path = format!("{CGROUP}/cgroup.kill");
    if Path::new(&path).exists() {
        if let Err(cause) = fs::write(&path, "1") {
            say(&format!("could not end the runner's processes: {cause}"));
        }
    }
}
