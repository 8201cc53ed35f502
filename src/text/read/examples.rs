use crate::text::{Lang, ReadAs};

/// Values to be spoken one after the other in one utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// How the values are read.
    pub read_as: ReadAs,
    /// The values as written.
    pub values: &'static [&'static str],
}

/// Utterances that hold, among them, every unit that [`verbalize`](super::verbalize) can return in
/// `lang` for a value that can be read as `read_as`. A voice speaks them ahead, and any value is
/// spliced out of them. None for English, which is synthesised whole, and for [`ReadAs::Text`].
#[must_use]
pub fn examples(lang: Lang, read_as: ReadAs) -> Vec<Example> {
    let own = match (lang, read_as) {
        (Lang::En, _) | (_, ReadAs::Text) => return Vec::new(),
        (_, ReadAs::Digits) => DIGITS,
        (_, ReadAs::Number) => NUMBERS,
        (_, ReadAs::Amount) => AMOUNTS,
        (_, ReadAs::Date) => DATES,
        (_, ReadAs::Time) => TIMES,
    };
    // A number's places are an amount's, so that they are spoken once for both.
    let places: &[&[&str]] =
        if matches!(read_as, ReadAs::Number | ReadAs::Amount) { PLACES } else { &[] };
    let example = |read_as, lines: &'static [&'static [&'static str]]| {
        lines.iter().map(move |&values| Example { read_as, values })
    };
    example(ReadAs::Amount, places).chain(example(read_as, own)).collect()
}

/// Every digit within a group of digits and at its end.
const DIGITS: &[&[&str]] =
    &[&["13702469358", "46829715034"], &["57036148279", "90815326471"], &["64X2X3X5X7X"]];

/// Every digit at every place of an amount. No 五 or 九, of the third tone, after 百, whose third
/// tone they would change.
const PLACES: &[&[&str]] = &[
    &["13582.46", "24693.57"],
    &["35714.68", "46825.79"],
    &["57936.81", "68147.92"],
    &["79258.13", "81369.24"],
    &["92471.35", "20040.05"],
    &["100000000", "200000000", "300000000", "400000000", "500000000"],
    &["600000000", "700000000", "800000000", "900000000", "1000000000"],
    &["100000", "3000000", "50000000", "-8200"],
    &["400000000000", "120000", "1200000000"],
];

const AMOUNTS: &[&[&str]] = &[&["0", "2", "10", "30", "12.20", "0.02", "60000"]];

const NUMBERS: &[&[&str]] = &[
    &["1.23", "2.45", "3.67", "4.89", "5.01"],
    &["6.32", "7.54", "8.76", "9.98", "0.12"],
    &["10.5", "30.4", "100.6", "31", "52", "73", "94"],
    &["25", "46", "67", "88", "19", "20", "0.0"],
];

const DATES: &[&[&str]] = &[
    &["2020-01-21", "1981-02-12"],
    &["2022-03-03", "1973-04-14"],
    &["2024-05-25", "1965-06-06"],
    &["2026-07-17", "1957-08-28"],
    &["2028-09-09", "1949-10-10"],
    &["2031-11-30", "1986-12-31"],
];

const TIMES: &[&[&str]] = &[
    &["00:05", "01:11", "02:22"],
    &["03:33", "04:44", "05:56"],
    &["06:17", "07:28", "08:39"],
    &["09:40", "10:10", "11:50"],
    &["12:20", "13:04", "18:30"],
];
