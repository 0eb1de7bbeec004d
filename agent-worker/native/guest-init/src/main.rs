//! First process of a VM, in the initrd: loads the drivers, finds the two disks, makes the writable root out of the read-only
//! base and the scratch disk, and hands over to systemd. If that fails it says why on the console and ends the VM.

mod disk;

use std::convert::Infallible;
use std::ffi::CString;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::kmod::{finit_module, ModuleInitFlags};
use nix::mount::{mount, MsFlags};
use nix::sys::reboot::{reboot, RebootMode};
use nix::unistd::{chdir, chroot, execv, fork, ForkResult};

/// Names of modules to load, one a line, in this order; each lies beside it as `<name>.ko`.
const MODULES: &str = "/modules/order";
const NEW_ROOT: &str = "/root";

type Step<T> = Result<T, String>;

fn step<T, E: Display>(what: &str, result: Result<T, E>) -> Step<T> {
    result.map_err(|cause| format!("could not {what}: {cause}"))
}

fn main() {
    let Err(message) = start();
    give_up(&message);
}

fn give_up(message: &str) -> ! {
    say(message);
    // The kernel command line says how; the VMM ends at a reset.
    let Err(cause) = reboot(RebootMode::RB_AUTOBOOT);
    say(&format!("could not end the VM: {cause}"));
    std::process::exit(1)
}

fn say(message: &str) {
    if let Ok(mut console) = OpenOptions::new().write(true).open("/dev/console") {
        // Nobody is left to tell if even that fails.
        let _ = console.write_all(format!("mayfly-init: {message}\n").as_bytes());
    }
}

fn start() -> Step<Infallible> {
    for (kind, target) in [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")] {
        step(&format!("make {target}"), fs::create_dir_all(target))?;
        step(&format!("mount {target}"), mount(Some(kind), target, Some(kind), MsFlags::MS_NOSUID, None::<&str>))?;
    }
    load_modules()?;
    let base = disk::find("mayfly-root")?;
    let scratch = disk::find("mayfly-scratch")?;
    mount_disk(&base.device, "/base", MsFlags::MS_RDONLY | MsFlags::MS_NOATIME)?;
    mount_disk(&scratch.device, "/scratch", MsFlags::MS_NOATIME)?;
    make_root()?;
    grow_meanwhile(&scratch)?;
    switch_root()
}

fn load_modules() -> Step<()> {
    let order = step(&format!("read {MODULES}"), fs::read_to_string(MODULES))?;
    for name in order.lines() {
        let file = step(&format!("open module {name}"), File::open(format!("/modules/{name}.ko")))?;
        match finit_module(&file, c"", ModuleInitFlags::empty()) {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(cause) => return Err(format!("could not load module {name}: {cause}")),
        }
    }
    Ok(())
}

fn mount_disk(device: &Path, target: &str, flags: MsFlags) -> Step<()> {
    step(&format!("make {target}"), fs::create_dir_all(target))?;
    // Inode tables stay unwritten until used: nobody waits for zeroes, and the host's file stays sparse.
    let what = format!("mount {} at {target}", device.display());
    step(&what, mount(Some(device), target, Some("ext4"), flags, Some("noinit_itable")))
}

/// Takes a moment for each gigabyte, and systemd needs longer than that before it writes anything to speak of.
fn grow_meanwhile(scratch: &disk::Disk) -> Step<()> {
    let folder = step("open the scratch disk", File::open("/scratch"))?;
    // SAFETY: this process has one thread, so the child may do whatever the parent may.
    match step("fork", unsafe { fork() })? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => match disk::grow(scratch, &folder) {
            Ok(()) => std::process::exit(0),
            // Better no VM than one that fails its job for lack of room.
            Err(message) => give_up(&message),
        },
    }
}

fn make_root() -> Step<()> {
    for folder in ["upper", "work", "docker", "containerd"] {
        step(&format!("make {folder} on the scratch disk"), fs::create_dir(format!("/scratch/{folder}")))?;
    }
    step("set the mode of /", fs::set_permissions("/scratch/upper", fs::Permissions::from_mode(0o755)))?;
    step("make the new root", fs::create_dir_all(NEW_ROOT))?;
    // volatile: no sync of the upper layer ever waits for the disk, which does not outlive the VM anyway.
    let layers = "lowerdir=/base,upperdir=/scratch/upper,workdir=/scratch/work,volatile";
    step("mount the overlay", mount(Some("overlay"), NEW_ROOT, Some("overlay"), MsFlags::MS_NOATIME, Some(layers)))?;
    // On an overlay docker would fall back to copying every layer.
    for folder in ["docker", "containerd"] {
        let target = format!("{NEW_ROOT}/var/lib/{folder}");
        step(&format!("make {target}"), fs::create_dir_all(&target))?;
        let source = format!("/scratch/{folder}");
        step(&format!("bind {target}"), mount(Some(source.as_str()), target.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>))?;
    }
    Ok(())
}

fn switch_root() -> Step<Infallible> {
    for target in ["/dev", "/proc", "/sys"] {
        let moved = format!("{NEW_ROOT}{target}");
        step(&format!("move {target}"), mount(Some(target), moved.as_str(), None::<&str>, MsFlags::MS_MOVE, None::<&str>))?;
    }
    // The initrd's files are memory that the job can use.
    step("free the modules", fs::remove_dir_all("/modules"))?;
    step("enter the new root", chdir(NEW_ROOT))?;
    step("move the new root", mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>))?;
    step("change root", chroot("."))?;
    step("enter /", chdir("/"))?;
    let init = CString::from(c"/sbin/init");
    step("start /sbin/init", execv(&init, &[init.as_c_str()]))
}
