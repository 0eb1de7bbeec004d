//! Runs in the VM from early boot on. It takes the host's orders from the guest channel and says in which state the VM is. An absent
//! host never holds it up; a host that comes back hears the last state again. Its own restart loses nothing (see `runner`).

mod frame;
mod port;
mod runner;
mod setup;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::reboot::{reboot, RebootMode};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};

use frame::{Configure, FromHost, Reader, Report, StartRunner, State};
use port::{Input, Port};

fn main() -> ExitCode {
    let problem = match Agent::new() {
        Ok(agent) => agent.run(),
        Err(message) => message,
    };
    // systemd starts it again.
    say(&problem);
    ExitCode::FAILURE
}

/// A line for people, on the console that the host keeps.
pub fn say(message: &str) {
    if let Ok(mut console) = OpenOptions::new().write(true).open("/dev/console") {
        // Nothing depends on it.
        let _ = console.write_all(format!("mayfly-agent: {message}\n").as_bytes());
    }
}

struct Agent {
    port: Port,
    reader: Reader,
    signals: SignalFd,
    connected: bool,
    told: bool,
    report: Report,
    configured: Option<Configure>,
}

impl Agent {
    fn new() -> Result<Self, String> {
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGIO, Signal::SIGTERM] {
            mask.add(signal);
        }
        mask.thread_block().map_err(|e| format!("could not block signals: {e}"))?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        let signals = signals.map_err(|e| format!("could not watch signals: {e}"))?;
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(|e| format!("could not read the boot id: {e}"))?;
        let mut report = Report {
            state: State::Booted,
            agent_version: env!("CARGO_PKG_VERSION"),
            boot_id: boot_id.trim().to_string(),
            exit_code: None,
            signal: None,
            message: None,
        };
        if runner::recover()?.is_some() {
            report.state = State::Running;
        }
        Ok(Self { port: Port::open()?, reader: Reader::default(), signals, connected: false, told: false, report, configured: None })
    }

    fn run(mut self) -> String {
        loop {
            if self.saw_sigterm() {
                self.end("systemd stops the agent");
            }
            self.look_after_runner();
            self.read();
            if self.connected && !self.told {
                match self.port.write(&frame::encode(&self.report)) {
                    Ok(taken) => self.told = taken,
                    Err(cause) => return format!("could not write to the host: {cause}"),
                }
            }
            self.wait();
        }
    }

    fn saw_sigterm(&mut self) -> bool {
        let mut found = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            found |= signal.ssi_signo == Signal::SIGTERM as u32;
        }
        found
    }

    fn look_after_runner(&mut self) {
        while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
        if self.report.state == State::Running {
            if let Some(end) = runner::ended() {
                (self.report.exit_code, self.report.signal, self.report.message) = (end.exit_code, end.signal, end.message);
                self.enter(State::Ended);
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 16384];
        loop {
            match self.port.read(&mut buffer) {
                Input::Bytes(n) => {
                    self.connected = true;
                    self.reader.push(&buffer[..n]);
                    self.obey();
                }
                Input::Nothing => {
                    // Connected: an absent host reads as an end of file.
                    if !self.connected {
                        (self.connected, self.told) = (true, false);
                    }
                    return;
                }
                Input::Absent => {
                    self.connected = false;
                    self.reader.clear();
                    return;
                }
            }
        }
    }

    fn obey(&mut self) {
        loop {
            match self.reader.next() {
                Ok(Some(FromHost::Hello)) => self.told = false,
                Ok(Some(FromHost::Configure(wanted))) => self.configure(wanted),
                Ok(Some(FromHost::StartRunner(order))) => self.start_runner(&order),
                Ok(Some(FromHost::Shutdown)) => self.end("the host asked for it"),
                Ok(Some(FromHost::Unknown)) => say("the host sent a frame of an unknown type; ignored"),
                Ok(None) => return,
                Err(message) => return say(&message),
            }
        }
    }

    fn configure(&mut self, wanted: Configure) {
        // A repetition after a reconnect would only set the clock to a time that has passed.
        let repeated = self.configured.as_ref().is_some_and(|c| c.unix_nanos == wanted.unix_nanos && *c == wanted);
        if !repeated {
            match setup::apply(&wanted) {
                Ok(()) => {
                    self.configured = Some(wanted);
                    self.report.message = None;
                    if self.report.state == State::Booted {
                        self.report.state = State::Ready;
                    }
                }
                Err(message) => {
                    say(&message);
                    self.report.message = Some(message);
                }
            }
        }
        self.told = false;
    }

    fn start_runner(&mut self, order: &StartRunner) {
        match self.report.state {
            State::Booted | State::Ready => match runner::start(order) {
                Ok(()) => self.enter(State::Running),
                Err(message) => {
                    say(&message);
                    (self.report.exit_code, self.report.message) = (Some(255), Some(message));
                    self.enter(State::Ended);
                }
            },
            State::Running | State::Ended => self.told = false,
        }
    }

    fn enter(&mut self, state: State) {
        self.report.state = state;
        self.told = false;
    }

    /// Ends the VM: the VMM ends at the reset.
    fn end(&mut self, why: &str) {
        say(&format!("ending the VM: {why}"));
        runner::kill_all();
        let (done, synced) = mpsc::channel();
        thread::spawn(move || {
            nix::unistd::sync();
            // The receiver may have gone on without it.
            let _ = done.send(());
        });
        // Nothing of the VM is kept, so a slow disk is not waited for long.
        let _ = synced.recv_timeout(Duration::from_secs(2));
        let Err(cause) = reboot(RebootMode::RB_AUTOBOOT);
        say(&format!("could not end the VM: {cause}"));
    }

    /// Until a signal (host came or went, a child ended) or the host's bytes. The time-out only covers a lost signal.
    fn wait(&self) {
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if self.connected {
            let events = if self.told { PollFlags::POLLIN } else { PollFlags::POLLIN | PollFlags::POLLOUT };
            fds.push(PollFd::new(self.port.fd(), events));
        }
        // An interruption is as good a reason to look around as any other.
        let _ = poll(&mut fds, PollTimeout::from(1000u16));
    }
}
