//! What a VMM can see and do: its uid, its jail, its network, its cgroup; and what it says of a spec it can't follow.

mod common;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{await_that, is_alive, Folder, Guarded, UID};
use serde_json::{json, Value};

#[test]
fn the_vmm_has_no_privileges_and_no_way_back_to_them() {
    let vm = Guarded::shell("cat /proc/self/status; ulimit -c; ulimit -n").start();
    assert_eq!(vm.end()["exitCode"], 0);
    let console = vm.console();
    let status: HashMap<&str, String> = console
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect();
    let ids = [UID.to_string(), UID.to_string(), UID.to_string(), UID.to_string()].join(" ");
    assert_eq!((&status["Uid"], &status["Gid"], status["Groups"].as_str()), (&ids, &ids, ""));
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status[set], "0000000000000000", "{set}");
    }
    assert_eq!(status["NoNewPrivs"], "1");
    assert!(console.ends_with("0\n4096\n"), "{console}");
}

#[test]
fn the_vmm_gets_its_own_group_and_the_environment_of_the_spec_and_no_others() {
    let mut vm = Guarded::shell("id -G; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=");
    vm.spec["env"] = json!({"ONE": "1"});
    let vm = vm.start();
    vm.end();
    assert_eq!(vm.console(), format!("{UID}\nONE=1\n"));
}

#[test]
fn the_vmm_inherits_no_descriptor() {
    // 0, 1, 2, and the one that lists.
    let vm = Guarded::shell("ls /proc/self/fd");
    let spec = vm.path("spec.json");
    fs::write(&spec, vm.spec.to_string()).unwrap();
    let script = format!("exec 7</etc/passwd 9>/dev/null; exec {} {}", env!("CARGO_BIN_EXE_mayfly-guard"), spec.display());
    assert!(Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
    assert_eq!(vm.console(), "0\n1\n2\n3\n");
}

fn programs() -> Vec<&'static str> {
    ["/usr", "/bin", "/lib", "/lib64"].into_iter().filter(|path| Path::new(path).exists()).collect()
}

#[test]
fn a_jail_holds_what_the_spec_names_and_nothing_else() {
    let mut vm = Guarded::shell("");
    let (shown, hidden, own) = (vm.path("image"), vm.path("hidden"), vm.vmm_folder("own"));
    for folder in [&shown, &hidden] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("file"), "text").unwrap();
    }
    // As root's home is: the VMM's uid could never pass through it on the host.
    fs::set_permissions(vm.path(""), fs::Permissions::from_mode(0o700)).unwrap();
    let script = format!(
        "cd {root}; ls -d /*; ls; cat image/file; echo; \
         touch image/new 2>&1; touch /new 2>&1; echo done > own/new; echo '#!/bin/sh' > own/run; chmod +x own/run; own/run 2>&1; \
         head -c 3 /dev/urandom | wc -c; echo thrown > /dev/null; ls /dev",
        root = vm.path("").display()
    );
    vm.spec["argv"] = json!(["/bin/sh", "-c", script]);
    vm.spec["jail"] = json!({
        "readOnly": programs().into_iter().map(Value::from).chain([json!(shown)]).collect::<Vec<_>>(),
        "readWrite": [own], "devices": ["/dev/null", "/dev/urandom"],
    });
    let mut vm = vm.start();
    vm.end();
    let console = vm.console();
    let top: Vec<String> = programs().into_iter().chain(["/dev", "/tmp"]).map(str::to_owned).collect();
    let seen: Vec<&str> = console.lines().take_while(|line| line.starts_with('/')).collect();
    assert!(seen.iter().all(|path| top.contains(&path.to_string())), "{console}");
    let rest = console.lines().skip(seen.len()).collect::<Vec<_>>().join("\n");
    assert!(rest.starts_with("image\nown\ntext\n"), "{console}");
    assert!(rest.contains("image/new': Read-only file system") && rest.contains("'/new': Read-only file system"), "{console}");
    assert!(rest.contains("own/run: Permission denied"), "nothing that the VMM writes can be run: {console}");
    assert!(rest.ends_with("3\nnull\nurandom"), "{console}");
    assert_eq!(fs::read_to_string(vm.path("own/new")).unwrap(), "done\n");
    vm.wait_for_guard();
    assert!(!fs::read_to_string("/proc/mounts").unwrap().contains("jail "), "the host sees none of its mounts");
}

#[test]
fn a_device_of_the_jail_is_the_vmms_own_whoever_may_open_the_hosts() {
    let mut vm = Guarded::shell("");
    let device = vm.path("zero");
    let made = Command::new("mknod").args(["-m", "0600"]).arg(&device).args(["c", "1", "5"]).status().unwrap();
    assert!(made.success());
    let script = format!("stat -c '%u %g %a %t:%T' {0}; head -c 3 {0} | wc -c; mknod {0}2 c 1 5 2>&1", device.display());
    vm.spec["argv"] = json!(["/bin/sh", "-c", script]);
    vm.spec["jail"] = json!({"readOnly": programs(), "devices": [device]});
    let vm = vm.start();
    vm.end();
    let console = vm.console();
    assert!(console.starts_with(&format!("{UID} {UID} 600 1:5\n3\n")), "{console}");
    assert!(console.contains("Read-only file system") || console.contains("not permitted"), "{console}");

    let message = failure(|spec| spec["jail"] = json!({"readOnly": programs(), "devices": ["/etc/passwd"]}));
    assert!(message.contains("/etc/passwd") && message.contains("no device"), "{message}");
}

#[test]
fn a_vmm_finds_open_what_it_could_not_open_and_sees_its_own_files_alone() {
    let mut vm = Guarded::shell("");
    fs::write(vm.path("secret"), "text\n").unwrap();
    fs::set_permissions(vm.path("secret"), fs::Permissions::from_mode(0o600)).unwrap();
    let script = "cat <&150; echo /own/*; ls -d /proc /own/../proc 2>&1; { echo more > /own/150; } 2>&1";
    vm.spec["argv"] = json!(["/bin/bash", "-c", script]);
    vm.spec["jail"] = json!({"readOnly": programs(), "ownFiles": "/own"});
    vm.spec["openFiles"] = json!([{"fd": 150, "path": vm.path("secret")}]);
    let vm = vm.start();
    vm.end();
    let console = vm.console();
    let own = console.lines().nth(1).unwrap();
    assert!(console.starts_with("text\n") && own.starts_with("/own/0 /own/1 /own/150 /own/2"), "{console}");
    assert!(!console.contains("\n/proc\n") && !console.contains("\n/own/../proc\n"), "{console}");
    assert!(console.contains("/own/150: Permission denied"), "it can't be opened for writing: {console}");
    assert_eq!(fs::read_to_string(vm.path("secret")).unwrap(), "text\n");
}

#[test]
fn memory_that_is_held_is_mapped_by_vmms_and_changed_by_none() {
    let mut vm = Guarded::shell("");
    fs::write(vm.path("ram"), [b'r'; 8192]).unwrap();
    let mut holder = Command::new(env!("CARGO_BIN_EXE_mayfly-guard"))
        .args(["hold".as_ref(), vm.path("ram").as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut held).unwrap();
    // By the shell itself: the files are those of one process.
    let script = "read -r -N 3 text < /own/101; echo $text; { printf x 1<> /own/101; } 2>&1";
    vm.spec["argv"] = json!(["/bin/bash", "-c", script]);
    vm.spec["jail"] = json!({"readOnly": programs(), "ownFiles": "/own"});
    vm.spec["openFiles"] = json!([{"fd": 101, "path": held.trim()}]);
    let vm = vm.start();
    vm.end();
    let console = vm.console();
    assert!(console.starts_with("rrr"), "{console}");
    assert!(console.contains("Operation not permitted"), "opened for writing, as QEMU does, and not to be written: {console}");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success(), "it ends with whoever started it");

    let message = failure(|spec| spec["openFiles"] = json!([{"fd": 101, "path": "/proc/self/exe"}]));
    assert!(message.contains("/proc/self/exe") && message.contains("not sealed"), "{message}");
}

#[test]
fn the_vmm_runs_in_its_network_namespace_and_under_its_slots_name() {
    let name = format!("guard-test-{}", std::process::id());
    assert!(Command::new("ip").args(["netns", "add", &name]).status().unwrap().success());
    let mut vm = Guarded::shell("ls /sys/class/net >/dev/null; cat /proc/net/dev | grep -c :; uname -n");
    vm.spec["netns"] = json!(format!("/run/netns/{name}"));
    let vm = vm.start();
    let end = vm.end();
    assert!(Command::new("ip").args(["netns", "del", &name]).status().unwrap().success());
    assert_eq!(end["exitCode"], 0, "{end}");
    let devices: usize = vm.console().lines().next().unwrap().parse().unwrap();
    let here = fs::read_to_string("/proc/net/dev").unwrap().matches(':').count();
    assert!(devices == 1 && here > 1, "{devices} devices inside, {here} outside");
    assert!(vm.console().ends_with("slot-1\n"));
}

/// The cgroup v2 tree, alone or beside v1.
fn cgroup_tree() -> &'static Path {
    let hybrid = Path::new("/sys/fs/cgroup/unified");
    if hybrid.exists() { hybrid } else { Path::new("/sys/fs/cgroup") }
}

#[test]
fn whatever_the_vmm_starts_is_in_its_cgroup_and_dies_with_it() {
    let cgroup = Folder::create(&cgroup_tree().join(format!("guard-test-{}", std::process::id())));
    // Out of its process group and orphaned: only the cgroup still finds it.
    let mut vm = Guarded::shell("setsid sh -c 'echo $$; sleep 1000 & sleep 1000' & wait");
    vm.spec["cgroups"] = json!([{"procs": cgroup.0.join("cgroup.procs")}]);
    vm.spec["cgroupKill"] = json!(cgroup.0.join("cgroup.kill"));
    let vm = vm.start_until("\n");
    let members = || fs::read_to_string(cgroup.0.join("cgroup.procs")).unwrap();
    await_that("all are up", || members().lines().count() == 4);
    let stray: i32 = vm.console().trim().parse().unwrap();
    assert!(members().lines().any(|pid| pid == stray.to_string()));
    vm.touch("kill");
    assert_eq!(vm.end()["reason"], "killed");
    await_that("the stray process is dead", || !is_alive(stray));
    await_that("the cgroup is empty", || members().is_empty());
}

#[test]
fn what_a_vmm_leaves_behind_dies_when_it_exits() {
    let cgroup = Folder::create(&cgroup_tree().join(format!("guard-left-{}", std::process::id())));
    let mut vm = Guarded::shell("setsid sleep 1000 & echo $!; exit 0");
    vm.spec["cgroups"] = json!([{"procs": cgroup.0.join("cgroup.procs")}]);
    vm.spec["cgroupKill"] = json!(cgroup.0.join("cgroup.kill"));
    let vm = vm.start();
    assert_eq!(vm.end()["reason"], "exited");
    let left: i32 = vm.console().trim().parse().unwrap();
    await_that("it is dead", || !is_alive(left));
}

/// How a VM that could not be started ended, in words.
fn failure(change: impl FnOnce(&mut Value)) -> String {
    let mut vm = Guarded::shell("echo never");
    change(&mut vm.spec);
    let vm = vm.start();
    let end = vm.end();
    assert_eq!(end["reason"], "start-failed", "{end}");
    assert!(!vm.console().contains("never"));
    end["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_failed_start_names_the_thing_and_the_cure() {
    let message = failure(|spec| spec["argv"] = json!(["/usr/bin/no-such-vmm"]));
    assert!(message.contains("/usr/bin/no-such-vmm") && message.contains("No such file") && message.contains("install"), "{message}");

    let message = failure(|spec| spec["netns"] = json!("/run/netns/no-such-namespace"));
    assert!(message.contains("/run/netns/no-such-namespace") && message.contains("ip netns"), "{message}");

    let message = failure(|spec| spec["cgroups"] = json!([{"procs": "/sys/fs/cgroup/no-such-group/cgroup.procs"}]));
    assert!(message.contains("/sys/fs/cgroup/no-such-group") && message.contains("before its guard"), "{message}");

    let message = failure(|spec| spec["jail"] = json!({"readOnly": ["/usr", "/no-such-folder"]}));
    assert!(message.contains("/no-such-folder") && message.contains("jail"), "{message}");
}

#[test]
fn a_spec_that_can_only_be_a_mistake_is_refused_in_words() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut vm = Guarded::shell("echo never");
        change(&mut vm.spec);
        let output = vm.run();
        assert_eq!(output.status.code(), Some(2));
        assert!(!vm.has_ended() && !vm.path("console.log").exists());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&|spec| spec["uid"] = json!(0)).contains("never runs as root"));
    assert!(refused(&|spec| spec["argv"] = json!([])).contains("argv is empty"));
    assert!(refused(&|spec| spec["argv"] = json!(["qemu"])).contains("qemu must be an absolute path"));
    assert!(refused(&|spec| spec["timetolive"] = json!(5)).contains("timetolive"));
    assert!(refused(&|spec| spec["timeToLiveSeconds"] = json!(0)).contains("must be positive"));
    assert!(refused(&|spec| spec["consoleLimit"] = json!(10)).contains("too small"));
    assert!(refused(&|spec| spec["netns"] = json!("/run/netns/../x")).contains("without '..'"));
    assert!(refused(&|spec| spec["openFiles"] = json!([{"fd": 3, "path": "/etc/passwd"}])).contains("fd 3 must be 100 to 199"));
    assert!(refused(&|spec| spec["openFiles"] = json!([{"fd": 100, "path": "etc/passwd"}])).contains("etc/passwd must be an absolute path"));
    let inside = |spec: &mut Value| {
        let folder = Path::new(spec["console"].as_str().unwrap()).parent().unwrap().to_owned();
        spec["jail"] = json!({"readOnly": ["/usr"], "readWrite": [folder]});
    };
    assert!(refused(&inside).contains("which the VMM can write"));
}
