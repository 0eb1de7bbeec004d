//! The VMM's view of the host: a root file system that holds only what the spec names.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{fchown, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::mount::{mount, umount2, MntFlags, MsFlags};
use nix::unistd::{chdir, pivot_root, Whence};

use crate::child::{step, step_or, Step};
use crate::spec::{Jail, Memory};

/// Where the new root is put together. It exists everywhere, and nothing below it belongs into a jail;
/// only this mount namespace sees it covered.
const NEW_ROOT: &str = "/proc";

/// Moves the calling process, which has a mount namespace of its own, into the jail of a VMM of this user.
pub fn enter(jail: &Jail, uid: u32) -> Step<()> {
    step("make mounts private", mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>))?;
    let nothing_special = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let options = Some("mode=0755,size=1m,nr_inodes=4096");
    step("mount the jail's root", mount(Some("jail"), NEW_ROOT, Some("tmpfs"), nothing_special, options))?;

    let ro = nothing_special | MsFlags::MS_RDONLY;
    let rw = nothing_special | MsFlags::MS_NOEXEC;
    let device = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let mut binds: Vec<(&PathBuf, MsFlags)> = jail.read_only.iter().map(|p| (p, ro)).collect();
    binds.extend(jail.read_write.iter().map(|p| (p, rw)));
    binds.extend(jail.devices.iter().map(|p| (p, device)));
    // Parents first, else they would cover what lies below them.
    binds.sort_by_key(|(path, _)| path.components().count());
    for (path, flags) in binds {
        bind(path, flags)?;
    }
    if let Some(memory) = &jail.memory {
        let what = format!("fill {} from {}", memory.path.display(), memory.from.display());
        step_or(&what, "is the template whole, and the memory limit large enough?", fill(memory, uid))?;
    }

    let closed = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | ro | MsFlags::MS_NOEXEC;
    step("close the jail's root", mount(None::<&str>, NEW_ROOT, None::<&str>, closed, None::<&str>))?;
    step("enter the jail", chdir(NEW_ROOT))?;
    step("pivot into the jail", pivot_root(".", "."))?;
    step("leave the host's root", umount2(".", MntFlags::MNT_DETACH))?;
    step("enter the jail's root", chdir("/"))
}

/// In a tmpfs of its own. The calling process is in the VM's cgroup, so the memory is the VM's.
fn fill(memory: &Memory, uid: u32) -> io::Result<()> {
    let from = File::open(&memory.from)?;
    let size = from.metadata()?.len();
    let target = Path::new(NEW_ROOT).join(memory.path.strip_prefix("/").unwrap_or(&memory.path));
    let folder = target.parent().unwrap_or(&target);
    fs::create_dir_all(folder)?;
    let options = format!("mode=0755,size={},nr_inodes=16", size + (1 << 20));
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("memory"), folder, Some("tmpfs"), flags, Some(options.as_str()))?;
    let to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target)?;
    fchown(&to, Some(uid), Some(uid))?;
    to.set_len(size)?;
    copy_data(&from, &to, size)
}

/// Holes stay holes.
fn copy_data(from: &File, to: &File, size: u64) -> io::Result<()> {
    let seek = |at: u64, whence| nix::unistd::lseek(from, at as i64, whence).map(|found| found as u64);
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < size {
        let Ok(start) = seek(at, Whence::SeekData) else { break }; // nothing but a hole is left
        let end = seek(start, Whence::SeekHole)?;
        at = start;
        while at < end {
            let part = buffer.len().min((end - at) as usize);
            from.read_exact_at(&mut buffer[..part], at)?;
            to.write_all_at(&buffer[..part], at)?;
            at += part as u64;
        }
    }
    Ok(())
}

fn bind(path: &Path, flags: MsFlags) -> Step<()> {
    let what = |verb: &str| format!("{verb} {} in the jail", path.display());
    let target = Path::new(NEW_ROOT).join(path.strip_prefix("/").unwrap_or(path));
    let cure = "make it, or leave it out of the spec's jail";
    let source = step_or(&format!("find {} for the jail", path.display()), cure, fs::metadata(path))?;
    if !target.exists() {
        let folder = if source.is_dir() { Some(target.as_path()) } else { target.parent() };
        step(&what("make a place for"), folder.map_or(Ok(()), fs::create_dir_all))?;
        if !source.is_dir() {
            step(&what("make a place for"), File::create(&target))?;
        }
    }
    step(&what("bind"), mount(Some(path), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>))?;
    let again = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    step(&what("restrict"), mount(None::<&str>, &target, None::<&str>, again, None::<&str>))
}
