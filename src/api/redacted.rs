//! Words without the numbers in them.

use serde_json::Value;

/// Digits in a row from which on they are masked: shorter ones are counts, years of age, times of day.
const LONG: usize = 4;

/// Names of digits in English; `double` and `triple` stand among them.
const WORDS: [&str; 13] = [
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double",
    "triple",
];

/// What may stand between the digits of one number.
const BETWEEN: &str = " -.,/()+，、。:：";

/// The text with every number of more than three digits masked, be it in figures, in Chinese characters or spelled in
/// English words: `4417 902` and `四四一七` become `**** ***` and `****`.
pub(super) fn redacted(text: &str) -> String {
    let parts = parts(text);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < parts.len() {
        let end = number_end(&parts, at);
        let digits = parts[at..end].iter().filter(|part| part.digit).count();
        for part in &parts[at..end.max(at + 1)] {
            match part.digit && digits >= LONG {
                true => out.push('*'),
                false => out.push_str(part.text),
            }
        }
        at = end.max(at + 1);
    }
    out
}

/// The same for every text in a JSON value; numbers stay, since they are times and counts.
pub(super) fn redacted_json(value: &mut Value) {
    match value {
        Value::String(text) => *text = redacted(text),
        Value::Array(values) => values.iter_mut().for_each(redacted_json),
        Value::Object(fields) => fields.values_mut().for_each(redacted_json),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A digit, in whatever way it is written, or a piece of other text.
struct Part<'a> {
    text: &'a str,
    digit: bool,
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first.is_ascii_alphabetic() {
            true => rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        let word = part.to_ascii_lowercase();
        let digit = is_digit(first) || WORDS.contains(&word.as_str());
        // The last digit of an identity number may be an X.
        let check = word == "x" && parts.last().is_some_and(|part: &Part<'_>| part.digit);
        parts.push(Part { text: part, digit: digit || check });
        rest = after;
    }
    parts
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || ('０'..='９').contains(&c) || "零〇一二三四五六七八九幺两".contains(c)
}

/// Where the number that begins at `at` ends; `at` itself when none does.
fn number_end(parts: &[Part<'_>], at: usize) -> usize {
    let mut end = at;
    for (n, part) in parts.iter().enumerate().skip(at) {
        let between = part.text.chars().all(|c| BETWEEN.contains(c));
        if part.digit {
            end = n + 1;
        } else if !between || end == at || n >= end + 3 {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_masked_however_they_are_written() {
        for (text, masked) in [
            ("My account is 4417902.", "My account is *******."),
            ("call 415-555-0134 please", "call ***-***-**** please"),
            ("我的手机号是一三九零零零零一二三四", "我的手机号是***********"),
            ("身份证11010119900307123X", "身份证******************"),
            ("four four one seven, nine oh two", "* * * *, * * *"),
            ("double five one two", "* * * *"),
            ("１３９００００１２３４", "***********"),
            ("1 3 9 - 0 0 0 0", "* * * - * * * *"),
        ] {
            assert_eq!(redacted(text), masked);
        }
    }

    #[test]
    fn counts_and_words_stay() {
        for text in ["three months", "room 214", "等一下，一会儿", "two, or three? One.", "", "é"]
        {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn texts_in_json_are_masked_and_times_are_not() {
        let mut value =
            serde_json::json!({"text": "4417902", "at": 1234567, "n": [["13900001234"]]});
        redacted_json(&mut value);
        let masked = serde_json::json!({"text": "*******", "at": 1234567, "n": [["***********"]]});
        assert_eq!(value, masked);
    }

    proptest::proptest! {
        #[test]
        fn no_four_digits_in_a_row_are_left(text in "[0-9a-z ,一三幺.-]{0,40}") {
            let masked = redacted(&text);
            let mut row = 0;
            for c in masked.chars() {
                row = if c.is_ascii_digit() { row + 1 } else { 0 };
                proptest::prop_assert!(row < LONG, "{text} to {masked}");
            }
        }
    }
}
