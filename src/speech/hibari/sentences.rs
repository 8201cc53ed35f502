//! Splits text into sentences, and long phoneme strings into pieces for the network.

/// The network hears this many phonemes at once; longer sentences are cut at clauses.
const MAX_PHONEMES: usize = 400;

/// The sentences of `text`, trimmed; `is_title` tells words that a full stop may follow.
pub(super) fn split(text: &str, is_title: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut sentences = Vec::new();
    for paragraph in text.lines().map(str::trim) {
        let mut start = 0;
        for (at, c) in paragraph.char_indices() {
            let end = at + c.len_utf8();
            if end <= start || !".!?…".contains(c) {
                continue;
            }
            let closing = paragraph[end..].trim_start_matches(['"', '”', '’', ')', ']']);
            let rest = closing.trim_start();
            let has_space = rest.len() < closing.len();
            if has_space && !rest.is_empty() && ends_sentence(&paragraph[..end], rest, &is_title) {
                sentences.push(&paragraph[start..paragraph.len() - closing.len()]);
                start = paragraph.len() - rest.len();
            }
        }
        sentences.push(&paragraph[start..]);
    }
    sentences.retain(|sentence| !sentence.trim().is_empty());
    sentences
}

/// `phonemes` in pieces that the network can take: at clauses, else at words, else anywhere.
pub(super) fn pieces(phonemes: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut length = 0;
    if phonemes.chars().count() <= MAX_PHONEMES {
        return vec![phonemes.to_owned()];
    }
    for clause in clauses(phonemes) {
        let added = clause.chars().count();
        match pieces.last_mut() {
            Some(piece) if length + added <= MAX_PHONEMES => {
                piece.push_str(clause);
                length += added;
            }
            _ => {
                pieces.push(clause.to_owned());
                length = added;
            }
        }
    }
    pieces
}

/// Clauses with the space after them; those that are too long in parts.
fn clauses(phonemes: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut rest = phonemes;
    while !rest.is_empty() {
        let limit = rest.char_indices().nth(MAX_PHONEMES).map_or(rest.len(), |(at, _)| at);
        let mark = rest
            .match_indices(' ')
            .map(|(at, _)| at)
            .find(|&at| rest[..at].ends_with([',', ';', ':', '—']));
        let cut = match mark {
            Some(at) if at < limit => at + 1,
            _ if limit == rest.len() => limit,
            _ => rest[..limit].rfind(' ').map_or(limit, |at| at + 1),
        };
        let (clause, more) = rest.split_at(cut);
        clauses.push(clause);
        rest = more;
    }
    clauses
}

/// Whether `before`, which ends in a sentence mark, ends a sentence when `rest` follows.
fn ends_sentence(before: &str, rest: &str, is_title: impl Fn(&str) -> bool) -> bool {
    if rest.starts_with(char::is_lowercase) {
        return false;
    }
    let Some(stem) = before.strip_suffix('.') else { return true };
    let word = stem.rsplit(' ').next().unwrap_or_default();
    let word = word.trim_start_matches(['(', '"', '“', '\'', '‘']);
    let mut letters = word.chars();
    let is_initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    !is_title(word) && !is_initial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<&str> {
        split(text, |word| word == "Dr")
    }

    #[test]
    fn titles_and_initials_do_not_end_a_sentence() {
        assert_eq!(
            sentences("Dr. Smith met J. K. Rowling. They talked! \"Why?\" Nobody knows"),
            ["Dr. Smith met J. K. Rowling.", "They talked!", "\"Why?\"", "Nobody knows",]
        );
    }

    #[test]
    fn a_small_letter_or_no_space_continues_the_sentence() {
        assert_eq!(sentences("It is 3.5 p.m. now. Go"), ["It is 3.5 p.m. now.", "Go"]);
        assert_eq!(sentences("Wait... what"), ["Wait... what"]);
    }

    #[test]
    fn lines_are_sentences() {
        assert_eq!(sentences("one\n\n  two \n"), ["one", "two"]);
        assert!(sentences(" \n ").is_empty());
    }

    #[test]
    fn long_phonemes_are_cut_at_clauses_then_at_words_then_anywhere() {
        let clause = format!("{}, ", "ab ".repeat(60).trim());
        let text = clause.repeat(5);
        for text in [text, "ab ".repeat(400), "a".repeat(1000)] {
            let pieces = pieces(&text);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.len() > 1);
            assert!(pieces.iter().all(|piece| piece.chars().count() <= MAX_PHONEMES));
        }
    }
}
