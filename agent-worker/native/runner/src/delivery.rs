//! Brings the log and the job's state to GitLab, and what GitLab says about the job's fate to whoever waits for it.
//! A GitLab that is away costs nothing but time: everything is sent again until it has been taken or refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::api::Api;
use crate::control::{Control, Stop};
use crate::log::Log;
use crate::payload::JobKey;
use crate::verdict::{self, Answer, Fate, FinalVerdict, LogVerdict};

const FIRST_INTERVAL: Duration = Duration::from_secs(3);
/// A job that is silent for longer tells GitLab that it lives, and so learns of a cancel.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
const LARGEST_PART: usize = 1 << 20;
const FEW_TRIES: u32 = 10;

pub struct Delivery {
    api: Api,
    job: JobKey,
    executor: String,
    shell: String,
    log: Arc<Log>,
    control: Arc<Control>,
    sent: u64,
    interval: Duration,
    last_contact: Instant,
    over: bool,
}

/// How the job ended, in GitLab's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub state: &'static str,
    pub failure_reason: Option<String>,
    pub exit_code: Option<i32>,
}

impl Delivery {
    pub fn new(api: Api, job: JobKey, executor: &str, shell: &str, log: Arc<Log>, control: Arc<Control>) -> Delivery {
        Delivery {
            api,
            job,
            executor: executor.into(),
            shell: shell.into(),
            log,
            control,
            sent: 0,
            interval: FIRST_INTERVAL,
            last_contact: Instant::now(),
            over: false,
        }
    }

    /// Runs beside the job until its log is closed.
    pub fn follow(&mut self) {
        while !self.log.wait_closed(self.interval) {
            if self.over {
                continue;
            }
            self.send_log();
            if !self.over && self.last_contact.elapsed() >= LONGEST_SILENCE {
                let answer = self.api.update(&self.job, &self.executor, &self.shell, "running", json!({}));
                self.heed(&answer);
                self.over |= answer.status == Some(404);
            }
        }
    }

    /// Sends the rest of the log and how the job ended, until GitLab has taken it or wants it no more.
    pub fn finish(&mut self, ending: &Ending) -> Result<(), String> {
        let mut tries = 0;
        loop {
            if !self.send_log() {
                self.wait(&mut tries);
                continue;
            }
            let answer = self.api.update(&self.job, &self.executor, &self.shell, ending.state, self.last_words(ending));
            match verdict::on_final(&answer) {
                FinalVerdict::Done => return Ok(()),
                FinalVerdict::Refused => return Err(answer.detail),
                _ if self.over => return Err(answer.detail),
                FinalVerdict::NotComplete => std::thread::park_timeout(answer.interval.unwrap_or(FIRST_INTERVAL).min(LONGEST_SILENCE)),
                FinalVerdict::LogDiffers => self.sent = 0,
                FinalVerdict::RetryAFewTimes if tries >= FEW_TRIES => return Err(answer.detail),
                FinalVerdict::Retry | FinalVerdict::RetryAFewTimes => self.wait_as_told(&mut tries, answer.retry_after),
            }
        }
    }

    fn last_words(&self, ending: &Ending) -> Value {
        let checksum = format!("crc32:{:08x}", self.log.checksum());
        let mut words = json!({"checksum": checksum, "output": {"checksum": checksum, "bytesize": self.log.size()}});
        if let Some(reason) = &ending.failure_reason {
            words["failure_reason"] = json!(reason);
        }
        if let Some(code) = ending.exit_code {
            words["exit_code"] = json!(code);
        }
        words
    }

    /// True if GitLab has all of the log so far, or wants none of it.
    fn send_log(&mut self) -> bool {
        while !self.over {
            let part = self.log.part(self.sent, LARGEST_PART);
            if part.is_empty() {
                return true;
            }
            let answer = self.api.append_log(&self.job, self.sent, &part);
            self.heed(&answer);
            match verdict::on_log(&answer) {
                LogVerdict::Accepted => self.sent += part.len() as u64,
                LogVerdict::ContinueAt(end) if end != self.sent && end <= self.log.size() => self.sent = end,
                LogVerdict::Refused | LogVerdict::Gone => self.end(),
                LogVerdict::ContinueAt(_) | LogVerdict::Retry => return false,
            }
        }
        true
    }

    fn heed(&mut self, answer: &Answer) {
        if answer.status.is_some_and(|s| s < 500) {
            self.last_contact = Instant::now();
        }
        if let Some(interval) = answer.interval {
            self.interval = interval.min(LONGEST_SILENCE);
        }
        match verdict::fate(answer) {
            Fate::GoesOn => {}
            Fate::Canceling => self.control.stop(Stop::Cancel),
            Fate::Over => self.end(),
        }
    }

    fn end(&mut self) {
        self.over = true;
        self.control.stop(Stop::Abort);
    }

    fn wait(&mut self, tries: &mut u32) {
        self.wait_as_told(tries, None);
    }

    fn wait_as_told(&mut self, tries: &mut u32, told: Option<Duration>) {
        let own = verdict::back_off(*tries, Duration::from_secs(1), LONGEST_SILENCE);
        *tries += 1;
        // Nobody unparks this thread: a time-out is what is waited for.
        std::thread::park_timeout(told.map_or(own, |t| t.min(LONGEST_SILENCE * 2)));
    }
}
