//! A template is a booted VM that is saved before it knows who it is. Each of its clones wakes up as the same VM, so what a boot
//! alone would have given it is given to it anew; clock, randomness and names come with its configuration (`setup`).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{mount, MsFlags};

use crate::setup::{step, Step};

const PREPARE: &str = "/usr/lib/mayfly/prepare-template";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Another one at each reading, in the form of a boot id.
const FRESH_ID: &str = "/proc/sys/kernel/random/uuid";
const PREPARED: &str = "/run/mayfly/prepared";
const OWN_BOOT_ID: &str = "/run/mayfly/boot-id";

/// Returns when the boot is over and memory holds what a job's first seconds read; the host waits for it, nobody else.
pub fn prepare() -> Step<()> {
    let status = step(&format!("run {PREPARE}"), Command::new(PREPARE).stdin(Stdio::null()).status())?;
    if !status.success() {
        return Err(format!("{PREPARE} ended with {status}"));
    }
    step(&format!("write {PREPARED}"), fs::write(PREPARED, ""))
}

/// Whether this is a template, or a clone that has no boot of its own yet.
pub fn is_prepared() -> bool {
    Path::new(PREPARED).exists()
}

pub fn boot_id() -> Step<String> {
    step("read the boot id", fs::read_to_string(BOOT_ID)).map(|id| id.trim().to_owned())
}

/// The kernel makes its boot id once, in the template, and has no means to change it: another file covers it.
pub fn renew_boot_id() -> Step<String> {
    let fresh = step("draw a boot id", fs::read(FRESH_ID))?;
    let covered = Path::new(OWN_BOOT_ID).exists();
    step(&format!("write {OWN_BOOT_ID}"), fs::write(OWN_BOOT_ID, fresh))?;
    if !covered {
        step("cover the boot id", mount(Some(OWN_BOOT_ID), BOOT_ID, None::<&str>, MsFlags::MS_BIND, None::<&str>))?;
    }
    step(&format!("remove {PREPARED}"), fs::remove_file(PREPARED))?;
    boot_id()
}
