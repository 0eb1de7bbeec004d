//! Whether the VM's memory ran out while the job ran, for which the kernel kills a process without a word in the job's log.

use std::fs;

const KILLS: &str = "/proc/vmstat";
/// Each control group below counts for itself and all that it ever had below it.
const GROUPS: &str = "/sys/fs/cgroup";

/// How many processes the kernel has killed since the VM began because the VM's memory was used up. One that reached a limit which
/// the job itself set, such as that of a container, does not count: a larger VM would not help it.
pub fn kills() -> u64 {
    let all = counter(&fs::read_to_string(KILLS).unwrap_or_default(), "oom_kill");
    let groups = fs::read_dir(GROUPS).into_iter().flatten().flatten();
    // A folder without such a file is no group with a limit.
    let limits = groups.filter_map(|g| fs::read_to_string(g.path().join("memory.events")).ok()).map(|text| counter(&text, "oom"));
    all.saturating_sub(limits.sum())
}

fn counter(text: &str, name: &str) -> u64 {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok()).unwrap_or(0)
}

/// The line for the job's author; `advice` is how the job gets more memory, as the end of a sentence.
pub fn line(advice: Option<&str>) -> String {
    let advice = advice.map(|a| format!(": {a}")).unwrap_or_default();
    format!("WARNING: the VM ran out of memory, and its kernel killed a process of the job{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        assert_eq!(counter("low 0\noom 2\noom_kill 3\noom_group_kill 0\n", "oom_kill"), 3);
        assert_eq!(counter("low 0\noom_kill 3\n", "oom"), 0);
    }

    #[test]
    fn the_line_names_what_helps() {
        assert!(line(Some("ask for more by the tag t")).ends_with("a process of the job: ask for more by the tag t"));
        assert!(line(None).ends_with("a process of the job"));
    }
}
