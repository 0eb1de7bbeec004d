//! The guard's loop: it copies the console and waits for the first of the events that end a VM.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{kill, killpg, SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{fork, getpid, pipe2, ForkResult, Pid};
use serde_json::json;

use crate::child::{become_vmm, step, Step};
use crate::console::Console;
use crate::files;
use crate::spec::{Reason, Spec};

pub struct End {
    pub reason: Reason,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub message: String,
}

/// Starts the VMM and returns when it is dead. An error means that it never ran.
pub fn keep(spec: &Spec) -> Step<End> {
    if spec.kill_request.exists() {
        return Ok(End { reason: Reason::Killed, exit_code: None, signal: None, message: "it was to be killed before it started".into() });
    }
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT] {
        mask.add(signal);
    }
    step("block signals", mask.thread_block())?;
    let signals = step("watch signals", SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK))?;
    let requests = step("watch for a kill request", watch_folder(&spec.kill_request))?;
    let console = step(&format!("open the console log {}", spec.console.display()), Console::create(&spec.console, spec.console_limit))?;
    let (vmm, output) = start(spec)?;
    Watch { spec, vmm, started: Instant::now(), heartbeat: Heartbeat::new(), console, output: Some(output), signals, requests, ending: None }.run()
}

fn watch_folder(file: &Path) -> nix::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    inotify.add_watch(file.parent().unwrap_or(Path::new("/")), AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)?;
    Ok(inotify)
}

fn start(spec: &Spec) -> Step<(Pid, File)> {
    let pipe = || step("make a pipe", pipe2(OFlag::O_CLOEXEC));
    let ((output, output_end), (go, go_end), (failure, failure_end)) = (pipe()?, pipe()?, pipe()?);
    let guard = getpid();
    // SAFETY: this process has one thread, so the child may do whatever the parent may.
    let vmm = match step("fork", unsafe { fork() })? {
        ForkResult::Child => {
            drop(go_end);
            let message = match become_vmm(spec, guard, go, output_end) {
                Ok(never) => match never {},
                Err(message) => message,
            };
            // The guard reads why; if it is gone nobody wants to know.
            let _ = File::from(failure_end).write_all(message.as_bytes());
            std::process::exit(127);
        }
        ForkResult::Parent { child } => child,
    };
    drop((go, output_end, failure_end));
    let started = write_pids(spec, vmm).and_then(|()| step("release the VMM", File::from(go_end).write_all(b"g")));
    let mut message = String::new();
    let heard = step("hear from the VMM's start", File::from(failure).read_to_string(&mut message));
    let failed = started.and(heard.map(drop)).err().or(Some(message).filter(|m| !m.is_empty()));
    if let Some(message) = failed {
        step("end what failed to start", kill(vmm, Signal::SIGKILL))?;
        step("reap what failed to start", waitpid(vmm, None))?;
        return Err(message);
    }
    step("read the console without waiting", fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)))?;
    Ok((vmm, File::from(output)))
}

fn write_pids(spec: &Spec, vmm: Pid) -> Step<()> {
    let guard = getpid().as_raw();
    let what = format!("write {}", spec.pid_file.display());
    let pids = json!({
        "guardPid": guard,
        "guardStart": step(&what, files::start_time(guard))?,
        "vmmPid": vmm.as_raw(),
        "vmmStart": step(&what, files::start_time(vmm.as_raw()))?,
    });
    step(&what, files::write_atomically(&spec.pid_file, pids.to_string().as_bytes()))
}

/// The agent's sign of life, measured by this process's own clock since the file last changed:
/// a step of the wall clock must not kill every VM of a host.
struct Heartbeat {
    seen: Option<SystemTime>,
    changed: Instant,
}

impl Heartbeat {
    fn new() -> Self {
        Self { seen: None, changed: Instant::now() }
    }

    fn age(&mut self, path: &Path) -> Duration {
        let modified = fs::metadata(path).and_then(|m| m.modified()).ok();
        if modified.is_some() && modified != self.seen {
            let first = self.seen.is_none();
            self.seen = modified;
            // What it said before this guard started says nothing about the time since.
            if !first {
                self.changed = Instant::now();
            }
        }
        self.changed.elapsed()
    }
}

struct Watch<'a> {
    spec: &'a Spec,
    vmm: Pid,
    started: Instant,
    heartbeat: Heartbeat,
    console: Console,
    output: Option<File>,
    signals: SignalFd,
    requests: Inotify,
    ending: Option<(Reason, String)>,
}

impl Watch<'_> {
    fn run(mut self) -> Step<End> {
        loop {
            self.copy_console();
            if let Some(status) = self.reap() {
                return Ok(self.end(status));
            }
            if self.ending.is_none() {
                self.ending = self.reason_to_end();
            }
            if self.ending.is_some() {
                // Again at every round until it is dead: a process in the kernel may take its time.
                self.kill_all();
            }
            self.wait();
        }
    }

    fn reason_to_end(&mut self) -> Option<(Reason, String)> {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                return Some((Reason::Killed, "the guard was asked to end by a signal".into()));
            }
        }
        // Only wakes the loop; what counts is the file itself.
        while self.requests.read_events().is_ok() {}
        if self.spec.kill_request.exists() {
            return Some((Reason::Killed, "its end was requested".into()));
        }
        let limit = self.spec.time_to_live_seconds;
        if self.started.elapsed() >= Duration::from_secs(limit) {
            return Some((Reason::TimeToLive, format!("its time to live of {limit} s was over")));
        }
        let path = self.spec.heartbeat.as_ref()?;
        let limit = self.spec.heartbeat_max_age_seconds;
        if self.heartbeat.age(path) > Duration::from_secs(limit) {
            return Some((Reason::AgentGone, format!("the agent gave no sign of life for {limit} s: {} did not change", path.display())));
        }
        None
    }

    fn kill_all(&self) {
        let by_cgroup = self.spec.cgroup_kill.as_ref().is_some_and(|path| fs::write(path, "1").is_ok());
        if !by_cgroup {
            // Fails only if the group is gone, which is what is wanted.
            let _ = killpg(self.vmm, Signal::SIGKILL);
        }
        // Also if it never reached its cgroup or group. It is not reaped yet, so the pid is its own.
        let _ = kill(self.vmm, Signal::SIGKILL);
    }

    fn reap(&self) -> Option<WaitStatus> {
        match waitpid(self.vmm, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => None,
            Ok(status) => Some(status),
            Err(cause) => unreachable!("waiting for one's own child fails: {cause}"),
        }
    }

    fn end(mut self, status: WaitStatus) -> End {
        if let Some(path) = &self.spec.cgroup_kill {
            // Whatever the VMM left behind. A cgroup that is gone holds nothing.
            let _ = fs::write(path, "1");
        }
        self.copy_console();
        let (exit_code, signal, how) = match status {
            WaitStatus::Exited(_, code) => (Some(code), None, format!("the VMM exited with code {code}")),
            WaitStatus::Signaled(_, signal, _) => (None, Some(signal as i32), format!("the VMM was ended by {signal}")),
            other => (None, None, format!("the VMM ended: {other:?}")),
        };
        let (reason, why) = self.ending.unwrap_or((Reason::Exited, how));
        End { reason, exit_code, signal, message: why }
    }

    /// Takes what is there, at most 1 MiB a round so that a flood never keeps the loop from its other duties.
    fn copy_console(&mut self) {
        let Some(output) = &mut self.output else { return };
        let mut buffer = [0; 65536];
        for _ in 0..16 {
            match output.read(&mut buffer) {
                Ok(0) => {
                    self.output = None;
                    return;
                }
                Ok(n) => {
                    // A full disk costs the log, not the VM.
                    let _ = self.console.write(&buffer[..n]);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Until something happens, or the next clock has to be looked at.
    fn wait(&self) {
        let left = Duration::from_secs(self.spec.time_to_live_seconds).saturating_sub(self.started.elapsed());
        let look = match &self.spec.heartbeat {
            Some(_) => Duration::from_secs(self.spec.heartbeat_max_age_seconds) / 8,
            None => Duration::from_secs(30),
        };
        let pause = if self.ending.is_some() { Duration::from_millis(100) } else { left.min(look).min(Duration::from_secs(5)) };
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN), PollFd::new(self.requests.as_fd(), PollFlags::POLLIN)];
        if let Some(output) = &self.output {
            fds.push(PollFd::new(output.as_fd(), PollFlags::POLLIN));
        }
        let timeout = PollTimeout::try_from(pause.as_millis() as i32 + 1).unwrap_or(PollTimeout::MAX);
        // An interruption is as good a reason to look around as any other.
        let _ = poll(&mut fds, timeout);
    }
}
