//! Regular expressions: compiling, and replacing with care.

use fancy_regex::{Captures, Regex};

/// Compiles a pattern that stands in the source or is made of escaped words.
pub(super) fn constant(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns are fixed, and tests compile each")]
    Regex::new(pattern).expect("a valid pattern")
}

/// `words` as alternatives, the longest first so that no shorter one hides it.
pub(super) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.iter().map(|word| fancy_regex::escape(word)).collect::<Vec<_>>().join("|")
}

/// `text` with every match replaced by what `reading` makes of it and of the text after it.
///
/// A match stays as it is where `reading` returns `None`. So does the rest of a text on which
/// the matcher gives up.
pub(super) fn replace(
    text: String,
    pattern: &Regex,
    reading: impl Fn(&Captures<'_, str>, &str) -> Option<String>,
) -> String {
    let mut replaced = String::new();
    let mut copied = 0;
    for captures in pattern.captures_iter(text.as_str()).map_while(Result::ok) {
        let Some(whole) = captures.get(0) else { break };
        if let Some(words) = reading(&captures, &text[whole.end()..]) {
            replaced.push_str(&text[copied..whole.start()]);
            replaced.push_str(&words);
            copied = whole.end();
        }
    }
    if copied == 0 && replaced.is_empty() {
        return text;
    }
    replaced.push_str(&text[copied..]);
    replaced
}

/// Group `n` of a match; empty when it took no part.
pub(super) fn group<'t>(captures: &Captures<'t, str>, n: usize) -> &'t str {
    captures.get(n).map_or("", |group| group.as_str())
}
