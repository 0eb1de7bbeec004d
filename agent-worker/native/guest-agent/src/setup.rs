//! Makes this VM the one that the host wants: clock, randomness, identity, names, trust, network. Every step may be repeated.

use std::fmt::Display;
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use nix::sys::time::TimeSpec;
use nix::time::{clock_settime, ClockId};
use nix::unistd::sethostname;

use crate::frame::Configure;
use crate::network;

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The bundle as the image brought it, so that a repetition does not add a certificate twice.
const PRISTINE_BUNDLE: &str = "/usr/lib/mayfly/ca-certificates.crt";
pub const OWN_CA: &str = "/usr/local/share/ca-certificates/mayfly.crt";

/// The host's registry, where it has one: the address that the image's daemon.json names too.
const REGISTRY: &str = "169.254.169.253\tregistry.mayfly.internal";

pub type Step<T> = Result<T, String>;

pub fn step<T, E: Display>(what: &str, result: Result<T, E>) -> Step<T> {
    result.map_err(|cause| format!("could not {what}: {cause}"))
}

pub fn apply(wanted: &Configure) -> Step<()> {
    set_clock(wanted.unix_nanos)?;
    add_entropy(&wanted.entropy)?;
    set_identity(wanted)?;
    replace("/etc/resolv.conf", wanted.resolv_conf.as_bytes())?;
    trust(wanted.ca_pem.as_deref())?;
    network::bring_up(&wanted.address, &wanted.gateway)
}

fn set_clock(unix_nanos: i64) -> Step<()> {
    let time = TimeSpec::new(unix_nanos.div_euclid(1_000_000_000), unix_nanos.rem_euclid(1_000_000_000));
    step("set the clock", clock_settime(ClockId::CLOCK_REALTIME, time))
}

/// Clones of one template would draw the same random numbers without it.
fn add_entropy(encoded: &str) -> Step<()> {
    #[repr(C)]
    struct Pool {
        bits: libc::c_int,
        size: libc::c_int,
        bytes: [u8; 256],
    }
    nix::ioctl_write_ptr_bad!(add, 0x4008_5203, Pool);
    nix::ioctl_none_bad!(reseed, 0x5207);
    let seed = step("read the entropy", STANDARD.decode(encoded))?;
    let mut pool = Pool { bits: 0, size: 0, bytes: [0; 256] };
    let size = seed.len().min(pool.bytes.len());
    pool.bytes[..size].copy_from_slice(&seed[..size]);
    (pool.bits, pool.size) = (size as libc::c_int * 8, size as libc::c_int);
    let random = step("open /dev/urandom", File::open("/dev/urandom"))?;
    // SAFETY: the structure is that of RNDADDENTROPY, and says how many of its bytes count.
    step("add entropy", unsafe { add(random.as_raw_fd(), &pool) })?;
    // SAFETY: takes no argument.
    step("reseed the random generator", unsafe { reseed(random.as_raw_fd()) }).map(drop)
}

fn set_identity(wanted: &Configure) -> Step<()> {
    check_identity(wanted)?;
    step("set the host name", sethostname(&wanted.hostname))?;
    replace("/etc/hostname", format!("{}\n", wanted.hostname).as_bytes())?;
    let hosts = format!("127.0.0.1\tlocalhost\n127.0.1.1\t{}\n{REGISTRY}\n", wanted.hostname);
    replace("/etc/hosts", hosts.as_bytes())?;
    // In place: systemd may have mounted over it.
    step("set the machine id", fs::write("/etc/machine-id", format!("{}\n", wanted.machine_id)))
}

/// They go into files whose lines other programs read.
fn check_identity(wanted: &Configure) -> Step<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if wanted.hostname.is_empty() || wanted.hostname.len() > 63 || !wanted.hostname.bytes().all(plain) {
        return Err(format!("hostname '{}' must be 1 to 63 letters, digits and hyphens", wanted.hostname));
    }
    if wanted.machine_id.len() != 32 || !wanted.machine_id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("machineId '{}' is not 32 hexadecimal digits", wanted.machine_id));
    }
    Ok(())
}

/// What `update-ca-certificates` would do for one certificate, without its seconds.
fn trust(pem: Option<&str>) -> Step<()> {
    let Some(pem) = pem else { return Ok(()) };
    let bundle = step(&format!("read {PRISTINE_BUNDLE}"), fs::read(PRISTINE_BUNDLE))?;
    step("make the folder of certificates", fs::create_dir_all(Path::new(OWN_CA).parent().unwrap_or(Path::new("/"))))?;
    replace(OWN_CA, pem.as_bytes())?;
    replace(BUNDLE, &with_certificates(bundle, pem))
}

fn with_certificates(mut bundle: Vec<u8>, pem: &str) -> Vec<u8> {
    for part in [b"\n", pem.as_bytes()] {
        bundle.extend_from_slice(part);
    }
    if !pem.ends_with('\n') {
        bundle.push(b'\n');
    }
    bundle
}

fn replace(path: &str, content: &[u8]) -> Step<()> {
    let temporary = format!("{path}.mayfly");
    step(&format!("write {path}"), fs::write(&temporary, content))?;
    step(&format!("write {path}"), fs::set_permissions(&temporary, Permissions::from_mode(0o644)))?;
    step(&format!("write {path}"), fs::rename(&temporary, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(hostname: &str, machine_id: &str) -> Configure {
        Configure {
            unix_nanos: 0,
            entropy: String::new(),
            hostname: hostname.into(),
            machine_id: machine_id.into(),
            resolv_conf: String::new(),
            ca_pem: None,
            address: String::new(),
            gateway: String::new(),
        }
    }

    #[test]
    fn an_identity_that_would_break_a_file_is_refused() {
        let id = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(check_identity(&named("k3x9p-17", id)), Ok(()));
        for bad in ["", "a b", "a\n127.0.0.1 evil", &"x".repeat(64)] {
            assert!(check_identity(&named(bad, id)).unwrap_err().contains("hostname"), "{bad:?}");
        }
        for bad in ["", "0123", "0123456789abcdef0123456789abcdeg"] {
            assert!(check_identity(&named("vm", bad)).unwrap_err().contains("machineId"), "{bad:?}");
        }
    }

    #[test]
    fn certificates_follow_those_of_the_image_each_on_lines_of_its_own() {
        for pem in ["OWN", "OWN\n"] {
            assert_eq!(with_certificates(b"PUBLIC".to_vec(), pem), b"PUBLIC\nOWN\n");
        }
    }
}
