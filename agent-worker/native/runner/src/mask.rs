//! Replaces secrets in the log while it streams. A secret may come in pieces: what could still become one is held back until
//! the next piece shows it. Besides whole values, anything that begins like a token (`glpat-…`) is masked up to its end.

const MASK: &[u8] = b"[MASKED]";

pub struct Masker {
    /// Longest first, so that a secret that contains another one is replaced whole.
    secrets: Vec<Vec<u8>>,
    prefixes: Vec<Vec<u8>>,
    held: Vec<u8>,
    /// Within a token whose beginning has been seen.
    in_token: bool,
}

impl Masker {
    pub fn new(secrets: &[String], prefixes: &[String]) -> Masker {
        let mut list: Vec<Vec<u8>> = Vec::new();
        for secret in secrets {
            list.push(secret.trim_end_matches('\n').as_bytes().to_vec());
            // A log shows a secret of many lines with the terminal's line ends.
            if secret.contains('\n') {
                list.push(secret.trim_end_matches('\n').replace('\n', "\r\n").into_bytes());
            }
        }
        list.retain(|s| !s.is_empty());
        list.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        list.dedup();
        let prefixes = prefixes.iter().filter(|p| !p.is_empty()).map(|p| p.as_bytes().to_vec()).collect();
        Masker { secrets: list, prefixes, held: Vec::new(), in_token: false }
    }

    /// The part of the log that is safe to show.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        self.work(false)
    }

    /// No more will come: shows what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        self.work(true)
    }

    fn work(&mut self, last: bool) -> Vec<u8> {
        let text = std::mem::take(&mut self.held);
        let mut shown = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if self.in_token {
                if is_token(rest[0]) {
                    at += 1;
                    continue;
                }
                self.in_token = false;
            }
            if !last && self.could_become_secret(rest) {
                break;
            }
            if let Some(secret) = self.secrets.iter().find(|s| rest.starts_with(s)) {
                shown.extend_from_slice(MASK);
                at += secret.len();
            } else if let Some(prefix) = self.prefixes.iter().find(|p| rest.starts_with(p)) {
                shown.extend_from_slice(prefix);
                shown.extend_from_slice(MASK);
                at += prefix.len();
                self.in_token = true;
            } else {
                shown.push(rest[0]);
                at += 1;
            }
        }
        self.held = text[at..].to_vec();
        shown
    }

    /// All that is left is the beginning of something longer.
    fn could_become_secret(&self, rest: &[u8]) -> bool {
        self.secrets.iter().chain(&self.prefixes).any(|s| s.len() > rest.len() && s.starts_with(rest))
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], prefixes: &[&str], pieces: &[&str]) -> String {
        let owned = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let mut masker = Masker::new(&owned(secrets), &owned(prefixes));
        let mut shown: Vec<u8> = pieces.iter().flat_map(|p| masker.feed(p.as_bytes())).collect();
        shown.extend(masker.finish());
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_masked_however_the_log_is_cut() {
        let text = "before s3cr3t-value after s3cr3t-valu end";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let shown = masked(&["s3cr3t-value"], &[], &[&text[..first], &text[first..second], &text[second..]]);
                assert_eq!(shown, "before [MASKED] after s3cr3t-valu end", "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn the_longest_secret_wins_and_overlaps_do_not_hide_the_next() {
        assert_eq!(masked(&["abc", "abcdef"], &[], &["abc", "def abc"]), "[MASKED] [MASKED]");
        assert_eq!(masked(&["aab"], &[], &["aaab"]), "a[MASKED]");
        assert_eq!(masked(&["abab"], &[], &["ab", "ab", "abab"]), "[MASKED][MASKED]");
    }

    #[test]
    fn tokens_are_known_by_how_they_begin() {
        for cut in 0.."x glpat-abc_DEF.1 y".len() {
            let (a, b) = "x glpat-abc_DEF.1 y".split_at(cut);
            assert_eq!(masked(&[], &["glpat-"], &[a, b]), "x glpat-[MASKED] y");
        }
    }

    #[test]
    fn nothing_is_held_back_that_cannot_become_a_secret() {
        let mut masker = Masker::new(&["secret".into()], &[]);
        assert_eq!(masker.feed(b"plain"), b"plain");
        assert_eq!(masker.feed(b" sec"), b" ");
        assert_eq!(masker.feed(b"ond"), b"second");
    }

    #[test]
    fn a_secret_of_many_lines_is_known_with_both_line_ends() {
        assert_eq!(masked(&["one\ntwo\n"], &[], &["one\r\ntwo\r\n one\ntwo\n"]), "[MASKED]\r\n [MASKED]\n");
    }
}
