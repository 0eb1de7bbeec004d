//! `mayfly-guard <spec.json>`: keeps one microVM, from its start to the record of its end.
//!
//! The agent starts it and may die: the guard goes on, and ends the VM if the agent stays away. If the guard dies, its VM dies
//! with it. It holds no state that matters to anyone but the files named in the spec.

mod child;
mod console;
mod files;
mod hold;
mod jail;
mod spec;
mod watch;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{signal, SigHandler, Signal};
use nix::sys::stat::{umask, Mode};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use spec::{Exit, Reason, Spec};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["hold", file] => return hold(file),
        [path] => *path,
        _ => {
            eprintln!("usage: mayfly-guard <spec.json> | mayfly-guard hold <file>");
            return ExitCode::from(2);
        }
    };
    // Held until the end: a second guard of the same VM must not touch its files.
    let (spec, _lock) = match read(Path::new(path)) {
        Ok(found) => found,
        Err(message) => {
            eprintln!("mayfly-guard: {path}: {message}");
            return ExitCode::from(2);
        }
    };
    let end = detach().and_then(|()| watch::keep(&spec)).unwrap_or_else(|message| watch::End {
        reason: Reason::StartFailed,
        exit_code: None,
        signal: None,
        message,
    });
    match record(&spec, end) {
        Ok(reason) if reason != Reason::StartFailed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn hold(file: &str) -> ExitCode {
    match hold::hold(Path::new(file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("mayfly-guard: {file} can't be held in memory: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &Path) -> Result<(Spec, Flock<File>), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, e)| match e {
        Errno::EWOULDBLOCK => "another guard keeps this VM".to_string(),
        other => other.to_string(),
    })?;
    let spec: Spec = serde_json::from_reader(&*lock).map_err(|e| e.to_string())?;
    spec.check()?;
    Ok((spec, lock))
}

/// Cuts every tie to the process that started the guard.
fn detach() -> Result<(), String> {
    // A process that leads a session already is as detached as it can be.
    if let Err(cause) = setsid() {
        if cause != Errno::EPERM {
            return Err(format!("could not start a session: {cause}"));
        }
    }
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) }.map_err(|e| format!("could not ignore SIGHUP: {e}"))?;
    close_inherited()?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(|e| format!("could not open /dev/null: {e}"))?;
    dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).and_then(|()| dup2_stderr(&null)).map_err(|e| format!("could not redirect: {e}"))?;
    umask(Mode::from_bits_truncate(0o027));
    chdir("/").map_err(|e| format!("could not enter /: {e}"))
}

/// Whatever the agent's JVM had open when it started the guard.
fn close_inherited() -> Result<(), String> {
    let entries = std::fs::read_dir("/proc/self/fd").map_err(|e| format!("could not list descriptors: {e}"))?;
    let numbers: Vec<i32> = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    for fd in numbers.into_iter().filter(|fd| *fd > 2) {
        // SAFETY: asking for flags has no effect; what this process opened itself is close-on-exec, what it inherited is not.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        if flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
            // SAFETY: an inherited descriptor has no owner in this process.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

fn record(spec: &Spec, end: watch::End) -> std::io::Result<Reason> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let exit = Exit { reason: end.reason, exit_code: end.exit_code, signal: end.signal, message: end.message, at_unix_millis: now };
    files::write_atomically(&spec.exit_file, &serde_json::to_vec(&exit)?)?;
    Ok(exit.reason)
}
