//! All variables of a job, in GitLab's order: what the runner knows first, then the payload's; the later one wins.

use std::path::{Path, PathBuf};

use crate::expand::expand;
use crate::payload::Variable;

/// Variables after expansion, and where those of type file lie.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    list: Vec<Variable>,
    files: PathBuf,
}

impl Variables {
    /// Expands every variable that isn't raw against the unexpanded ones, once, as GitLab's runner does.
    /// A reference to a file variable stands for its path, which is under `files`.
    pub fn new(list: Vec<Variable>, files: PathBuf) -> Variables {
        let unexpanded = Variables { list, files };
        let list = unexpanded.list.iter().map(|v| unexpanded.expanded(v)).collect();
        Variables { list, files: unexpanded.files }
    }

    fn expanded(&self, variable: &Variable) -> Variable {
        let mut result = variable.clone();
        if !variable.raw {
            result.value = self.expand(&variable.value);
        }
        result
    }

    /// What the shell would see; empty where there is no such variable.
    pub fn get(&self, key: &str) -> String {
        match key {
            "$" => return "$".into(),
            "*" | "#" | "@" | "!" | "?" | "-" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" => return String::new(),
            _ => {}
        }
        match self.list.iter().rev().find(|v| v.key == key) {
            Some(v) if v.file => self.file_path(v).to_string_lossy().into_owned(),
            Some(v) => v.value.clone(),
            None => String::new(),
        }
    }

    pub fn get_or(&self, key: &str, default: &str) -> String {
        match self.get(key) {
            empty if empty.is_empty() => default.into(),
            value => value,
        }
    }

    pub fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key).to_ascii_lowercase().as_str(), "1" | "t" | "true")
    }

    pub fn number(&self, key: &str, default: u64) -> u64 {
        self.get(key).trim().parse().unwrap_or(default)
    }

    pub fn expand(&self, text: &str) -> String {
        expand(text, &|name| self.get(name))
    }

    /// The value itself, also of a variable of type file.
    pub fn content(&self, key: &str) -> String {
        self.list.iter().rev().find(|v| v.key == key).map(|v| v.value.clone()).unwrap_or_default()
    }

    pub fn file_path(&self, variable: &Variable) -> PathBuf {
        self.files.join(&variable.key)
    }

    pub fn files_folder(&self) -> &Path {
        &self.files
    }

    /// Each name once, with the value that wins.
    pub fn effective(&self) -> Vec<&Variable> {
        let mut result: Vec<&Variable> = Vec::new();
        for variable in &self.list {
            result.retain(|earlier| earlier.key != variable.key);
            result.push(variable);
        }
        result
    }

    /// Everything that must not be read in the log, expanded and not.
    pub fn masked(&self) -> Vec<String> {
        self.list.iter().filter(|v| v.masked && !v.value.is_empty()).map(|v| v.value.clone()).collect()
    }

    pub fn add(&mut self, key: &str, value: &str) {
        self.list.push(plain(key, value));
    }
}

pub fn plain(key: &str, value: &str) -> Variable {
    Variable { key: key.into(), value: value.into(), public: true, ..Variable::default() }
}

/// A name that a shell takes and that is safe as a file's name.
pub fn is_name(key: &str) -> bool {
    !key.is_empty() && !key.starts_with(|c: char| c.is_ascii_digit()) && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: Vec<Variable>) -> Variables {
        Variables::new(list, PathBuf::from("/b/p.tmp"))
    }

    #[test]
    fn the_last_one_wins_and_references_are_one_level_deep() {
        let v = variables(vec![plain("A", "1"), plain("B", "$A"), plain("C", "$B"), plain("A", "2")]);
        assert_eq!(v.get("A"), "2");
        assert_eq!(v.get("B"), "2");
        assert_eq!(v.get("C"), "$A");
        assert_eq!(v.effective().iter().filter(|e| e.key == "A").count(), 1);
    }

    #[test]
    fn raw_is_left_alone_and_a_file_is_its_path() {
        let raw = Variable { raw: true, ..plain("R", "$A") };
        let file = Variable { file: true, ..plain("F", "contents $A") };
        let v = variables(vec![plain("A", "1"), raw, file, plain("P", "at $F")]);
        assert_eq!(v.get("R"), "$A");
        assert_eq!(v.get("P"), "at /b/p.tmp/F");
        assert_eq!(v.effective()[2].value, "contents 1");
    }

    #[test]
    fn truth_is_read_as_gitlab_reads_it() {
        let v = variables(vec![plain("A", "TRUE"), plain("B", "1"), plain("C", "no")]);
        assert!(v.is_true("A") && v.is_true("B"));
        assert!(!v.is_true("C") && !v.is_true("D"));
    }

    #[test]
    fn names_that_could_leave_the_folder_are_none() {
        assert!(is_name("_A1"));
        assert!(!is_name("../A") && !is_name("1A") && !is_name("") && !is_name("A B"));
    }
}
