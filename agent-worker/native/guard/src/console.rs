//! The VM's console log, bounded: its beginning and its newest part are kept, the middle is dropped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MARK: &[u8] = b"\n[... console output dropped here ...]\n";

pub struct Console {
    path: PathBuf,
    file: File,
    size: u64,
    head: u64,
    limit: u64,
}

impl Console {
    pub fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open(path)?;
        Ok(Self { path: path.to_owned(), file, size: 0, head: limit / 4, limit })
    }

    /// Appends. The file never exceeds its limit, not even for a moment.
    pub fn write(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            if self.size == self.limit {
                self.drop_middle()?;
            }
            let part = data.len().min((self.limit - self.size) as usize);
            self.file.write_all(&data[..part])?;
            self.size += part as u64;
            data = &data[part..];
        }
        Ok(())
    }

    /// Replaces the file by one that holds the head and the newer half of the rest, so that a reader never meets a torn one.
    fn drop_middle(&mut self) -> io::Result<()> {
        let keep = (self.limit - self.head) / 2;
        let mut content = vec![0; (self.head + keep) as usize];
        let (head, tail) = content.split_at_mut(self.head as usize);
        self.file.read_exact_at(head, 0)?;
        self.file.read_exact_at(tail, self.size - keep)?;
        let temporary = self.path.with_extension("new");
        let mut file = open(&temporary)?;
        file.write_all(head)?;
        if !tail.starts_with(MARK) {
            file.write_all(MARK)?;
        }
        file.write_all(tail)?;
        fs::rename(&temporary, &self.path)?;
        self.file = file;
        self.size = self.file.metadata()?.len();
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_head_and_tail_and_never_exceeds_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.log");
        let mut console = Console::create(&path, 4096).unwrap();
        for line in 0..100_000 {
            console.write(format!("line {line}\n").as_bytes()).unwrap();
            assert!(fs::metadata(&path).unwrap().len() <= 4096);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("line 0\nline 1\n"));
        assert!(text.ends_with("line 99999\n"));
        assert!(text.contains("console output dropped"));
    }

    #[test]
    fn a_short_log_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.log");
        Console::create(&path, 4096).unwrap().write(&[b'x'; 4096]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [b'x'; 4096]);
    }
}
