//! Finds the files that an artifact names, within the project's folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::glob::Glob;
use crate::context::{Context, Failure};
use crate::payload::Artifact;

/// Relative paths of files, links and folders, in order; says in the log what each pattern found.
pub fn select(job: &Context, artifact: &Artifact) -> Result<Vec<String>, Failure> {
    let excluded: Vec<Glob> = artifact.exclude.iter().map(|e| Glob::new(&relative(&job.variables.expand(e), &job.project))).collect();
    let mut found = BTreeSet::new();
    for path in &artifact.paths {
        let path = job.variables.expand(path);
        let pattern = relative(&path, &job.project);
        if pattern.starts_with('/') || pattern.split('/').any(|p| p == "..") {
            job.log.warning(&format!("WARNING: {path}: not in the project's folder, {}: ignored", job.project.display()));
            continue;
        }
        let mut matched = BTreeSet::new();
        walk(&job.project, "", &Glob::new(&pattern), false, &mut matched).map_err(Failure::system)?;
        report(job, &path, matched, &excluded, &mut found);
    }
    if artifact.untracked {
        let matched = untracked(job)?;
        report(job, "untracked", matched, &excluded, &mut found);
    }
    Ok(found.into_iter().collect())
}

fn report(job: &Context, what: &str, matched: BTreeSet<String>, excluded: &[Glob], found: &mut BTreeSet<String>) {
    let all = matched.len();
    let kept: Vec<String> = matched.into_iter().filter(|path| !excluded.iter().any(|e| e.matches(path))).collect();
    match all {
        0 => job.log.warning(&format!(
            "WARNING: {what}: no matching files. Ensure that the artifact path is relative to the working directory ({})",
            job.project.display()
        )),
        _ => job.log.line(&format!("{what}: found {all} matching artifact files and directories")),
    }
    if kept.len() < all {
        job.log.line(&format!("{what}: excluded {} files", all - kept.len()));
    }
    found.extend(kept);
}

fn relative(pattern: &str, project: &Path) -> String {
    let project = project.to_string_lossy();
    match pattern.strip_prefix(project.as_ref()) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/').to_string(),
        _ => pattern.to_string(),
    }
}

/// A folder that matches brings all that is in it. Links are taken as links and not followed.
fn walk(root: &Path, folder: &str, glob: &Glob, all: bool, found: &mut BTreeSet<String>) -> Result<(), String> {
    let path = root.join(folder);
    let all = all || (folder.is_empty() && glob.matches(""));
    let cannot = |e: std::io::Error| format!("could not read {}: {e}", path.display());
    for entry in fs::read_dir(&path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        // A name that is no UTF-8 can't be written to GitLab's archive either.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let child = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let taken = all || glob.matches(&child);
        let is_folder = entry.file_type().map_err(cannot)?.is_dir();
        if is_folder && (taken || glob.may_match_below(&child)) {
            walk(root, &child, glob, taken, found)?;
        }
        if taken {
            found.insert(child);
        }
    }
    Ok(())
}

fn untracked(job: &Context) -> Result<BTreeSet<String>, Failure> {
    let mut command = job.command("git");
    command.current_dir(&job.project).args(["ls-files", "-o", "-z"]).stdin(Stdio::null());
    let output = command.output().map_err(|e| Failure::system(format!("could not start git: {e}")))?;
    if !output.status.success() {
        return Err(Failure::system(format!("git could not list untracked files: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    let names = output.stdout.split(|b| *b == 0).filter(|n| !n.is_empty());
    Ok(names.filter_map(|n| String::from_utf8(n.to_vec()).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.txt", "d/b.txt", "d/e/c.txt", "x/y"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "1").unwrap();
        }
        std::os::unix::fs::symlink("/etc", folder.path().join("d/link")).unwrap();
        let mut found = BTreeSet::new();
        walk(folder.path(), "", &Glob::new(pattern), false, &mut found).unwrap();
        found.into_iter().collect()
    }

    #[test]
    fn a_folder_brings_what_is_in_it_and_links_are_not_followed() {
        assert_eq!(found("d"), ["d", "d/b.txt", "d/e", "d/e/c.txt", "d/link"]);
        assert_eq!(found("**/*.txt"), ["a.txt", "d/b.txt", "d/e/c.txt"]);
        assert_eq!(found("x/*"), ["x/y"]);
        assert_eq!(found(".").len(), 8);
        assert!(found("none").is_empty());
    }

    #[test]
    fn a_path_may_be_given_from_the_root() {
        let project = Path::new("/b/p");
        assert_eq!(relative("/b/p/out/*.txt", project), "out/*.txt");
        assert_eq!(relative("/b/pq/out", project), "/b/pq/out");
    }
}
