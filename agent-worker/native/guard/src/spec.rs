//! What the agent asks of a guard: the JSON file named on its command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    pub slot_id: String,
    pub argv: Vec<String>,
    /// The VMM's whole environment; it inherits nothing.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub uid: u32,
    pub gid: u32,
    pub netns: Option<PathBuf>,
    #[serde(default)]
    pub cgroups: Vec<Cgroup>,
    pub cgroup_kill: Option<PathBuf>,
    pub jail: Option<Jail>,
    /// What the VMM finds open, though it could not open it itself.
    #[serde(default)]
    pub open_files: Vec<OpenFile>,
    /// RLIMIT_FSIZE of the VMM; none if absent.
    pub file_size_limit: Option<u64>,
    pub console: PathBuf,
    pub console_limit: u64,
    pub time_to_live_seconds: u64,
    pub heartbeat: Option<PathBuf>,
    #[serde(default = "ninety")]
    pub heartbeat_max_age_seconds: u64,
    pub pid_file: PathBuf,
    pub exit_file: PathBuf,
    pub kill_request: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cgroup {
    pub procs: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFile {
    pub fd: i32,
    /// Opened for reading.
    pub path: PathBuf,
}

/// Out of the way of what the guard itself has open while it becomes the VMM.
const OPEN_FDS: std::ops::Range<i32> = 100..200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Jail {
    #[serde(default)]
    pub read_only: Vec<PathBuf>,
    #[serde(default)]
    pub read_write: Vec<PathBuf>,
    #[serde(default)]
    pub devices: Vec<PathBuf>,
    /// A folder in which the VMM finds its own open files, each by its number.
    pub own_files: Option<PathBuf>,
}

fn ninety() -> u64 {
    90
}

/// How the VM ended. Written once, when nothing of it runs any more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    pub reason: Reason,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub message: String,
    pub at_unix_millis: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Exited,
    Killed,
    TimeToLive,
    AgentGone,
    StartFailed,
}

impl Spec {
    /// Refuses what could only be a mistake, and what would let the VMM turn the guard, which is root, against the host.
    pub fn check(&self) -> Result<(), String> {
        if self.argv.is_empty() {
            return Err("argv is empty: it must name the VMM and its arguments".into());
        }
        if self.slot_id.is_empty() || self.slot_id.len() > 64 {
            return Err(format!("slotId '{}' must have 1 to 64 characters: it is the VMM's host name", self.slot_id));
        }
        if self.uid == 0 || self.gid == 0 {
            return Err("uid and gid must not be 0: a VMM never runs as root".into());
        }
        if self.console_limit < 4096 {
            return Err(format!("consoleLimit {} is too small: at least 4096", self.console_limit));
        }
        if self.time_to_live_seconds == 0 || (self.heartbeat.is_some() && self.heartbeat_max_age_seconds == 0) {
            return Err("timeToLiveSeconds and heartbeatMaxAgeSeconds must be positive".into());
        }
        let own = [&self.console, &self.pid_file, &self.exit_file, &self.kill_request];
        if let Some(file) = self.open_files.iter().find(|f| !OPEN_FDS.contains(&f.fd)) {
            return Err(format!("openFiles: fd {} must be {} to {}", file.fd, OPEN_FDS.start, OPEN_FDS.end - 1));
        }
        let jail = self.jail.iter().flat_map(|j| j.read_only.iter().chain(&j.read_write).chain(&j.devices));
        let own_files = self.jail.iter().flat_map(|j| &j.own_files);
        let others = [&self.netns, &self.cgroup_kill, &self.heartbeat].into_iter().flatten();
        let all = own.into_iter().chain(jail).chain(others).chain(self.cgroups.iter().map(|c| &c.procs)).chain(own_files);
        let all = all.chain(self.open_files.iter().map(|f| &f.path));
        for path in all.chain([&PathBuf::from(&self.argv[0])]) {
            if !is_plain(path) {
                return Err(format!("{} must be an absolute path without '..'", path.display()));
            }
        }
        // Whoever can write a folder can put a symbolic link into it.
        for writable in self.jail.iter().flat_map(|j| &j.read_write) {
            if let Some(path) = own.into_iter().chain(&self.heartbeat).find(|p| p.starts_with(writable)) {
                return Err(format!("{} lies in {}, which the VMM can write: choose a folder outside it", path.display(), writable.display()));
            }
        }
        Ok(())
    }
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|c| c == std::path::Component::ParentDir)
}
