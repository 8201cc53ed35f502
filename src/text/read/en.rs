use time::Date;

use super::{Decimal, digit_string, parse_date, parse_time};
use crate::text::ReadAs;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 6] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (100, "hundred"),
];

pub(super) fn read(value: &str, read_as: ReadAs) -> Option<Vec<String>> {
    match read_as {
        ReadAs::Text => None,
        ReadAs::Digits => digits(value),
        ReadAs::Number => Some(vec![number(&Decimal::parse(value)?)]),
        ReadAs::Amount => Some(vec![amount(&Decimal::parse(value)?)]),
        ReadAs::Date => Some(vec![date(parse_date(value)?)]),
        ReadAs::Time => {
            let (hour, minute) = parse_time(value)?;
            Some(vec![clock(hour, minute)])
        }
    }
}

/// One word per digit; letters are said by their names.
fn digits(value: &str) -> Option<Vec<String>> {
    let digits = digit_string(value)?;
    let word = |c: char| match c.to_digit(10) {
        Some(digit) => ONES[digit as usize].to_owned(),
        None => c.to_string(),
    };
    Some(digits.into_iter().map(word).collect())
}

fn number(value: &Decimal) -> String {
    let mut words = sign(value);
    words.push_str(&cardinal(value.whole));
    if !value.fraction.is_empty() {
        words.push_str(" point");
        for b in value.fraction.bytes() {
            words.push(' ');
            words.push_str(ONES[usize::from(b - b'0')]);
        }
    }
    words
}

/// Money in dollars and cents.
fn amount(value: &Decimal) -> String {
    let (dollars, cents) = value.in_cents();
    let money = |count: u64, one: &str| {
        format!("{} {one}{}", cardinal(count), if count == 1 { "" } else { "s" })
    };
    let spoken = match (dollars, cents) {
        (_, 0) => money(dollars, "dollar"),
        (0, _) => money(cents, "cent"),
        _ => format!("{} and {}", money(dollars, "dollar"), money(cents, "cent")),
    };
    sign(value) + &spoken
}

fn date(date: Date) -> String {
    format!(
        "{} {}, {}",
        date.month(),
        ordinal(date.day()),
        year(u64::from(date.year().unsigned_abs()))
    )
}

/// Time of day with "a m" or "p m", letters apart so that they are spelled.
fn clock(hour: u8, minute: u8) -> String {
    let half = if hour < 12 { "a m" } else { "p m" };
    let hour = cardinal(u64::from(if hour.is_multiple_of(12) { 12 } else { hour % 12 }));
    match minute {
        0 => format!("{hour} {half}"),
        1..=9 => format!("{hour} oh {} {half}", ONES[usize::from(minute)]),
        _ => format!("{hour} {} {half}", cardinal(u64::from(minute))),
    }
}

fn year(year: u64) -> String {
    let (century, rest) = (year / 100, year % 100);
    match (century, rest) {
        (0, _) | (_, 0) if century % 10 == 0 => cardinal(year),
        (_, 0) => format!("{} hundred", cardinal(century)),
        (20, 1..=9) => cardinal(year),
        (_, 1..=9) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

fn ordinal(day: u8) -> String {
    let day = u64::from(day);
    match day {
        1 => "first".into(),
        2 => "second".into(),
        3 => "third".into(),
        5 => "fifth".into(),
        8 => "eighth".into(),
        9 => "ninth".into(),
        12 => "twelfth".into(),
        20 => "twentieth".into(),
        30 => "thirtieth".into(),
        21.. => format!("{}-{}", TENS[(day / 10) as usize], ordinal((day % 10) as u8)),
        _ => format!("{}th", cardinal(day)),
    }
}

fn sign(value: &Decimal) -> String {
    let is_zero = value.whole == 0 && value.fraction.bytes().all(|b| b == b'0');
    if value.negative && !is_zero { "minus ".into() } else { String::new() }
}

fn cardinal(number: u64) -> String {
    if let Some(word) = ONES.get(number as usize) {
        return (*word).to_owned();
    }
    if number < 100 {
        let tens = TENS[(number / 10) as usize];
        return match number % 10 {
            0 => tens.to_owned(),
            ones => format!("{tens}-{}", ONES[ones as usize]),
        };
    }
    for (scale, name) in SCALES {
        if number < scale {
            continue;
        }
        let above = format!("{} {name}", cardinal(number / scale));
        return match number % scale {
            0 => above,
            below => format!("{above} {}", cardinal(below)),
        };
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use crate::text::{Lang, ReadAs, verbalize};

    fn said(value: &str, read_as: ReadAs) -> String {
        verbalize(Lang::En, value, read_as).join(" ")
    }

    #[test]
    fn digits_are_words_one_by_one() {
        assert_eq!(verbalize(Lang::En, "48-0", ReadAs::Digits), ["four", "eight", "zero"]);
        assert_eq!(said("NF-4417", ReadAs::Digits), "N F four four one seven");
    }

    #[test]
    fn numbers_are_said_in_full() {
        for (value, reading) in [
            ("0", "zero"),
            ("13", "thirteen"),
            ("40", "forty"),
            ("1205", "one thousand two hundred five"),
            ("-3.50", "minus three point five zero"),
            ("1,000,000", "one million"),
            ("2000000001", "two billion one"),
        ] {
            assert_eq!(said(value, ReadAs::Number), reading);
        }
    }

    #[test]
    fn money_is_said_in_dollars_and_cents() {
        for (value, reading) in [
            ("48215.60", "forty-eight thousand two hundred fifteen dollars and sixty cents"),
            ("1", "one dollar"),
            ("0.01", "one cent"),
            ("0", "zero dollars"),
            ("132.48", "one hundred thirty-two dollars and forty-eight cents"),
            ("0.995", "one dollar"),
        ] {
            assert_eq!(said(value, ReadAs::Amount), reading);
        }
    }

    #[test]
    fn dates_are_said_with_ordinals_and_year_pairs() {
        for (value, reading) in [
            ("2026-11-23", "November twenty-third, twenty twenty-six"),
            ("2005-01-01", "January first, two thousand five"),
            ("1905-12-12", "December twelfth, nineteen oh five"),
            ("1900-06-30", "June thirtieth, nineteen hundred"),
            ("2000-08-11", "August eleventh, two thousand"),
        ] {
            assert_eq!(said(value, ReadAs::Date), reading);
        }
    }

    #[test]
    fn times_are_said_on_the_twelve_hour_clock() {
        for (value, reading) in [
            ("08:30", "eight thirty a m"),
            ("00:00", "twelve a m"),
            ("12:05", "twelve oh five p m"),
            ("20:15", "eight fifteen p m"),
        ] {
            assert_eq!(said(value, ReadAs::Time), reading);
        }
    }
}
