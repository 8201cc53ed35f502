use super::Lang;

/// Abbreviations whose full stop ends no sentence, in lower case.
const ABBREVIATIONS: [&str; 22] = [
    "mr", "mrs", "ms", "dr", "st", "ave", "rd", "prof", "sr", "jr", "vs", "etc", "no", "dept",
    "inc", "ltd", "co", "corp", "approx", "e.g", "i.e", "ext",
];

/// Splits `text` into sentences to synthesise one by one, each with its own punctuation and
/// without surrounding space. Full stops in numbers, initials and abbreviations do not split;
/// in Chinese a semicolon does.
#[must_use]
pub fn sentences(lang: Lang, text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_sentence(lang, rest) {
        push(&mut found, &rest[..end]);
        rest = &rest[end..];
    }
    push(&mut found, rest);
    found
}

/// Where the first sentence of `text` ends, its closing marks included; `None` when it goes on to the end.
pub(super) fn end_of_sentence(lang: Lang, text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let mut end = at + c.len_utf8();
        if !ends_sentence(lang, c, &text[..at], &text[end..]) {
            continue;
        }
        while let Some((at, trailing)) = chars.next_if(|(_, next)| is_trailing(*next)) {
            end = at + trailing.len_utf8();
        }
        return Some(end);
    }
    None
}

/// Splits `text` into clauses to synthesise one by one: at the ends of sentences and at commas, semicolons,
/// colons and dashes after which a speaker pauses. Marks within numbers and times do not split.
#[must_use]
pub fn clauses(lang: Lang, text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for sentence in sentences(lang, text) {
        let mut start = 0;
        for (at, c) in sentence.char_indices() {
            let end = at + c.len_utf8();
            let parts = is_spoken(&sentence[start..end]) && is_spoken(&sentence[end..]);
            if parts && ends_clause(c, &sentence[end..]) {
                push(&mut found, &sentence[start..end]);
                start = end;
            }
        }
        push(&mut found, &sentence[start..]);
    }
    found
}

fn ends_clause(c: char, after: &str) -> bool {
    match c {
        '，' | '；' | '：' | '—' => true,
        ',' | ';' | ':' => !after.starts_with(|next: char| next.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn is_spoken(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn ends_sentence(lang: Lang, c: char, before: &str, after: &str) -> bool {
    match c {
        '\n' | '。' | '！' | '？' => true,
        '；' | ';' => lang == Lang::Zh,
        '…' => !after.starts_with('…'),
        '!' | '?' => true,
        '.' => {
            after.chars().next().is_none_or(|next| next.is_whitespace() || is_trailing(next))
                && !is_abbreviation(before, after)
        }
        _ => false,
    }
}

/// Whether the full stop between `before` and `after` belongs to an abbreviation or an initial.
fn is_abbreviation(before: &str, after: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_start_matches(['(', '"', '\'', '\u{201c}']).to_lowercase();
    if word == "no" {
        // "No. 5" is a number, "No. I said" is an answer.
        return after.trim_start().starts_with(|c: char| c.is_ascii_digit());
    }
    if matches!(word.as_str(), "a.m" | "p.m") {
        return after.trim_start().starts_with(char::is_lowercase);
    }
    if after.trim().is_empty() {
        return false;
    }
    let initial = word.len() == 1 && word != "i" && word.starts_with(|c: char| c.is_alphabetic());
    initial && before.ends_with(char::is_uppercase) || ABBREVIATIONS.contains(&word.as_str())
}

fn is_trailing(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '。' | '！' | '？' | '…' | '"' | '\'' | ')' | '”' | '’' | '）' | '」'
    )
}

fn push<'a>(found: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if is_spoken(sentence) {
        found.push(sentence);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn english_sentences_end_at_their_marks() {
        assert_eq!(
            sentences(Lang::En, "Hello there. Is it you?  Yes! Good"),
            ["Hello there.", "Is it you?", "Yes!", "Good"]
        );
    }

    #[test]
    fn abbreviations_initials_and_decimals_do_not_split() {
        for whole in [
            "Thanks, Mr. Reed and Mrs. Hill.",
            "You owe 132.48 dollars today.",
            "It is back at 8:30 p.m. tomorrow.",
            "Press key No. 5 now.",
            "This is J. Smith at Larkmart.",
        ] {
            assert_eq!(sentences(Lang::En, whole), [whole]);
        }
    }

    #[test]
    fn no_as_an_answer_and_a_final_abbreviation_do_split() {
        assert_eq!(sentences(Lang::En, "No. I said two."), ["No.", "I said two."]);
        assert_eq!(
            sentences(Lang::En, "Back at 8 p.m. Thank you."),
            ["Back at 8 p.m.", "Thank you."]
        );
    }

    #[test]
    fn chinese_splits_at_full_stops_and_semicolons_but_not_at_commas() {
        assert_eq!(
            sentences(Lang::Zh, "您好，这里是公积金中心。查余额按1；查贷款按2！对吗？"),
            ["您好，这里是公积金中心。", "查余额按1；", "查贷款按2！", "对吗？"]
        );
    }

    #[test]
    fn closing_quotes_and_ellipses_stay_with_their_sentence() {
        assert_eq!(sentences(Lang::Zh, "请说“是。”然后等……好"), ["请说“是。”", "然后等……", "好"]);
    }

    #[test]
    fn clauses_end_where_a_speaker_pauses() {
        assert_eq!(
            clauses(Lang::En, "Well, you owe 1,250 dollars, Maria; pay by 8:30. Is that OK?"),
            ["Well,", "you owe 1,250 dollars,", "Maria;", "pay by 8:30.", "Is that OK?"]
        );
        assert_eq!(
            clauses(Lang::Zh, "您好，您的余额是1,250元，截至今天。对吗？"),
            ["您好，", "您的余额是1,250元，", "截至今天。", "对吗？"]
        );
        assert_eq!(clauses(Lang::Zh, "他说：“好，”"), ["他说：", "“好，”"]);
    }

    #[test]
    fn nothing_to_say_gives_nothing() {
        assert!(sentences(Lang::En, " ... \n ?").is_empty());
    }

    proptest! {
        #[test]
        fn every_letter_survives_in_order(text in any::<String>()) {
            for lang in [Lang::En, Lang::Zh] {
                let spoken: String = sentences(lang, &text).concat();
                let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
                prop_assert_eq!(letters(&spoken), letters(&text));
                prop_assert_eq!(letters(&clauses(lang, &text).concat()), letters(&text));
            }
        }
    }
}
