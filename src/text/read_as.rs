use serde::{Deserialize, Serialize};

/// How a value in a prompt is to be read aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadAs {
    /// As words, just as it is written.
    Text,
    /// Digit by digit: account numbers, telephone numbers, codes. `1` is 幺 in Chinese.
    Digits,
    /// As a cardinal number: `1205` is "one thousand two hundred five", 一千二百零五.
    Number,
    /// As money in the dialplan's currency, from a decimal string such as `48215.60`.
    Amount,
    /// As a calendar date, from `YYYY-MM-DD`.
    Date,
    /// As a time of day, from `HH:MM`.
    Time,
}

impl ReadAs {
    /// All readings by the names that dialplans give them.
    pub const NAMES: [(&str, Self); 6] = [
        ("text", Self::Text),
        ("digits", Self::Digits),
        ("number", Self::Number),
        ("amount", Self::Amount),
        ("date", Self::Date),
        ("time", Self::Time),
    ];

    /// The reading of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, read_as)| *read_as)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("text", |(name, _)| name)
    }

    /// Whether `value` is written as the reading needs it; an empty one is simply not said.
    pub fn fits(self, value: &str) -> bool {
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let unsigned = value.strip_prefix('-').unwrap_or(value);
        value.is_empty()
            || match self {
                Self::Text => true,
                Self::Digits => value
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, 'X' | 'x' | '-' | '+' | ' ')),
                Self::Number => digits(unsigned),
                Self::Amount => match unsigned.split_once('.') {
                    Some((whole, part)) => digits(whole) && digits(part) && part.len() <= 2,
                    None => digits(unsigned),
                },
                Self::Date => {
                    let format = time::macros::format_description!("[year]-[month]-[day]");
                    time::Date::parse(value, format).is_ok()
                }
                Self::Time => {
                    let format = time::macros::format_description!("[hour]:[minute]");
                    time::Time::parse(value, format).is_ok()
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_value_fits_its_reading_or_not() {
        for (value, read_as, expected) in [
            ("132.48", ReadAs::Amount, true),
            ("132.485", ReadAs::Amount, false),
            ("12 dollars", ReadAs::Amount, false),
            ("2026-11-28", ReadAs::Date, true),
            ("2026-02-30", ReadAs::Date, false),
            ("20:30", ReadAs::Time, true),
            ("8pm", ReadAs::Time, false),
            ("1205", ReadAs::Number, true),
            ("31002X", ReadAs::Digits, true),
            ("", ReadAs::Date, true),
        ] {
            assert_eq!(read_as.fits(value), expected, "{value} as {read_as:?}");
        }
    }
}
