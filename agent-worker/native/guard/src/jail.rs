//! The VMM's view of the host: a root file system that holds only what the spec names.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{mount, umount2, MntFlags, MsFlags};
use nix::sys::stat::{mknod, Mode, SFlag};
use nix::unistd::{chdir, pivot_root};

use crate::child::{step, step_or, Step};
use crate::spec::Jail;

/// Where the new root is put together. It exists everywhere, and nothing below it belongs into a jail;
/// only this mount namespace sees it covered.
const NEW_ROOT: &str = "/proc";

/// Moves the calling process, which has a mount namespace of its own, into the jail of a VMM that will run as `uid` and `gid`.
pub fn enter(jail: &Jail, uid: u32, gid: u32) -> Step<()> {
    step("make mounts private", mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>))?;
    // Before it is covered.
    let own_files = jail.own_files.as_ref().map(|_| step("find the VMM's own files", own_files())).transpose()?;
    let options = Some("mode=0755,size=1m,nr_inodes=4096");
    step("mount the jail's root", mount(Some("jail"), NEW_ROOT, Some("tmpfs"), MsFlags::MS_NOSUID, options))?;

    let nothing_special = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let ro = nothing_special | MsFlags::MS_RDONLY;
    let rw = nothing_special | MsFlags::MS_NOEXEC;
    let mut binds: Vec<(&PathBuf, MsFlags)> = jail.read_only.iter().map(|p| (p, ro)).collect();
    binds.extend(jail.read_write.iter().map(|p| (p, rw)));
    // Parents first, else they would cover what lies below them.
    binds.sort_by_key(|(path, _)| path.components().count());
    for (path, flags) in binds {
        bind(path, flags)?;
    }
    for path in &jail.devices {
        device(path, uid, gid)?;
    }
    if let (Some(path), Some(files)) = (&jail.own_files, own_files) {
        step(&format!("show the VMM its own files in {}", path.display()), attach(files, &in_new_root(path)))?;
    }

    // The devices are in it.
    let closed = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_NOSUID | MsFlags::MS_RDONLY | MsFlags::MS_NOEXEC;
    step("close the jail's root", mount(None::<&str>, NEW_ROOT, None::<&str>, closed, None::<&str>))?;
    step("enter the jail", chdir(NEW_ROOT))?;
    step("pivot into the jail", pivot_root(".", "."))?;
    step("leave the host's root", umount2(".", MntFlags::MNT_DETACH))?;
    step("enter the jail's root", chdir("/"))
}

/// The open files of this process, and so of the VMM that it becomes: nothing else of /proc gets into the jail.
fn own_files() -> io::Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    // SAFETY: the path ends with a zero byte; the descriptor that is returned is nobody else's.
    let tree = Errno::result(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, c"/proc/self/fd".as_ptr(), flags) })?;
    Ok(unsafe { OwnedFd::from_raw_fd(tree as i32) })
}

fn attach(tree: OwnedFd, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let (from, flags) = (tree.as_raw_fd(), libc::MOVE_MOUNT_F_EMPTY_PATH);
    // SAFETY: both paths end with a zero byte.
    let moved = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), libc::AT_FDCWD, target.as_ptr(), flags) };
    Ok(Errno::result(moved).map(drop)?)
}

fn in_new_root(path: &Path) -> PathBuf {
    Path::new(NEW_ROOT).join(path.strip_prefix("/").unwrap_or(path))
}

/// The host's device as a node of the VMM's own: on the host it may be root's or a group's.
fn device(path: &Path, uid: u32, gid: u32) -> Step<()> {
    let cure = "load the kernel module that makes it, or leave it out of the spec's jail";
    let source = step_or(&format!("find {} for the jail", path.display()), cure, fs::metadata(path))?;
    if !source.file_type().is_char_device() {
        return Err(format!("{} is no device; {cure}", path.display()));
    }
    let (what, target) = (format!("make {} in the jail", path.display()), in_new_root(path));
    step(&what, target.parent().map_or(Ok(()), fs::create_dir_all))?;
    step(&what, mknod(&target, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, source.rdev()))?;
    step(&what, chown(&target, Some(uid), Some(gid)))
}

fn bind(path: &Path, flags: MsFlags) -> Step<()> {
    let what = |verb: &str| format!("{verb} {} in the jail", path.display());
    let target = in_new_root(path);
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
