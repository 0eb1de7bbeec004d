//! Runs in the VM from early boot on. It takes the host's orders from the guest channel and says in which state the VM is. An absent
//! host never holds it up; a host that comes back hears the last state again. Its own restart loses nothing (see `runner`).

mod conversation;
mod frame;
mod network;
mod port;
mod runner;
mod setup;
mod template;

use std::fs::OpenOptions;
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

use conversation::{Conversation, Vm};
use frame::{Configure, StartRunner, State};
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

/// The VM that this process runs in.
struct ThisVm;

impl Vm for ThisVm {
    fn prepare(&mut self) -> Result<(), String> {
        template::prepare()
    }

    fn configure(&mut self, wanted: &Configure) -> Result<(), String> {
        setup::apply(wanted)
    }

    fn renew_boot_id(&mut self) -> Result<String, String> {
        template::renew_boot_id()
    }

    fn start_runner(&mut self, order: &StartRunner) -> Result<(), String> {
        runner::start(order)
    }

    fn runner_end(&mut self) -> Option<runner::Ended> {
        runner::ended()
    }

    /// The VMM ends at the reset.
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

    fn say(&mut self, message: &str) {
        say(message);
    }
}

/// How far an earlier agent of this VM has come.
fn state() -> Result<State, String> {
    Ok(if runner::was_started()? {
        State::Running
    } else if template::is_prepared() {
        State::Prepared
    } else {
        State::Booted
    })
}

struct Agent {
    port: Port,
    signals: SignalFd,
    conversation: Conversation<ThisVm>,
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
        let conversation = Conversation::new(ThisVm, template::boot_id()?, state()?);
        Ok(Self { port: Port::open()?, signals, conversation })
    }

    fn run(mut self) -> String {
        loop {
            if self.saw_sigterm() {
                self.conversation.vm().end("systemd stops the agent");
            }
            while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
            self.conversation.look_after_runner();
            self.read();
            if let Some(frame) = self.conversation.to_tell() {
                match self.port.write(&frame) {
                    Ok(true) => self.conversation.told(),
                    Ok(false) => {}
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

    fn read(&mut self) {
        let mut buffer = [0; 16384];
        loop {
            match self.port.read(&mut buffer) {
                Input::Bytes(n) => self.conversation.hear(&buffer[..n]),
                // Connected: an absent host reads as an end of file.
                Input::Nothing => return self.conversation.host_is_here(),
                Input::Absent => return self.conversation.host_is_gone(),
            }
        }
    }

    /// Until a signal (host came or went, a child ended) or the host's bytes. The time-out only covers a lost signal.
    fn wait(&self) {
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if self.conversation.is_connected() {
            let untold = self.conversation.to_tell().is_some();
            let events = if untold { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
            fds.push(PollFd::new(self.port.fd(), events));
        }
        // An interruption is as good a reason to look around as any other.
        let _ = poll(&mut fds, PollTimeout::from(1000u16));
    }
}
