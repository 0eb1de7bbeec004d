//! `$name` and `${name}` inside values, by the rules of GitLab's runner: one pass, unknown names are empty, `$$` is a dollar sign
//! only where GitLab's own expansion left it.

/// Replaces references; `look_up` answers what a name stands for.
pub fn expand(text: &str, look_up: &dyn Fn(&str) -> String) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, length) = name_at_start(rest);
        if length == 0 {
            // A lone dollar sign stays; `${` without an end eats the brace, as Go's os.Expand does.
            if rest.starts_with('{') {
                rest = &rest[1..];
            } else {
                result.push('$');
            }
            continue;
        }
        result.push_str(&look_up(name));
        rest = &rest[length..];
    }
    result.push_str(rest);
    result
}

/// The name that follows a dollar sign, and how much of the text it takes.
fn name_at_start(text: &str) -> (&str, usize) {
    let Some(first) = text.chars().next() else { return ("", 0) };
    if first == '{' {
        return match text.find('}') {
            Some(end) => (&text[1..end], end + 1),
            None => ("", 0),
        };
    }
    if "*#$@!?-0123456789".contains(first) {
        return (&text[..1], 1);
    }
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (&text[..length], length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> String {
        expand(text, &|name| match name {
            "A" => "1".into(),
            "B_2" => "$A".into(),
            "$" => "$".into(),
            _ => String::new(),
        })
    }

    #[test]
    fn names_are_replaced_once() {
        assert_eq!(with("x$A-${A}y$B_2"), "x1-1y$A");
        assert_eq!(with("$UNKNOWN|${UNKNOWN}|"), "||");
    }

    #[test]
    fn dollar_signs_that_name_nothing_stay() {
        assert_eq!(with("100$ $/ $"), "100$ $/ $");
        assert_eq!(with("a$$b"), "a$b");
        assert_eq!(with("${A"), "A");
        assert_eq!(with("é$Aü"), "é1ü");
    }
}
