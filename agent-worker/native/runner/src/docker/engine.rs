//! The Docker engine's HTTP interface over its UNIX socket. HTTP/1.0 is asked for, so that an answer simply ends with its
//! connection: no chunks to read, and an attached container's bytes follow the answer's head.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

const SOCKET: &str = "/var/run/docker.sock";
/// What Debian 12's engine speaks; newer ones speak it too.
const VERSION: &str = "v1.41";
/// For everything but what lasts as long as the job wants: under emulation an engine that was just started takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// A name or a few lines of JSON: an answer that is longer is none.
const LARGEST_HEAD: u64 = 64 * 1024;

#[derive(Clone)]
pub struct Engine {
    socket: PathBuf,
}

/// Why the engine did not do something, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// None where the engine did not answer.
    pub status: Option<u16>,
    pub message: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> String {
        trouble.message
    }
}

/// The beginning of an answer; the rest is still in the connection.
struct Answer {
    status: u16,
    rest: BufReader<UnixStream>,
}

impl Engine {
    /// At the address that docker's own programs would use: only that of a UNIX socket.
    pub fn at(host: Option<&str>) -> Result<Engine, String> {
        match host.filter(|h| !h.is_empty()) {
            None => Ok(Engine { socket: SOCKET.into() }),
            Some(host) => match host.strip_prefix("unix://") {
                Some(path) => Ok(Engine { socket: path.into() }),
                None => Err(format!("--docker-host '{host}' is no unix:// address; this runner uses the VM's own engine")),
            },
        }
    }

    pub fn get(&self, path: &str) -> Result<Value, Trouble> {
        json(self.whole("GET", path, None)?)
    }

    pub fn post(&self, path: &str, body: Value) -> Result<Value, Trouble> {
        json(self.whole("POST", path, Some(body))?)
    }

    /// An answer as it is, such as a container's output.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        self.whole("GET", path, None)
    }

    /// Waits as long as the engine takes, and hands on each line of JSON that it sends meanwhile.
    pub fn follow(&self, path: &str, headers: &[(&str, String)], mut each: impl FnMut(Value)) -> Result<(), Trouble> {
        let answer = self.ask("POST", path, headers, None, None)?;
        let mut lines = checked(answer)?.rest;
        let mut line = String::new();
        loop {
            line.clear();
            match lines.read_line(&mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => drop(serde_json::from_str(line.trim()).map(&mut each)),
                Err(cause) => return Err(away(&cause)),
            }
        }
    }

    /// A POST whose answer comes when it comes.
    pub fn wait(&self, path: &str) -> Result<Value, Trouble> {
        let mut rest = checked(self.ask("POST", path, &[], None, None)?)?.rest;
        let mut body = Vec::new();
        rest.read_to_end(&mut body).map_err(|e| away(&e))?;
        json(body)
    }

    /// A connection to a container's input and output.
    pub fn attach(&self, path: &str) -> Result<BufReader<UnixStream>, Trouble> {
        Ok(checked(self.ask("POST", path, &[], None, None)?)?.rest)
    }

    fn whole(&self, method: &str, path: &str, body: Option<Value>) -> Result<Vec<u8>, Trouble> {
        let answer = self.ask(method, path, &[], body, Some(PATIENCE))?;
        let mut bytes = Vec::new();
        checked(answer)?.rest.read_to_end(&mut bytes).map_err(|e| away(&e))?;
        Ok(bytes)
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, String)], body: Option<Value>, patience: Option<Duration>) -> Result<Answer, Trouble> {
        let mut stream = UnixStream::connect(&self.socket).map_err(|e| self.unreachable(&e))?;
        stream.set_read_timeout(patience).map_err(|e| away(&e))?;
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let mut request = format!("{method} /{VERSION}{path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        stream.write_all(request.as_bytes()).map_err(|e| away(&e))?;
        let mut rest = BufReader::new(stream);
        let status = head(&mut rest).map_err(|e| away(&e))?;
        Ok(Answer { status, rest })
    }

    fn unreachable(&self, cause: &std::io::Error) -> Trouble {
        Trouble { status: None, message: format!("the docker engine can't be reached at {}: {cause}", self.socket.display()) }
    }
}

fn away(cause: &std::io::Error) -> Trouble {
    Trouble { status: None, message: format!("the docker engine did not answer: {cause}") }
}

/// The status; the reader then stands at the body.
fn head(input: &mut impl BufRead) -> std::io::Result<u16> {
    let mut input = input.take(LARGEST_HEAD);
    let mut status = None;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the connection ended"));
        }
        status = status.or_else(|| line.split_whitespace().nth(1)?.parse().ok());
        if line.trim().is_empty() {
            return status.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "no HTTP answer"));
        }
    }
}

fn checked(mut answer: Answer) -> Result<Answer, Trouble> {
    if answer.status < 400 {
        return Ok(answer);
    }
    let mut body = Vec::new();
    // What could not be read is only missing from the message.
    let _ = (&mut answer.rest).take(LARGEST_HEAD).read_to_end(&mut body);
    let said: Option<String> = serde_json::from_slice::<Value>(&body).ok().and_then(|v| v["message"].as_str().map(str::to_string));
    let message = said.unwrap_or_else(|| format!("the docker engine answered {}", answer.status));
    Err(Trouble { status: Some(answer.status), message: message.trim().into() })
}

fn json(body: Vec<u8>) -> Result<Value, Trouble> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|e| Trouble { status: None, message: format!("the docker engine's answer is no JSON: {e}") })
}

/// Takes the frames of an attached container apart; `each` gets what it wrote, in order.
pub fn output(mut input: impl Read, mut each: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut buffer = vec![0; 32 * 1024];
    let mut header = [0u8; 8];
    while read_header(&mut input, &mut header)? {
        let mut left = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        while left > 0 {
            let count = buffer.len().min(left);
            match input.read(&mut buffer[..count])? {
                0 => return Ok(()),
                count => {
                    each(&buffer[..count]);
                    left -= count;
                }
            }
        }
    }
    Ok(())
}

/// False at the end.
fn read_header(input: &mut impl Read, header: &mut [u8; 8]) -> std::io::Result<bool> {
    match input.read_exact(header) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// For a part of a path or a query; a slash stays.
pub fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/:".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_from_its_frames_even_if_the_last_one_is_cut() {
        let mut frames = Vec::new();
        for (stream, text) in [(1u8, "out"), (2, "err"), (1, "")] {
            frames.extend([stream, 0, 0, 0, 0, 0, 0, text.len() as u8]);
            frames.extend(text.as_bytes());
        }
        frames.extend([1, 0, 0, 0, 0, 0, 0, 9, b'c', b'u', b't']);
        let mut seen = Vec::new();
        output(&frames[..], |piece| seen.extend_from_slice(piece)).unwrap();
        assert_eq!(seen, b"outerrcut");
    }

    #[test]
    fn only_a_unix_socket_is_an_engine() {
        assert_eq!(Engine::at(None).unwrap().socket, PathBuf::from("/var/run/docker.sock"));
        assert_eq!(Engine::at(Some("unix:///x")).unwrap().socket, PathBuf::from("/x"));
        assert!(Engine::at(Some("tcp://docker:2375")).err().unwrap().contains("tcp://docker:2375"));
    }

    #[test]
    fn a_name_in_an_address_is_encoded() {
        assert_eq!(encode("registry:5000/a b?c"), "registry:5000/a%20b%3Fc");
    }
}
