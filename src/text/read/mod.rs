//! Verbalisation: values as the words a voice says.

mod en;
mod examples;
mod spell;
mod zh;

use super::{Lang, ReadAs};

pub use examples::{Example, examples};
pub use spell::spell_out;

/// Most digits before the decimal point of a number that is read as one.
const MOST_DIGITS: usize = 16;

/// The words for `value`, read as `read_as`, as units in speaking order.
///
/// In Chinese a unit is a numeral with its place or measure (四万, 五元), a digit, or a short word,
/// all of which [`examples`] hold, so that they can be rendered ahead and spliced; concatenated they
/// are the reading. In English a unit is a word (digits) or a whole
/// phrase, to be synthesised in one go joined by spaces.
///
/// A value that cannot be read as asked (a date of 30 February, letters in a number) is read as
/// [`ReadAs::Text`]: one unit, the value as written, which no example holds. A blank value
/// has no units.
#[must_use]
pub fn verbalize(lang: Lang, value: &str, read_as: ReadAs) -> Vec<String> {
    let value = value.trim();
    if value.is_empty() {
        return Vec::new();
    }
    let words = match lang {
        Lang::En => en::read(value, read_as),
        Lang::Zh => zh::read(value, read_as),
    };
    words.unwrap_or_else(|| vec![value.to_owned()])
}

/// A decimal number as written, thousands commas removed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    whole: u64,
    /// Digits after the point as written, possibly none.
    fraction: String,
}

impl Decimal {
    /// Reads `[+-]digits[,digits…][.digits]`; `None` for anything else or for too many digits.
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let whole = if has_thousands_commas(whole) { whole.replace(',', "") } else { whole.into() };
        if whole.is_empty() || whole.len() > MOST_DIGITS || fraction.len() > MOST_DIGITS {
            return None;
        }
        if !is_digits(&whole) || !is_digits(fraction) || unsigned.ends_with('.') {
            return None;
        }
        Some(Self { negative, whole: whole.parse().ok()?, fraction: fraction.to_owned() })
    }

    /// The fraction as hundredths, rounded half up, with the carry into the whole part.
    fn in_cents(&self) -> (u64, u64) {
        let digit = |at: usize| self.fraction.as_bytes().get(at).map_or(0, |b| u64::from(b - b'0'));
        let cents = digit(0) * 10 + digit(1) + u64::from(digit(2) >= 5);
        (self.whole + cents / 100, cents % 100)
    }
}

/// Whether `whole` is written with commas before every third digit from the right.
fn has_thousands_commas(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    rest.peek().is_some() && matches!(first.len(), 1..=3) && rest.all(|group| group.len() == 3)
}

/// The digits and letters of `value`, upper case, without the separators people write between
/// them; `None` when it holds anything else.
fn digit_string(value: &str) -> Option<Vec<char>> {
    let mut digits = Vec::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ' ' | '-' | '(' | ')' | '+' | '.' | '/' => {}
            '0'..='9' | 'a'..='z' | 'A'..='Z' => digits.push(c.to_ascii_uppercase()),
            _ => return None,
        }
    }
    (!digits.is_empty()).then_some(digits)
}

/// `YYYY-MM-DD`, a day that exists.
fn parse_date(value: &str) -> Option<time::Date> {
    let mut parts = value.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let plain =
        |s: &str, most| (1..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some()
        || year.len() != 4
        || !plain(year, 4)
        || !plain(month, 2)
        || !plain(day, 2)
    {
        return None;
    }
    let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
    time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

/// `HH:MM` or `HH:MM:SS`, a 24-hour time; seconds are not read.
fn parse_time(value: &str) -> Option<(u8, u8)> {
    let mut parts = value.split(':');
    let mut next = |most: u8| -> Option<u8> {
        let part = parts.next()?;
        let shaped = matches!(part.len(), 1..=2) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|number| shaped && *number <= most)
    };
    let (hour, minute) = (next(23)?, next(59)?);
    let well_formed = value.matches(':').count() == 1 || next(59).is_some();
    (well_formed && parts.next().is_none()).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const ALL: [ReadAs; 6] =
        [ReadAs::Text, ReadAs::Digits, ReadAs::Number, ReadAs::Amount, ReadAs::Date, ReadAs::Time];

    #[test]
    fn what_cannot_be_read_as_asked_is_read_as_written() {
        for (value, read_as) in [
            ("2026-02-30", ReadAs::Date),
            ("2026-11", ReadAs::Date),
            ("25:00", ReadAs::Time),
            ("8:3x", ReadAs::Time),
            ("12k", ReadAs::Number),
            ("1,2,3", ReadAs::Amount),
            ("99999999999999999999", ReadAs::Number),
            ("七号", ReadAs::Digits),
        ] {
            for lang in [Lang::En, Lang::Zh] {
                assert_eq!(verbalize(lang, value, read_as), [value], "{lang} {value}");
            }
        }
    }

    #[test]
    fn a_blank_value_has_no_units() {
        for read_as in ALL {
            assert!(verbalize(Lang::Zh, " ", read_as).is_empty());
            assert!(verbalize(Lang::En, "", read_as).is_empty());
        }
    }

    fn all_listed(value: &str, read_as: ReadAs) -> Result<(), TestCaseError> {
        let listed: HashSet<String> = examples(Lang::Zh, read_as)
            .iter()
            .flat_map(|example| example.values.iter().map(|value| (value, example.read_as)))
            .flat_map(|(value, read_as)| verbalize(Lang::Zh, value, read_as))
            .collect();
        let said = verbalize(Lang::Zh, value, read_as);
        prop_assert!(!said.is_empty());
        for unit in said {
            prop_assert!(listed.contains(&unit), "{unit} of {value} is in no example");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in any::<String>(), lang in 0_usize..2) {
            let lang = [Lang::En, Lang::Zh][lang];
            for read_as in ALL {
                let _ = verbalize(lang, &value, read_as);
            }
            let _ = spell_out(lang, &value);
        }

        #[test]
        fn digits_are_made_of_units(value in "[0-9][-0-9 ]{0,18}[0-9Xx]") {
            all_listed(&value, ReadAs::Digits)?;
        }

        #[test]
        fn numbers_and_amounts_are_made_of_units(value in "-?[0-9]{1,16}(\\.[0-9]{1,4})?") {
            all_listed(&value, ReadAs::Number)?;
            all_listed(&value, ReadAs::Amount)?;
        }

        #[test]
        fn dates_are_made_of_units(year in 0..10_000, month in 1..13, day in 1..29) {
            all_listed(&format!("{year:04}-{month:02}-{day:02}"), ReadAs::Date)?;
        }

        #[test]
        fn times_are_made_of_units(hour in 0..24, minute in 0..60) {
            all_listed(&format!("{hour:02}:{minute:02}"), ReadAs::Time)?;
        }

        #[test]
        fn a_chinese_number_reads_back_as_itself(number in 0_u64..10_000_000_000_000_000) {
            let said = verbalize(Lang::Zh, &number.to_string(), ReadAs::Number).concat();
            prop_assert_eq!(value_of(&said), number, "{}", said);
        }
    }

    /// An independent reader of well-formed Chinese numerals.
    fn value_of(said: &str) -> u64 {
        for (mark, scale) in [('亿', 100_000_000), ('万', 10_000)] {
            if let Some(at) = said.rfind(mark) {
                let above = value_of(&said[..at]);
                return above * scale + value_of(&said[at + mark.len_utf8()..]);
            }
        }
        let mut total = 0;
        let mut digit = None;
        for c in said.chars() {
            let scale = match c {
                '千' => 1000,
                '百' => 100,
                '十' => 10,
                _ => {
                    let value = "零一二三四五六七八九".chars().position(|d| d == c);
                    digit = Some(value.map_or(2, |v| v as u64));
                    continue;
                }
            };
            total += digit.take().unwrap_or(1) * scale;
        }
        total + digit.unwrap_or(0)
    }
}
