//! What this runner tells GitLab about itself.

use serde_json::{json, Value};

pub const NAME: &str = "mayfly-runner";
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

pub fn user_agent() -> String {
    format!("{NAME} {VERSION} (linux/{})", architecture())
}

/// Only what is true: GitLab drops jobs that need a missing feature, and a claimed one that isn't there loses a job's parts.
/// `fallback_cache_keys` is true since a cache that is never found is found under no key either; without it GitLab would
/// fail such jobs rather than run them without their cache.
pub fn features(executor: &str) -> Value {
    let mut features = json!({
        "variables": true, "raw_variables": true, "masking": true,
        "artifacts": true, "artifacts_exclude": true, "upload_multiple_artifacts": true, "upload_raw_artifacts": true,
        "refspecs": true, "multi_build_steps": true, "return_exit_code": true, "fallback_cache_keys": true,
        "trace_reset": true, "trace_checksum": true, "trace_size": true,
        "cancelable": true, "cancel_gracefully": true,
    });
    if executor == "docker" {
        for name in ["image", "services", "service_variables", "service_multiple_aliases", "image_executor_opts", "service_executor_opts"] {
            features[name] = json!(true);
        }
    }
    features
}

pub fn info(executor: &str, shell: &str) -> Value {
    json!({
        "name": NAME, "version": VERSION, "revision": "", "platform": "linux", "architecture": architecture(),
        "executor": executor, "shell": shell, "features": features(executor),
    })
}
