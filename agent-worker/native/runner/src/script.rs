//! Writes the script of a step, in the form that GitLab's runner gives it: variables exported, each command shown before it runs,
//! the first that fails ends the step. Any POSIX shell runs it: an image may have no bash.

use std::path::Path;

use crate::variables::{is_name, Variables};

const HEAD: &str = "if (set -o pipefail) 2> /dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n";

/// To be read by a shell from its standard input.
pub fn script(lines: &[String], variables: &Variables, folder: &Path) -> String {
    let mut body = if variables.is_true("CI_DEBUG_TRACE") { "set -o xtrace\n".to_string() } else { String::new() };
    body.push_str(&exports(variables));
    body.push_str(&format!("cd {}\n", quote(&folder.to_string_lossy())));
    for line in lines {
        command(&mut body, line);
    }
    // The pipe gives the commands an empty standard input, so that none of them reads the rest of this script. Without the
    // subshell bash turns the code of a failed `(…)` into 1.
    format!("{HEAD}: | (eval {})\nexit 0\n", quote(&body))
}

fn exports(variables: &Variables) -> String {
    let mut text = String::new();
    for variable in variables.effective() {
        if !is_name(&variable.key) {
            continue;
        }
        let value = if variable.file { variables.file_path(variable).to_string_lossy().into_owned() } else { variable.value.clone() };
        text.push_str(&format!("export {}={}\n", variable.key, quote(&value)));
    }
    text
}

fn command(body: &mut String, line: &str) {
    let line = line.trim();
    match line.split_once('\n') {
        Some((first, _)) => body.push_str(&shown(&format!("$ {first} # collapsed multi-line command"))),
        None if line.is_empty() => body.push_str("echo\n"),
        None => body.push_str(&shown(&format!("$ {line}"))),
    }
    body.push_str(line);
    body.push('\n');
}

fn shown(text: &str) -> String {
    // Some shells' echo would read backslashes.
    format!("printf '%s\\n' {}\n", quote(&format!("\x1b[32;1m{text}\x1b[0;m")))
}

/// One word of a shell that stands for exactly this text.
pub fn quote(text: &str) -> String {
    // No shell variable can hold a zero.
    format!("'{}'", text.replace('\0', "").replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::plain;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// In both kinds of shell that an image may have.
    fn shells(script: &str) -> (String, Option<i32>) {
        let results = ["bash", "dash"].map(|shell| in_shell(shell, script));
        assert_eq!(results[0], results[1], "bash and dash differ");
        results[0].clone()
    }

    fn in_shell(shell: &str, script: &str) -> (String, Option<i32>) {
        let mut child = Command::new(shell).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    fn run(lines: &[&str], list: &[(&str, &str)]) -> (String, Option<i32>) {
        let variables = Variables::new(list.iter().map(|(k, v)| plain(k, v)).collect(), "/tmp/none".into());
        let lines: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
        shells(&script(&lines, &variables, Path::new("/tmp")))
    }

    #[test]
    fn any_text_survives_the_shell() {
        let odd = "a'b\"c\\d\n\te $X `y` é\u{1}1 !*";
        let (output, code) = shells(&format!("printf %s {}", quote(odd)));
        assert_eq!((output.as_str(), code), (odd, Some(0)));
    }

    #[test]
    fn the_first_failing_command_ends_the_step_with_its_code() {
        let (output, code) = run(&["echo one", "(exit 7)", "echo two"], &[]);
        assert_eq!(code, Some(7));
        assert!(output.contains("\none\n") && !output.contains("\ntwo"));
        let piped = script(&["false | true".into()], &Variables::default(), Path::new("/tmp"));
        assert_eq!(in_shell("bash", &piped).1, Some(1));
        assert_eq!(in_shell("dash", &piped).1, Some(0), "it can't tell");
    }

    #[test]
    fn one_shell_runs_all_lines_in_the_folder_with_the_variables() {
        let (output, code) = run(&["cd /", "x=$(pwd)", "echo \"$x-$A-$(cat)\""], &[("A", "it's"), ("not a name", "1")]);
        assert_eq!(code, Some(0));
        assert!(output.ends_with("\n/-it's-\n"), "{output}");
    }

    #[test]
    fn a_command_of_many_lines_is_shown_by_its_first() {
        let (output, _) = run(&["echo a\necho b"], &[]);
        assert_eq!(output, "\x1b[32;1m$ echo a # collapsed multi-line command\x1b[0;m\na\nb\n");
    }
}
