//! A guard under test: its folder, its spec, and waiting for what it does. Its VMM is whatever program the test names.
#![allow(dead_code)] // each test file uses a part of it

use std::fs::{self, File};
use std::os::unix::fs::{chown, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{kill, Signal};
use nix::unistd::{Pid, Uid};
use serde_json::{json, Value};
use tempfile::TempDir;

pub const UID: u32 = 200_999;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Guarded {
    folder: TempDir,
    pub spec: Value,
    child: Option<Child>,
}

impl Guarded {
    /// A VM whose VMM is a shell that runs `script`.
    pub fn shell(script: &str) -> Self {
        assert!(Uid::effective().is_root(), "a guard changes uid and namespaces: run these tests as root");
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let spec = json!({
            "slotId": "slot-1", "argv": ["/bin/sh", "-c", script], "uid": UID, "gid": UID,
            "console": path("console.log"), "consoleLimit": 65536, "timeToLiveSeconds": 3600,
            "pidFile": path("pids.json"), "exitFile": path("exit.json"), "killRequest": path("kill"),
        });
        Self { folder, spec, child: None }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder that the VMM owns.
    pub fn vmm_folder(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&folder, Some(UID), Some(UID)).unwrap();
        folder
    }

    fn command(&self) -> Command {
        let spec = self.path("spec.json");
        fs::write(&spec, self.spec.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mayfly-guard"));
        command.arg(spec).stdin(Stdio::null());
        command
    }

    pub fn start(mut self) -> Self {
        self.child = Some(self.command().spawn().unwrap());
        self
    }

    /// Starts a guard and takes what it says and how it exits.
    pub fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Starts the guard and waits for the console to hold `text`.
    pub fn start_until(self, text: &str) -> Self {
        let started = self.start();
        await_that(&format!("console says {text}"), || started.console().contains(text));
        started
    }

    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("console.log")).unwrap_or_default()).into_owned()
    }

    pub fn pid(&self, whose: &str) -> i32 {
        let path = self.path("pids.json");
        await_that("the pid file is there", || path.exists());
        let pids: Value = serde_json::from_reader(File::open(path).unwrap()).unwrap();
        pids[whose].as_i64().unwrap() as i32
    }

    pub fn has_ended(&self) -> bool {
        self.path("exit.json").exists()
    }

    /// How the VM ended, once it has.
    pub fn end(&self) -> Value {
        await_that("the exit file is there", || self.has_ended());
        serde_json::from_reader(File::open(self.path("exit.json")).unwrap()).unwrap()
    }

    pub fn touch(&self, name: &str) {
        File::create(self.path(name)).unwrap();
    }

    pub fn signal_guard(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.as_ref().unwrap().id() as i32), signal).unwrap();
    }

    /// Waits for the guard's own end.
    pub fn wait_for_guard(&mut self) {
        self.child.as_mut().unwrap().wait().unwrap();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Its VMM dies with it. A guard that has ended already can't be killed, which is as well.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }
}

pub fn is_alive(pid: i32) -> bool {
    // A dead process that nobody has waited for yet is dead.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH) && !stat.contains(") Z ")
}

pub fn await_that(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {} s in vain until {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(5));
    }
}

/// A folder, such as a cgroup, that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn create(path: &Path) -> Self {
        fs::create_dir(path).unwrap_or_else(|e| panic!("could not make {}: {e}", path.display()));
        Self(path.to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        await_that(&format!("{} can be removed", self.0.display()), || fs::remove_dir(&self.0).is_ok() || !self.0.exists());
    }
}
