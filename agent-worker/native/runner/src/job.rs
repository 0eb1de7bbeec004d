//! The life of one job, stage by stage, as GitLab's executors have them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::Api;
use crate::artifacts;
use crate::context::{Context, Failure};
use crate::control::{Control, Stop};
use crate::delivery::{Delivery, Ending};
use crate::executor::Executor;
use crate::git;
use crate::info;
use crate::log::Log;
use crate::mask::Masker;
use crate::memory;
use crate::options::Options;
use crate::payload::{JobKey, Payload, Step};
use crate::places;
use crate::script::script;
use crate::variables::{is_name, Variables};

const AFTER_SCRIPT: Duration = Duration::from_secs(300);

/// Runs the job to its end and tells GitLab; an error says why GitLab doesn't know how it ended.
pub fn run(options: &Options, api: &Api, secrets: &[String], key: JobKey, body: Value, control: Arc<Control>) -> Result<Ending, String> {
    let parsed = Payload::parse(body);
    let payload = parsed.clone().unwrap_or_default();
    let project = places::project(&options.builds_dir, &payload);
    let variables = places::variables(options, &payload, project.as_ref().ok());
    let log = Arc::new(new_log(options, secrets, &key, &payload, &variables));
    let delivery = Delivery::new(api.clone(), key.clone(), &options.executor, &options.shell, log.clone(), control.clone());
    let follower = std::thread::spawn({
        let mut delivery = delivery;
        move || {
            delivery.follow();
            delivery
        }
    });
    let killed_before = memory::kills();
    let outcome = match (&parsed, project) {
        (Err(message), _) => Err(Failure::configuration(message)),
        (_, Err(message)) => Err(Failure::configuration(message)),
        (Ok(_), Ok(project)) => {
            let deadline = Instant::now() + Duration::from_secs(payload.timeout_seconds());
            let (options, api) = (options.clone(), api.clone());
            execute(&Context { options, api, key, payload: payload.clone(), variables, log: log.clone(), control, deadline, project })
        }
    };
    if memory::kills() > killed_before {
        log.warning(&memory::line(options.memory_advice.as_deref()));
    }
    let ending = conclude(&log, outcome, &payload.features.failure_reasons);
    log.close();
    let mut delivery = follower.join().map_err(|_| "the log's sender ended early".to_string())?;
    delivery.finish(&ending).map(|()| ending)
}

fn new_log(options: &Options, secrets: &[String], key: &JobKey, payload: &Payload, variables: &Variables) -> Log {
    let mut masked = variables.masked();
    masked.extend(payload.variables.iter().filter(|v| v.masked).map(|v| v.value.clone()));
    masked.extend(secrets.iter().cloned());
    masked.push(key.token.clone());
    masked.extend(payload.dependencies.iter().map(|d| d.token.clone()));
    masked.extend(payload.credentials.iter().map(|c| c.password.clone()));
    let features = &payload.features;
    Log::new(Masker::new(&masked, &features.token_mask_prefixes), options.output_limit, features.trace_sections)
}

/// The last line of the log, and the same for GitLab.
fn conclude(log: &Log, outcome: Result<(), Failure>, understood: &[String]) -> Ending {
    let failure = match outcome {
        Ok(()) => {
            log.notice("Job succeeded");
            return Ending { state: "success", failure_reason: None, exit_code: None };
        }
        Err(failure) => failure,
    };
    let system = if matches!(failure.reason, "runner_system_failure") { " (system failure)" } else { "" };
    log.error(&format!("Job failed{system}: {}", failure.message));
    let known = understood.is_empty() || understood.iter().any(|r| r == failure.reason);
    let reason = match failure.reason {
        reason if known => reason,
        "runner_interrupted" | "runner_configuration_error" | "image_pull_failure" if understood.iter().any(|r| r == "runner_system_failure") => "runner_system_failure",
        _ => "unknown_failure",
    };
    Ending { state: "failed", failure_reason: Some(reason.into()), exit_code: failure.exit_code }
}

fn execute(job: &Context) -> Result<(), Failure> {
    job.log.line(&format!("Running with {} {}\n  on {}", info::NAME, info::VERSION, job.options.name));
    let title = format!("Preparing the \"{}\" executor", job.options.executor);
    let executor = stage(job, "prepare_executor", &title, || Executor::prepare(job))?;
    stage(job, "prepare_script", "Preparing environment", || prepare(job, &executor))?;
    let result = prepared(job, &executor);
    if job.variables.files_folder().exists() {
        fs::remove_dir_all(job.variables.files_folder()).map_err(|e| Failure::system(format!("could not remove file variables: {e}")))?;
    }
    result
}

fn prepared(job: &Context, executor: &Executor) -> Result<(), Failure> {
    stage(job, "get_sources", "Getting source from Git repository", || {
        hook(job, "pre_get_sources_script")?;
        job.attempts("GET_SOURCES_ATTEMPTS", || git::get_sources(job))?;
        hook(job, "post_get_sources_script")
    })?;
    if !job.payload.cache.is_empty() {
        stage(job, "restore_cache", "Restoring cache", || {
            job.log.warning("Caches are not kept between VMs yet: the job starts without its cache.");
            Ok(())
        })?;
    }
    if job.payload.dependencies.iter().any(|d| !d.artifacts_file.filename.is_empty()) {
        stage(job, "download_artifacts", "Downloading artifacts", || {
            job.attempts("ARTIFACT_DOWNLOAD_ATTEMPTS", || artifacts::download_all(job))
        })?;
    }
    let mut result = steps(job, executor);
    if !matches!(&result, Err(f) if f.stop >= Some(Stop::Interrupt)) && Instant::now() < job.deadline {
        after_script(job, executor, &result);
    }
    if job.control.stopped().is_none() && Instant::now() < job.deadline && artifacts::any(job, result.is_ok()) {
        let name = if result.is_ok() { "upload_artifacts_on_success" } else { "upload_artifacts_on_failure" };
        let title = if result.is_ok() { "Uploading artifacts for successful job" } else { "Uploading artifacts for failed job" };
        let uploaded = stage(job, name, title, || artifacts::upload_all(job, result.is_ok()));
        if let (Err(failure), Err(_)) = (&uploaded, &result) {
            job.log.warning(&format!("Artifacts could not be uploaded: {}", failure.message));
        }
        result = result.and(uploaded);
    }
    // A cancel that came after the script is a cancel all the same.
    result.and_then(|()| job.must_stop())
}

fn stage<T>(job: &Context, name: &str, title: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    job.must_stop()?;
    job.log.section(name, title);
    let result = work();
    job.log.end_section(name);
    result
}

/// The folders, and the files that variables of type file stand for.
fn prepare(job: &Context, executor: &Executor) -> Result<(), Failure> {
    let host = nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_else(|_| "this VM".into());
    job.log.line(&format!("Running on {host}..."));
    let failed = |what: &PathBuf, e: std::io::Error| Failure::system(format!("could not write {}: {e}", what.display()));
    fs::create_dir_all(&job.options.builds_dir).map_err(|e| failed(&PathBuf::from(&job.options.builds_dir), e))?;
    let folder = job.variables.files_folder().to_path_buf();
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(|e| failed(&folder, e))?;
    }
    let (folder_mode, file_mode) = executor.modes();
    fs::DirBuilder::new().recursive(true).mode(folder_mode).create(&folder).map_err(|e| failed(&folder, e))?;
    for variable in job.variables.effective() {
        if variable.file && is_name(&variable.key) {
            let path = job.variables.file_path(variable);
            let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(file_mode).open(&path);
            file.and_then(|mut f| f.write_all(variable.value.as_bytes())).map_err(|e| failed(&path, e))?;
        }
    }
    Ok(())
}

fn hook(job: &Context, name: &str) -> Result<(), Failure> {
    for hook in job.payload.hooks.iter().filter(|h| h.name == name && !h.script.is_empty()) {
        let text = script(&hook.script, &job.variables, job.options.builds_dir.as_ref());
        job.run(job.command("bash").arg("--login"), &text)?;
    }
    Ok(())
}

/// The job's own steps: `script` (with before_script in it), and what GitLab adds, such as `release`.
fn steps(job: &Context, executor: &Executor) -> Result<(), Failure> {
    let mut result = Ok(());
    for step in job.payload.steps.iter().filter(|s| s.name != "after_script") {
        let wanted = match step.when.as_str() {
            "always" => true,
            "on_failure" => result.is_err(),
            _ => result.is_ok(),
        };
        if !wanted || matches!(&result, Err(Failure { stop: Some(_), .. })) {
            continue;
        }
        let name = format!("step_{}", step.name);
        let done = stage(job, &name, &format!("Executing \"{name}\" stage of the job script"), || run_step(job, executor, step));
        match done {
            Err(failure) if step.allow_failure && failure.stop.is_none() => job.log.warning(&format!("{name} failed, which is allowed: {}", failure.message)),
            done => result = result.and(done),
        }
    }
    result
}

fn run_step(job: &Context, executor: &Executor, step: &Step) -> Result<(), Failure> {
    let text = script(&step.script, &job.variables, &job.project);
    let own = places::duration(&job.variables.get("RUNNER_SCRIPT_TIMEOUT"));
    let deadline = own.map_or(job.deadline, |time| job.deadline.min(Instant::now() + time));
    let end = executor.run(job, &text, deadline, Stop::Cancel)?;
    let seconds = own.filter(|_| deadline < job.deadline).map_or(job.payload.timeout_seconds(), |t| t.as_secs());
    job.judge(end, seconds)
}

/// Runs in its own shell, within its own time, and never changes how the job ends. A cancel lets it run.
fn after_script(job: &Context, executor: &Executor, result: &Result<(), Failure>) {
    let Some(step) = job.payload.steps.iter().find(|s| s.name == "after_script" && !s.script.is_empty()) else { return };
    job.log.section("after_script", "Running after_script");
    job.log.notice("Running after script...");
    let mut variables = job.variables.clone();
    variables.add("CI_JOB_STATUS", match result {
        Ok(()) => "success",
        Err(Failure { stop: Some(_), .. }) => "canceled",
        Err(_) => "failed",
    });
    let text = script(&step.script, &variables, &job.project);
    let time = places::duration(&job.variables.get("RUNNER_AFTER_SCRIPT_TIMEOUT")).unwrap_or(AFTER_SCRIPT);
    let deadline = job.deadline.min(Instant::now() + time);
    let end = executor.run(job, &text, deadline, Stop::Interrupt);
    if let Err(failure) = end.and_then(|end| job.judge(end, time.as_secs())) {
        job.log.warning(&format!("WARNING: after_script failed, but job will continue unaffected: {}", failure.message));
    }
    job.log.end_section("after_script");
}
