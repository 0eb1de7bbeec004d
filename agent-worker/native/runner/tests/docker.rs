//! What the docker executor asks the engine for, and how a job ends by what the engine answers.

mod engine;
#[allow(dead_code)]
mod server;

use std::time::{Duration, Instant};

use engine::Engine;
use serde_json::{json, Value};
use server::{job, reply, GitLab, Request};

/// Runs the job with the docker executor, to its end.
fn run(gitlab: &GitLab, engine: &Engine, more: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let mut command = server::command(gitlab, home.path());
    let builds = home.path().join("builds");
    command.args(["--executor", "docker", "--docker-host", &engine.address(), "--builds-dir", builds.to_str().unwrap()]).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    home
}

fn with_image(script: &[&str], mut more: Value) -> Value {
    more["image"] = if more["image"].is_null() { json!({"name": "busybox:1"}) } else { more["image"].take() };
    more["features"] = json!({"failure_reasons": ["script_failure", "runner_system_failure", "image_pull_failure", "unknown_failure"]});
    job(script, more)
}

#[test]
fn a_script_runs_in_a_container_of_its_image_with_the_projects_folder() {
    let more = json!({"variables": [{"key": "SECRET", "value": "hidden-1", "masked": true}, {"key": "F", "value": "in file", "file": true},
        {"key": "IMAGE_TAG", "value": "7"}], "image": {"name": "app:$IMAGE_TAG", "entrypoint": [""], "executor_opts": {"docker": {"user": "dave"}}}});
    let gitlab = GitLab::start(with_image(&["pwd", "cat $F; stat -c ' %a' $F", "echo $SECRET"], more), |_, _| None);
    let engine = Engine::start(|_| None);
    let home = run(&gitlab, &engine, &["--docker-privileged", "--docker-volumes", "/certs/client"]);
    let log = gitlab.log();
    let builds = home.path().join("builds");
    assert_eq!(gitlab.ending()["state"], "success", "{log}");
    assert!(log.contains(&format!("\n{}\n", builds.join("g/p").display())) && log.contains("in file 666\n") && log.contains("[MASKED]"), "{log}");
    let made = engine.container("mayfly-7-build");
    assert_eq!((&made["Image"], &made["User"], &made["Entrypoint"]), (&json!("sha256:1234"), &json!("dave"), &json!([""])));
    assert!(made["Env"].as_array().unwrap().contains(&json!("SECRET=hidden-1")), "{made}");
    assert!(!made.to_string().contains("runner-token-1"));
    let host = &made["HostConfig"];
    let builds = builds.display();
    assert_eq!(host["Binds"], json!([format!("{builds}:{builds}"), format!("{0}/cache:{0}/cache", home.path().display()), "mayfly-certs-client:/certs/client"]));
    assert_eq!((&host["Privileged"], &host["NetworkMode"]), (&json!(true), &json!("mayfly-7")));
    assert_eq!(engine.asked("/images/create")[0].call, "POST /images/create?fromImage=app:7");
}

#[test]
fn a_failed_script_has_its_exit_code_and_after_script_runs_in_the_same_container() {
    let more = json!({"steps": [{"name": "after_script", "script": ["echo after $CI_JOB_STATUS"]}]});
    let gitlab = GitLab::start(with_image(&["(exit 42)"], more), |_, _| None);
    let engine = Engine::start(|_| None);
    run(&gitlab, &engine, &[]);
    assert_eq!((&gitlab.ending()["failure_reason"], &gitlab.ending()["exit_code"]), (&json!("script_failure"), &json!(42)), "{}", gitlab.log());
    assert!(gitlab.log().contains("after failed"), "{}", gitlab.log());
    assert_eq!((engine.asked("/containers/create").len(), engine.asked("/containers/c1/start").len()), (1, 2));
}

#[test]
fn an_image_that_cannot_be_pulled_is_named_with_the_reason_for_it() {
    for answer in [(404, json!({"message": "manifest for gone:1 not found"})), (200, json!({"error": "manifest for gone:1 not found"}))] {
        let gitlab = GitLab::start(with_image(&["true"], json!({"image": {"name": "gone:1"}})), |_, _| None);
        let engine = Engine::start(move |a| a.call.contains("/images/create").then(|| answer.clone()));
        run(&gitlab, &engine, &[]);
        assert_eq!(gitlab.ending()["failure_reason"], "image_pull_failure");
        assert!(gitlab.log().contains("failed to pull image \"gone:1\" with specified policies [always]: manifest for gone:1 not found"), "{}", gitlab.log());
    }
}

#[test]
fn pull_policies_are_tried_one_after_the_other() {
    let pulls = |policy: Value, there: bool| {
        let gitlab = GitLab::start(with_image(&["true"], json!({"image": {"name": "a:1", "pull_policy": policy}})), |_, _| None);
        let engine = Engine::start(move |a| match a.call.as_str() {
            "POST /images/create?fromImage=a:1" => Some((500, json!({"message": "no route to registry"}))),
            "GET /images/a:1/json" if !there => Some((404, json!({"message": "No such image: a:1"}))),
            _ => None,
        });
        run(&gitlab, &engine, &[]);
        let ending = gitlab.ending();
        (engine.asked("/images/create").len(), ending["failure_reason"].as_str().unwrap_or("none").to_string(), gitlab.log())
    };
    let (count, reason, log) = pulls(json!(["always", "if-not-present"]), true);
    assert_eq!((count, reason.as_str()), (1, "none"), "{log}");
    assert!(log.contains("Attempt #2: Trying \"if-not-present\" pull policy") && log.contains("no route to registry"), "{log}");
    assert_eq!(pulls(json!("if-not-present"), true).0, 0);
    let (count, reason, log) = pulls(json!("never"), false);
    assert_eq!((count, reason.as_str()), (0, "image_pull_failure"), "{log}");
    assert!(pulls(json!("sometimes"), true).2.contains("unknown pull policy 'sometimes'"));
}

#[test]
fn an_image_of_a_service_is_not_pulled_again_for_the_job() {
    let gitlab = GitLab::start(with_image(&["true"], json!({"image": {"name": "a:1"}, "services": ["a:1", "b:1"]})), |_, _| None);
    let engine = Engine::start(|_| None);
    run(&gitlab, &engine, &[]);
    let pulled: Vec<String> = engine.asked("/images/create").iter().map(|a| a.call.clone()).collect();
    assert_eq!(pulled, ["POST /images/create?fromImage=a:1", "POST /images/create?fromImage=b:1"]);
    assert_eq!(gitlab.ending()["state"], "success");
}

#[test]
fn a_registry_gets_the_jobs_credentials_and_no_one_reads_them() {
    let more = json!({"image": {"name": "registry.example/a:1"},
        "credentials": [{"type": "registry", "url": "registry.example", "username": "gitlab-ci-token", "password": "very-secret-2"}]});
    let gitlab = GitLab::start(with_image(&["true"], more), |_, _| None);
    let engine = Engine::start(|a| a.call.contains("/images/create").then(|| (500, json!({"message": "denied for very-secret-2"}))));
    run(&gitlab, &engine, &[]);
    assert!(engine.asked("/images/create")[0].head.contains("X-Registry-Auth: "));
    assert!(gitlab.log().contains("denied for [MASKED]"), "{}", gitlab.log());
}

#[test]
fn services_have_their_names_and_what_is_public_and_one_that_never_listens_is_a_warning() {
    let more = json!({"variables": [{"key": "OPEN", "value": "1", "public": true}, {"key": "CLOSED", "value": "2"}],
        "services": [{"name": "group/db:1", "alias": "db", "command": ["serve"], "variables": [{"key": "A", "value": "$OPEN-x"}]}, "group/db:2"]});
    let gitlab = GitLab::start(with_image(&["true"], more), |_, _| None);
    let engine = Engine::start(|a| match a.call.as_str() {
        "GET /containers/c1/json" => Some((200, json!({"State": {"Running": false, "ExitCode": 3}, "Config": {"ExposedPorts": {"5432/tcp": {}}}}))),
        _ => None,
    });
    run(&gitlab, &engine, &[]);
    assert_eq!(gitlab.ending()["state"], "success", "{}", gitlab.log());
    let service = engine.container("mayfly-7-service-0");
    assert_eq!(service["NetworkingConfig"]["EndpointsConfig"]["mayfly-7"]["Aliases"], json!(["group__db", "group-db", "db"]));
    let environment = service["Env"].to_string();
    assert!(environment.contains("OPEN=1") && environment.contains("A=1-x") && !environment.contains("CLOSED"), "{environment}");
    assert_eq!(service["Cmd"], json!(["serve"]));
    assert!(engine.container("mayfly-7-service-1").is_null(), "all its names are taken");
    for part in ["Service group/db:2 is already created", "Service group/db:1 probably didn't start properly", "it ended with exit code 3"] {
        assert!(gitlab.log().contains(part), "{part} in {}", gitlab.log());
    }
}

#[test]
fn what_a_job_cannot_be_run_with_is_one_clear_line() {
    let table = [
        (json!({"image": null}), "names no image"),
        (json!({"image": 7}), "neither a name nor an object"),
        (json!({"services": [{"alias": "x"}]}), "a service of the job has no image"),
        (json!({"services": "db"}), "services are no list"),
    ];
    for (more, line) in table {
        let mut body = with_image(&["true"], json!({}));
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let gitlab = GitLab::start(body, |_, _| None);
        run(&gitlab, &Engine::start(|_| None), &[]);
        assert_eq!(gitlab.ending()["failure_reason"], "runner_system_failure");
        assert!(gitlab.log().contains(line), "{line} in {}", gitlab.log());
    }
    let gitlab = GitLab::start(job(&["echo ran"], json!({"image": null})), |_, _| None);
    run(&gitlab, &Engine::start(|_| None), &["--docker-image", "fallback:1"]);
    assert!(gitlab.log().contains("\nran\n"), "{}", gitlab.log());
    let options = json!({"image": {"name": "a", "executor_opts": {"docker": {"gpus": "all"}}}});
    let gitlab = GitLab::start(job(&["true"], options), |_, _| None);
    run(&gitlab, &Engine::start(|_| None), &[]);
    assert!(gitlab.log().contains("docker option 'gpus'") && gitlab.ending()["state"] == "success", "{}", gitlab.log());
}

#[test]
fn an_engine_that_fails_is_the_systems_failure() {
    for call in ["/networks/create", "/containers/create", "/containers/c1/start"] {
        let gitlab = GitLab::start(with_image(&["true"], json!({})), |_, _| None);
        run(&gitlab, &Engine::start(move |a| a.call.contains(call).then(|| (500, json!({"message": "OCI runtime: no shell"})))), &[]);
        assert_eq!(gitlab.ending()["failure_reason"], "runner_system_failure", "{call}");
        assert!(gitlab.log().contains("OCI runtime: no shell"), "{}", gitlab.log());
    }
}

#[test]
fn a_cancel_ends_the_container_and_after_script_still_runs() {
    let more = json!({"steps": [{"name": "after_script", "script": ["echo cleaning as $CI_JOB_STATUS"]}]});
    let gitlab = GitLab::start(with_image(&["echo up", "sleep 50"], more), |r: &Request, _| {
        (r.is("PATCH", "/trace") && String::from_utf8_lossy(&r.body).contains("\nup\n")).then(|| reply(202).with("Job-Status", "canceling"))
    });
    let engine = Engine::start(|_| None);
    let began = Instant::now();
    run(&gitlab, &engine, &[]);
    assert!(began.elapsed() < Duration::from_secs(20));
    let sent: Vec<u8> = gitlab.requests(|r| r.is("PATCH", "/trace")).iter().flat_map(|r| r.body.clone()).collect();
    assert!(String::from_utf8_lossy(&sent).contains("cleaning as canceled"));
    assert_eq!(engine.asked("/containers/c1/exec")[0].body["Cmd"], json!(["sh", "-c", "kill -TERM -1"]));
}

#[test]
fn a_pull_that_stands_still_lasts_no_longer_than_the_job() {
    let gitlab = GitLab::start(with_image(&["true"], json!({"runner_info": {"timeout": 1}})), |_, _| None);
    let engine = Engine::start(|a| {
        if a.call.contains("/images/create") {
            std::thread::park();
        }
        None
    });
    let began = Instant::now();
    run(&gitlab, &engine, &[]);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(gitlab.log().contains("execution took longer than 1 seconds"), "{}", gitlab.log());
}

#[test]
fn ten_thousand_variables_and_a_script_of_four_megabytes_run() {
    let variables: Vec<Value> = (0..10_000).map(|n| json!({"key": format!("VARIABLE_{n}"), "value": format!("value {n}")})).collect();
    let long = format!("true {}", "x".repeat(4 << 20));
    let gitlab = GitLab::start(with_image(&["echo $VARIABLE_9999", &long, "echo end"], json!({"variables": variables})), |_, _| None);
    let engine = Engine::start(|_| None);
    run(&gitlab, &engine, &["--output-limit", "20000"]);
    assert_eq!(gitlab.ending()["state"], "success");
    assert!(gitlab.log().contains("\nvalue 9999\n") && gitlab.log().contains("\nend\n"));
    assert!(engine.container("mayfly-7-build")["Env"].as_array().unwrap().len() > 10_000);
}
