//! How times, dates, amounts, fractions and roman numerals are written in words.

use super::numbers::{cardinal, ordinal};

/// The months, January first.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time of day. `half` is `a` or `p`, with `ends_sentence` when a full stop already follows.
pub(super) fn time(
    hour: &str,
    minute: &str,
    second: Option<&str>,
    half: Option<&str>,
    ends_sentence: bool,
) -> Option<String> {
    let (hour, minute) = (number(hour, 0, 24)?, number(minute, 0, 59)?);
    let second = match second {
        Some(second) => Some(number(second, 0, 59)?),
        None => None,
    };
    let mut words = cardinal(hour);
    match minute {
        0 if half.is_none() && second.is_none() => words.push_str(" o'clock"),
        0 => {}
        1..10 => words += &format!(" oh {}", cardinal(minute)),
        _ => words += &format!(" {}", cardinal(minute)),
    }
    match second {
        Some(1) => words += " and one second",
        Some(second) => words += &format!(" and {} seconds", cardinal(second)),
        None => {}
    }
    if let Some(half) = half {
        // With dots, so that the letters are spelled.
        words += &format!(" {}.M{}", half.to_uppercase(), if ends_sentence { "" } else { "." });
    }
    Some(words)
}

/// A date written in numbers, such as 2026-11-22.
pub(super) fn date(year: Option<&str>, month: &str, day: &str) -> Option<String> {
    let month = MONTHS.get(usize::try_from(number(month, 1, 12)?).ok()? - 1)?;
    let day = ordinal(number(day, 1, 31)?);
    Some(match year {
        Some(year) => format!("{month} {day}, {year}"),
        None => format!("{month} {day}"),
    })
}

/// A date as Americans write it, month first unless there is no such month.
pub(super) fn slashed_date(first: &str, second: &str, year: &str) -> Option<String> {
    let century = match year.len() {
        2 if number(year, 31, 99).is_some() => "19",
        2 => "20",
        _ => "",
    };
    let year = format!("{century}{year}");
    match number(first, 0, 12) {
        Some(_) => date(Some(&year), first, second),
        None => date(Some(&year), second, first),
    }
}

/// "November 22nd", with what follows the day.
pub(super) fn month_day(month: &str, day: &str, rest: &str) -> Option<String> {
    Some(format!("{} {}{rest}", month_name(month)?, ordinal(number(day, 1, 31)?)))
}

/// "22 November".
pub(super) fn day_month(day: &str, month: &str) -> Option<String> {
    Some(format!("the {} of {}", ordinal(number(day, 1, 31)?), month_name(month)?))
}

/// 3/4 as a fraction, 12/25 as a date, else with a slash.
pub(super) fn fraction(upper: &str, lower: &str) -> Option<String> {
    const PARTS: [&str; 9] =
        ["half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let (a, b) = (number(upper, 0, 99)?, number(lower, 0, 99)?);
    if 0 < a && a < b && b <= 10 {
        let part = PARTS.get(usize::try_from(b).ok()? - 2)?;
        return Some(match (a, *part) {
            (1, "half") => "one half".to_owned(),
            (1, part) => format!("1 {part}"),
            (a, part) => format!("{a} {part}s"),
        });
    }
    date(None, upper, lower).or_else(|| Some(format!("{a} slash {b}")))
}

/// The value of a roman numeral; `None` for other letters.
pub(super) fn roman(numeral: &str) -> Option<u128> {
    let mut value = 0;
    let mut largest = 0;
    for letter in numeral.chars().rev() {
        let worth = match letter {
            'I' => 1,
            'V' => 5,
            'X' => 10,
            'L' => 50,
            'C' => 100,
            'D' => 500,
            'M' => 1000,
            _ => return None,
        };
        if worth < largest {
            value -= worth;
        } else {
            value += worth;
            largest = worth;
        }
    }
    Some(value)
}

/// What `k`, `m` and `b` after an amount stand for; longer words are left.
pub(super) fn magnitude(text: &str) -> &str {
    match text {
        "k" | "K" => "thousand",
        "m" | "M" => "million",
        "b" | "B" => "billion",
        _ => text,
    }
}

/// The singular for one, else the plural.
pub(super) fn counted<'a>(amount: &str, singular: &'a str, plural: &'a str) -> &'a str {
    match amount.replace(',', "").as_str() {
        "1" | "1.0" | "-1" => singular,
        _ => plural,
    }
}

fn month_name(name: &str) -> Option<&'static str> {
    let short = name.get(..3)?;
    MONTHS.into_iter().find(|month| month[..3].eq_ignore_ascii_case(short))
}

fn number(digits: &str, least: u128, most: u128) -> Option<u128> {
    digits.parse().ok().filter(|n| (least..=most).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_say_them() {
        let said = |hour, minute, half| time(hour, minute, None, half, false);
        assert_eq!(said("7", "30", Some("p")).unwrap(), "seven thirty P.M.");
        assert_eq!(said("9", "05", None).unwrap(), "nine oh five");
        assert_eq!(said("12", "00", None).unwrap(), "twelve o'clock");
        assert_eq!(said("12", "00", Some("a")).unwrap(), "twelve A.M.");
        assert_eq!(said("12", "75", None), None);
        assert_eq!(
            time("1", "02", Some("03"), None, false).unwrap(),
            "one oh two and three seconds"
        );
    }

    #[test]
    fn dates_put_the_month_first() {
        assert_eq!(date(Some("2026"), "11", "22").unwrap(), "November twenty-second, 2026");
        assert_eq!(slashed_date("3", "4", "99").unwrap(), "March fourth, 1999");
        assert_eq!(slashed_date("25", "12", "24").unwrap(), "December twenty-fifth, 2024");
        assert_eq!(date(None, "13", "1"), None);
        assert_eq!(date(None, "0", "1"), None);
        assert_eq!(day_month("1", "Sept").unwrap(), "the first of September");
    }

    #[test]
    fn fractions_dates_and_plain_slashes() {
        assert_eq!(fraction("1", "2").unwrap(), "one half");
        assert_eq!(fraction("3", "4").unwrap(), "3 quarters");
        assert_eq!(fraction("12", "25").unwrap(), "December twenty-fifth");
        assert_eq!(fraction("24", "7").unwrap(), "24 slash 7");
    }

    #[test]
    fn roman_numerals_subtract_what_stands_before_more() {
        assert_eq!(roman("IV"), Some(4));
        assert_eq!(roman("MCMXCIV"), Some(1994));
        assert_eq!(roman("VIII"), Some(8));
        assert_eq!(roman("Q"), None);
    }
}
