//! A docker engine of a few lines behind a UNIX socket: containers are shells on this machine, so a script really runs. It keeps what
//! it was asked; a test may answer anything in its place.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{json, Value};

#[derive(Debug, Clone)]
pub struct Asked {
    pub call: String,
    pub head: String,
    pub body: Value,
}

/// Answers in the engine's place: status and body.
type Rule = Box<dyn Fn(&Asked) -> Option<(u16, Value)> + Send + Sync>;

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    process: Option<u32>,
    code: Option<i32>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    rule: Rule,
}

pub struct Engine {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

impl Engine {
    pub fn start(rule: impl Fn(&Asked) -> Option<(u16, Value)> + Send + Sync + 'static) -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), rule: Box::new(rule) });
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = serving.clone();
                thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Engine { folder, shared }
    }

    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    pub fn asked(&self, part: &str) -> Vec<Asked> {
        self.shared.state.lock().unwrap().asked.iter().filter(|a| a.call.contains(part)).cloned().collect()
    }

    /// What a container was made of.
    pub fn container(&self, name: &str) -> Value {
        self.asked(&format!("/containers/create?name={name}")).first().map(|a| a.body.clone()).unwrap_or_default()
    }
}

fn serve(mut stream: UnixStream, shared: &Shared) {
    let mut input = BufReader::new(stream.try_clone().unwrap());
    let Some(asked) = read(&mut input) else { return };
    shared.state.lock().unwrap().asked.push(asked.clone());
    let answer = (shared.rule)(&asked).or_else(|| usual(&asked, &mut stream, &mut input, shared));
    if let Some((status, body)) = answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // The runner may be gone already: that is what some tests are about.
        let _ = write!(stream, "HTTP/1.0 {status} X\r\nContent-Type: application/json\r\n\r\n{body}");
    }
}

fn usual(asked: &Asked, stream: &mut UnixStream, input: &mut BufReader<UnixStream>, shared: &Shared) -> Option<(u16, Value)> {
    let call = asked.call.as_str();
    if call.contains("/attach") {
        attached(stream, input, shared);
        return None;
    }
    Some(match call {
        _ if call.contains("/images/create") => (200, json!({"status": "Pulled"})),
        _ if call.contains("/images/") => (200, json!({"Id": "sha256:1234", "RepoDigests": ["r@sha256:99"]})),
        _ if call.contains("/containers/create") => (201, json!({"Id": "c1"})),
        _ if call.contains("/wait") => {
            let mut state = shared.state.lock().unwrap();
            while state.code.is_none() {
                state = shared.changed.wait(state).unwrap();
            }
            (200, json!({"StatusCode": state.code.take()}))
        }
        _ if call.contains("/exec/") || call.contains("/kill") => {
            let process = shared.state.lock().unwrap().process;
            if let Some(group) = process {
                let signal = if call.contains("/kill") { nix::sys::signal::SIGKILL } else { nix::sys::signal::SIGTERM };
                let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group as i32), signal);
            }
            (200, Value::Null)
        }
        _ if call.contains("/exec") => (201, json!({"Id": "e1"})),
        _ if call.ends_with("/json") => (200, json!({"State": {"Running": true}, "Config": {}})),
        _ => (200, Value::Null),
    })
}

/// The container's life: its shell reads the connection, and what it writes goes back in frames.
fn attached(stream: &mut UnixStream, input: &mut BufReader<UnixStream>, shared: &Shared) {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n").unwrap();
    let mut script = Vec::new();
    input.read_to_end(&mut script).unwrap();
    let mut shell = Command::new("sh");
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child: Child = shell.spawn().unwrap();
    shared.state.lock().unwrap().process = Some(child.id());
    let mut stdin = child.stdin.take().unwrap();
    thread::spawn(move || stdin.write_all(&script));
    let mut stdout = child.stdout.take().unwrap();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stdout.read(&mut buffer) {
        let mut frame = vec![1, 0, 0, 0];
        frame.extend((count as u32).to_be_bytes());
        frame.extend_from_slice(&buffer[..count]);
        let _ = stream.write_all(&frame);
    }
    let code = child.wait().unwrap().code().unwrap_or(137);
    let _ = stream.shutdown(Shutdown::Both);
    let mut state = shared.state.lock().unwrap();
    state.code = Some(code);
    shared.changed.notify_all();
}

fn read(input: &mut impl BufRead) -> Option<Asked> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let call = head.lines().next()?.to_string();
    let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0u64);
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body).ok()?;
    let call = call.trim_end_matches(" HTTP/1.0").replace("/v1.41", "");
    Some(Asked { call, head, body: serde_json::from_slice(&body).unwrap_or_default() })
}
