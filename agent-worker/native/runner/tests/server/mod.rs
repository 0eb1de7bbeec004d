//! A GitLab of a few lines: hands out one job, keeps its log, takes its end; a test may answer anything in its place.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{json, Value};

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn is_final(&self) -> bool {
        self.method == "PUT" && matches!(self.json()["state"].as_str(), Some("success" | "failed"))
    }
}

#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Stands still after so many bytes of the body.
    pub stall_after: Option<usize>,
}

pub fn reply(status: u16) -> Reply {
    Reply { status, ..Reply::default() }
}

impl Reply {
    pub fn with(mut self, name: &'static str, value: &str) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: &[u8]) -> Reply {
        self.body = body.to_vec();
        self
    }
}

/// What a test says in GitLab's place: by the request and how many of its method and path were there before it.
type Rule = Box<dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync>;

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    log: Vec<u8>,
    given: bool,
}

pub struct GitLab {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl GitLab {
    pub fn start(job: Value, rule: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static) -> GitLab {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, rule): (_, Arc<Rule>) = (state.clone(), Arc::new(Box::new(rule)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, rule, job) = (shared.clone(), rule.clone(), job.clone());
                thread::spawn(move || serve(stream.unwrap(), &state, &rule, &job));
            }
        });
        GitLab { url, state }
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().unwrap().log).into_owned()
    }

    pub fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.state.lock().unwrap().requests.iter().filter(|r| wanted(r)).cloned().collect()
    }

    /// The last word about the job.
    pub fn ending(&self) -> Value {
        self.requests(Request::is_final).last().map(Request::json).unwrap_or_default()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, rule: &Rule, job: &Value) {
    let Some(request) = read(&mut BufReader::new(stream.try_clone().unwrap())) else { return };
    let mut state = state.lock().unwrap();
    let before = state.requests.iter().filter(|r| r.method == request.method && r.path == request.path).count();
    state.requests.push(request.clone());
    let answer = rule(&request, before).unwrap_or_else(|| usual(&request, &mut state, job));
    drop(state);
    let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(sent) = answer.stall_after {
        stream.write_all(&[head.as_bytes(), b"\r\n", &answer.body[..sent]].concat()).unwrap();
        // Ends once the runner gives the connection up.
        let _ = stream.read(&mut [0]);
        return;
    }
    // The runner may be gone already: that is what some tests are about.
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", &answer.body].concat());
}

fn usual(request: &Request, state: &mut State, job: &Value) -> Reply {
    if request.is("POST", "/jobs/request") {
        if std::mem::replace(&mut state.given, true) {
            return reply(204);
        }
        return reply(201).with("Content-Type", "application/json").body(job.to_string().as_bytes());
    }
    if request.is("PATCH", "/trace") {
        let start: usize = request.headers["content-range"].split('-').next().unwrap().parse().unwrap();
        if start != state.log.len() {
            return reply(416).with("Range", &format!("0-{}", state.log.len()));
        }
        state.log.extend_from_slice(&request.body);
        return reply(202).with("Range", &format!("0-{}", state.log.len())).with("X-GitLab-Trace-Update-Interval", "1");
    }
    reply(if request.method == "PUT" { 200 } else { 201 })
}

fn read(input: &mut impl BufRead) -> Option<Request> {
    let line = |input: &mut dyn BufRead| {
        let mut text = String::new();
        input.read_line(&mut text).ok().filter(|n| *n > 0).map(|_| text.trim_end().to_string())
    };
    let first = line(input)?;
    let mut words = first.split(' ').map(str::to_string);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    while let Some((name, value)) = line(input)?.split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let mut body = Vec::new();
    if headers.contains_key("transfer-encoding") {
        loop {
            let size = u64::from_str_radix(&line(input)?, 16).ok()?;
            input.take(size).read_to_end(&mut body).ok()?;
            line(input)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(size) = headers.get("content-length").and_then(|n| n.parse().ok()) {
        input.take(size).read_to_end(&mut body).ok()?;
    }
    Some(Request { method, path, headers, body })
}

/// A job without a repository; `more` replaces or adds fields.
pub fn job(script: &[&str], more: Value) -> Value {
    let mut job = json!({
        "id": 7, "token": "job-token-7", "runner_info": {"timeout": 60},
        "variables": [{"key": "GIT_STRATEGY", "value": "none"}, {"key": "CI_PROJECT_PATH", "value": "g/p"}],
        "steps": [{"name": "script", "script": script}],
        "features": {"trace_sections": true, "failure_reasons": ["script_failure", "runner_system_failure", "unknown_failure"]},
    });
    for (key, value) in more.as_object().unwrap() {
        match (&mut job[key], value) {
            (Value::Array(old), Value::Array(new)) if key == "variables" || key == "steps" => old.extend(new.iter().cloned()),
            (old, new) => *old = new.clone(),
        }
    }
    job
}

pub fn command(gitlab: &GitLab, home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mayfly-runner"));
    command.args(["run-single", "--url", &gitlab.url, "--executor", "shell", "--max-builds", "1", "--wait-timeout", "1"]);
    command.env("CI_SERVER_TOKEN", "runner-token-1").env("HOME", home).current_dir(home).stdin(Stdio::null());
    command
}

/// Runs the runner to its end.
pub fn run(gitlab: &GitLab) -> (Output, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let output = command(gitlab, home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output, home)
}
