//! Frames of the guest channel: four bytes of length, big endian, then that much JSON.

use serde::{Deserialize, Serialize};

pub const LIMIT: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FromHost {
    Hello,
    /// Gets the VM ready to be a template, of which others are clones.
    Prepare,
    Configure(Configure),
    StartRunner(StartRunner),
    Shutdown,
    /// From a newer host.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configure {
    pub unix_nanos: i64,
    pub entropy: String,
    pub hostname: String,
    pub machine_id: String,
    pub resolv_conf: String,
    pub ca_pem: Option<String>,
    pub address: String,
    pub gateway: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartRunner {
    pub executor: String,
    pub url: String,
    pub token: String,
    pub name: String,
    /// For docker jobs that name none; empty: such a job fails.
    #[serde(default)]
    pub docker_image: String,
    /// What the official runner clones and moves artifacts in; empty: the one it names itself.
    #[serde(default)]
    pub helper_image: String,
    #[serde(default)]
    pub privileged: bool,
    /// How the job gets more memory, as the end of a sentence for its author.
    #[serde(default)]
    pub memory_advice: Option<String>,
}

impl std::fmt::Debug for StartRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StartRunner[executor={}, url={}, name={}]", self.executor, self.url, self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Booted,
    /// A template, or a clone of one that does not know yet who it is.
    Prepared,
    Ready,
    Running,
    Ended,
}

/// What the guest tells the host, again after every reconnect.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "state", rename_all = "camelCase")]
pub struct Report {
    pub state: State,
    pub agent_version: &'static str,
    pub boot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// What went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

pub fn encode(report: &Report) -> Vec<u8> {
    let json = serde_json::to_vec(report).unwrap_or_default();
    let mut frame = (json.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&json);
    frame
}

/// Puts frames together out of what the port delivers.
#[derive(Default)]
pub struct Reader {
    pending: Vec<u8>,
}

impl Reader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Half a frame of a connection that is gone.
    pub fn clear(&mut self) {
        self.pending.clear();
    }

    /// The next whole frame, if it is there. After an error the rest is dropped: the host says hello again.
    pub fn next(&mut self) -> Result<Option<FromHost>, String> {
        let Some(head) = self.pending.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LIMIT {
            self.clear();
            return Err(format!("a frame of {length} bytes is over the limit of {LIMIT}"));
        }
        if self.pending.len() < 4 + length {
            return Ok(None);
        }
        let frame: Vec<u8> = self.pending.drain(..4 + length).skip(4).collect();
        serde_json::from_slice(&frame).map(Some).map_err(|cause| {
            self.clear();
            // Never the frame itself: it may hold the VM's token.
            format!("a frame could not be read: {:?} at column {}", cause.classify(), cause.column())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(json: &str) -> Vec<u8> {
        [&(json.len() as u32).to_be_bytes()[..], json.as_bytes()].concat()
    }

    #[test]
    fn frames_arrive_whole_whatever_the_pieces() {
        let mut reader = Reader::default();
        let mut seen = Vec::new();
        for byte in [frame(r#"{"type":"hello","new":1}"#), frame(r#"{"type":"from-the-future"}"#), frame(r#"{"type":"shutdown"}"#)].concat() {
            reader.push(&[byte]);
            if let Some(found) = reader.next().unwrap() {
                seen.push(format!("{found:?}"));
            }
        }
        assert_eq!(seen, ["Hello", "Unknown", "Shutdown"]);
    }

    #[test]
    fn an_oversized_or_broken_frame_does_not_poison_what_follows() {
        for bad in [vec![0xff; 8], frame("no json")] {
            let mut reader = Reader::default();
            reader.push(&bad);
            assert!(reader.next().is_err());
            reader.push(&frame(r#"{"type":"hello"}"#));
            assert!(matches!(reader.next(), Ok(Some(FromHost::Hello))));
        }
    }

    #[test]
    fn a_state_is_written_as_the_contract_says() {
        let report = Report { state: State::Ended, agent_version: "1", boot_id: "b".into(), exit_code: Some(0), signal: None, message: None };
        assert_eq!(&encode(&report)[4..], br#"{"type":"state","state":"ended","agentVersion":"1","bootId":"b","exitCode":0}"#);
    }

    #[test]
    fn the_token_is_never_printed() {
        let mut reader = Reader::default();
        reader.push(&frame(r#"{"type":"start-runner","executor":"shell","url":"u","token":"secret","name":"n","systemId":"s"}"#));
        assert!(!format!("{:?}", reader.next()).contains("secret"));
    }
}
