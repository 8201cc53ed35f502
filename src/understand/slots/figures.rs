//! Numbers in words as figures, so that grammars of money, dates and times see one way of writing.

use super::{
    digits_en::{ones, teens, tens},
    digits_zh::{scale, spoken},
};
use crate::text::{Lang, simplify};

/// Beyond this, nobody says a number to a telephone service.
const MOST: i64 = 100_000_000_000;

/// The utterance in lower case with every number in figures: "the twenty seventh of may" is `the 27th of may`,
/// 十一月二十七号 is 11月27号, "two thirty" is `2 30`, 一万二 is 12000. English words stand one space apart.
pub(super) fn in_figures(lang: Lang, heard: &str) -> String {
    match lang {
        Lang::En => english(heard),
        Lang::Zh => chinese(&simplify(heard)),
    }
}

fn english(heard: &str) -> String {
    let lower = heard
        .to_lowercase()
        .replace(['-', '\u{2019}'], " ")
        .replace("a.m", "am")
        .replace("p.m", "pm");
    let words: Vec<String> = lower.split_whitespace().filter_map(word).collect();
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

fn chinese(heard: &str) -> String {
    let chars: Vec<char> =
        heard.to_lowercase().chars().map(half_width).filter(|c| !c.is_whitespace()).collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let run = (at..chars.len()).take_while(|at| is_numeral(&chars, *at)).count();
        if run == 0 || is_word(&chars, at, run) {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        match value(&chars[at..at + run]) {
            Some(figures) => out.push_str(&figures),
            None => out.extend(&chars[at..at + run]),
        }
        at += run;
    }
    out
}

/// Whether 一 at `at` is no number but part of a word, as in 一下 and 一起.
fn is_word(chars: &[char], at: usize, run: usize) -> bool {
    let next = chars.get(at + 1).copied().unwrap_or(' ');
    let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
    run == 1
        && chars[at] == '一'
        && ("下些样起共定直般会切旦边".contains(next) || "万统第唯".contains(before))
}

/// Whether the character at `at` is part of a number; a point or comma only between figures.
fn is_numeral(chars: &[char], at: usize) -> bool {
    let figure =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let c = chars[at];
    let between = || figure(at.checked_sub(1)) && figure(Some(at + 1));
    c.is_ascii_digit()
        || spoken(c).is_some()
        || scale(c).is_some()
        || matches!(c, '万' | '亿')
        || (matches!(c, '.' | ',') && between())
}

/// The figures of a run of numerals: 二〇二六 place by place, 一千二百 by its scales, 1.2万 by both.
fn value(run: &[char]) -> Option<String> {
    let text: String = run.iter().filter(|c| **c != ',').collect();
    let scaled = run.iter().any(|c| scale(*c).is_some() || matches!(c, '万' | '亿'));
    if !scaled {
        let figures = text.chars().map(|c| spoken(c).map_or(c.to_string(), |d| d.to_string()));
        return Some(figures.collect());
    }
    if let Some((figures, unit)) = text.char_indices().last().map(|(at, unit)| (&text[..at], unit))
        && let Ok(value) = figures.parse::<f64>()
    {
        let unit = big(unit).or_else(|| scale(unit).map(i64::from))?;
        // At most four places: a whole number of hundredths.
        return Some(((value * 10_000.0).round() as i64 * unit / 10_000).to_string());
    }
    scaled_value(&text).map(|value| value.to_string())
}

fn scaled_value(text: &str) -> Option<i64> {
    let (mut total, mut section, mut digit, mut last, mut zero) =
        (0_i64, 0_i64, None, 1_i64, false);
    let mut figures = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            figures.push(c);
            digit = figures.parse::<i64>().ok().filter(|d| *d <= MOST);
        } else if let Some(d) = spoken(c) {
            zero |= d == 0;
            digit = (d > 0).then_some(i64::from(d));
        } else if let Some(unit) = scale(c).map(i64::from) {
            section = section.checked_add(digit.take().unwrap_or(1).checked_mul(unit)?)?;
            (last, zero) = (unit, false);
            figures.clear();
        } else {
            let unit = big(c)?;
            section = section.checked_add(digit.take().unwrap_or(0))?;
            total = total.checked_add(section.max(1).checked_mul(unit)?)?;
            (section, last, zero) = (0, unit, false);
            figures.clear();
        }
    }
    // 三百五 is 350 and 一万二 is 12000, but 三百零五 is 305.
    let rest = digit
        .map_or(0, |d| if last >= 100 && !zero && figures.is_empty() { d * last / 10 } else { d });
    Some(total.checked_add(section)?.checked_add(rest)?).filter(|value| *value <= MOST)
}

fn big(c: char) -> Option<i64> {
    match c {
        '万' => Some(10_000),
        '亿' => Some(100_000_000),
        _ => None,
    }
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xff01 + u32::from('!')).unwrap_or(c)
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn english_numbers_become_figures() {
        for (said, figures) in [
            ("The twenty-seventh of May", "the 27th of may"),
            ("two thirty", "2 30"),
            ("a hundred and thirty two dollars and forty eight cents", "132 dollars and 48 cents"),
            ("sixty six twenty four", "66 24"),
            ("one thousand two hundred and five", "1205"),
            ("$1,205.10, please", "$1205.10 please"),
            ("the first and the 2nd", "the 1th and the 2th"),
            ("two million three hundred thousand", "2300000"),
            ("nine oh five", "9 oh 5"),
            ("a cat and a dog", "a cat and a dog"),
        ] {
            assert_eq!(in_figures(Lang::En, said), figures, "{said}");
        }
    }

    #[test]
    fn chinese_numbers_become_figures() {
        for (said, figures) in [
            ("十一月二十七号", "11月27号"),
            ("一千二百块五", "1200块5"),
            ("两千三百六", "2360"),
            ("一万二", "12000"),
            ("三百零五", "305"),
            ("二〇二六年", "2026年"),
            ("1.2万", "12000"),
            ("等一下，下周三", "等一下,下周3"),
            ("下午两点半", "下午2点半"),
            ("１０００元", "1000元"),
        ] {
            assert_eq!(in_figures(Lang::Zh, said), figures, "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), said in "[零一二两三九十百千万亿点0-9.,一下]{0,24}", words in "((one|and|a|twenty|hundred|thousand|million|first|oh|9|2nd) ?){0,12}") {
            for text in [text, said, words] {
                in_figures(Lang::En, &text);
                in_figures(Lang::Zh, &text);
            }
        }
    }
}
