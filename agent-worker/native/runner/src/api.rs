//! GitLab's runner API over HTTP. Never fails: what went wrong is in the answer, and `verdict` says what follows.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value};
use ureq::http::{HeaderMap, Response};
use ureq::tls::{parse_pem, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

use crate::info;
use crate::payload::JobKey;
use crate::verdict::Answer;

pub const SYSTEM_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const CONNECT: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(60);
const ANSWER_TO_TRANSFER: Duration = Duration::from_secs(180);

#[derive(Clone)]
pub struct Api {
    base: String,
    token: String,
    system_id: String,
    calls: Agent,
    transfers: Agent,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.base)
    }
}

/// What a request for a job brought.
pub enum Request {
    Job(Value),
    Nothing,
    Forbidden,
    Failed(String),
}

impl Api {
    pub fn new(url: &str, token: &str, system_id: &str, ca_file: Option<&str>) -> Result<Api, String> {
        let base = url.trim_end_matches('/').trim_end_matches("/ci").trim_end_matches('/');
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(format!("--url '{url}' is no http or https address"));
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates(ca_file)?))).build();
        // Connections aren't kept: one whose other end was replaced meanwhile would cost a request.
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_connections(0)
                .user_agent(info::user_agent())
                .tls_config(tls.clone())
                .timeout_connect(Some(CONNECT))
        };
        Ok(Api {
            base: format!("{base}/api/v4"),
            token: token.into(),
            system_id: system_id.into(),
            calls: config().timeout_global(Some(CALL)).build().into(),
            transfers: config().timeout_recv_response(Some(ANSWER_TO_TRANSFER)).build().into(),
        })
    }

    pub fn request_job(&self, executor: &str, shell: &str) -> Request {
        let body = json!({"info": info::info(executor, shell), "token": self.token, "system_id": self.system_id});
        let sent = self.calls.post(format!("{}/jobs/request", self.base)).header("RUNNER-TOKEN", &self.token);
        let sent = sent.header("Content-Type", "application/json").header("Accept", "application/json").send(body.to_string());
        match sent {
            Ok(mut answer) => match answer.status().as_u16() {
                201 => match answer.body_mut().with_config().limit(256 << 20).read_to_vec().map_err(|e| e.to_string()) {
                    Ok(bytes) => serde_json::from_slice(&bytes).map_or_else(|e| Request::Failed(format!("the job is no JSON: {e}")), Request::Job),
                    Err(cause) => Request::Failed(format!("the job was cut off: {cause}")),
                },
                204 => Request::Nothing,
                403 => Request::Forbidden,
                status => Request::Failed(format!("GitLab answered {status}")),
            },
            Err(cause) => Request::Failed(cause.to_string()),
        }
    }

    /// `more` is what a final state has besides.
    pub fn update(&self, job: &JobKey, executor: &str, shell: &str, state: &str, more: Value) -> Answer {
        let mut body = json!({"info": info::info(executor, shell), "token": job.token, "state": state});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let call = self.calls.put(format!("{}/jobs/{}", self.base, job.id)).header("JOB-TOKEN", &job.token);
        answer(call.header("Content-Type", "application/json").header("Accept", "application/json").send(body.to_string()))
    }

    /// Sends the part of the log that begins at `start`.
    pub fn append_log(&self, job: &JobKey, start: u64, part: &[u8]) -> Answer {
        let range = format!("{start}-{}", start + (part.len() as u64).saturating_sub(1));
        let call = self.calls.patch(format!("{}/jobs/{}/trace?debug_trace=false", self.base, job.id)).header("JOB-TOKEN", &job.token);
        answer(call.header("Content-Type", "text/plain").header("Content-Range", &range).send(part))
    }

    pub fn artifacts_url(&self, job: u64, query: &str) -> String {
        format!("{}/jobs/{job}/artifacts{query}", self.base)
    }

    /// Where GitLab sends the client elsewhere, the second value says where.
    pub fn upload(&self, url: &str, token: &str, content_type: &str, body: &mut dyn Read) -> (Answer, Option<String>) {
        let call = self.transfers.post(url).header("JOB-TOKEN", token).header("Content-Type", content_type);
        let sent = call.send(SendBody::from_reader(body));
        let location = sent.as_ref().ok().and_then(|r| header(r.headers(), "Location"));
        (answer(sent), location)
    }

    /// The token goes to GitLab only, never to where GitLab's answer points.
    pub fn download(&self, url: &str, token: Option<&str>) -> Result<Response<Body>, String> {
        let mut call = self.transfers.get(url);
        if let Some(token) = token {
            call = call.header("JOB-TOKEN", token);
        }
        call.call().map_err(|e| e.to_string())
    }
}

pub fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_string)
}

fn answer(sent: Result<Response<Body>, ureq::Error>) -> Answer {
    let mut response = match sent {
        Ok(response) => response,
        Err(cause) => return Answer { detail: cause.to_string(), ..Answer::default() },
    };
    let seconds = |name| header(response.headers(), name).and_then(|v| v.trim().parse().ok()).map(Duration::from_secs);
    let mut result = Answer {
        status: Some(response.status().as_u16()),
        job_status: header(response.headers(), "Job-Status"),
        interval: seconds("X-GitLab-Trace-Update-Interval").filter(|d| !d.is_zero()),
        range_end: header(response.headers(), "Range").and_then(|r| r.rsplit('-').next().and_then(|n| n.trim().parse().ok())),
        retry_after: seconds("Retry-After"),
        detail: format!("GitLab answered {}", response.status().as_u16()),
    };
    // Told to people only; an answer cut off in the middle has still said its status.
    if let Ok(text) = response.body_mut().with_config().limit(4096).read_to_string() {
        if !response.status().is_success() && !text.trim().is_empty() {
            result.detail = format!("{}: {}", result.detail, text.trim());
        }
    }
    result
}

fn certificates(ca_file: Option<&str>) -> Result<Vec<ureq::tls::Certificate<'static>>, String> {
    let mut result = Vec::new();
    for (path, wanted) in [(Some(SYSTEM_CERTIFICATES), false), (ca_file, true)] {
        let Some(path) = path else { continue };
        let pem = match std::fs::read(path) {
            Ok(pem) => pem,
            Err(cause) if wanted => return Err(format!("--tls-ca-file {path} could not be read: {cause}")),
            Err(_) => continue,
        };
        result.extend(parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate.to_owned()),
            _ => None,
        }));
    }
    Ok(result)
}
