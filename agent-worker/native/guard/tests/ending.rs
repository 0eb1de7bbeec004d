//! Every way in which a VM ends, and what is on record afterwards.

mod common;

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{await_that, is_alive, Guarded};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::json;

const FOR_EVER: &str = "echo up; exec sleep 1000";

#[test]
fn a_vmm_that_exits_is_recorded_with_its_code_and_all_it_said() {
    let vm = Guarded::shell("echo to-output; echo to-errors >&2; exit 3").start();
    let end = vm.end();
    assert_eq!(json!([end["reason"], end["exitCode"], end["signal"]]), json!(["exited", 3, null]));
    assert!(end["message"].as_str().unwrap().contains("code 3"), "{end}");
    assert!(end["atUnixMillis"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!(vm.console(), "to-output\nto-errors\n");
}

#[test]
fn a_vmm_that_crashes_is_recorded_with_its_signal() {
    let end = Guarded::shell("kill -SEGV $$").start().end();
    assert_eq!(json!([end["reason"], end["exitCode"], end["signal"]]), json!(["exited", null, 11]));
}

#[test]
fn a_kill_request_ends_the_vm_at_once() {
    let vm = Guarded::shell(FOR_EVER).start_until("up");
    let asked = Instant::now();
    vm.touch("kill");
    assert_eq!(vm.end()["reason"], "killed");
    assert!(asked.elapsed() < Duration::from_secs(2), "took {:?}", asked.elapsed());
    assert!(!is_alive(vm.pid("vmmPid")));
}

#[test]
fn a_kill_request_that_was_there_first_keeps_the_vmm_from_starting() {
    let vm = Guarded::shell("echo up");
    vm.touch("kill");
    let vm = vm.start();
    assert_eq!(vm.end()["reason"], "killed");
    assert!(!vm.path("console.log").exists());
}

#[test]
fn a_guard_that_is_asked_to_end_ends_its_vm() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let vm = Guarded::shell(FOR_EVER).start_until("up");
        vm.signal_guard(signal);
        assert_eq!(vm.end()["reason"], "killed");
        assert!(!is_alive(vm.pid("vmmPid")));
    }
}

#[test]
fn a_hang_up_of_whoever_started_the_guard_is_nothing_to_it() {
    let vm = Guarded::shell(FOR_EVER).start_until("up");
    vm.signal_guard(Signal::SIGHUP);
    // It hears this after that.
    vm.signal_guard(Signal::SIGTERM);
    assert_eq!(vm.end()["message"], "the guard was asked to end by a signal");
}

#[test]
fn a_vm_dies_with_its_guard() {
    let mut vm = Guarded::shell(FOR_EVER).start_until("up");
    let vmm = vm.pid("vmmPid");
    vm.signal_guard(Signal::SIGKILL);
    vm.wait_for_guard();
    await_that("the VMM is dead", || !is_alive(vmm));
    assert!(!vm.has_ended(), "nobody was left to record it");
}

#[test]
fn a_vm_outlives_what_started_its_guard() {
    let vm = Guarded::shell(FOR_EVER);
    let spec = vm.path("spec.json");
    fs::write(&spec, vm.spec.to_string()).unwrap();
    let guard = env!("CARGO_BIN_EXE_mayfly-guard");
    // The starter ends at once, and with it the thread that forked.
    let starter = Command::new("/bin/sh").args(["-c", &format!("{guard} {} & exit 0", spec.display())]).status().unwrap();
    assert!(starter.success());
    await_that("the VM is up", || vm.console().contains("up"));
    let (guard, vmm) = (vm.pid("guardPid"), vm.pid("vmmPid"));
    assert!(is_alive(guard) && is_alive(vmm));
    let session = nix::unistd::getsid(Some(Pid::from_raw(guard))).unwrap();
    assert_eq!(session.as_raw(), guard, "it leads a session of its own");
    kill(Pid::from_raw(guard), Signal::SIGTERM).unwrap();
    assert_eq!(vm.end()["reason"], "killed");
}

#[test]
fn the_time_to_live_ends_a_vm() {
    let mut vm = Guarded::shell(FOR_EVER);
    vm.spec["timeToLiveSeconds"] = json!(1);
    let started = Instant::now();
    let vm = vm.start();
    let end = vm.end();
    assert_eq!(end["reason"], "time-to-live");
    assert!(end["message"].as_str().unwrap().contains("1 s"), "{end}");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn an_agent_that_is_gone_ends_a_vm_and_one_that_lives_does_not() {
    let mut vm = Guarded::shell(FOR_EVER);
    vm.touch("heartbeat");
    vm.spec["heartbeat"] = json!(vm.path("heartbeat"));
    vm.spec["heartbeatMaxAgeSeconds"] = json!(1);
    let vm = vm.start_until("up");
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(3500) {
        vm.touch("heartbeat");
        assert!(!vm.has_ended(), "{}", vm.end());
        sleep(Duration::from_millis(100));
    }
    let end = vm.end();
    assert_eq!(end["reason"], "agent-gone");
    assert!(end["message"].as_str().unwrap().contains("heartbeat"), "{end}");
}

#[test]
fn a_heartbeat_from_before_counts_from_the_guards_start() {
    let mut vm = Guarded::shell(FOR_EVER);
    vm.spec["heartbeat"] = json!(vm.path("heartbeat-that-never-was"));
    vm.spec["heartbeatMaxAgeSeconds"] = json!(2);
    let started = Instant::now();
    let vm = vm.start_until("up");
    assert_eq!(vm.end()["reason"], "agent-gone");
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_second_guard_leaves_the_first_ones_vm_alone() {
    let vm = Guarded::shell(FOR_EVER).start_until("up");
    let vmm = vm.pid("vmmPid");
    let second = vm.run();
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another guard keeps this VM"));
    assert_eq!(vm.pid("vmmPid"), vmm);
    assert!(is_alive(vmm) && !vm.has_ended());
}

#[test]
fn the_pid_file_names_both_processes_for_good() {
    let vm = Guarded::shell(FOR_EVER).start_until("up");
    for (pid, start) in [("guardPid", "guardStart"), ("vmmPid", "vmmStart")] {
        let stat = fs::read_to_string(format!("/proc/{}/stat", vm.pid(pid))).unwrap();
        let field_22 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
        assert_eq!(vm.pid(start).to_string(), field_22);
    }
}

#[test]
fn a_flood_on_the_console_is_bounded_and_holds_up_neither_vmm_nor_guard() {
    let vm = Guarded::shell("echo first; head -c 50000000 /dev/zero | tr '\\0' x; echo last; exec sleep 1000").start_until("last");
    assert!(fs::metadata(vm.path("console.log")).unwrap().len() <= 65536);
    assert!(vm.console().starts_with("first\n"));
    assert!(vm.console().contains("console output dropped"));

    let endless = Guarded::shell("exec yes").start_until("y\ny\n");
    endless.touch("kill");
    assert_eq!(endless.end()["reason"], "killed");
}
