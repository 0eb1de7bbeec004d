//! The job's log: masked as it is written, bounded, kept whole until the job has ended so that any part can be sent again.

use std::fmt::Write as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::mask::Masker;

const BOLD_RED: &str = "\x1b[31;1m";
const BOLD_GREEN: &str = "\x1b[32;1m";
const BOLD_YELLOW: &str = "\x1b[33;1m";
const BOLD_CYAN: &str = "\x1b[36;1m";
const RESET: &str = "\x1b[0;m";

pub struct Log {
    buffer: Mutex<Buffer>,
    changed: Condvar,
    sections: bool,
}

struct Buffer {
    masker: Masker,
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
    closed: bool,
}

impl Log {
    pub fn new(masker: Masker, limit: usize, sections: bool) -> Log {
        let buffer = Buffer { masker, bytes: Vec::new(), limit, full: false, closed: false };
        Log { buffer: Mutex::new(buffer), changed: Condvar::new(), sections }
    }

    pub fn write(&self, piece: &[u8]) {
        let mut buffer = self.lock();
        if !buffer.closed {
            let shown = buffer.masker.feed(piece);
            buffer.append(&shown);
        }
    }

    pub fn line(&self, text: &str) {
        self.write(format!("{text}\n").as_bytes());
    }

    pub fn notice(&self, text: &str) {
        self.line(&format!("{BOLD_GREEN}{text}{RESET}"));
    }

    pub fn warning(&self, text: &str) {
        self.line(&format!("{BOLD_YELLOW}{text}{RESET}"));
    }

    pub fn error(&self, text: &str) {
        self.line(&format!("{BOLD_RED}ERROR: {text}{RESET}"));
    }

    /// Opens a part of the log that GitLab's page can fold; close it with the same name.
    pub fn section(&self, name: &str, title: &str) {
        let mut text = String::new();
        if self.sections {
            // Writing to a string can't fail.
            let _ = write!(text, "section_start:{}:{name}\r\x1b[0K", unix_seconds());
        }
        self.line(&format!("{text}{BOLD_CYAN}{title}{RESET}"));
    }

    pub fn end_section(&self, name: &str) {
        if self.sections {
            self.write(format!("section_end:{}:{name}\r\x1b[0K", unix_seconds()).as_bytes());
        }
    }

    /// Nothing is taken after this; what a late process still writes is lost, as it should be.
    pub fn close(&self) {
        let mut buffer = self.lock();
        if !buffer.closed {
            let rest = buffer.masker.finish();
            buffer.append(&rest);
            buffer.closed = true;
        }
        self.changed.notify_all();
    }

    /// Waits for the end of the log, at most this long; true if it has ended.
    pub fn wait_closed(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut buffer = self.lock();
        while !buffer.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            buffer = self.changed.wait_timeout(buffer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What lies behind `start`, at most `most` bytes.
    pub fn part(&self, start: u64, most: usize) -> Vec<u8> {
        let buffer = self.lock();
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(buffer.bytes.len());
        buffer.bytes[start..(start + most).min(buffer.bytes.len())].to_vec()
    }

    pub fn size(&self) -> u64 {
        self.lock().bytes.len() as u64
    }

    pub fn checksum(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(&self.lock().bytes);
        crc.sum()
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    fn append(&mut self, shown: &[u8]) {
        if self.full {
            return;
        }
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&shown[..shown.len().min(room)]);
        if shown.len() > room {
            self.full = true;
            let message = format!(
                "\n{BOLD_YELLOW}Job's log exceeded limit of {} bytes.\nJob execution will continue but no more output will be collected.{RESET}\n",
                self.limit
            );
            self.bytes.extend_from_slice(message.as_bytes());
        }
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(limit: usize, secrets: &[&str]) -> Log {
        let secrets: Vec<String> = secrets.iter().map(|s| s.to_string()).collect();
        Log::new(Masker::new(&secrets, &[]), limit, true)
    }

    fn text(log: &Log) -> String {
        String::from_utf8(log.part(0, usize::MAX / 2)).unwrap()
    }

    #[test]
    fn a_log_over_its_limit_says_so_once_and_takes_no_more() {
        let log = log(10, &[]);
        log.write(b"12345678");
        log.write(b"9abcd");
        log.write(b"efg");
        assert!(text(&log).starts_with("123456789a\n"));
        assert_eq!(text(&log).matches("exceeded limit of 10 bytes").count(), 1);
        assert!(!text(&log).contains("efg"));
    }

    #[test]
    fn what_was_held_back_comes_out_at_the_end_and_nothing_afterwards() {
        let log = log(1000, &["secret"]);
        log.write(b"x sec");
        assert_eq!(text(&log), "x ");
        log.close();
        log.write(b"late");
        assert_eq!(text(&log), "x sec");
        assert!(log.wait_closed(Duration::ZERO));
    }

    #[test]
    fn parts_and_checksum_are_of_what_is_shown() {
        let log = log(1000, &["abc"]);
        log.write(b"1abc2");
        log.close();
        assert_eq!(text(&log), "1[MASKED]2");
        assert_eq!(log.part(8, 10), b"]2");
        assert_eq!(log.part(99, 10), b"");
        let mut crc = flate2::Crc::new();
        crc.update(b"1[MASKED]2");
        assert_eq!(log.checksum(), crc.sum());
    }
}
