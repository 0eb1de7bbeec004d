//! Brings the repository into the project's folder: strategy, depth, refspecs, clean, LFS, submodules as GitLab's variables ask.
//! The job's token reaches git by environment and a credential helper: an address that holds it would be an argument of git's
//! own helpers, which everyone on the machine can read. Afterwards it stands in `.git/config` as with GitLab's runner, since
//! scripts that push or fetch rely on that.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::context::{Context, Failure};

mod config;
use config::{server, without_user};

pub fn get_sources(job: &Context) -> Result<(), Failure> {
    let strategy = job.variables.get_or("GIT_STRATEGY", if job.payload.allow_git_fetch { "fetch" } else { "clone" });
    match strategy.as_str() {
        "none" => {
            job.log.notice("Skipping Git repository setup");
            make_folder(&job.project)?;
            job.log.notice("Skipping Git checkout");
            job.log.notice("Skipping Git submodules setup");
            return Ok(());
        }
        "empty" => {
            job.log.notice("Skipping Git repository setup and creating an empty build directory");
            remove(&job.project)?;
            return make_folder(&job.project);
        }
        "clone" => remove(&job.project)?,
        "fetch" => {}
        other => return Err(Failure::configuration(format!("unknown GIT_STRATEGY '{other}': use fetch, clone, none or empty"))),
    }
    let git = Git::new(job)?;
    git.fetch()?;
    git.checkout()?;
    git.submodules()?;
    git.leave_token()
}

struct Git<'a> {
    job: &'a Context,
    settings: Vec<(String, String)>,
    lfs: bool,
    /// There was nothing in its folder before.
    fresh: bool,
}

impl Git<'_> {
    fn new(job: &Context) -> Result<Git<'_>, Failure> {
        let lfs = !job.variables.is_true("GIT_LFS_SKIP_SMUDGE");
        let fresh = fs::read_dir(&job.project).map_or(true, |mut entries| entries.next().is_none());
        Ok(Git { job, settings: config::settings(job)?, lfs, fresh })
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = self.job.command("git");
        command.current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").env("MAYFLY_JOB_TOKEN", &self.job.key.token);
        if self.lfs {
            // Fetched in one go afterwards, instead of one by one while checking out.
            command.env("GIT_LFS_SKIP_SMUDGE", "1");
        }
        let first = self.job.variables.number("GIT_CONFIG_COUNT", 0);
        for (at, (key, value)) in (first..).zip(&self.settings) {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command.env("GIT_CONFIG_COUNT", (first + self.settings.len() as u64).to_string());
        command
    }

    fn git<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<(), Failure> {
        // A git that fails counts as a script that fails, with git's own exit code: so it does with GitLab's runner, whose
        // sources are fetched by a script.
        self.job.run(self.command(&self.job.project).args(arguments), "")
    }

    /// Asks git something; true if it says yes.
    fn asks(&self, arguments: &[&str]) -> bool {
        let mut command = self.command(&self.job.project);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|s| s.success())
    }

    fn fetch(&self) -> Result<(), Failure> {
        let info = &self.job.payload.git_info;
        self.job.log.notice(&match info.depth {
            0 => "Fetching changes...".to_string(),
            depth => format!("Fetching changes with git depth set to {depth}..."),
        });
        make_folder(&self.job.project)?;
        for left_over in ["index.lock", "shallow.lock", "HEAD.lock", "config.lock", "hooks/post-checkout"] {
            let path = self.job.project.join(".git").join(left_over);
            if path.exists() {
                fs::remove_file(&path).map_err(|e| Failure::system(format!("could not remove {}: {e}", path.display())))?;
            }
        }
        let format = format!("--object-format={}", info.repo_object_format);
        let mut init = vec!["init", "--quiet"];
        if self.fresh && !info.repo_object_format.is_empty() {
            init.push(&format);
        }
        self.git(init)?;
        self.set_remote(&without_user(&info.repo_url))?;
        if self.fresh {
            self.job.log.notice("Created fresh repository.");
        }
        let mut fetch: Vec<String> = vec!["fetch".into(), "origin".into()];
        fetch.extend(info.refspecs.iter().cloned());
        if info.depth > 0 {
            fetch.extend(["--depth".into(), info.depth.to_string()]);
        }
        fetch.extend(flags(&self.job.variables.get_or("GIT_FETCH_EXTRA_FLAGS", "--prune --quiet")));
        self.git(fetch)
    }

    fn leave_token(&self) -> Result<(), Failure> {
        let url = &self.job.payload.git_info.repo_url;
        self.set_remote(url)?;
        if let (Some(_), Some((scheme, host))) = (&self.job.options.tls_ca_file, server(url)) {
            // For a git in a container, which does not have the VM's certificates.
            self.configure("http", &format!("{scheme}://{host}"), &[("sslCAInfo", &self.job.variables.get("CI_SERVER_TLS_CA_FILE"))])?;
        }
        match self.job.variables.get("GIT_SUBMODULE_STRATEGY").as_str() {
            // Relative submodules have the remote's address, token and all.
            "normal" => self.git(["submodule", "--quiet", "sync"]),
            "recursive" => self.git(["submodule", "--quiet", "sync", "--recursive"]),
            _ => Ok(()),
        }
    }

    fn set_remote(&self, url: &str) -> Result<(), Failure> {
        self.configure("remote", "origin", &[("url", url), ("fetch", "+refs/heads/*:refs/remotes/origin/*")])
    }

    /// Writes a section of the repository's configuration, by no arguments that others could read.
    fn configure(&self, kind: &str, name: &str, settings: &[(&str, &str)]) -> Result<(), Failure> {
        let path = self.job.project.join(".git/config");
        let written = fs::read_to_string(&path).and_then(|config| fs::write(&path, config::with_section(&config, kind, name, settings)));
        written.map_err(|e| Failure::system(format!("could not write {}: {e}", path.display())))
    }

    fn checkout(&self) -> Result<(), Failure> {
        let info = &self.job.payload.git_info;
        if !self.job.variables.get("GIT_CHECKOUT").is_empty() && !self.job.variables.is_true("GIT_CHECKOUT") {
            self.job.log.notice("Skipping Git checkout");
            return Ok(());
        }
        let short = info.sha.get(..8).unwrap_or(&info.sha);
        self.job.log.notice(&format!("Checking out {short} as detached HEAD (ref is {})...", info.reference));
        self.git(["-c", "submodule.recurse=false", "checkout", "-f", "-q", "--detach", &info.sha])?;
        let clean = flags(&self.job.variables.get_or("GIT_CLEAN_FLAGS", "-ffdx"));
        if !clean.is_empty() && !self.fresh {
            self.git([vec!["clean".to_string()], clean].concat())?;
        }
        if self.lfs && uses_lfs(&self.job.project) {
            self.git(["lfs", "pull"])?;
        }
        Ok(())
    }

    fn submodules(&self) -> Result<(), Failure> {
        let variables = &self.job.variables;
        let recursive = match variables.get_or("GIT_SUBMODULE_STRATEGY", "none").as_str() {
            "none" => {
                self.job.log.notice("Skipping Git submodules setup");
                return Ok(());
            }
            "normal" => false,
            "recursive" => true,
            other => return Err(Failure::configuration(format!("unknown GIT_SUBMODULE_STRATEGY '{other}': use none, normal or recursive"))),
        };
        self.job.log.notice(if recursive { "Updating/initializing submodules recursively..." } else { "Updating/initializing submodules..." });
        let depth = variables.number("GIT_SUBMODULE_DEPTH", self.job.payload.git_info.depth);
        let paths = flags(&variables.get("GIT_SUBMODULE_PATHS"));
        let with = |words: &[&str], tail: Vec<String>| -> Vec<String> {
            let mut list: Vec<String> = words.iter().map(|w| w.to_string()).collect();
            list.extend(recursive.then(|| "--recursive".to_string()));
            list.extend(tail);
            list
        };
        let end = if paths.is_empty() { Vec::new() } else { [vec!["--".to_string()], paths].concat() };
        self.git(["submodule", "init"])?;
        self.git(with(&["submodule", "sync", "--quiet"], end.clone()))?;
        let mut update = if depth > 0 { vec!["--depth".into(), depth.to_string()] } else { Vec::new() };
        update.extend(flags(&variables.get("GIT_SUBMODULE_UPDATE_FLAGS")));
        update.extend(end);
        self.git(with(&["submodule", "update", "--init"], update))?;
        let clean = flags(&variables.get_or("GIT_CLEAN_FLAGS", "-ffdx"));
        if !clean.is_empty() {
            self.git(with(&["submodule", "--quiet", "foreach"], vec![format!("git clean {}", clean.join(" "))]))?;
        }
        if self.lfs && self.asks(&["lfs", "version"]) {
            self.git(with(&["submodule", "--quiet", "foreach"], vec!["git lfs pull".into()]))?;
        }
        Ok(())
    }
}

/// Whether any of the attributes that were checked out asks for git-lfs.
fn uses_lfs(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => name != ".git" && uses_lfs(&entry.path()),
            Ok(kind) if kind.is_file() && name == ".gitattributes" => fs::read(entry.path()).is_ok_and(|text| config::contains(&text, b"filter=lfs")),
            _ => false,
        }
    })
}

/// The words of a variable that holds flags; `none` is no flag at all.
fn flags(text: &str) -> Vec<String> {
    if text.trim() == "none" {
        return Vec::new();
    }
    text.split_whitespace().map(str::to_string).collect()
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::system(format!("could not make {}: {e}", path.display())))
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Failure::system(format!("could not remove {}: {cause}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lfs_is_asked_for_by_attributes_anywhere_in_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join(".gitattributes"), "*.txt text\n").unwrap();
        fs::write(folder.path().join(".git/.gitattributes"), "filter=lfs").unwrap();
        assert!(!uses_lfs(folder.path()));
        fs::write(deep.join(".gitattributes"), "*.bin filter=lfs diff=lfs\n").unwrap();
        assert!(uses_lfs(folder.path()));
    }

    #[test]
    fn flags_are_words_and_none_is_no_flag() {
        assert_eq!(flags(" -ffdx -e  cache/ "), ["-ffdx", "-e", "cache/"]);
        assert!(flags("none").is_empty());
    }
}
