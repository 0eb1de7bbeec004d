//! Finds disks by their ext4 label, as the order in which a VMM hands out device addresses differs, and grows the scratch disk.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{step, Step};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Disk {
    pub device: PathBuf,
    bytes: u64,
    block_size: u64,
    blocks: u64,
}

/// Waits for the disk that carries the label.
pub fn find(label: &str) -> Step<Disk> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut seen = Vec::new();
        for entry in step("list disks", fs::read_dir("/sys/block"))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("vd") {
                continue;
            }
            if let Some((found, disk)) = read(&name) {
                if found == label {
                    return Ok(disk);
                }
                seen.push(format!("{name} ('{found}')"));
            } else {
                seen.push(name);
            }
        }
        if Instant::now() > deadline {
            return Err(format!("no disk with an ext4 labelled {label}; disks: {}", seen.join(", ")));
        }
        sleep(Duration::from_millis(5));
    }
}

fn read(name: &str) -> Option<(String, Disk)> {
    let device = Path::new("/dev").join(name);
    let mut block = [0; 1024];
    File::open(&device).ok()?.read_exact_at(&mut block, 1024).ok()?;
    let word = |at: usize| u64::from(u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]));
    if block[0x38..0x3a] != [0x53, 0xef] {
        return None;
    }
    let label = block[0x78..0x88].split(|b| *b == 0).next().unwrap_or_default();
    let sectors: u64 = fs::read_to_string(format!("/sys/block/{name}/size")).ok()?.trim().parse().ok()?;
    let disk = Disk { device, bytes: sectors * 512, block_size: 1024 << word(0x18), blocks: word(0x4) | word(0x150) << 32 };
    Some((String::from_utf8_lossy(label).into_owned(), disk))
}

/// Lets the mounted file system fill its disk.
pub fn grow(disk: &Disk, mounted: &File) -> Step<()> {
    let wanted = disk.bytes / disk.block_size;
    if wanted <= disk.blocks {
        return Ok(());
    }
    nix::ioctl_write_ptr!(resize, b'f', 16, u64);
    // SAFETY: the kernel reads one number from a pointer to one.
    step("grow the scratch disk", unsafe { resize(mounted.as_raw_fd(), &wanted) }).map(drop)
}
