//! Writes artifacts into the form that GitLab asks for, and zip archives back into files. Always through a file: artifacts may be
//! larger than memory.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Zip,
    /// Each file a member of one stream: reports.
    Gzip,
    /// One file as it is.
    Raw,
}

/// The packed files, as a file without a name in `scratch`.
pub fn pack(format: Format, root: &Path, files: &[String], scratch: &Path) -> Result<File, String> {
    if format == Format::Raw {
        let plain: Vec<&String> = files.iter().filter(|f| root.join(f).is_file()).collect();
        let [one] = plain[..] else { return Err("only one file can be sent as raw".into()) };
        return File::open(root.join(one)).map_err(|e| format!("could not read {one}: {e}"));
    }
    let mut file = nameless(scratch)?;
    let written = match format {
        Format::Gzip => gzip(&mut file, root, files),
        _ => zip(&file, root, files),
    };
    written.map_err(|e| format!("could not pack the artifacts: {e}"))?;
    Ok(file)
}

pub fn nameless(folder: &Path) -> Result<File, String> {
    let cannot = |e: io::Error| format!("could not make a file in {}: {e}", folder.display());
    let path = folder.join(".artifacts");
    fs::create_dir_all(folder).map_err(cannot)?;
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(cannot)?;
    fs::remove_file(&path).map_err(cannot)?;
    Ok(file)
}

fn gzip(output: &mut impl Write, root: &Path, files: &[String]) -> io::Result<()> {
    for name in files {
        let path = root.join(name);
        if path.is_file() {
            let mut member = GzBuilder::new().filename(name.as_bytes()).write(&mut *output, Compression::default());
            io::copy(&mut File::open(path)?, &mut member)?;
            member.finish()?;
        }
    }
    Ok(())
}

fn zip(output: &File, root: &Path, files: &[String]) -> io::Result<()> {
    let mut archive = ZipWriter::new(io::BufWriter::new(output));
    for name in files {
        let path = root.join(name);
        let about = fs::symlink_metadata(&path)?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(3))
            .unix_permissions(about.permissions().mode() & 0o7777)
            .large_file(about.len() >= u64::from(u32::MAX))
            .last_modified_time(to_dos(about.modified()?));
        if about.is_symlink() {
            archive.add_symlink(name.as_str(), fs::read_link(&path)?.to_string_lossy().into_owned(), options)?;
        } else if about.is_dir() {
            archive.add_directory(name.as_str(), options)?;
        } else if about.is_file() {
            archive.start_file(name.as_str(), options)?;
            io::copy(&mut File::open(&path)?, &mut archive)?;
        }
    }
    archive.finish()?.flush()
}

/// Writes an archive's files below `root`, over those that are there, but never outside.
pub fn unzip(archive: impl Read + Seek, root: &Path) -> Result<usize, String> {
    let mut archive = ZipArchive::new(archive).map_err(|e| format!("the archive can't be read: {e}"))?;
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    let mut folders = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|e| format!("the archive can't be read: {e}"))?;
        let Some(name) = entry.enclosed_name() else { return Err(format!("the archive names '{}', outside the project's folder", entry.name())) };
        let path = root.join(&name);
        let time = entry.last_modified().map(from_dos);
        let mode = entry.unix_mode().map(|m| m & 0o7777);
        let kind = (entry.is_dir(), entry.is_symlink());
        write(&mut entry, kind, &path, &root, mode, time).map_err(|e| format!("could not write {}: {e}", name.display()))?;
        if kind.0 {
            folders.push((path, mode));
        }
    }
    // Last, since a folder may forbid to write into it.
    for (path, mode) in folders.into_iter().rev() {
        if let Some(mode) = mode {
            fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(archive.len())
}

type Kind = (bool, bool);

fn write(entry: &mut impl Read, (folder, link): Kind, path: &Path, root: &Path, mode: Option<u32>, time: Option<SystemTime>) -> io::Result<()> {
    if folder {
        return fs::create_dir_all(path);
    }
    let parent = path.parent().unwrap_or(root);
    fs::create_dir_all(parent)?;
    if !parent.canonicalize()?.starts_with(root) {
        return Err(io::Error::other("a link leads out of the project's folder"));
    }
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    if link {
        let mut target = String::new();
        entry.read_to_string(&mut target)?;
        return std::os::unix::fs::symlink(target, path);
    }
    let mut file = File::create(path)?;
    io::copy(entry, &mut file)?;
    if let Some(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    time.map_or(Ok(()), |time| file.set_modified(time))
}

/// Universal time, in steps of two seconds, from 1980: what the format has.
fn to_dos(time: SystemTime) -> DateTime {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0));
    let (days, rest) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    // Days to a date: Howard Hinnant's civil_from_days.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let small = |n: i64| u8::try_from(n).unwrap_or(0);
    DateTime::from_date_and_time(
        u16::try_from(year).unwrap_or(1980), small(month), small(day), small(rest / 3600), small(rest / 60 % 60), small(rest % 60),
    )
    .unwrap_or_default()
}

fn from_dos(time: DateTime) -> SystemTime {
    let (year, month, day) = (i64::from(time.year()), i64::from(time.month()), i64::from(time.day()));
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    let seconds = days * 86400 + i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_the_same() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = from.path();
        fs::create_dir_all(root.join("d/empty")).unwrap();
        fs::write(root.join("d/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(root.join("d/run.sh"), Permissions::from_mode(0o750)).unwrap();
        std::os::unix::fs::symlink("run.sh", root.join("d/link")).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_709_210_096);
        File::options().write(true).open(root.join("d/run.sh")).unwrap().set_modified(time).unwrap();
        let files: Vec<String> = ["d", "d/empty", "d/link", "d/run.sh"].map(String::from).to_vec();
        let mut packed = pack(Format::Zip, root, &files, &root.join("scratch")).unwrap();
        packed.rewind().unwrap();
        fs::write(to.path().join("old"), "stays").unwrap();
        assert_eq!(unzip(&packed, to.path()).unwrap(), 4);
        let out = to.path().join("d/run.sh");
        assert_eq!(fs::read_to_string(&out).unwrap(), "#!/bin/sh\n");
        assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o750);
        assert_eq!(out.metadata().unwrap().modified().unwrap(), time);
        assert_eq!(fs::read_link(to.path().join("d/link")).unwrap(), Path::new("run.sh"));
        assert!(to.path().join("d/empty").is_dir() && to.path().join("old").is_file());
    }

    #[test]
    fn a_report_is_gzip_and_raw_is_one_file_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.xml"), "<a/>").unwrap();
        fs::write(folder.path().join("b.xml"), "<b/>").unwrap();
        let both: Vec<String> = ["a.xml", "b.xml"].map(String::from).to_vec();
        let mut packed = pack(Format::Gzip, folder.path(), &both, &folder.path().join("s")).unwrap();
        packed.rewind().unwrap();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
        assert_eq!(text, "<a/><b/>");
        assert!(pack(Format::Raw, folder.path(), &both, folder.path()).is_err());
        assert!(pack(Format::Raw, folder.path(), &both[..1], folder.path()).is_ok());
    }

    #[test]
    fn an_archive_cannot_write_outside() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
        archive.add_symlink("out", "/tmp", SimpleFileOptions::default()).unwrap();
        archive.start_file("out/mayfly-must-not-be", SimpleFileOptions::default()).unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        assert!(unzip(io::Cursor::new(bytes), folder.path()).unwrap_err().contains("leads out"));
        assert!(!Path::new("/tmp/mayfly-must-not-be").exists());
    }
}
