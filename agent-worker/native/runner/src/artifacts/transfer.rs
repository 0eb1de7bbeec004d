//! Artifacts to GitLab and from it. A GitLab that is away for a minute or two costs time, not the job.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::pack;
use crate::api::{header, Api};
use crate::context::{Context, Failure};
use crate::payload::{Artifact, Dependency};
use crate::verdict::{self, Answer, TransferVerdict};

const TRIES: u32 = 15;
const REDIRECTS: u32 = 5;
/// A connection whose other end is gone may not say so; one on which nothing moves for so long is given up.
const STALL: Duration = Duration::from_secs(20);
const STOOD_STILL: &str = "the connection stood still";
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// GitLab may take long over what it has been sent.
const DIGESTION: Duration = Duration::from_secs(180);
const BOUNDARY: &str = "mayfly-runner-7MA4YWxkTrZu0gW";

pub fn upload(job: &Context, artifact: &Artifact, file_name: &str, file: &File) -> Result<(), Failure> {
    let mut query = format!("?artifact_format={}&artifact_type={}", or(&artifact.artifact_format, "zip"), or(&artifact.artifact_type, "archive"));
    if !artifact.expire_in.is_empty() {
        query.push_str(&format!("&expire_in={}", encode(&artifact.expire_in)));
    }
    let first = job.api.artifacts_url(job.key.id, &query);
    let (mut url, mut redirects) = (first.clone(), 0);
    for attempt in 0..TRIES {
        job.must_stop()?;
        let (answer, location) = send(job, &url, file_name, file)?;
        let what = format!("Uploading artifacts as \"{}\" to coordinator...", or(&artifact.artifact_type, "archive"));
        match (verdict::on_transfer(answer.status), location) {
            (TransferVerdict::Done, _) => {
                job.log.line(&format!("{what} {} ok", answer.status.unwrap_or_default()));
                return Ok(());
            }
            (TransferVerdict::Elsewhere, Some(place)) if redirects < REDIRECTS => {
                (url, redirects) = (place, redirects + 1);
                continue;
            }
            (TransferVerdict::Retry, _) => job.log.warning(&format!("{what} {}; trying again", answer.detail)),
            _ => return Err(Failure::system(format!("{what} {}", answer.detail))),
        }
        (url, redirects) = (first.clone(), 0);
        wait(job, attempt, answer.retry_after)?;
    }
    Err(Failure::system("GitLab did not take the artifacts in time"))
}

/// Sends the file, and gives up a connection that stands still.
fn send(job: &Context, url: &str, file_name: &str, file: &File) -> Result<(Answer, Option<String>), Failure> {
    let mut file = file.try_clone().map_err(|e| Failure::system(format!("could not read the archive: {e}")))?;
    file.rewind().map_err(|e| Failure::system(format!("could not read the archive: {e}")))?;
    let size = file.metadata().map_err(|e| Failure::system(e.to_string()))?.len();
    let name = file_name.replace(['"', '\r', '\n'], "_");
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let moved = Arc::new(AtomicU64::new(0));
    // Reads by position: an earlier try that was given up shares the file's own.
    let body = Counted { inner: Positioned { file, at: 0 }, moved: moved.clone() };
    let mut body = Cursor::new(head).chain(body).chain(Cursor::new(tail));
    let (api, url, token) = (job.api.clone(), url.to_string(), job.key.token.clone());
    let work = move || api.upload(&url, &token, &format!("multipart/form-data; boundary={BOUNDARY}"), &mut body);
    let patience = |sent| if sent >= size { DIGESTION } else { STALL };
    let result = watched(&moved, patience, || job.must_stop(), work)?;
    Ok(result.unwrap_or_else(|| (Answer { detail: STOOD_STILL.into(), ..Answer::default() }, None)))
}

/// Does the work in a thread of its own; None once nothing has moved for as long as `patience`, which is told how much has. A
/// try that is given up ends by itself, and nobody listens to it any more.
fn watched<T: Send + 'static>(
    moved: &AtomicU64,
    patience: impl Fn(u64) -> Duration,
    must_stop: impl Fn() -> Result<(), Failure>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Failure> {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more where the try was given up.
        let _ = sender.send(work());
    });
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        match done.recv_timeout(LOOK_EVERY) {
            Ok(result) => return Ok(Some(result)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => must_stop()?,
        }
        let now = moved.load(Ordering::Relaxed);
        if now > seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() >= patience(seen) {
            return Ok(None);
        }
    }
}

struct Positioned {
    file: File,
    at: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = std::os::unix::fs::FileExt::read_at(&self.file, buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

struct Counted<R> {
    inner: R,
    moved: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.moved.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

pub fn download_all(job: &Context) -> Result<(), Failure> {
    for dependency in job.payload.dependencies.iter().filter(|d| !d.artifacts_file.filename.is_empty()) {
        job.log.notice(&format!("Downloading artifacts for {} ({})...", dependency.name, dependency.id));
        let archive = download(job, dependency)?;
        let count = pack::unzip(&archive, &job.project).map_err(|e| Failure::system(format!("artifacts of {}: {e}", dependency.name)))?;
        job.log.line(&format!("Downloading artifacts from coordinator... ok, {count} files and directories"));
    }
    Ok(())
}

fn download(job: &Context, dependency: &Dependency) -> Result<File, Failure> {
    for attempt in 0..TRIES {
        job.must_stop()?;
        let mut archive = pack::nameless(job.variables.files_folder()).map_err(Failure::system)?;
        let failed = |why: String| format!("artifacts of {} ({}): {why}", dependency.name, dependency.id);
        match fetch(job, dependency, &archive)? {
            Ok(None) => return archive.rewind().map(|()| archive).map_err(|e| Failure::system(e.to_string())),
            Ok(Some(403 | 401)) => return Err(Failure::system(failed("GitLab forbids the download; did a needed job's artifacts expire?".into()))),
            Ok(Some(404)) => return Err(Failure::system(failed("GitLab has none; they may have expired".into()))),
            Ok(Some(status)) if verdict::on_transfer(Some(status)) == TransferVerdict::Refused => {
                return Err(Failure::system(failed(format!("GitLab answered {status}"))));
            }
            Ok(Some(status)) => job.log.warning(&failed(format!("GitLab answered {status}; trying again"))),
            Err(cause) => job.log.warning(&failed(format!("{cause}; trying again"))),
        }
        wait(job, attempt, None)?;
    }
    Err(Failure::system(format!("GitLab did not give the artifacts of {} in time", dependency.name)))
}

/// None once the file is there, else what GitLab answered. A body that breaks off or stands still is an error.
fn fetch(job: &Context, dependency: &Dependency, archive: &File) -> Result<Result<Option<u16>, String>, Failure> {
    let moved = Arc::new(AtomicU64::new(0));
    let to = archive.try_clone().map_err(|e| Failure::system(format!("could not keep the artifacts: {e}")))?;
    let (api, url, token) = (job.api.clone(), job.api.artifacts_url(dependency.id, ""), dependency.token.clone());
    let counted = moved.clone();
    let patience = |came| if came == 0 { DIGESTION } else { STALL };
    let result = watched(&moved, patience, || job.must_stop(), move || fetch_from(&api, url, &token, to, counted))?;
    Ok(result.unwrap_or_else(|| Err(STOOD_STILL.into())))
}

fn fetch_from(api: &Api, mut url: String, token: &str, mut archive: File, moved: Arc<AtomicU64>) -> Result<Option<u16>, String> {
    let mut token = Some(token);
    for _ in 0..=REDIRECTS {
        let mut answer = api.download(&url, token)?;
        let status = answer.status().as_u16();
        match (verdict::on_transfer(Some(status)), header(answer.headers(), "Location")) {
            (TransferVerdict::Done, _) => {
                let expected = header(answer.headers(), "Content-Length").and_then(|n| n.parse::<u64>().ok());
                let mut body = Counted { inner: answer.body_mut().as_reader(), moved };
                let got = io::copy(&mut body, &mut archive).map_err(|e| e.to_string())?;
                return match expected {
                    Some(size) if size != got => Err(format!("{got} of {size} bytes came")),
                    _ => Ok(None),
                };
            }
            (TransferVerdict::Elsewhere, Some(place)) => (url, token) = (place, None),
            _ => return Ok(Some(status)),
        }
    }
    Err("GitLab sends from one address to the next".into())
}

fn wait(job: &Context, attempt: u32, told: Option<Duration>) -> Result<(), Failure> {
    let own = verdict::back_off(attempt, Duration::from_secs(1), Duration::from_secs(10));
    let time = told.map_or(own, |t| t.clamp(own, Duration::from_secs(60)));
    if job.control.pause(time) {
        return job.must_stop();
    }
    Ok(())
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

/// For a value in an address.
fn encode(text: &str) -> String {
    let mut result = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => result.push(char::from(byte)),
            other => result.push_str(&format!("%{other:02X}")),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn a_transfer_on_which_nothing_moves_is_given_up() {
        let (hold, held) = mpsc::channel::<()>();
        let moved = AtomicU64::new(0);
        let result = watched(&moved, |_| SHORT, || Ok(()), move || held.recv().is_ok());
        assert_eq!(result, Ok(None));
        drop(hold);
    }

    #[test]
    fn a_slow_transfer_is_waited_for_as_long_as_it_moves() {
        let moved = Arc::new(AtomicU64::new(0));
        let counted = moved.clone();
        let work = move || {
            for _ in 0..6 {
                thread::park_timeout(SHORT / 2);
                counted.fetch_add(1, Ordering::Relaxed);
            }
            "done"
        };
        assert_eq!(watched(&moved, |_| SHORT, || Ok(()), work), Ok(Some("done")));
    }

    #[test]
    fn a_job_that_must_stop_waits_for_no_transfer() {
        let (hold, held) = mpsc::channel::<()>();
        let moved = AtomicU64::new(0);
        let result = watched(&moved, |_| DIGESTION, || Err(Failure::timeout(1)), move || held.recv().is_ok());
        assert_eq!(result, Err(Failure::timeout(1)));
        drop(hold);
    }

    #[test]
    fn values_in_an_address_are_encoded() {
        assert_eq!(encode("1 week & é"), "1%20week%20%26%20%C3%A9");
    }
}
