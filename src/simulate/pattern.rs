//! What the bot is expected to say.

/// Stands for any words.
const ANY: char = '…';

/// Words, with `…` where any others may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// `...` is read as `…`; white space at the ends does not count.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().replace("...", "…"))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is `…` alone, which stands for any number of prompts.
    fn is_any(&self) -> bool {
        self.0.chars().all(|c| c == ANY) && !self.0.is_empty()
    }

    /// Whether the prompt `said` is as expected.
    pub(crate) fn matches(&self, said: &str) -> bool {
        let said = said.trim();
        let mut parts = self.0.split(ANY);
        let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// Whether it occurs anywhere in `said`.
    pub(crate) fn occurs_in(&self, said: &str) -> bool {
        Self(format!("{ANY}{}{ANY}", self.0)).matches(said)
    }
}

/// Whether the prompts of one turn are the expected ones.
pub(crate) fn all_match(expected: &[&Pattern], said: &[String]) -> bool {
    match (expected, said) {
        ([], said) => said.is_empty(),
        ([any, rest @ ..], said) if any.is_any() => {
            (0..=said.len()).any(|skipped| all_match(rest, &said[skipped..]))
        }
        ([first, rest @ ..], [prompt, others @ ..]) => {
            first.matches(prompt) && all_match(rest, others)
        }
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_any_words() {
        let prompt = "You owe 132.48, due 2026-11-28.";
        for right in ["You owe 132.48, due 2026-11-28.", "You owe …", "…132.48…", "… due...", "…"]
        {
            assert!(Pattern::new(right).matches(prompt), "{right}");
        }
        for wrong in ["You owe", "132.48", "…132.84…", "You …nothing", ""] {
            assert!(!Pattern::new(wrong).matches(prompt), "{wrong}");
        }
        assert!(!Pattern::new("a…a").matches("a"), "one letter is not two");
    }

    #[test]
    fn prompts_match_one_by_one_and_an_ellipsis_alone_skips_any_number() {
        let said: Vec<String> = ["One.", "Two.", "Three."].map(str::to_owned).into();
        let matches = |lines: &[&str]| {
            let patterns: Vec<Pattern> = lines.iter().map(|line| Pattern::new(line)).collect();
            all_match(&patterns.iter().collect::<Vec<_>>(), &said)
        };
        assert!(matches(&["One.", "Two.", "Three."]));
        assert!(matches(&["…", "Three."]));
        assert!(matches(&["One.", "…"]));
        assert!(matches(&["…", "Two.", "…", "Three."]));
        assert!(!matches(&["One.", "Three."]));
        assert!(!matches(&["One.", "Two."]));
        assert!(!matches(&["…", "Four."]));
    }
}
