//! What git is told by configuration: for one job by its environment, and in the repository's own file, where the job finds it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::api::SYSTEM_CERTIFICATES;
use crate::context::{Context, Failure};
use crate::info;

/// Answers git's question for a password; the name of the variable is no secret.
const HELPER: &str = "!f() { test \"$1\" = get && echo username=gitlab-ci-token && echo \"password=$MAYFLY_JOB_TOKEN\"; }; f";

/// git's settings for this job: who it says it is, whom it trusts, and the token for the server's other repositories.
pub fn settings(job: &Context) -> Result<Vec<(String, String)>, Failure> {
    let mut list = vec![
        ("http.userAgent".to_string(), info::user_agent()),
        ("init.defaultBranch".into(), "none".into()),
        ("fetch.recurseSubmodules".into(), "false".into()),
        ("advice.detachedHead".into(), "false".into()),
        // Tidying up is for repositories that live on.
        ("maintenance.auto".into(), "false".into()),
    ];
    if let Some((bundle, nothing)) = trusted(Path::new(SYSTEM_CERTIFICATES), job.options.tls_ca_file.as_ref(), &job.variables.files_folder().join("git-trust"))? {
        list.push(("http.sslCAInfo".into(), bundle.to_string_lossy().into()));
        list.push(("http.sslCAPath".into(), nothing.to_string_lossy().into()));
    }
    let mut servers = vec![job.payload.git_info.repo_url.clone(), job.variables.get("CI_SERVER_URL")];
    servers.retain(|url| !url.is_empty());
    let mut plain: Vec<(String, String)> = servers.iter().filter_map(|url| server(url)).collect();
    plain.dedup();
    for (scheme, host) in &plain {
        list.push((format!("credential.{scheme}://{host}.helper"), HELPER.into()));
        if job.variables.is_true("GIT_SUBMODULE_FORCE_HTTPS") {
            let name = host.split(':').next().unwrap_or(host);
            let to = format!("url.{scheme}://{host}/.insteadOf");
            list.push((to.clone(), format!("git@{name}:")));
            list.push((to, format!("ssh://git@{name}/")));
        }
    }
    Ok(list)
}

/// The certificates that git is to trust, as one file, and an empty folder: besides the file its TLS library reads every file of
/// a folder, by default the system's hundreds with the same certificates, which takes 0.4 s under emulation. None where the
/// system keeps them elsewhere.
fn trusted(system: &Path, own: Option<&String>, folder: &Path) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let Ok(mut bundle) = fs::read(system) else { return Ok(None) };
    let failed = |e: std::io::Error| Failure::system(format!("could not write {}: {e}", folder.display()));
    let nothing = folder.join("nothing");
    fs::create_dir_all(&nothing).map_err(failed)?;
    let Some(own) = own else { return Ok(Some((system.into(), nothing))) };
    let own = fs::read(own).map_err(|e| Failure::system(format!("could not read {own}: {e}")))?;
    if contains(&bundle, own.trim_ascii()) {
        return Ok(Some((system.into(), nothing)));
    }
    bundle.push(b'\n');
    bundle.extend(own);
    let all = folder.join("certificates.pem");
    fs::write(&all, bundle).map_err(failed)?;
    Ok(Some((all, nothing)))
}

pub fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The text of a repository's configuration in which this section is the only one of its name, and holds these settings.
pub fn with_section(config: &str, kind: &str, name: &str, settings: &[(&str, &str)]) -> String {
    let quoted = format!("\"{}\"]", escaped(name));
    let mut text = String::new();
    let mut skipping = false;
    for line in config.lines() {
        if let Some(header) = line.trim_start().strip_prefix('[') {
            let of_kind = header.get(..kind.len()).is_some_and(|found| found.eq_ignore_ascii_case(kind));
            skipping = of_kind && header[kind.len()..].trim_start().starts_with(&quoted);
        }
        if !skipping {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&format!("[{kind} {quoted}\n"));
    for (key, value) in settings {
        text.push_str(&format!("\t{key} = \"{}\"\n", escaped(value)));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// An http address without name and password.
pub fn without_user(url: &str) -> String {
    match (server(url), url.split_once("://").and_then(|(_, rest)| rest.split_once('/'))) {
        (Some((scheme, host)), Some((_, path))) => format!("{scheme}://{host}/{path}"),
        _ => url.into(),
    }
}

/// Scheme and host (with port, without user) of an http address.
pub fn server(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme != "http" && scheme != "https" {
        return None;
    }
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    Some((scheme.into(), host.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_without_its_user() {
        assert_eq!(server("https://gitlab-ci-token:t@git.example:8443/a/b.git"), Some(("https".into(), "git.example:8443".into())));
        assert_eq!(server("http://git.example"), Some(("http".into(), "git.example".into())));
        assert_eq!(server("git@git.example:a/b.git"), None);
        assert_eq!(without_user("https://gitlab-ci-token:t@git.example:8443/a/b.git"), "https://git.example:8443/a/b.git");
        assert_eq!(without_user("/local/path"), "/local/path");
    }

    #[test]
    fn a_section_is_there_once_however_often_it_is_set() {
        let git = "[core]\n\tbare = false\n[remote \"other\"]\n\turl = o\n";
        let with_remote = |config: &str, url| with_section(config, "remote", "origin", &[("url", url)]);
        let once = with_remote(git, "https://a/b.git");
        assert_eq!(once, format!("{git}[remote \"origin\"]\n\turl = \"https://a/b.git\"\n"));
        let later = once.replace("[core]", "[Remote  \"origin\"] # old\n\tpushurl = p\n[core]");
        assert_eq!(with_remote(&later, "https://a/b.git"), once);
        assert!(with_remote("", "a\"b\\c").contains("url = \"a\\\"b\\\\c\"\n"));
    }
    #[test]
    fn git_trusts_the_system_and_the_given_certificates_by_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let with = |system: &str, own: Option<&str>| {
            fs::write(place("system.pem"), system).unwrap();
            let own = own.map(|text| fs::write(place("own.pem"), text).map(|()| place("own.pem").display().to_string()).unwrap());
            let (bundle, nothing) = trusted(&place("system.pem"), own.as_ref(), &place("trust")).unwrap().unwrap();
            assert_eq!(fs::read_dir(nothing).unwrap().count(), 0);
            fs::read_to_string(bundle).unwrap()
        };
        assert_eq!(with("A\n", None), "A\n");
        assert_eq!(with("A\nB\n", Some("B\n")), "A\nB\n");
        assert_eq!(with("A", Some("B\n")), "A\nB\n");
        assert!(trusted(&place("absent"), None, &place("trust")).unwrap().is_none());
        assert!(trusted(&place("system.pem"), Some(&place("absent").display().to_string()), &place("trust")).is_err());
    }
}
