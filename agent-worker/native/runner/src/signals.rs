//! Signals as gitlab-runner understands them: TERM and INT end the job, QUIT lets it finish and takes no other.

use std::io::Read;
use std::os::fd::{IntoRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::libc;
use nix::sys::signal::{sigaction, SaFlags, SigAction, SigHandler, SigSet, Signal};

use crate::control::{Control, Stop};

static PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn noted(signal: libc::c_int) {
    let byte = [u8::try_from(signal).unwrap_or(0)];
    let pipe: RawFd = PIPE.load(Ordering::Relaxed);
    // SAFETY: write is all that a handler may do; what it returns changes nothing.
    unsafe { libc::write(pipe, byte.as_ptr().cast(), 1) };
}

#[derive(Clone, Default)]
pub struct Signals {
    running: Arc<Mutex<Option<Arc<Control>>>>,
    ending: Arc<AtomicBool>,
    idle: Arc<Control>,
}

impl Signals {
    /// Handlers, not a mask: a mask would pass on to the job's processes.
    pub fn listen() -> Result<Signals, String> {
        let (mut reader, writer) = std::io::pipe().map_err(|e| format!("could not make a pipe: {e}"))?;
        PIPE.store(writer.into_raw_fd(), Ordering::Relaxed);
        let action = SigAction::new(SigHandler::Handler(noted), SaFlags::SA_RESTART, SigSet::empty());
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
            // SAFETY: the handler only writes to a pipe.
            unsafe { sigaction(signal, &action) }.map_err(|e| format!("could not handle {signal}: {e}"))?;
        }
        let signals = Signals::default();
        let heard = signals.clone();
        thread::spawn(move || {
            let mut byte = [0u8];
            while reader.read_exact(&mut byte).is_ok() {
                heard.on(i32::from(byte[0]));
            }
        });
        Ok(signals)
    }

    fn on(&self, signal: i32) {
        self.ending.store(true, Ordering::Relaxed);
        self.idle.stop(Stop::Interrupt);
        if signal != Signal::SIGQUIT as i32 {
            if let Some(control) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
                control.stop(Stop::Interrupt);
            }
        }
    }

    /// From now on signals are for this job; None when it has ended.
    pub fn are_for(&self, job: Option<Arc<Control>>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    pub fn ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Ends early when a signal comes.
    pub fn pause(&self, time: std::time::Duration) {
        self.idle.pause(time);
    }
}
