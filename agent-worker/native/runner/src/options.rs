//! The command line, which is gitlab-runner's: every option may also be given by the environment.

use std::collections::HashMap;
use std::time::Duration;

use crate::docker::PullPolicy;

/// Options that a job must not see.
pub const SECRET_ENVIRONMENT: [&str; 3] = ["CI_SERVER_TOKEN", "REGISTRATION_TOKEN", "CI_SERVER_URL_TOKEN"];

pub const HELP: &str = "\
usage: mayfly-runner run-single --url URL --token TOKEN --executor shell|docker [options]
       mayfly-runner --version | --help

Asks GitLab for jobs and runs them in a shell or in containers, as gitlab-runner's run-single does.

  --url, -u URL          GitLab's address                             [CI_SERVER_URL]
  --token, -t TOKEN      the runner's token                           [CI_SERVER_TOKEN]
  --executor EXECUTOR    shell or docker                              [RUNNER_EXECUTOR]
  --shell SHELL          only bash                                    [RUNNER_SHELL]
  --name NAME            name shown in the job's log                  [RUNNER_NAME]
  --builds-dir DIR       where repositories are cloned to             [RUNNER_BUILDS_DIR]
  --cache-dir DIR        shared by the containers of a docker job     [RUNNER_CACHE_DIR]
  --max-builds N         end after so many jobs; 0: go on             [MAX_BUILDS]
  --wait-timeout N       end after so many seconds without a job      [WAIT_TIMEOUT]
  --output-limit N       largest log in KiB (default 4096)            [RUNNER_OUTPUT_LIMIT]
  --tls-ca-file FILE     certificates to trust besides the system's   [CI_SERVER_TLS_CA_FILE]
  --memory-advice TEXT   said to a job that ran out of memory         [MAYFLY_MEMORY_ADVICE]
  --env KEY=VALUE        a variable for every job; may be repeated

With --executor docker:
  --docker-host ADDRESS  the engine's UNIX socket                     [DOCKER_HOST]
  --docker-image IMAGE   for jobs that name none                      [DOCKER_IMAGE]
  --docker-pull-policy P always (default), if-not-present or never; may be repeated, then one after the other is tried
  --docker-volumes V     a folder that all containers of a job share, or VM_PATH:CONTAINER_PATH; may be repeated
  --docker-privileged    containers may do whatever the VM can
  --docker-wait-for-services-timeout N  seconds (default 30); 0: don't wait
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub url: String,
    pub executor: String,
    pub shell: String,
    pub name: String,
    pub builds_dir: String,
    pub max_builds: u64,
    pub wait_timeout: Option<Duration>,
    pub output_limit: usize,
    pub cache_dir: String,
    pub tls_ca_file: Option<String>,
    /// How a job gets more memory, as the end of a sentence.
    pub memory_advice: Option<String>,
    pub env: Vec<(String, String)>,
    pub docker: DockerOptions,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerOptions {
    pub host: Option<String>,
    /// Empty: a job must name one.
    pub image: String,
    pub pull_policies: Vec<PullPolicy>,
    pub volumes: Vec<String>,
    pub privileged: bool,
    pub wait_for_services: Duration,
}

const KNOWN: [(&str, &str); 15] = [
    ("url", "CI_SERVER_URL"),
    ("token", "CI_SERVER_TOKEN"),
    ("executor", "RUNNER_EXECUTOR"),
    ("shell", "RUNNER_SHELL"),
    ("name", "RUNNER_NAME"),
    ("builds-dir", "RUNNER_BUILDS_DIR"),
    ("cache-dir", "RUNNER_CACHE_DIR"),
    ("max-builds", "MAX_BUILDS"),
    ("wait-timeout", "WAIT_TIMEOUT"),
    ("output-limit", "RUNNER_OUTPUT_LIMIT"),
    ("tls-ca-file", "CI_SERVER_TLS_CA_FILE"),
    ("docker-host", "DOCKER_HOST"),
    ("docker-image", "DOCKER_IMAGE"),
    ("docker-wait-for-services-timeout", "DOCKER_WAIT_FOR_SERVICES_TIMEOUT"),
    ("memory-advice", "MAYFLY_MEMORY_ADVICE"),
];

/// The options, and apart from them the token.
pub fn parse(arguments: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Result<(Options, String), String> {
    let mut given: HashMap<&str, String> = HashMap::new();
    for (name, variable) in KNOWN {
        if let Some(value) = environment(variable).filter(|v| !v.is_empty()) {
            given.insert(name, value);
        }
    }
    let mut env = Vec::new();
    let mut docker = DockerOptions::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (flag, inline) = argument.split_once('=').map_or((argument.as_str(), None), |(f, v)| (f, Some(v.to_string())));
        let flag = match flag {
            "-u" => "url",
            "-t" => "token",
            long => long.strip_prefix("--").or(long.strip_prefix('-')).ok_or_else(|| format!("'{argument}' is no option; see --help"))?,
        };
        let mut value = || inline.clone().or_else(|| rest.next().cloned()).ok_or_else(|| format!("--{flag} needs a value"));
        match KNOWN.iter().find(|(name, _)| *name == flag) {
            Some((name, _)) => drop(given.insert(name, value()?)),
            None if flag == "env" => {
                let text = value()?;
                let (key, value) = text.split_once('=').ok_or_else(|| format!("--env '{text}' is not KEY=VALUE"))?;
                env.push((key.to_string(), value.to_string()));
            }
            None if flag == "docker-privileged" => docker.privileged = inline.as_deref() != Some("false"),
            None if flag == "docker-volumes" => docker.volumes.push(value()?),
            None if flag == "docker-pull-policy" => docker.pull_policies.push(PullPolicy::parse(&value()?)?),
            None => return Err(format!("unknown option --{flag}; see --help")),
        }
    }
    build(&given, env, docker)
}

fn build(given: &HashMap<&str, String>, env: Vec<(String, String)>, mut docker: DockerOptions) -> Result<(Options, String), String> {
    let text = |name: &str, default: &str| given.get(name).cloned().unwrap_or_else(|| default.to_string());
    let needed = |name: &str| given.get(name).cloned().ok_or_else(|| format!("--{name} is missing"));
    let number = |name: &str, default: u64| match given.get(name) {
        Some(value) => value.parse::<u64>().map_err(|_| format!("--{name} '{value}' is no number")),
        None => Ok(default),
    };
    let here = std::env::current_dir().map_err(|e| format!("the current folder can't be told: {e}"))?;
    docker.host = given.get("docker-host").cloned();
    docker.image = text("docker-image", "");
    docker.wait_for_services = Duration::from_secs(number("docker-wait-for-services-timeout", 30)?);
    if docker.pull_policies.is_empty() {
        docker.pull_policies.push(PullPolicy::Always);
    }
    let options = Options {
        url: needed("url")?,
        executor: needed("executor")?,
        shell: text("shell", "bash"),
        name: text("name", "mayfly-runner"),
        builds_dir: here.join(text("builds-dir", "builds")).to_string_lossy().into_owned(),
        max_builds: number("max-builds", 0)?,
        wait_timeout: Some(number("wait-timeout", 0)?).filter(|n| *n > 0).map(Duration::from_secs),
        output_limit: usize::try_from(number("output-limit", 4096)?.saturating_mul(1024)).unwrap_or(usize::MAX),
        cache_dir: here.join(text("cache-dir", "cache")).to_string_lossy().into_owned(),
        tls_ca_file: given.get("tls-ca-file").cloned(),
        memory_advice: given.get("memory-advice").cloned(),
        env,
        docker,
    };
    if !["shell", "docker"].contains(&options.executor.as_str()) {
        return Err(format!("this runner has no executor '{}', only shell and docker", options.executor));
    }
    if options.shell != "bash" {
        return Err(format!("this runner has no shell '{}', only bash", options.shell));
    }
    Ok((options, needed("token")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(Options, String), String> {
        let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
        let look = |name: &str| environment.iter().find(|(k, _)| *k == name).map(|(_, v)| v.to_string());
        parse(&arguments, &look)
    }

    #[test]
    fn options_are_taken_from_arguments_before_the_environment() {
        let (options, token) = parsed(
            &["--url", "http://a", "--executor=shell", "--max-builds", "1", "--env", "A=b=c", "--builds-dir", "/b"],
            &[("CI_SERVER_URL", "http://other"), ("CI_SERVER_TOKEN", "t"), ("WAIT_TIMEOUT", "60")],
        )
        .unwrap();
        assert_eq!((options.url.as_str(), token.as_str(), options.max_builds), ("http://a", "t", 1));
        assert_eq!(options.wait_timeout, Some(Duration::from_secs(60)));
        assert_eq!(options.env, [("A".to_string(), "b=c".to_string())]);
        assert_eq!(options.builds_dir, "/b");
        assert_eq!(options.output_limit, 4 << 20);
    }

    #[test]
    fn what_containers_get_may_be_given_more_than_once() {
        let (options, _) = parsed(
            &["--url", "u", "--token", "t", "--executor", "docker", "--docker-privileged", "--docker-volumes", "/certs/client", "--docker-volumes", "/a:/b",
                "--docker-pull-policy", "always", "--docker-pull-policy=if-not-present", "--docker-image", "busybox", "--docker-wait-for-services-timeout", "5"],
            &[("DOCKER_HOST", "unix:///x")],
        )
        .unwrap();
        let docker = options.docker;
        assert!(docker.privileged);
        assert_eq!(docker.volumes, ["/certs/client", "/a:/b"]);
        assert_eq!(docker.pull_policies, [PullPolicy::Always, PullPolicy::IfNotPresent]);
        assert_eq!((docker.image.as_str(), docker.host.as_deref(), docker.wait_for_services.as_secs()), ("busybox", Some("unix:///x"), 5));
        assert_eq!(parsed(&["--url", "u", "--token", "t", "--executor", "docker"], &[]).unwrap().0.docker.pull_policies, [PullPolicy::Always]);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let base = ["--url", "u", "--token", "t", "--executor"];
        let with = |more: &[&str]| parsed(&[&base[..], more].concat(), &[]).unwrap_err();
        assert!(with(&["kubernetes"]).contains("no executor 'kubernetes'"));
        assert!(with(&["docker", "--docker-pull-policy", "sometimes"]).contains("sometimes"));
        assert!(with(&["docker", "--docker-frob"]).contains("--docker-frob"));
        assert!(with(&["shell", "--shell", "zsh"]).contains("zsh"));
        assert!(with(&["shell", "--frob", "1"]).contains("--frob"));
        assert!(with(&["shell", "--max-builds", "x"]).contains("no number"));
        assert!(with(&["shell", "--env"]).contains("needs a value"));
        assert!(parsed(&["--token", "t"], &[]).unwrap_err().contains("--url"));
    }
}
