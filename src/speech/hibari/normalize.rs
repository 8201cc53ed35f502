//! Writes out what the lexicon cannot read on its own: times, dates, units, abbreviations,
//! amounts, symbols. Plain numbers are left to the lexicon.

use std::{collections::HashMap, path::Path};

use fancy_regex::Regex;
use serde::Deserialize;

use super::{
    files::read_json,
    numbers::ordinal,
    patterns::{any_of, constant, group, replace},
    readings::{self, MONTHS, counted, magnitude},
};
use crate::speech::SpeechError;

const NUMBER: &str = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?";
const MAGNITUDE: &str = r"(hundred|thousand|million|billion|trillion|[kKmMbB]\b)";
const ROMAN: &str = r"((?=[IVXLC])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))";

/// The word lists of the model's folder.
#[derive(Deserialize)]
struct Words {
    titles: HashMap<String, String>,
    abbreviations: HashMap<String, String>,
    units: HashMap<String, (String, String)>,
    symbols: HashMap<String, String>,
    currency: HashMap<String, (String, String)>,
    roman_cardinal: Vec<String>,
    roman_ordinal: Vec<String>,
}

/// The normaliser.
pub(super) struct Normalizer {
    words: Words,
    symbols: Vec<(Regex, String)>,
    time: Regex,
    iso_date: Regex,
    slashed_date: Regex,
    big_money: Regex,
    cents: Regex,
    currency: Regex,
    degrees: Regex,
    unit: Regex,
    month_day: Regex,
    day_month: Regex,
    title: Regex,
    abbreviation: Regex,
    number_sign: Regex,
    hash: Regex,
    roman_cardinal: Regex,
    roman_ordinal: Regex,
    phone: Regex,
    fraction: Regex,
    range: Regex,
    plus: Regex,
    spaces: Regex,
    space_before_mark: Regex,
}

impl Normalizer {
    /// Reads the word lists in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, SpeechError> {
        Ok(Self::new(read_json(dir, "normalize.json")?))
    }

    /// The titles that a full stop may follow inside a sentence.
    pub(super) fn is_title(&self, word: &str) -> bool {
        self.words.titles.contains_key(word)
    }

    /// `text` in words that the lexicon can read, with single spaces.
    pub(super) fn normalize(&self, text: &str) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.replace('’', "'").replace('\u{2012}', "-").replace('\u{2015}', "—");
        let text = self.times_and_dates(text);
        let text = self.amounts(text);
        let text = self.written_dates(text);
        let text = self.abbreviations(text);
        let text = self.digit_groups(text);
        let text = self.symbols(text);
        let text = replace(text, &self.spaces, |_, _| Some(" ".to_owned()));
        let text = replace(text, &self.space_before_mark, |m, _| Some(group(m, 1).to_owned()));
        text.trim().to_owned()
    }

    fn times_and_dates(&self, text: String) -> String {
        let text = replace(text, &self.time, |m, rest| {
            let second = m.get(3).map(|second| second.as_str());
            let half = m.get(4).map(|half| half.as_str());
            readings::time(group(m, 1), group(m, 2), second, half, rest.starts_with('.'))
        });
        let text = replace(text, &self.iso_date, |m, _| {
            readings::date(Some(group(m, 1)), group(m, 2), group(m, 3))
        });
        replace(text, &self.slashed_date, |m, _| {
            readings::slashed_date(group(m, 1), group(m, 2), group(m, 3))
        })
    }

    fn amounts(&self, text: String) -> String {
        let text = replace(text, &self.big_money, |m, _| {
            let (_, plural) = self.words.currency.get(group(m, 1))?;
            Some(format!("{} {} {plural}", group(m, 2), magnitude(group(m, 3))))
        });
        let text = replace(text, &self.cents, |m, _| self.currency_amount("¢", group(m, 1), ""));
        let text = replace(text, &self.currency, |m, _| {
            self.currency_amount(group(m, 1).trim_end_matches('.'), group(m, 2), group(m, 3))
        });
        let text = replace(text, &self.degrees, |m, _| {
            let scale = match group(m, 2) {
                "C" => " Celsius",
                "F" => " Fahrenheit",
                _ => "",
            };
            Some(format!("{} {}{scale}", group(m, 1), counted(group(m, 1), "degree", "degrees")))
        });
        replace(text, &self.unit, |m, _| {
            let (singular, plural) = self.words.units.get(group(m, 2))?;
            Some(format!("{} {}", group(m, 1), counted(group(m, 1), singular, plural)))
        })
    }

    fn currency_amount(&self, sign: &str, amount: &str, size: &str) -> Option<String> {
        let (singular, plural) = self.words.currency.get(sign)?;
        Some(match size {
            "" => format!("{amount} {}", counted(amount, singular, plural)),
            _ => format!("{amount} {} {plural}", magnitude(size)),
        })
    }

    fn written_dates(&self, text: String) -> String {
        let text = replace(text, &self.month_day, |m, _| {
            readings::month_day(group(m, 1), group(m, 2), group(m, 3))
        });
        replace(text, &self.day_month, |m, _| readings::day_month(group(m, 2), group(m, 3)))
    }

    fn abbreviations(&self, text: String) -> String {
        let text = replace(text, &self.title, |m, _| {
            Some(format!("{} ", self.words.titles.get(group(m, 1))?))
        });
        let text = replace(text, &self.abbreviation, |m, rest| {
            let full = self.words.abbreviations.get(group(m, 1))?;
            let ends_text = rest.is_empty() && group(m, 1).ends_with('.');
            Some(if ends_text { format!("{full}.") } else { full.clone() })
        });
        let text = replace(text, &self.number_sign, |m, _| {
            Some(if group(m, 1) == "No" { "Number " } else { "Numbers " }.to_owned())
        });
        let text = replace(text, &self.hash, |_, _| Some("number ".to_owned()));
        let text = replace(text, &self.roman_cardinal, |m, _| {
            Some(format!("{} {}", group(m, 1), readings::roman(group(m, 2))?))
        });
        replace(text, &self.roman_ordinal, |m, _| {
            Some(format!("{} the {}", group(m, 1), ordinal(readings::roman(group(m, 2))?)))
        })
    }

    fn digit_groups(&self, text: String) -> String {
        let text = replace(text, &self.phone, |m, _| {
            let spaced = group(m, 0).chars().map(|c| match c {
                '-' => ", ".to_owned(),
                digit => format!("{digit} "),
            });
            Some(spaced.collect::<String>().trim_end().to_owned())
        });
        let text =
            replace(text, &self.fraction, |m, _| readings::fraction(group(m, 1), group(m, 2)));
        let text =
            replace(text, &self.range, |m, _| Some(format!("{} to {}", group(m, 1), group(m, 2))));
        replace(text, &self.plus, |_, _| Some("plus ".to_owned()))
    }

    fn symbols(&self, mut text: String) -> String {
        for (symbol, word) in &self.symbols {
            let spaced = if word.is_empty() { " ".to_owned() } else { format!(" {word} ") };
            text = replace(text, symbol, |_, _| Some(spaced.clone()));
        }
        text
    }

    fn new(words: Words) -> Self {
        let months = MONTHS.into_iter().chain(MONTHS.map(|month| &month[..3])).chain(["Sept"]);
        let months = any_of(months);
        let keys = |map: &HashMap<String, _>| any_of(map.keys().map(String::as_str));
        let pairs =
            |map: &HashMap<String, (String, String)>| any_of(map.keys().map(String::as_str));
        let titles = keys(&words.titles);
        let abbreviations = keys(&words.abbreviations);
        let units = pairs(&words.units);
        let roman = |before: &[String]| {
            let before = any_of(before.iter().map(String::as_str));
            constant(&format!(r"\b({before}) {ROMAN}\b(?![.'’]\w)"))
        };
        Self {
            symbols: symbols(&words.symbols),
            time: constant(
                r"\b([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s?([AaPp])\.?[Mm]\.?(?![A-Za-z]))?(?!\d)",
            ),
            iso_date: constant(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b"),
            slashed_date: constant(r"\b([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})\b"),
            big_money: constant(&format!(r"([$£€])({NUMBER})\s?{MAGNITUDE}")),
            cents: constant(&format!(r"(?<![\w.])({NUMBER})\s?¢")),
            currency: constant(&format!(
                r"(?<!\w)([¥₹₩]|Rs\.?|USD|EUR|GBP)\s?({NUMBER})(?:\s?{MAGNITUDE})?"
            )),
            degrees: constant(&format!(r"(?<![\w.])(-?{NUMBER})\s?°\s?([CF])?(?!\w)")),
            unit: constant(&format!(r"(?<![\w.])(-?{NUMBER})\s?({units})(?!\w)")),
            month_day: constant(&format!(
                r"\b({months})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?\b(?![\d:%])(,? [0-9]{{4}}\b)?"
            )),
            day_month: constant(&format!(r"\b(the )?([0-9]{{1,2}}) (?:of )?({months})\b\.?")),
            title: constant(&format!(r"\b({titles})\.? (?=[A-Z])")),
            abbreviation: constant(&format!(r"(?<![\w.])({abbreviations})(?!\w)")),
            number_sign: constant(r"\b(No|Nos)\. ?(?=\d)"),
            hash: constant(r"(?<![\w&])#(?=\d)"),
            roman_cardinal: roman(&words.roman_cardinal),
            roman_ordinal: roman(&words.roman_ordinal),
            phone: constant(r"(?<![\w.\-])(?:[0-9]{3}-)?[0-9]{3}-[0-9]{4}(?![\w.\-])"),
            fraction: constant(r"(?<![\w./])([0-9]{1,2})/([0-9]{1,2})(?![\w./])"),
            range: constant(r"(?<![\w.\-])([0-9]{1,4})\s?[-–]\s?([0-9]{1,4})(?![\w.\-%])"),
            plus: constant(r"(?<![\w+])\+(?=\d)"),
            spaces: constant(r"\s+"),
            space_before_mark: constant(" +([,.;:!?])"),
            words,
        }
    }
}

/// The symbols to write out; those of arithmetic first, and only between words.
fn symbols(words: &HashMap<String, String>) -> Vec<(Regex, String)> {
    let is_relation = |symbol: &str| ["=", "<", ">", "~"].contains(&symbol);
    let mut symbols: Vec<_> = words.iter().collect();
    symbols.sort_by_key(|(symbol, _)| (!is_relation(symbol), symbol.as_str()));
    let compiled = symbols.into_iter().map(|(symbol, word)| {
        let escaped = fancy_regex::escape(symbol);
        let pattern = if is_relation(symbol) {
            constant(&format!(r"(?<=\S) ?{escaped} ?(?=\S)"))
        } else {
            constant(&escaped)
        };
        (pattern, word.clone())
    });
    compiled.collect()
}
