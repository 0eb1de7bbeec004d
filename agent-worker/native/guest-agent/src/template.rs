//! A template is a booted VM that is saved before it knows who it is. Each of its clones wakes up as the same VM, so what a boot
//! alone would have given it is given to it anew; clock, randomness and names come with its configuration (`setup`).

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{mount, MsFlags};

use crate::setup::{step, Step};

const PREPARE: &str = "/usr/lib/mayfly/prepare-template";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
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
    let mut bytes = [0; 16];
    step("draw a boot id", File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)))?;
    let covered = Path::new(OWN_BOOT_ID).exists();
    step(&format!("write {OWN_BOOT_ID}"), fs::write(OWN_BOOT_ID, format!("{}\n", uuid(bytes))))?;
    if !covered {
        step("cover the boot id", mount(Some(OWN_BOOT_ID), BOOT_ID, None::<&str>, MsFlags::MS_BIND, None::<&str>))?;
    }
    step(&format!("remove {PREPARED}"), fs::remove_file(PREPARED))?;
    boot_id()
}

/// Of version 4, as the kernel's.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_looks_like_the_kernels() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
