//! The guest's end of the channel: a virtio-serial port that never blocks, whether or not a host listens.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};

pub const NAME: &str = "mayfly.agent";

pub struct Port {
    file: File,
}

pub enum Input {
    Bytes(usize),
    Nothing,
    /// No host is connected.
    Absent,
}

impl Port {
    /// Opens the port by the name that the kernel knows, as udev may not have made its link yet.
    pub fn open() -> Result<Self, String> {
        let device = find().map_err(|e| format!("could not list virtio ports: {e}"))?;
        let device = device.ok_or_else(|| format!("there is no virtio-serial port named {NAME}"))?;
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&device);
        let file = file.map_err(|e| format!("could not open {}: {e}", device.display()))?;
        // SIGIO tells when a host comes or goes, which poll on the port can't without spinning.
        let own = fcntl(&file, FcntlArg::F_GETFL).map(|flags| OFlag::from_bits_truncate(flags) | OFlag::O_ASYNC);
        // SAFETY: a plain number is passed.
        let owner = Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETOWN, libc::getpid()) });
        own.and_then(|flags| fcntl(&file, FcntlArg::F_SETFL(flags))).and(owner).map_err(|e| format!("could not watch the port: {e}"))?;
        Ok(Self { file })
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> Input {
        match self.file.read(buffer) {
            Ok(0) => Input::Absent,
            Ok(n) => Input::Bytes(n),
            Err(_) => Input::Nothing,
        }
    }

    /// False if no host took it. A frame goes out whole or not at all: it is smaller than one of the port's buffers.
    pub fn write(&mut self, frame: &[u8]) -> io::Result<bool> {
        match self.file.write(frame) {
            Ok(n) if n == frame.len() => Ok(true),
            Ok(n) => Err(io::Error::other(format!("{n} of {} bytes were taken", frame.len()))),
            Err(e) if e.kind() == ErrorKind::WouldBlock || e.kind() == ErrorKind::Interrupted => Ok(false),
            Err(e) => Err(e),
        }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn find() -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir("/sys/class/virtio-ports")? {
        let entry = entry?;
        // A port without a name has no such file.
        if fs::read_to_string(entry.path().join("name")).is_ok_and(|name| name.trim() == NAME) {
            return Ok(Some(PathBuf::from("/dev").join(entry.file_name())));
        }
    }
    Ok(None)
}
