//! Artifacts to GitLab and from it. A GitLab that is away for a minute or two costs time, not the job.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::pack;
use crate::api::header;
use crate::context::{Context, Failure};
use crate::payload::{Artifact, Dependency};
use crate::verdict::{self, Answer, TransferVerdict};

const TRIES: u32 = 15;
const REDIRECTS: u32 = 5;
/// A connection whose other end is gone may not say so; one on which nothing moves for so long is given up.
const STALL: Duration = Duration::from_secs(20);
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
    let (sender, done) = mpsc::channel();
    let (api, url, token) = (job.api.clone(), url.to_string(), job.key.token.clone());
    thread::spawn(move || {
        // Nobody listens any more where the try was given up.
        let _ = sender.send(api.upload(&url, &token, &format!("multipart/form-data; boundary={BOUNDARY}"), &mut body));
    });
    let mut before = 0;
    loop {
        let patience = if before >= size { DIGESTION } else { STALL };
        match done.recv_timeout(patience) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) if moved.load(Ordering::Relaxed) > before => before = moved.load(Ordering::Relaxed),
            Err(_) => return Ok((Answer { detail: "the connection stood still".into(), ..Answer::default() }, None)),
        }
        job.must_stop()?;
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
        match fetch(job, dependency, &mut archive) {
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

/// None once the file is there, else what GitLab answered. A body that breaks off is an error.
fn fetch(job: &Context, dependency: &Dependency, archive: &mut File) -> Result<Option<u16>, String> {
    let mut url = job.api.artifacts_url(dependency.id, "");
    let mut token = Some(dependency.token.as_str());
    for _ in 0..=REDIRECTS {
        let mut answer = job.api.download(&url, token)?;
        let status = answer.status().as_u16();
        match (verdict::on_transfer(Some(status)), header(answer.headers(), "Location")) {
            (TransferVerdict::Done, _) => {
                let expected = header(answer.headers(), "Content-Length").and_then(|n| n.parse::<u64>().ok());
                let got = io::copy(&mut answer.body_mut().as_reader(), archive).map_err(|e| e.to_string())?;
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

    #[test]
    fn values_in_an_address_are_encoded() {
        assert_eq!(encode("1 week & é"), "1%20week%20%26%20%C3%A9");
    }
}
