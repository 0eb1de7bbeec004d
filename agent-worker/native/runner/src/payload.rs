//! The job as GitLab hands it out. Read leniently: a field that is unknown, missing or of another type never loses a job; only
//! what the job can't be run without is an error, and that one is reported to GitLab.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::info;

/// What is needed to say anything about a job at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobKey {
    pub id: u64,
    pub token: String,
}

impl JobKey {
    pub fn of(body: &Value) -> Option<JobKey> {
        let token = body.get("token")?.as_str()?.to_string();
        Some(JobKey { id: body.get("id")?.as_u64()?, token })
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Payload {
    #[serde(deserialize_with = "lenient")]
    pub allow_git_fetch: bool,
    #[serde(deserialize_with = "lenient")]
    pub job_info: JobInfo,
    #[serde(deserialize_with = "lenient")]
    pub git_info: GitInfo,
    #[serde(deserialize_with = "lenient")]
    pub runner_info: RunnerInfo,
    #[serde(deserialize_with = "strict_list")]
    pub variables: Vec<Variable>,
    #[serde(deserialize_with = "strict_list")]
    pub steps: Vec<Step>,
    #[serde(deserialize_with = "strict_list")]
    pub artifacts: Vec<Artifact>,
    #[serde(deserialize_with = "lenient")]
    pub cache: Vec<Value>,
    /// Read by the executor that has images.
    pub image: Value,
    pub services: Value,
    #[serde(deserialize_with = "lenient")]
    pub credentials: Vec<Credentials>,
    #[serde(deserialize_with = "strict_list")]
    pub dependencies: Vec<Dependency>,
    #[serde(deserialize_with = "lenient")]
    pub features: Features,
    #[serde(deserialize_with = "strict_list")]
    pub hooks: Vec<Hook>,
    #[serde(deserialize_with = "lenient")]
    pub secrets: serde_json::Map<String, Value>,
    #[serde(deserialize_with = "lenient")]
    pub run: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct JobInfo {
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(deserialize_with = "lenient")]
    pub stage: String,
    #[serde(deserialize_with = "lenient")]
    pub project_id: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GitInfo {
    #[serde(deserialize_with = "lenient")]
    pub repo_url: String,
    #[serde(deserialize_with = "lenient")]
    pub repo_object_format: String,
    #[serde(rename = "ref", deserialize_with = "lenient")]
    pub reference: String,
    #[serde(deserialize_with = "lenient")]
    pub sha: String,
    #[serde(deserialize_with = "lenient")]
    pub refspecs: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub depth: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RunnerInfo {
    /// Seconds; 0 is GitLab's default of an hour.
    #[serde(deserialize_with = "lenient")]
    pub timeout: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Variable {
    pub key: String,
    #[serde(deserialize_with = "text")]
    pub value: String,
    #[serde(deserialize_with = "lenient")]
    pub public: bool,
    #[serde(deserialize_with = "lenient")]
    pub file: bool,
    #[serde(deserialize_with = "lenient")]
    pub masked: bool,
    #[serde(deserialize_with = "lenient")]
    pub raw: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    pub name: String,
    #[serde(deserialize_with = "strict_list")]
    pub script: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub timeout: u64,
    #[serde(deserialize_with = "lenient")]
    pub when: String,
    #[serde(deserialize_with = "lenient")]
    pub allow_failure: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Artifact {
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(deserialize_with = "lenient")]
    pub untracked: bool,
    #[serde(deserialize_with = "lenient")]
    pub paths: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub exclude: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub when: String,
    #[serde(deserialize_with = "lenient")]
    pub artifact_type: String,
    #[serde(deserialize_with = "lenient")]
    pub artifact_format: String,
    #[serde(deserialize_with = "lenient")]
    pub expire_in: String,
}

/// For a registry. No Debug: it holds a password.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Credentials {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(deserialize_with = "lenient")]
    pub url: String,
    #[serde(deserialize_with = "lenient")]
    pub username: String,
    #[serde(deserialize_with = "lenient")]
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, {})", self.kind, self.url)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Dependency {
    pub id: u64,
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(deserialize_with = "lenient")]
    pub token: String,
    #[serde(deserialize_with = "lenient")]
    pub artifacts_file: ArtifactsFile,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ArtifactsFile {
    #[serde(deserialize_with = "lenient")]
    pub filename: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Features {
    #[serde(deserialize_with = "lenient")]
    pub trace_sections: bool,
    #[serde(deserialize_with = "lenient")]
    pub failure_reasons: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub token_mask_prefixes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    pub name: String,
    #[serde(deserialize_with = "lenient")]
    pub script: Vec<String>,
}

/// The value, or the type's default where it is null or of another type.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(input: D) -> Result<T, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A list whose loss would change what the job does: null is empty, anything that can't be read is an error.
fn strict_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(input)?.unwrap_or_default())
}

/// Text; a number or truth value as it is written.
fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(text_of(Value::deserialize(input)?))
}

pub fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A feature that this runner has not, and what to do instead.
fn lacks(feature: &str, instead: &str) -> String {
    format!("the job wants {feature}, which {} {} does not have; {instead}", info::NAME, info::VERSION)
}

impl Payload {
    pub fn parse(body: Value) -> Result<Payload, String> {
        let payload: Payload = serde_json::from_value(body).map_err(|e| format!("GitLab's job could not be read: {e}"))?;
        if !payload.run.is_empty() {
            return Err(lacks("`run:` steps", "use `script:`"));
        }
        if let Some(name) = payload.secrets.keys().next() {
            return Err(lacks(&format!("secret '{name}' from a secrets provider"), "use a CI/CD variable"));
        }
        if payload.steps.is_empty() {
            return Err("the job has no script: GitLab sent no steps".into());
        }
        Ok(payload)
    }

    pub fn timeout_seconds(&self) -> u64 {
        match self.runner_info.timeout {
            0 => 3600,
            seconds => seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(mut extra: Value) -> Result<Payload, String> {
        let mut body = json!({"id": 1, "token": "t", "steps": [{"name": "script", "script": ["true"]}]});
        body.as_object_mut().unwrap().append(extra.as_object_mut().unwrap());
        Payload::parse(body)
    }

    #[test]
    fn unknown_and_misshapen_fields_do_not_lose_a_job() {
        let payload = job(json!({"quantum": {"a": [1]}, "job_info": {"name": "x", "queue_size": {}, "project_id": "seven"},
            "git_info": null, "artifacts": null, "features": [], "cache": 3, "image": 7, "services": "x", "runner_info": {"timeout": 60}}))
        .unwrap();
        assert_eq!(payload.job_info.name, "x");
        assert_eq!(payload.job_info.project_id, 0);
        assert_eq!(payload.timeout_seconds(), 60);
        assert!(payload.artifacts.is_empty() && payload.cache.is_empty());
    }

    #[test]
    fn a_variable_may_be_no_text() {
        let payload = job(json!({"variables": [{"key": "N", "value": 7, "masked": null}, {"key": "E", "value": null}]})).unwrap();
        assert_eq!(payload.variables[0].value, "7");
        assert_eq!(payload.variables[1].value, "");
    }

    #[test]
    fn what_would_change_the_job_if_dropped_is_an_error_and_not_dropped() {
        assert!(job(json!({"artifacts": [{"paths": ["a"]}, 3]})).is_err());
        assert!(job(json!({"run": "[{\"name\":\"x\"}]"})).unwrap_err().contains("`run:`"));
        assert!(job(json!({"secrets": {"DB": {"vault": {}}}})).unwrap_err().contains("DB"));
        assert!(Payload::parse(json!({"id": 1, "token": "t"})).unwrap_err().contains("no script"));
    }

    #[test]
    fn a_job_is_known_by_id_and_token_whatever_else_it_holds() {
        assert_eq!(JobKey::of(&json!({"id": 4, "token": "x", "steps": 3})), Some(JobKey { id: 4, token: "x".into() }));
        assert_eq!(JobKey::of(&json!({"id": 4})), None);
    }
}
