//! A phrase as the recordings and pauses it is made of.

use std::{collections::HashMap, sync::LazyLock};

use super::part::{Line, Part, Recording, Unit};
use crate::text::{Example, Lang, Phrase, Piece, ReadAs, examples, verbalize};

const COMMA_MS: u32 = 120;
const STOP_MS: u32 = 280;
/// Between words and the value they lead to.
const VALUE_MS: u32 = 60;
/// Between groups of digits.
const GROUP_MS: u32 = 120;

/// What to render and play for `phrase`, in order.
pub(super) fn parts(phrase: &Phrase) -> Vec<Part> {
    let mut out = Vec::new();
    let mut from = 0;
    for (at, piece) in phrase.pieces.iter().enumerate() {
        let mark = match piece {
            Piece::Pause(ms) => Part::Pause(*ms),
            Piece::Style(style) => Part::Style(*style),
            Piece::Recorded { recording, words } => {
                Part::Recording(Recording { hash: recording.clone(), words: words.clone() })
            }
            Piece::Words(_) | Piece::Value { .. } => continue,
        };
        run(phrase.lang, &phrase.pieces[from..at], &mut out);
        // Speech goes on from a recording as from words.
        let joint =
            matches!((&mark, out.last()), (Part::Recording(_), Some(last)) if last.sounds());
        if joint {
            out.push(Part::Pause(VALUE_MS));
        }
        out.push(mark);
        from = at + 1;
    }
    run(phrase.lang, &phrase.pieces[from..], &mut out);
    out
}

/// Words and values between two marks.
fn run(lang: Lang, pieces: &[Piece], out: &mut Vec<Part>) {
    let parts = match lang {
        Lang::En => english(pieces),
        Lang::Zh => chinese(pieces),
    };
    let joint = matches!(out.last(), Some(Part::Recording(_))) && !parts.is_empty();
    if joint {
        out.push(Part::Pause(VALUE_MS));
    }
    out.extend(parts);
}

/// The words of `phrase` that can be rendered before a value is known, in speaking order.
pub(super) fn clips(phrase: &Phrase) -> Vec<Part> {
    parts(phrase)
        .into_iter()
        .filter(|part| matches!(part, Part::Clip(_) | Part::Recording(_)))
        .collect()
}

/// The lines that hold the units of every value `phrase` may come to have.
pub(super) fn lines(phrase: &Phrase) -> Vec<&'static Line> {
    let mut needed = Vec::new();
    for piece in &phrase.pieces {
        if let Piece::Value { read_as, .. } = piece {
            needed.extend(
                BOOK.iter()
                    .filter(|(example, _)| examples(phrase.lang, *read_as).contains(example)),
            );
        }
    }
    needed.into_iter().map(|(_, line)| line).collect()
}

/// The line to cut `unit` out of.
pub(super) fn line_of(unit: &Unit) -> Option<&'static Line> {
    INDEX.get(unit).map(|&line| &BOOK[line].1)
}

/// Every line of every kind of value.
static BOOK: LazyLock<Vec<(Example, Line)>> = LazyLock::new(|| {
    let kinds = [ReadAs::Digits, ReadAs::Amount, ReadAs::Number, ReadAs::Date, ReadAs::Time];
    let mut book: Vec<(Example, Line)> = Vec::new();
    for example in kinds.into_iter().flat_map(|kind| examples(Lang::Zh, kind)) {
        if book.iter().all(|(known, _)| *known != example) {
            let spoken = example.values.iter().flat_map(|value| grouped(value, example.read_as));
            book.push((example, Line(spoken.collect())));
        }
    }
    book
});

/// Unit to the first line in [`BOOK`] that holds it.
static INDEX: LazyLock<HashMap<&'static Unit, usize>> = LazyLock::new(|| {
    let mut index = HashMap::new();
    for (at, (_, Line(units))) in BOOK.iter().enumerate() {
        for unit in units {
            index.entry(unit).or_insert(at);
        }
    }
    index
});

/// The English voice speaks fast enough for the call, and a whole sentence sounds best.
fn english(pieces: &[Piece]) -> Vec<Part> {
    let mut text = String::new();
    let mut has_value = false;
    for piece in pieces {
        match piece {
            Piece::Pause(_) | Piece::Style(_) | Piece::Recorded { .. } => {}
            Piece::Words(words) => text.push_str(words),
            Piece::Value { value, read_as } => {
                has_value = true;
                let words = verbalize(Lang::En, value, *read_as);
                let sizes = match read_as {
                    ReadAs::Digits => groups(words.len()),
                    _ => vec![words.len()],
                };
                let mut rest = words.as_slice();
                for (i, size) in sizes.into_iter().enumerate() {
                    let (group, after) = rest.split_at(size.min(rest.len()));
                    text.push_str(if i > 0 { ", " } else { "" });
                    text.push_str(&group.join(" "));
                    rest = after;
                }
            }
        }
    }
    match (is_spoken(&text), has_value) {
        (false, _) => Vec::new(),
        (true, true) => vec![Part::Sentence(text)],
        (true, false) => vec![Part::Clip(text)],
    }
}

fn chinese(pieces: &[Piece]) -> Vec<Part> {
    let mut out = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Words(words) => {
                let leads_to_value = matches!(pieces.get(i + 1), Some(Piece::Value { .. }));
                clip(words, leads_to_value, &mut out);
            }
            Piece::Value { value, read_as } => value_parts(value, *read_as, &mut out),
            Piece::Pause(_) | Piece::Style(_) | Piece::Recorded { .. } => {}
        }
    }
    while matches!(out.last(), Some(Part::Pause(_))) {
        out.pop();
    }
    out
}

/// Words without the marks around them, and the pauses the marks stand for.
fn clip(words: &str, leads_to_value: bool, out: &mut Vec<Part>) {
    let is_mark = |c: char| !c.is_alphanumeric();
    let spoken = words.trim_start_matches(is_mark);
    if !out.is_empty() {
        pause_of(&words[..words.len() - spoken.len()], out);
    }
    if spoken.is_empty() {
        return;
    }
    let bare = spoken.trim_end_matches(is_mark);
    let marks = &spoken[bare.len()..];
    if leads_to_value && marks.trim().is_empty() {
        // A comma keeps the voice up: the sentence goes on with the value.
        out.push(Part::Clip(format!("{bare}，")));
        out.push(Part::Pause(VALUE_MS));
    } else {
        out.push(Part::Clip(spoken.trim_end().to_owned()));
        pause_of(marks, out);
    }
}

/// The pause that a reader makes at these marks.
pub(super) fn pause_of(marks: &str, out: &mut Vec<Part>) {
    if marks.contains(['。', '！', '？', '；', '.', '!', '?', ';', '…', '\n']) {
        out.push(Part::Pause(STOP_MS));
    } else if marks.contains(['，', '、', '：', ',', ':', '—']) {
        out.push(Part::Pause(COMMA_MS));
    }
}

fn value_parts(value: &str, read_as: ReadAs, out: &mut Vec<Part>) {
    let units: Option<Vec<(Unit, bool)>> = grouped(value, read_as)
        .into_iter()
        .map(|unit| {
            let ends = unit.last;
            recorded(unit).map(|unit| (unit, ends))
        })
        .collect();
    let Some(units) = units else {
        let text = verbalize(Lang::Zh, value, read_as).concat();
        if is_spoken(&text) {
            out.push(Part::Sentence(text));
        }
        return;
    };
    let count = units.len();
    for (i, (unit, ends)) in units.into_iter().enumerate() {
        out.push(Part::Unit(unit));
        if ends && i + 1 < count {
            out.push(Part::Pause(GROUP_MS));
        }
    }
}

/// The unit as there is a recording of it: if need be from another place in a group.
fn recorded(unit: Unit) -> Option<Unit> {
    let elsewhere = Unit { last: !unit.last, text: unit.text.clone() };
    [unit, elsewhere].into_iter().find(|unit| INDEX.contains_key(unit))
}

/// The units of a value in speaking order; the last of each group is marked.
fn grouped(value: &str, read_as: ReadAs) -> Vec<Unit> {
    let words = verbalize(Lang::Zh, value, read_as);
    let sizes = match read_as {
        ReadAs::Digits => groups(words.len()),
        _ => vec![words.len()],
    };
    let ends: Vec<usize> = sizes
        .iter()
        .scan(0, |end, size| {
            *end += size;
            Some(*end)
        })
        .collect();
    words
        .into_iter()
        .enumerate()
        .map(|(i, text)| Unit { text, last: ends.contains(&(i + 1)) })
        .collect()
}

/// How a string of `len` digits is grouped when people say it.
fn groups(len: usize) -> Vec<usize> {
    match len {
        0..=4 => vec![len],
        5 | 6 => vec![3, len - 3],
        7 => vec![3, 4],
        10 => vec![3, 3, 4],
        // Mobile numbers, identity numbers.
        11 => vec![3, 4, 4],
        18 => vec![6, 4, 4, 4],
        _ => [vec![4; len / 4], vec![len % 4]].concat().into_iter().filter(|&n| n > 0).collect(),
    }
}

fn is_spoken(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Piece {
        Piece::Words(text.to_owned())
    }

    fn value(value: &str, read_as: ReadAs) -> Piece {
        Piece::Value { value: value.to_owned(), read_as }
    }

    fn zh(pieces: Vec<Piece>) -> Vec<String> {
        show(&parts(&Phrase { lang: Lang::Zh, pieces }))
    }

    fn show(parts: &[Part]) -> Vec<String> {
        parts
            .iter()
            .map(|part| match part {
                Part::Clip(text) => text.clone(),
                Part::Sentence(text) => format!("<{text}>"),
                Part::Unit(Unit { text, last }) => {
                    format!("[{text}{}]", if *last { "." } else { "" })
                }
                Part::Recording(Recording { words, .. }) => format!("({words})"),
                Part::Style(style) => format!("{}%", style.rate_percent),
                Part::Pause(ms) => ms.to_string(),
            })
            .collect()
    }

    #[test]
    fn a_chinese_value_is_made_of_units_between_the_words() {
        let said = zh(vec![words("您应还"), value("35.50", ReadAs::Amount), words("，对吗？")]);
        let expected = "您应还， 60 [三十] [五元] [五角] 120 对吗？";
        assert_eq!(said.join(" "), expected);
    }

    #[test]
    fn digits_pause_between_groups() {
        let said = zh(vec![value("13800138000", ReadAs::Digits)]).concat();
        assert_eq!(said, "[幺][三][八.]120[零][零][幺][三.]120[八][零][零][零.]");
    }

    #[test]
    fn a_value_that_is_no_number_is_spoken_whole() {
        assert_eq!(
            zh(vec![words("您好，"), value("王芳", ReadAs::Text)]),
            ["您好，", "120", "<王芳>"]
        );
        assert_eq!(zh(vec![value("A座", ReadAs::Digits)]), ["<A座>"]);
    }

    #[test]
    fn english_is_one_sentence() {
        let pieces = vec![words("Your code is "), value("415263", ReadAs::Digits), words(".")];
        let said = show(&parts(&Phrase { lang: Lang::En, pieces }));
        assert_eq!(said, ["<Your code is four one five, two six three.>"]);
        let plain = Phrase { lang: Lang::En, pieces: vec![words("Good "), words("day.")] };
        assert_eq!(show(&parts(&plain)), ["Good day."]);
    }

    #[test]
    fn words_are_known_ahead_and_the_lines_hold_what_a_value_needs() {
        let code = |code: &str| Phrase {
            lang: Lang::Zh,
            pieces: vec![words("尾号"), value(code, ReadAs::Digits), words("。")],
        };
        assert_eq!(show(&clips(&code(""))), ["尾号，"]);
        let spoken: Vec<&Unit> = lines(&code("")).into_iter().flat_map(|line| &line.0).collect();
        for part in parts(&code("31002x")) {
            if let Part::Unit(unit) = part {
                assert!(spoken.contains(&&unit), "{unit:?}");
            }
        }
    }

    #[test]
    fn every_digit_is_recorded_within_a_group_and_at_its_end() {
        for digit in "零幺二三四五六七八九叉".chars() {
            for last in [false, true] {
                let unit = Unit { text: digit.to_string(), last };
                assert!(line_of(&unit).is_some(), "{unit:?}");
            }
        }
    }

    #[test]
    fn recordings_and_values_are_joined_with_short_gaps_and_pauses_stand_where_they_were_written() {
        let recorded =
            |words: &str| Piece::Recorded { recording: "a1".into(), words: words.into() };
        let pieces = vec![
            recorded("您好，"),
            value("王芳", ReadAs::Text),
            Piece::Pause(300),
            recorded("您的预约是"),
            value("8:30", ReadAs::Time),
        ];
        let said = zh(pieces.clone()).join(" ");
        assert_eq!(said, "(您好，) 60 <王芳> 300 (您的预约是) 60 [上午] [八点] [三十] [分.]");
        let said = show(&parts(&Phrase { lang: Lang::En, pieces: pieces[..3].to_vec() }));
        assert_eq!(said, ["(您好，)", "60", "<王芳>", "300"]);
    }

    #[test]
    fn marks_alone_are_nothing_to_say() {
        for marks in ["", "。", "……", "（）"] {
            assert!(zh(vec![words(marks)]).is_empty(), "{marks:?}");
        }
    }

    proptest! {
        #[test]
        fn any_phrase_has_a_script(
            pieces in prop::collection::vec(("\\PC{0,12}", any::<bool>()), 0..5),
            zh in any::<bool>(),
        ) {
            let pieces = pieces
                .into_iter()
                .map(|(text, is_words)| {
                    if is_words { Piece::Words(text) } else { value(&text, ReadAs::Number) }
                })
                .collect();
            let phrase = Phrase { lang: if zh { Lang::Zh } else { Lang::En }, pieces };
            prop_assert!(!matches!(parts(&phrase).last(), Some(Part::Pause(_))));
        }

        #[test]
        fn groups_hold_every_digit(len in 0_usize..60) {
            prop_assert_eq!(groups(len).iter().sum::<usize>(), len);
        }
    }
}
