//! Chinese numbers in words as figures.

use super::digits_zh::{scale, spoken};

/// Beyond this, nobody says a number to a telephone service.
const MOST: i64 = 100_000_000_000;

/// See [`in_figures`](super::figures::in_figures).
pub(super) fn chinese(heard: &str) -> String {
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
