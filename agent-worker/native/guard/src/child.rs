//! From fork to exec: the VMM's process gives up everything it does not need, in the only order that works.

use std::convert::Infallible;
use std::ffi::CString;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
use nix::sched::{setns, unshare, CloneFlags};
use nix::sys::resource::{setrlimit, Resource};
use nix::sys::signal::{signal, sigprocmask, SigHandler, SigSet, SigmaskHow, Signal};
use nix::sys::stat::{umask, Mode};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, execve, getpid, getppid, setgroups, sethostname, setpgid, setresgid, setresuid, Gid, Pid, Uid};

use crate::jail;
use crate::spec::{OpenFile, Spec};

/// A step of the start, with a message that names what failed.
pub type Step<T> = Result<T, String>;

pub fn step<T, E: Display>(what: &str, result: Result<T, E>) -> Step<T> {
    result.map_err(|cause| format!("could not {what}: {cause}"))
}

/// The same, where people can do something about it.
pub fn step_or<T, E: Display>(what: &str, cure: &str, result: Result<T, E>) -> Step<T> {
    step(what, result).map_err(|message| format!("{message}; {cure}"))
}

/// Becomes the VMM. Returns only if that failed. `go` delivers a byte once the pid file is written.
pub fn become_vmm(spec: &Spec, guard: Pid, go: OwnedFd, output: OwnedFd) -> Step<Infallible> {
    die_with(guard)?;
    let mut byte = [0];
    step("hear from the guard", File::from(go).read_exact(&mut byte))?;
    step("make a process group", setpgid(Pid::from_raw(0), Pid::from_raw(0)))?;
    forget_signals()?;
    let null = step("open /dev/null", File::open("/dev/null"))?;
    step("redirect input", dup2_stdin(&null))?;
    step("redirect output", dup2_stdout(&output))?;
    step("redirect errors", dup2_stderr(&output))?;

    let pid = getpid().to_string();
    for cgroup in &spec.cgroups {
        let cure = "it must be made before its guard is started, and the guard must be root";
        step_or(&format!("join cgroup {}", cgroup.procs.display()), cure, fs::write(&cgroup.procs, &pid))?;
    }
    if let Some(path) = &spec.netns {
        let what = format!("join network namespace {}", path.display());
        let cure = "it must be made before its guard is started: see `ip netns list`";
        let file = step_or(&what, cure, File::open(path))?;
        step_or(&what, cure, setns(file, CloneFlags::CLONE_NEWNET))?;
    }
    let namespaces = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    step("make namespaces", unshare(namespaces))?;
    step("set the host name", sethostname(&spec.slot_id))?;
    limit(spec)?;
    open_files(&spec.open_files)?;
    let argv = c_strings(&spec.argv)?;
    let env = c_strings(&spec.env.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>())?;
    if let Some(jail) = &spec.jail {
        // The VMM has to pass through the folders that are made here, whatever the guard's own mask is.
        umask(Mode::from_bits_truncate(0o022));
        jail::enter(jail, spec.uid, spec.gid)?;
    }
    umask(Mode::from_bits_truncate(0o077));
    drop_privileges(spec)?;
    // A change of credentials clears it.
    die_with(guard)?;
    let cure = "install it, and let the jail's readOnly name its folder and those of its libraries";
    step_or(&format!("start {}", spec.argv[0]), cure, execve(&argv[0], &argv, &env))
}

fn open_files(files: &[OpenFile]) -> Step<()> {
    for OpenFile { fd, path } in files {
        let what = format!("open {} for the VMM", path.display());
        let file = File::open(path);
        let file = step_or(&what, "it must be there before its guard is started", file)?;
        if path.starts_with("/proc") {
            // Another process's, whose number may be another's by now.
            let sealed = fcntl(&file, FcntlArg::F_GET_SEALS).is_ok_and(|seals| seals & libc::F_SEAL_WRITE != 0);
            if !sealed {
                return Err(format!("could not {what}: it is not sealed against writing; whoever held it has ended"));
            }
        }
        // SAFETY: nothing of this process has the descriptor; unlike the one that it copies, it survives exec.
        step(&what, Errno::result(unsafe { libc::dup2(file.as_raw_fd(), *fd) }))?;
    }
    Ok(())
}

fn c_strings(strings: &[String]) -> Step<Vec<CString>> {
    strings.iter().map(|s| step("pass an argument with a zero byte", CString::new(s.as_str()))).collect()
}

/// If the guard dies nobody would bound, end or report this VM any more, so it ends too.
fn die_with(guard: Pid) -> Step<()> {
    step("tie the VMM to the guard", nix::sys::prctl::set_pdeathsig(Signal::SIGKILL))?;
    if getppid() == guard { Ok(()) } else { Err("the guard has died".into()) }
}

/// Ignored and blocked signals would survive exec.
fn forget_signals() -> Step<()> {
    for name in [Signal::SIGHUP, Signal::SIGPIPE] {
        // SAFETY: the default action runs no code of ours.
        step("reset signals", unsafe { signal(name, SigHandler::SigDfl) })?;
    }
    step("unblock signals", sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None))
}

fn limit(spec: &Spec) -> Step<()> {
    step("forbid core dumps", setrlimit(Resource::RLIMIT_CORE, 0, 0))?;
    step("limit open files", setrlimit(Resource::RLIMIT_NOFILE, 4096, 4096))?;
    match spec.file_size_limit {
        Some(bytes) => step("limit file size", setrlimit(Resource::RLIMIT_FSIZE, bytes, bytes)),
        None => Ok(()),
    }
}

fn drop_privileges(spec: &Spec) -> Step<()> {
    // The bounding set first: dropping from it needs a capability that the change of uid takes away.
    let mut capability = 0;
    while prctl(libc::PR_CAPBSET_READ, capability).is_ok() {
        step("drop the bounding set", prctl(libc::PR_CAPBSET_DROP, capability))?;
        capability += 1;
    }
    let (uid, gid) = (Uid::from_raw(spec.uid), Gid::from_raw(spec.gid));
    step("leave all groups", setgroups(&[]))?;
    step("set the gid", setresgid(gid, gid, gid))?;
    step("set the uid", setresuid(uid, uid, uid))?;
    step("drop ambient capabilities", prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64))?;
    drop_capabilities()?;
    step("forbid new privileges", nix::sys::prctl::set_no_new_privs())?;
    if setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok() {
        return Err("the VMM could become root again".into());
    }
    Ok(())
}

fn drop_capabilities() -> Step<()> {
    #[repr(C)]
    struct Header { version: u32, pid: i32 }
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = [0u32; 6];
    // SAFETY: both structures have the layout of capset(2), version 3, and outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &header, none.as_ptr()) };
    step("drop capabilities", Errno::result(result)).map(drop)
}

fn prctl(option: libc::c_int, argument: u64) -> nix::Result<()> {
    // SAFETY: the options used take plain numbers.
    Errno::result(unsafe { libc::prctl(option, argument, 0u64, 0u64, 0u64) }).map(drop)
}
