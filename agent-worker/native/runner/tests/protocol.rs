//! The rules of GitLab's runner protocol, kept by the very program that runs in a VM.

mod server;

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use server::{command, job, reply, run, GitLab, Request};

fn crc32(text: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    format!("crc32:{:08x}", crc.sum())
}

#[test]
fn a_job_runs_and_its_end_names_what_the_log_holds() {
    let gitlab = GitLab::start(job(&["echo out", "echo err >&2", "env | grep -c runner-token-1 || true"], json!({})), |_, _| None);
    run(&gitlab);
    let ending = gitlab.ending();
    assert_eq!(ending["state"], "success");
    assert_eq!(ending["output"]["bytesize"], gitlab.log().len());
    assert_eq!(ending["output"]["checksum"], crc32(&gitlab.log()));
    for part in ["\nout\n", "\nerr\n", "\n0\n", "section_start:", "Job succeeded"] {
        assert!(gitlab.log().contains(part), "{part} in {}", gitlab.log());
    }
    let asked = gitlab.requests(|r| r.is("POST", "/jobs/request"))[0].clone();
    assert_eq!(asked.json()["token"], "runner-token-1");
    assert!(asked.json()["info"]["features"].as_object().unwrap().values().all(|v| v == true));
    assert_eq!(gitlab.requests(|r| r.method == "PUT")[0].headers["job-token"], "job-token-7");
}

#[test]
fn a_failed_script_has_its_exit_code() {
    let gitlab = GitLab::start(job(&["(exit 42)"], json!({})), |_, _| None);
    run(&gitlab);
    assert_eq!((&gitlab.ending()["failure_reason"], &gitlab.ending()["exit_code"]), (&json!("script_failure"), &json!(42)));
}

#[test]
fn a_job_that_cannot_be_read_is_failed_with_its_reason_and_not_lost() {
    let gitlab = GitLab::start(json!({"id": 7, "token": "job-token-7", "steps": "nonsense"}), |_, _| None);
    run(&gitlab);
    assert_eq!(gitlab.ending()["failure_reason"], "runner_configuration_error");
    assert!(gitlab.log().contains("could not be read"), "{}", gitlab.log());
}

#[test]
fn a_job_that_asks_for_what_is_not_there_fails_with_a_line_that_names_it() {
    let version = env!("CARGO_PKG_VERSION");
    let table = [
        (json!({"steps": null}), "the job has no script".to_string()),
        (json!({"run": "[{\"name\": \"x\"}]"}), format!("the job wants `run:` steps, which mayfly-runner {version} does not have; use `script:`")),
        (json!({"secrets": {"DB": {"vault": {}}}}), format!("the job wants secret 'DB' from a secrets provider, which mayfly-runner {version} does not have")),
        (json!({"variables": {"a": 1}}), "could not be read".to_string()),
    ];
    for (more, line) in table {
        let mut body = job(&["echo ran"], json!({"features": {}}));
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let gitlab = GitLab::start(body, |_, _| None);
        run(&gitlab);
        assert_eq!(gitlab.ending()["failure_reason"], "runner_configuration_error");
        assert!(gitlab.log().contains(&line) && !gitlab.log().contains("ran\n"), "{line} in {}", gitlab.log());
    }
}

#[test]
fn ten_thousand_variables_and_a_script_of_four_megabytes_run_in_a_shell_too() {
    let variables: Vec<Value> = (0..10_000).map(|n| json!({"key": format!("VARIABLE_{n}"), "value": format!("value {n}")})).collect();
    let long = format!("true {}", "x".repeat(4 << 20));
    // Bash takes ten seconds to read it on a machine that does nothing else.
    let more = json!({"variables": variables, "runner_info": {"timeout": 600}});
    let gitlab = GitLab::start(job(&["echo $VARIABLE_9999", &long, "echo end"], more), |_, _| None);
    let home = tempfile::tempdir().unwrap();
    let output = command(&gitlab, home.path()).args(["--output-limit", "20000"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(gitlab.ending()["state"], "success", "{}", gitlab.log().chars().take(2000).collect::<String>());
    assert!(gitlab.log().contains("\nvalue 9999\n") && gitlab.log().contains("\nend\n"));
}

#[test]
fn the_log_goes_on_where_gitlab_has_it() {
    let gitlab = GitLab::start(job(&["echo first", "sleep 4", "echo second"], json!({})), |r, n| {
        (r.is("PATCH", "/trace") && n == 1).then(|| reply(502))
    });
    run(&gitlab);
    let short = GitLab::start(job(&["echo x"], json!({})), |r, n| {
        (r.is("PATCH", "/trace") && n == 0).then(|| reply(416).with("Range", "0-0"))
    });
    run(&short);
    for gitlab in [&gitlab, &short] {
        assert_eq!(gitlab.ending()["output"]["checksum"], crc32(&gitlab.log()));
        assert_eq!(gitlab.ending()["state"], "success");
    }
}

#[test]
fn the_last_word_is_repeated_until_it_is_taken() {
    let gitlab = GitLab::start(job(&["true"], json!({})), |r, n| match (r.is_final(), n) {
        (true, 0) => Some(reply(500)),
        (true, 1) => Some(reply(202).with("X-GitLab-Trace-Update-Interval", "1")),
        (true, 2) => Some(reply(409)),
        _ => None,
    });
    run(&gitlab);
    assert_eq!(gitlab.requests(Request::is_final).len(), 4);
}

#[test]
fn a_log_that_differs_is_sent_again_from_its_beginning() {
    let gitlab = GitLab::start(job(&["echo whole"], json!({})), |r, n| (r.is_final() && n == 0).then(|| reply(412)));
    run(&gitlab);
    let parts = gitlab.requests(|r| r.is("PATCH", "/trace"));
    assert!(parts.last().unwrap().headers["content-range"].starts_with("0-"), "{:?}", parts.last().unwrap().headers);
    assert_eq!(gitlab.requests(Request::is_final).len(), 2);
}

#[test]
fn a_refused_job_ends_at_once() {
    let gitlab = GitLab::start(job(&["sleep 50", "echo never"], json!({})), |r, _| r.is("PATCH", "/trace").then(|| reply(403)));
    let began = Instant::now();
    let (output, _home) = run(&gitlab);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(String::from_utf8_lossy(&output.stderr).contains("job=7"));
}

#[test]
fn a_cancel_lets_after_script_run_and_skips_artifacts() {
    let more = json!({"steps": [{"name": "after_script", "script": ["echo cleaning as $CI_JOB_STATUS"]}],
        "artifacts": [{"paths": ["*"], "when": "always"}]});
    let gitlab = GitLab::start(job(&["touch file", "sleep 50"], more), |r, n| {
        (r.is("PATCH", "/trace") && n == 0).then(|| reply(202).with("Job-Status", "canceling"))
    });
    let began = Instant::now();
    run(&gitlab);
    assert!(began.elapsed() < Duration::from_secs(20));
    let sent: Vec<u8> = gitlab.requests(|r| r.is("PATCH", "/trace")).iter().flat_map(|r| r.body.clone()).collect();
    assert!(String::from_utf8_lossy(&sent).contains("cleaning as canceled"));
    assert!(gitlab.requests(|r| r.is("POST", "/artifacts")).is_empty());
    assert_eq!(gitlab.ending()["state"], "failed");
}

#[test]
fn artifacts_survive_an_absent_gitlab_and_follow_its_redirect() {
    let more = json!({"artifacts": [{"name": "n", "paths": ["f"], "artifact_type": "archive", "artifact_format": "zip", "expire_in": "1 day"}]});
    let gitlab = GitLab::start(job(&["echo data > f"], more), |r, n| match (r.is("POST", "/artifacts"), n) {
        (true, 0) if !r.path.contains("elsewhere") => Some(reply(503)),
        (true, 1) if !r.path.contains("elsewhere") => {
            Some(reply(307).with("Location", &format!("http://{}/elsewhere/artifacts", r.headers["host"])))
        }
        _ => None,
    });
    run(&gitlab);
    let sent = gitlab.requests(|r| r.is("POST", "/artifacts"));
    assert_eq!(sent.len(), 3);
    assert!(sent[0].path.ends_with("?artifact_format=zip&artifact_type=archive&expire_in=1%20day"), "{}", sent[0].path);
    assert_eq!(sent[0].body, sent[2].body);
    assert!(String::from_utf8_lossy(&sent[2].body).contains("filename=\"n.zip\""));
    assert_eq!(gitlab.ending()["state"], "success");
}

#[test]
fn artifacts_that_gitlab_refuses_fail_the_job() {
    let more = json!({"artifacts": [{"paths": ["f"], "artifact_type": "archive"}]});
    let gitlab = GitLab::start(job(&["echo data > f"], more), |r, _| r.is("POST", "/artifacts").then(|| reply(413)));
    run(&gitlab);
    assert_eq!(gitlab.requests(|r| r.is("POST", "/artifacts")).len(), 1);
    assert_eq!(gitlab.ending()["failure_reason"], "runner_system_failure");
    assert!(gitlab.log().contains("413"));
}

#[test]
fn a_dependency_is_fetched_with_its_own_token_and_elsewhere_without_one() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("dir/from-before", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, b"brought").unwrap();
    let archive = zip.finish().unwrap().into_inner();
    let more = json!({"dependencies": [{"id": 5, "name": "build", "token": "token-of-5", "artifacts_file": {"filename": "artifacts.zip", "size": 9}},
        {"id": 6, "name": "none", "token": "x", "artifacts_file": null}]});
    let gitlab = GitLab::start(job(&["cat dir/from-before"], more), move |r, n| match (r.is("GET", "/jobs/5/artifacts"), n) {
        (true, 0) => Some(reply(502)),
        (true, _) => Some(reply(302).with("Location", &format!("http://{}/store/5", r.headers["host"]))),
        _ => r.is("GET", "/store/5").then(|| reply(200).body(&archive)),
    });
    run(&gitlab);
    assert!(gitlab.log().contains("brought"), "{}", gitlab.log());
    assert!(gitlab.requests(|r| r.is("GET", "/jobs/5")).iter().all(|r| r.headers["job-token"] == "token-of-5"));
    assert!(!gitlab.requests(|r| r.is("GET", "/store"))[0].headers.contains_key("job-token"));
    assert!(gitlab.requests(|r| r.is("GET", "/jobs/6")).is_empty());
}

#[test]
fn a_download_that_stands_still_is_tried_again() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("from-before", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, b"brought").unwrap();
    let archive = zip.finish().unwrap().into_inner();
    let more = json!({"dependencies": [{"id": 5, "name": "build", "token": "token-of-5", "artifacts_file": {"filename": "a.zip", "size": 9}}]});
    let gitlab = GitLab::start(job(&["cat from-before"], more), move |r, n| {
        let whole = reply(200).body(&archive);
        r.is("GET", "/jobs/5/artifacts").then_some(if n == 0 { server::Reply { stall_after: Some(20), ..whole } } else { whole })
    });
    run(&gitlab);
    assert_eq!(gitlab.ending()["state"], "success", "{}", gitlab.log());
    assert!(gitlab.log().contains("the connection stood still; trying again"), "{}", gitlab.log());
}

/// As with GitLab's runner v15.4.2: common/build.go, setTraceStatus, and executors/shell/shell.go, where every script that exits
/// badly is a BuildError without a reason of its own.
#[test]
fn a_clone_that_fails_is_a_script_that_fails_with_gits_exit_code() {
    let more = json!({"variables": [{"key": "GIT_STRATEGY", "value": "clone"}],
        "git_info": {"repo_url": "http://127.0.0.1:1/g/p.git", "sha": "0123456789012345678901234567890123456789", "ref": "main",
            "refspecs": ["+refs/heads/*:refs/remotes/origin/*"], "depth": 1}});
    let gitlab = GitLab::start(job(&["echo not reached"], more), |_, _| None);
    run(&gitlab);
    let ending = gitlab.ending();
    assert_eq!((&ending["failure_reason"], &ending["exit_code"]), (&json!("script_failure"), &json!(128)), "{}", gitlab.log());
    assert!(gitlab.log().contains("Job failed: exit status 128"), "{}", gitlab.log());
    assert!(!gitlab.log().contains("not reached"));
}

#[test]
fn secrets_stay_out_of_the_log_and_file_variables_are_removed() {
    let more = json!({"variables": [{"key": "S", "value": "top-secret-1", "masked": true}, {"key": "F", "value": "in file", "file": true}],
        "features": {"token_mask_prefixes": ["glpat-"]}});
    let script = ["echo $S; printf top-sec; sleep 0.2; echo ret-1", "echo glpat-12345678", "cat $F; stat -c %a $F", "echo path=$F"];
    let gitlab = GitLab::start(job(&script, more), |_, _| None);
    let (_output, home) = run(&gitlab);
    let log = gitlab.log();
    assert!(!log.contains("top-secret-1") && !log.contains("12345678"), "{log}");
    assert!(log.contains("[MASKED]\n[MASKED]\n") && log.contains("in file600\n"), "{log}");
    assert!(!home.path().join("builds/g/p.tmp").exists());
}

#[test]
fn a_cache_is_one_line_and_no_failure() {
    let gitlab = GitLab::start(job(&["true"], json!({"cache": [{"key": "k", "paths": ["x"]}]})), |_, _| None);
    run(&gitlab);
    assert_eq!(gitlab.log().matches("Caches are not kept between VMs yet").count(), 1);
    assert_eq!(gitlab.ending()["state"], "success");
}

#[test]
fn a_job_has_only_its_time() {
    let gitlab = GitLab::start(job(&["sleep 50"], json!({"runner_info": {"timeout": 1}, "features": {}})), |_, _| None);
    run(&gitlab);
    assert_eq!(gitlab.ending()["failure_reason"], "job_execution_timeout");
}

#[test]
fn a_process_in_the_background_does_not_hold_the_job() {
    let gitlab = GitLab::start(job(&["sleep 45 &", "echo started"], json!({})), |_, _| None);
    let began = Instant::now();
    run(&gitlab);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(gitlab.ending()["state"], "success");
}

#[test]
fn a_runner_told_to_end_says_so() {
    let gitlab = GitLab::start(job(&["echo up", "sleep 50"], json!({"features": {}})), |_, _| None);
    let home = tempfile::tempdir().unwrap();
    let mut child = command(&gitlab, home.path()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !gitlab.log().contains("\nup\n") {
        assert!(began.elapsed() < Duration::from_secs(20), "the job never began");
        std::thread::yield_now();
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGTERM).unwrap();
    let mut words = String::new();
    child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    child.wait().unwrap();
    assert_eq!(gitlab.ending()["failure_reason"], "runner_interrupted", "{words}");
}

#[test]
fn without_a_job_it_ends_and_says_so() {
    let gitlab = GitLab::start(json!({}), |r, n| r.is("POST", "/jobs/request").then(|| reply([503, 409, 204][n.min(2)])));
    let (output, _home) = run(&gitlab);
    assert!(String::from_utf8_lossy(&output.stderr).contains("has not received a job in 1 seconds"));
}
