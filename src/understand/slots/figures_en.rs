//! English numbers in words as figures.

use super::digits_en::{ones, teens, tens};

/// Beyond this, nobody says a number to a telephone service.
const MOST: i64 = 100_000_000_000;

/// Parts of a million, which are no numbers by themselves.
const PARTS: [(&str, &str); 5] = [
    ("half a million", "500000"),
    ("half million", "500000"),
    ("quarter of a million", "250000"),
    ("a quarter million", "250000"),
    ("quarter million", "250000"),
];

/// See [`in_figures`](super::figures::in_figures).
pub(super) fn english(heard: &str) -> String {
    let lower = heard
        .to_lowercase()
        .replace(['-', '\u{2019}'], " ")
        .replace("a.m", "am")
        .replace("p.m", "pm");
    let lower = PARTS.iter().fold(lower, |text, (words, figures)| text.replace(words, figures));
    let words: Vec<String> = lower.split_whitespace().filter_map(word).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = with_scales(&words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match cardinal(&words[at..]) {
            Some((used, value, ordinal)) => {
                out.push(if ordinal { format!("{value}th") } else { value.to_string() });
                at += used;
            }
            None => {
                out.push(ordinal_figure(words[at]).unwrap_or_else(|| words[at].to_owned()));
                at += 1;
            }
        }
    }
    out.join(" ")
}

/// Figures with a scale after them as figures alone: "$48.2 million" is `$48200000`, `10k` is 10000, "3 hundred and 21" is 321.
fn with_scales(words: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (mark, figures) =
            words[at].split_at(words[at].find(|c: char| c.is_ascii_digit()).unwrap_or(0));
        let (figures, suffix) = match figures.strip_suffix('k') {
            Some(rest) => (rest, 1_000),
            None => (figures, 1),
        };
        let Some(mut value) = hundredfold(figures).map(|value| value * suffix) else {
            out.push(words[at].to_owned());
            at += 1;
            continue;
        };
        let mut used = 1;
        let mut last = i64::MAX;
        while let Some((scale, length)) = scale_after(&words[at + used..], last) {
            value = value.saturating_mul(scale);
            (last, used) = (scale, used + length);
            // "3 hundred and 21": what is smaller than the scale belongs to it.
            let joint = usize::from(words.get(at + used) == Some(&"and"));
            let more = words.get(at + used + joint).and_then(|word| hundredfold(word));
            let smaller = more.filter(|more| *more < scale * 100 && *more % 100 == 0);
            let goes_on =
                scale_after(words.get(at + used + joint + 1..).unwrap_or_default(), scale);
            match (smaller, goes_on) {
                (Some(more), Some((inner, length))) if more * inner < scale * 100 => {
                    value += more * inner;
                    used += joint + 1 + length;
                    let joint = usize::from(words.get(at + used) == Some(&"and"));
                    let rest = words.get(at + used + joint).and_then(|word| hundredfold(word));
                    if let Some(rest) = rest.filter(|rest| *rest < inner * 100 && *rest % 100 == 0)
                    {
                        value += rest;
                        used += joint + 1;
                    }
                }
                (Some(more), None) => {
                    value += more;
                    used += joint + 1;
                }
                _ => {}
            }
        }
        if used == 1 && suffix == 1 {
            out.push(words[at].to_owned());
        } else if value % 100 == 0 {
            out.push(format!("{mark}{}", value / 100));
        } else {
            out.push(format!("{mark}{}.{:02}", value / 100, value % 100));
        }
        at += used;
    }
    out
}

/// A hundred times what is written in figures, with two places at most after the point.
fn hundredfold(figures: &str) -> Option<i64> {
    let (whole, part) = figures.split_once('.').unwrap_or((figures, "0"));
    let digits = |s: &str| !s.is_empty() && s.len() <= 9 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    Some(whole.parse::<i64>().ok()? * 100 + format!("{part:0<2}").parse::<i64>().ok()?)
}

/// A scale smaller than `below` and how many words it takes.
fn scale_after(words: &[&str], below: i64) -> Option<(i64, usize)> {
    let scale = match *words.first()? {
        "hundred" => 100,
        "dozen" | "dozens" => 12,
        word => thousands(word)?,
    };
    (scale < below).then_some((scale, 1))
}

/// A word without the punctuation around it; figures lose the commas in them.
fn word(raw: &str) -> Option<String> {
    let ends = |c: char| !c.is_alphanumeric() && !matches!(c, '$' | '£' | '€' | '¥');
    let bare = raw.trim_matches(ends).replace('\'', "");
    let numeric = bare.bytes().any(|b| b.is_ascii_digit());
    let bare = if numeric { bare.replace(',', "") } else { bare };
    (!bare.is_empty()).then_some(bare)
}

/// `27th`, `1st`, `2nd`, `3rd` as `27th` and so on.
fn ordinal_figure(word: &str) -> Option<String> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end))?;
    let value: u32 = digits.parse().ok()?;
    Some(format!("{value}th"))
}

/// A number at the beginning of `words`: how many it takes, its value, and whether it is an ordinal.
fn cardinal(words: &[&str]) -> Option<(usize, i64, bool)> {
    let (mut total, mut current, mut used, mut scale_left) = (0_i64, 0_i64, 0, i64::MAX);
    let mut any = false;
    while let Some(word) = words.get(used) {
        let room = |below: i64| current % below == 0 && (!any || current > 0 || total > 0);
        if let Some(value) = ones(word).map(|v| v as i64) {
            let fits = room(10) && (current % 100 == 0 || current % 100 >= 20);
            if !fits || (any && value == 0) {
                break;
            }
            current += value;
        } else if let Some(value) = teens(word).or_else(|| tens(word)).map(|v| v as i64) {
            if !room(100) {
                break;
            }
            current += value;
        } else if let Some(value) = ordinal(word) {
            let fits = if value >= 10 {
                current % 100 == 0
            } else {
                current % 10 == 0 && current % 100 != 10
            };
            return fits
                .then_some((used + 1, total + current + value, true))
                .or_else(|| any.then_some((used, total + current, false)));
        } else if *word == "hundred" && any && (1..100).contains(&current) {
            current *= 100;
        } else if let Some(scale) =
            thousands(word).filter(|s| any && current > 0 && *s < scale_left)
        {
            total += current * scale;
            scale_left = scale;
            current = 0;
        } else if matches!(*word, "a" | "an") && !any && starts_scale(words.get(used + 1)) {
            current = 1;
        } else if *word == "and" && any && (current % 100 == 0) && goes_on(words.get(used + 1)) {
            used += 1;
            continue;
        } else {
            break;
        }
        any = true;
        used += 1;
        if total + current > MOST {
            return None;
        }
    }
    any.then_some((used, total + current, false))
}

fn thousands(word: &str) -> Option<i64> {
    match word {
        "thousand" | "grand" => Some(1_000),
        "million" => Some(1_000_000),
        "billion" => Some(1_000_000_000),
        _ => None,
    }
}

fn starts_scale(word: Option<&&str>) -> bool {
    word.is_some_and(|word| *word == "hundred" || thousands(word).is_some())
}

fn goes_on(word: Option<&&str>) -> bool {
    word.is_some_and(|w| {
        ones(w).or_else(|| teens(w)).or_else(|| tens(w)).is_some() || ordinal(w).is_some()
    })
}

fn ordinal(word: &str) -> Option<i64> {
    const ORDINALS: [&str; 19] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
    ];
    match word {
        "twentieth" => Some(20),
        "thirtieth" => Some(30),
        _ => ORDINALS.iter().position(|known| *known == word).map(|at| at as i64 + 1),
    }
}
