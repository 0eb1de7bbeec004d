//! `mayfly-guard hold <file>`: keeps a copy of a template's memory that nobody can change, for VMMs that map it each for itself.
//! What a VM then writes is its own; what it only reads all clones share.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, SealFlag};
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::unistd::{lseek, Whence};

/// Says on standard output where the copy is, and returns when standard input ends: with the agent that started this, at the latest.
pub fn hold(file: &Path) -> io::Result<()> {
    let copy = sealed_copy(&File::open(file)?)?;
    println!("/proc/{}/fd/{}", std::process::id(), copy.as_raw_fd());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn sealed_copy(from: &File) -> io::Result<File> {
    let copy = File::from(memfd_create(c"template", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
    copy.set_len(from.metadata()?.len())?;
    copy_data(from, &copy)?;
    fcntl(&copy, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL))?;
    Ok(copy)
}

/// Holes stay holes.
fn copy_data(from: &File, to: &File) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let start = match lseek(from, at, Whence::SeekData) {
            Ok(start) => start,
            // Nothing but a hole is left.
            Err(Errno::ENXIO) => return Ok(()),
            Err(cause) => return Err(cause.into()),
        };
        let end = lseek(from, start, Whence::SeekHole)?;
        at = start;
        while at < end {
            let part = buffer.len().min((end - at) as usize);
            from.read_exact_at(&mut buffer[..part], at as u64)?;
            to.write_all_at(&buffer[..part], at as u64)?;
            at += part as i64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_is_whole_and_cannot_be_changed() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(3 << 20).unwrap();
        file.write_all_at(b"start", 0).unwrap();
        file.write_all_at(b"middle", (2 << 20) - 3).unwrap();
        let copy = sealed_copy(&file).unwrap();
        let content = |file: &File| {
            let mut all = vec![0; 3 << 20];
            file.read_exact_at(&mut all, 0).unwrap();
            all
        };
        assert_eq!(copy.metadata().unwrap().len(), 3 << 20);
        assert!(content(&copy) == content(&file));
        let again = File::options().read(true).write(true).open(format!("/proc/self/fd/{}", copy.as_raw_fd())).unwrap();
        assert!(again.write_at(b"x", 0).is_err() && again.set_len(1).is_err());
    }
}
