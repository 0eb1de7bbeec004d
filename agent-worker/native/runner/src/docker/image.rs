//! What a job says about its image and services, and how an image comes into the VM.

use std::collections::HashMap;

use serde_json::Value;

use crate::context::{Context, Failure};
use crate::docker::engine::{encode, Engine, Trouble};
use crate::docker::reference;
use crate::payload::{text_of, Variable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

impl PullPolicy {
    pub fn parse(text: &str) -> Result<PullPolicy, String> {
        match text {
            "always" => Ok(PullPolicy::Always),
            "if-not-present" => Ok(PullPolicy::IfNotPresent),
            "never" => Ok(PullPolicy::Never),
            other => Err(format!("unknown pull policy '{other}': use always, if-not-present or never")),
        }
    }

    fn word(self) -> &'static str {
        match self {
            PullPolicy::Always => "always",
            PullPolicy::IfNotPresent => "if-not-present",
            PullPolicy::Never => "never",
        }
    }
}

/// An `image:` or one of the `services:`, in GitLab's form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// As written: variables are not expanded yet.
    pub name: String,
    pub alias: String,
    /// None is the image's own; an empty word takes the image's away.
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub pull_policies: Vec<PullPolicy>,
    pub user: String,
    pub platform: String,
    pub variables: Vec<(String, String)>,
    /// Options that this runner does not have.
    pub unknown: Vec<String>,
}

impl Wanted {
    /// None for nothing at all. `what` is `image` or `service`, for people.
    pub fn parse(what: &str, value: &Value) -> Result<Option<Wanted>, String> {
        let fields = match value {
            Value::Null => return Ok(None),
            Value::String(name) => return Ok(Some(Wanted { name: name.clone(), ..Wanted::default() })),
            Value::Object(fields) => fields,
            _ => return Err(format!("the job's {what} is neither a name nor an object")),
        };
        let text = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("the {name} of the job's {what} is no text")),
        };
        let mut wanted = Wanted { name: text("name")?, alias: text("alias")?, ..Wanted::default() };
        wanted.entrypoint = words(what, fields.get("entrypoint"), "entrypoint")?;
        wanted.command = words(what, fields.get("command"), "command")?.filter(|c| !c.is_empty());
        for policy in words(what, fields.get("pull_policy"), "pull_policy")?.unwrap_or_default() {
            wanted.pull_policies.push(PullPolicy::parse(&policy)?);
        }
        wanted.variables = variables(fields.get("variables"));
        wanted.read_options(fields.get("executor_opts"));
        Ok(Some(wanted))
    }

    fn read_options(&mut self, options: Option<&Value>) {
        // Those of other executors are none of this one's business.
        let Some(docker) = options.and_then(|o| o.get("docker")).and_then(Value::as_object) else { return };
        for (name, value) in docker {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("user", Value::String(user)) => self.user = user.clone(),
                ("platform", Value::String(platform)) => self.platform = platform.clone(),
                (other, _) => self.unknown.push(other.to_string()),
            }
        }
    }
}

/// A list of words, or one word.
fn words(what: &str, value: Option<&Value>, name: &str) -> Result<Option<Vec<String>>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) => Ok(Some(vec![word.clone()])),
        Some(Value::Array(list)) => {
            let words = list.iter().map(|w| w.as_str().map(str::to_string)).collect::<Option<Vec<_>>>();
            words.map(Some).ok_or_else(|| format!("the {name} of the job's {what} holds something that is no text"))
        }
        Some(_) => Err(format!("the {name} of the job's {what} is no list of words")),
    }
}

fn variables(value: Option<&Value>) -> Vec<(String, String)> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |v: &Value| Some((v["key"].as_str()?.to_string(), text_of(v["value"].clone())));
    list.iter().filter_map(one).collect()
}

/// The images that the job has already, by name and platform: what one container got the next one gets too, whatever its policy.
pub type Had = HashMap<(String, String), String>;

/// Brings the image into the VM by the job's pull policy, and answers its id. `name` is expanded.
pub fn ensure(job: &Context, engine: &Engine, had: &mut Had, name: &str, wanted: &Wanted) -> Result<String, Failure> {
    let key = (name.to_string(), wanted.platform.clone());
    if let Some(id) = had.get(&key) {
        return Ok(id.clone());
    }
    let policies = match wanted.pull_policies.as_slice() {
        [] => job.options.docker.pull_policies.as_slice(),
        given => given,
    };
    let mut last = String::new();
    for (tried, policy) in policies.iter().enumerate() {
        if tried > 0 {
            job.log.line(&format!("Attempt #{}: Trying \"{}\" pull policy", tried + 1, policy.word()));
        }
        match by_policy(job, engine, name, wanted, *policy) {
            Ok(id) => {
                had.insert(key, id.clone());
                return Ok(id);
            }
            Err(Attempt::Ended(failure)) => return Err(failure),
            Err(Attempt::Failed(cause)) => {
                job.log.warning(&format!("WARNING: Failed to pull image with policy \"{}\": {cause}", policy.word()));
                last = cause;
            }
        }
    }
    let tried: Vec<&str> = policies.iter().map(|p| p.word()).collect();
    Err(Failure::image(format!("failed to pull image \"{name}\" with specified policies [{}]: {last}", tried.join(" "))))
}

enum Attempt {
    /// The next policy may do better.
    Failed(String),
    Ended(Failure),
}

impl From<Trouble> for Attempt {
    fn from(trouble: Trouble) -> Attempt {
        match trouble.status {
            Some(_) => Attempt::Failed(trouble.message),
            None => Attempt::Ended(Failure::system(trouble.message)),
        }
    }
}

fn by_policy(job: &Context, engine: &Engine, name: &str, wanted: &Wanted, policy: PullPolicy) -> Result<String, Attempt> {
    if policy != PullPolicy::Always {
        match inspect(engine, name) {
            Ok(image) => {
                job.log.line(&format!("Using locally found image version due to \"{}\" pull policy", policy.word()));
                return Ok(found(job, name, &image));
            }
            Err(trouble) if policy == PullPolicy::Never || trouble.status != Some(404) => return Err(trouble.into()),
            Err(_) => {}
        }
    }
    pull(job, engine, name, wanted)?;
    Ok(found(job, name, &inspect(engine, name)?))
}

fn inspect(engine: &Engine, name: &str) -> Result<Value, Trouble> {
    engine.get(&format!("/images/{}/json", encode(name)))
}

fn found(job: &Context, name: &str, image: &Value) -> String {
    let id = image["Id"].as_str().unwrap_or(name).to_string();
    let digest = image["RepoDigests"][0].as_str().map(|d| format!(" with digest {d}")).unwrap_or_default();
    job.log.line(&format!("Using docker image {id} for {name}{digest} ..."));
    id
}

fn pull(job: &Context, engine: &Engine, name: &str, wanted: &Wanted) -> Result<(), Attempt> {
    let variable = job.variables.content("DOCKER_AUTH_CONFIG");
    let credentials = reference::credentials(name, &variable, &job.payload.credentials).map_err(Attempt::Failed)?;
    let mut headers = Vec::new();
    if let Some((header, source)) = credentials {
        job.log.line(&format!("Authenticating with credentials from {source}"));
        headers.push(("X-Registry-Auth", header));
    }
    job.log.line(&format!("Pulling docker image {name} ..."));
    let mut path = format!("/images/create?fromImage={}", encode(&reference::tagged(name)));
    if !wanted.platform.is_empty() {
        path.push_str(&format!("&platform={}", encode(&wanted.platform)));
    }
    let engine = engine.clone();
    let pulled = job.unless_stopped(move || {
        let mut refused = None;
        let done = engine.follow(&path, &headers, |line| refused = line["error"].as_str().map(str::to_string).or(refused.take()));
        done.map(|()| refused)
    });
    match pulled.map_err(Attempt::Ended)?? {
        Some(cause) => Err(Attempt::Failed(cause)),
        None => Ok(()),
    }
}

/// The variables of a container, as the engine takes them.
pub fn environment<'a>(job: &Context, chosen: impl Iterator<Item = &'a Variable>) -> Vec<String> {
    let plain = chosen.filter(|v| !v.key.is_empty() && !v.key.contains(['=', '\0']) && !v.value.contains('\0'));
    plain.map(|v| format!("{}={}", v.key, job.variables.get(&v.key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(value: Value) -> Result<Option<Wanted>, String> {
        Wanted::parse("image", &value)
    }

    #[test]
    fn an_image_is_read_in_each_of_its_forms() {
        assert_eq!(parsed(json!(null)).unwrap(), None);
        assert_eq!(parsed(json!("busybox")).unwrap().unwrap().name, "busybox");
        let wanted = parsed(json!({"name": "a", "entrypoint": [""], "pull_policy": ["always", "if-not-present"], "ports": [], "alias": null,
            "executor_opts": {"docker": {"user": "dave", "platform": "linux/amd64", "gpus": 1}, "kubernetes": {"user": "x"}},
            "variables": [{"key": "N", "value": 7}], "command": []}))
        .unwrap()
        .unwrap();
        assert_eq!(wanted.entrypoint, Some(vec![String::new()]));
        assert_eq!(wanted.pull_policies, [PullPolicy::Always, PullPolicy::IfNotPresent]);
        assert_eq!((wanted.user.as_str(), wanted.platform.as_str(), wanted.unknown), ("dave", "linux/amd64", vec!["gpus".to_string()]));
        assert_eq!(wanted.variables, [("N".to_string(), "7".to_string())]);
        assert_eq!(wanted.command, None);
        assert_eq!(parsed(json!({"name": "a", "pull_policy": "never"})).unwrap().unwrap().pull_policies, [PullPolicy::Never]);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_it() {
        for (value, named) in [
            (json!(7), "neither a name nor an object"),
            (json!({"name": 7}), "name"),
            (json!({"name": "a", "entrypoint": [1]}), "entrypoint"),
            (json!({"name": "a", "pull_policy": "sometimes"}), "sometimes"),
            (json!({"name": "a", "command": {}}), "command"),
        ] {
            assert!(parsed(value).unwrap_err().contains(named), "{named}");
        }
    }
}
