//! Runs one program of the job in its own process group: its output goes to the log, and when the job must stop or its time is
//! over the whole group is ended.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{killpg, Signal};
use nix::unistd::Pid;

use crate::control::{Control, Stop};
use crate::log::Log;

/// How long a stopped program has to clean up.
const GRACE: Duration = Duration::from_secs(30);
/// A process in the background may hold the output for ever; what it writes later is not waited for.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As a shell counts: 128 + signal where a signal ended it.
    Code(i32),
    Stopped(Stop),
    TimedOut,
}

pub struct Limits<'a> {
    pub control: &'a Arc<Control>,
    pub deadline: Instant,
    /// Weaker reasons to stop are not heeded: after_script runs on in a cancelled job.
    pub heeds: Stop,
}

pub fn run(command: &mut Command, input: &[u8], log: &Arc<Log>, limits: &Limits) -> Result<End, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let cannot = |what: &str, cause: std::io::Error| format!("could not {what} {name}: {cause}");
    let (output, writer) = std::io::pipe().map_err(|e| cannot("make a pipe for", e))?;
    let second = writer.try_clone().map_err(|e| cannot("make a pipe for", e))?;
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(writer).stderr(second).process_group(0);
    let mut child = command.spawn().map_err(|e| cannot("start", e))?;
    // The command keeps the pipe's writing end open otherwise, and the output would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let group = Pid::from_raw(i32::try_from(child.id()).map_err(|e| e.to_string())?);
    let drained = copy(output, log);
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program that ends without reading all of it is no error.
        thread::spawn(move || stdin.write_all(&input));
    }
    let exit = limits.control.spawn(move || child.wait());
    let code = || exit().map(|status| status.map(code).map_err(|e| format!("could not wait for the job's process: {e}")));
    let end = supervise(limits, &|kind| signal(group, kind), &code)?;
    // The only other outcome is that the time is over, which is what the limit is for.
    let _ = drained.recv_timeout(LAST_OUTPUT);
    Ok(end)
}

fn copy(mut output: impl Read + Send + 'static, log: &Arc<Log>) -> Receiver<()> {
    let (done, drained) = mpsc::channel();
    let log = log.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            log.write(&buffer[..count]);
        }
        drop(done);
    });
    drained
}

enum Event {
    Exited(Result<i32, String>),
    Stop(Stop),
}

/// Waits until what runs has `exited`. When it must stop it is sent SIGTERM, then SIGKILL, in the way that `signal` knows.
pub fn supervise(limits: &Limits, signal: &dyn Fn(Signal) -> Result<(), String>, exited: &dyn Fn() -> Option<Result<i32, String>>) -> Result<End, String> {
    let event = limits.control.wait(limits.deadline, |stop| {
        exited().map(Event::Exited).or_else(|| stop.filter(|s| *s >= limits.heeds).map(Event::Stop))
    });
    let end = match event {
        Some(Event::Exited(code)) => return code.map(End::Code),
        Some(Event::Stop(reason)) => End::Stopped(reason),
        None => End::TimedOut,
    };
    signal(Signal::SIGTERM)?;
    let gone = limits.control.wait(Instant::now() + GRACE, |_| exited());
    signal(Signal::SIGKILL)?;
    if gone.is_none() {
        limits.control.wait(Instant::now() + GRACE, |_| exited());
    }
    Ok(end)
}

/// A group that is gone needs no signal, and one that became root's can't be sent any: the VM's end is its end.
fn signal(group: Pid, signal: Signal) -> Result<(), String> {
    match killpg(group, signal) {
        Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => Ok(()),
        Err(cause) => Err(format!("could not end the job's processes: {cause}")),
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(255)
}
