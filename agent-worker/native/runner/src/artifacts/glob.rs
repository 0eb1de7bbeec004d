//! Patterns of `artifacts:paths` and `exclude`: `*` and `?` within a part of the path, `**` over any number of parts, `[a-z]`,
//! `{a,b}`, and `\` before a character that stands for itself.

/// One way to read a pattern; braces give several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    alternatives: Vec<Vec<String>>,
}

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        let parts = |text: String| text.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::to_string).collect();
        Glob { alternatives: braces(pattern).into_iter().map(parts).collect() }
    }

    /// Whether the path, relative and with `/`, is what the pattern means.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        self.alternatives.iter().any(|pattern| parts_match(pattern, &path))
    }

    /// Whether anything below this folder can match, so that others need not be read.
    pub fn may_match_below(&self, folder: &str) -> bool {
        let folder: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
        self.alternatives.iter().any(|pattern| prefix_matches(pattern, &folder))
    }
}

/// Every text that the pattern's braces stand for.
fn braces(pattern: &str) -> Vec<String> {
    let Some((open, close)) = first_braces(pattern) else { return vec![pattern.to_string()] };
    let (head, inner, tail) = (&pattern[..open], &pattern[open + 1..close], &pattern[close + 1..]);
    let mut result = Vec::new();
    for choice in split_choices(inner) {
        result.extend(braces(&format!("{head}{choice}{tail}")));
    }
    result
}

fn first_braces(pattern: &str) -> Option<(usize, usize)> {
    let (mut open, mut depth, mut escaped) = (None, 0u32, false);
    for (at, character) in pattern.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => {
                open = open.or(Some(at));
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return open.map(|o| (o, at));
                }
            }
            _ => {}
        }
    }
    None
}

fn split_choices(inner: &str) -> Vec<String> {
    let mut choices = vec![String::new()];
    let mut depth = 0u32;
    for character in inner.chars() {
        match character {
            ',' if depth == 0 => {
                choices.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(last) = choices.last_mut() {
            last.push(character);
        }
    }
    choices
}

fn parts_match(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any == "**" => parts_match(rest, path) || path.split_first().is_some_and(|(_, left)| parts_match(pattern, left)),
        (Some((part, rest)), Some((name, left))) => part_matches(part, name) && parts_match(rest, left),
        _ => false,
    }
}

fn prefix_matches(pattern: &[String], folder: &[&str]) -> bool {
    match (pattern.split_first(), folder.split_first()) {
        (Some(_), None) => true,
        (Some((any, _)), _) if any == "**" => true,
        (Some((part, rest)), Some((name, left))) => part_matches(part, name) && prefix_matches(rest, left),
        (None, _) => false,
    }
}

fn part_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    characters_match(&pattern, &name)
}

fn characters_match(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    if *first == '*' {
        return (0..=name.len()).any(|skip| characters_match(rest, &name[skip..]));
    }
    let Some((character, left)) = name.split_first() else { return false };
    match first {
        '?' => characters_match(rest, left),
        '[' => match class(rest, *character) {
            Some((hit, after)) => hit && characters_match(after, left),
            None => *character == '[' && characters_match(rest, left),
        },
        '\\' if !rest.is_empty() => rest[0] == *character && characters_match(&rest[1..], left),
        literal => literal == character && characters_match(rest, left),
    }
}

/// Whether the class that begins here has the character, and what follows it; None if it has no end.
fn class(pattern: &[char], character: char) -> Option<(bool, &[char])> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let body = &pattern[usize::from(negated)..];
    let end = body.iter().skip(1).position(|c| *c == ']')? + 1;
    let (mut at, mut hit) = (0, false);
    while at < end {
        if at + 2 < end && body[at + 1] == '-' {
            hit |= (body[at]..=body[at + 2]).contains(&character);
            at += 3;
        } else {
            hit |= body[at] == character;
            at += 1;
        }
    }
    Some((hit != negated, &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_gitlab_says() {
        let table = [
            ("a.txt", "a.txt", true),
            ("./a.txt", "a.txt", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "d/a.txt", false),
            ("**/*.txt", "a.txt", true),
            ("**/*.txt", "d/e/a.txt", true),
            ("d/**", "d/e/a.txt", true),
            ("d/**/a.txt", "d/a.txt", true),
            ("d/", "d", true),
            ("build-?", "build-1", true),
            ("build-?", "build-12", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("{a,b{1,2}}.log", "b2.log", true),
            ("{a,b}/c", "d/c", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[x", "[x", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(Glob::new(pattern).matches(path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn folders_that_cannot_hold_a_match_are_not_read() {
        let glob = Glob::new("build/*/out.txt");
        assert!(glob.may_match_below("build") && glob.may_match_below("build/x"));
        assert!(!glob.may_match_below("src") && !glob.may_match_below("build/x/out.txt"));
        assert!(Glob::new("**/x").may_match_below("any/where"));
    }
}
