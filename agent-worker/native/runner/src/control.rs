//! Why a job must stop, and whoever waits for that. The log's sender, signals and deadlines write; running processes listen.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// GitLab: `canceling`. after_script still runs.
    Cancel,
    /// The runner was told to end.
    Interrupt,
    /// GitLab wants nothing more of this job.
    Abort,
}

#[derive(Default)]
pub struct Control {
    stop: Mutex<Option<Stop>>,
    changed: Condvar,
}

impl Control {
    /// A stronger reason replaces a weaker one.
    pub fn stop(&self, reason: Stop) {
        let mut stop = self.lock();
        *stop = (*stop).max(Some(reason));
        self.changed.notify_all();
    }

    pub fn stopped(&self) -> Option<Stop> {
        *self.lock()
    }

    /// Something else that a waiter looks at has changed.
    pub fn poke(&self) {
        let _guard = self.lock();
        self.changed.notify_all();
    }

    /// Does the work in a thread of its own. What is returned has the result once the waiters have been told that it is there.
    pub fn spawn<T: Send + 'static>(self: &Arc<Self>, work: impl FnOnce() -> T + Send + 'static) -> impl Fn() -> Option<T> {
        let result: Arc<Mutex<Option<T>>> = Arc::default();
        let (filled, control) = (result.clone(), self.clone());
        thread::spawn(move || {
            let done = work();
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            control.poke();
        });
        move || result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until `look`, called with the reason to stop, answers; None when the deadline comes first.
    pub fn wait<T>(&self, deadline: Instant, look: impl Fn(Option<Stop>) -> Option<T>) -> Option<T> {
        let mut stop = self.lock();
        loop {
            if let Some(answer) = look(*stop) {
                return Some(answer);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            stop = self.changed.wait_timeout(stop, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits; true if the job was aborted meanwhile.
    pub fn pause(&self, time: Duration) -> bool {
        self.wait(Instant::now() + time, |stop| (stop >= Some(Stop::Interrupt)).then_some(())).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stop>> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
