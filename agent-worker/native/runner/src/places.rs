//! Where a job's files lie, and the variables that the runner itself adds.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::info;
use crate::options::Options;
use crate::payload::{Payload, Variable};
use crate::variables::{plain, Variables};

/// The project's folder: under the builds folder by the project's path, or where GIT_CLONE_PATH says.
pub fn project(builds: &str, payload: &Payload) -> Result<PathBuf, String> {
    let with = |more: Vec<_>| Variables::new([vec![plain("CI_BUILDS_DIR", builds)], more, payload.variables.clone()].concat(), PathBuf::new());
    let variables = with(vec![plain("CI_CONCURRENT_ID", "0"), plain("CI_CONCURRENT_PROJECT_ID", "0")]);
    let wanted = variables.get("GIT_CLONE_PATH");
    if !wanted.is_empty() {
        let path = PathBuf::from(&wanted);
        let inside = path.starts_with(builds) && path != Path::new(builds) && !path.components().any(|c| c == Component::ParentDir);
        return if inside { Ok(path) } else { Err(format!("GIT_CLONE_PATH {wanted} is not below CI_BUILDS_DIR, {builds}")) };
    }
    let mut path = variables.get("CI_PROJECT_PATH");
    if path.is_empty() {
        let url = payload.git_info.repo_url.split_once("://").map_or("", |(_, rest)| rest);
        path = url.split_once('/').map_or("", |(_, path)| path).trim_end_matches(".git").to_string();
    }
    if path.is_empty() || !Path::new(&path).components().all(|c| matches!(c, Component::Normal(_))) {
        path = format!("project-{}", payload.job_info.project_id);
    }
    Ok(Path::new(builds).join(path))
}

/// In GitLab's order: the runner's own first, so that the job's win.
pub fn variables(options: &Options, payload: &Payload, project: Option<&PathBuf>) -> Variables {
    let project = project.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let mut list: Vec<_> = options.env.iter().map(|(key, value)| plain(key, value)).collect();
    list.extend([
        plain("CI_BUILDS_DIR", &options.builds_dir),
        plain("CI_PROJECT_DIR", &project),
        plain("CI_CONCURRENT_ID", "0"),
        plain("CI_CONCURRENT_PROJECT_ID", "0"),
        plain("CI_SERVER", "yes"),
        plain("CI_JOB_STATUS", "running"),
        plain("CI_JOB_TIMEOUT", &payload.timeout_seconds().to_string()),
        plain("CI_DISPOSABLE_ENVIRONMENT", "true"),
        plain("CI_RUNNER_VERSION", info::VERSION),
        plain("CI_RUNNER_REVISION", ""),
        plain("CI_RUNNER_EXECUTABLE_ARCH", &format!("linux/{}", info::architecture())),
    ]);
    // A file of the job, so that it is there inside a container too.
    if let Some(certificates) = options.tls_ca_file.as_ref().and_then(|ca| std::fs::read_to_string(ca).ok()) {
        list.push(Variable { file: true, raw: true, ..plain("CI_SERVER_TLS_CA_FILE", &certificates) });
    }
    list.extend(payload.variables.iter().cloned());
    Variables::new(list, PathBuf::from(format!("{project}.tmp")))
}

/// `90s`, `1h30m`, `5m`, also bare seconds; None for anything else and for nothing.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds)).filter(|d| !d.is_zero());
    }
    let mut total = 0u64;
    let mut number = String::new();
    for character in text.chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && total > 0).then(|| Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(list: &[(&str, &str)]) -> Payload {
        let mut payload = Payload { variables: list.iter().map(|(k, v)| plain(k, v)).collect(), ..Payload::default() };
        payload.git_info.repo_url = "http://gitlab-ci-token:x@host/group/app.git".into();
        payload
    }

    #[test]
    fn a_project_lies_by_its_path_and_never_outside() {
        assert_eq!(project("/b", &payload(&[])).unwrap(), Path::new("/b/group/app"));
        assert_eq!(project("/b", &payload(&[("CI_PROJECT_PATH", "a/c")])).unwrap(), Path::new("/b/a/c"));
        assert_eq!(project("/b", &payload(&[("CI_PROJECT_PATH", "../c")])).unwrap(), Path::new("/b/project-0"));
        assert_eq!(project("/b", &payload(&[("GIT_CLONE_PATH", "$CI_BUILDS_DIR/x")])).unwrap(), Path::new("/b/x"));
        assert!(project("/b", &payload(&[("GIT_CLONE_PATH", "/b/../etc")])).is_err());
        assert!(project("/b", &payload(&[("GIT_CLONE_PATH", "/etc")])).is_err());
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("1h30m").unwrap().as_secs(), 5400);
        assert_eq!(duration("45").unwrap().as_secs(), 45);
        assert_eq!(duration("5m10s").unwrap().as_secs(), 310);
        assert_eq!([duration(""), duration("soon"), duration("5m3"), duration("0")], [None; 4]);
    }
}
