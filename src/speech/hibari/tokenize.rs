//! Splits text into words and punctuation marks, after spaCy's English rules.
//!
//! Contractions and abbreviations are listed; else marks are peeled off both ends of what stands
//! between white space, and what is left is split at dashes, slashes and the like.

use std::{collections::HashMap, path::Path};

use fancy_regex::Regex;

use super::{files::read_json, patterns};
use crate::speech::SpeechError;

const LOWER: &str = "a-zß-öø-ÿ";
const UPPER: &str = "A-ZÀ-ÖØ-Þ";
const LETTER: &str = r"[^\W\d_]";
const QUOTES: &str = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉";
const MARKS: &str = "…,:;!?¿¡()[]{}<>_#*&。？！，、；：～·";
const ICONS: &str = "[™®©°§¶†‡•]";
const CURRENCIES: &str = r"\$|£|€|¥|฿|US\$|C\$|A\$|₽|₹|₩|₪|₺|₴|₦|₫|₱|₲|₵|₸|₼|₾|₿";
const UNITS: &str = "km|km²|km³|m|m²|m³|dm|dm²|dm³|cm|cm²|cm³|mm|mm²|mm³|ha|µm|nm|yd|in|ft|kg|g|mg\
    |µg|t|lb|oz|m/s|km/h|kmh|mph|hPa|Pa|mbar|mb|MB|kb|KB|gb|GB|tb|TB|T|G|M|K|%";
const URL: &str = r"(?i)^(?:(?:https?|ftp)://|www\.)\S+$|^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$|^(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|co|uk|de|fr|info|biz|us|ca|au|tv|me|ly|ai)(?:/\S*)?$";

/// Longer runs without white space are cut, for peeling takes time with the square of the length.
const MAX_CHUNK: usize = 160;

/// The tokeniser.
pub(super) struct Tokenizer {
    exceptions: HashMap<String, Vec<String>>,
    prefix: Regex,
    suffix: Regex,
    infix: Regex,
    url: Regex,
}

impl Tokenizer {
    /// Reads the listed exceptions in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, SpeechError> {
        Ok(Self::new(read_json(dir, "tokenizer_exceptions.json")?))
    }

    fn new(exceptions: HashMap<String, Vec<String>>) -> Self {
        let at_start: Vec<_> = prefixes().iter().map(|p| format!("^(?:{p})")).collect();
        let at_end: Vec<_> = suffixes().iter().map(|s| format!("(?:{s})$")).collect();
        Self {
            exceptions,
            prefix: patterns::constant(&at_start.join("|")),
            suffix: patterns::constant(&at_end.join("|")),
            infix: patterns::constant(&infixes().join("|")),
            url: patterns::constant(URL),
        }
    }

    /// The tokens of `text`, each with whether white space follows it.
    pub(super) fn split(&self, text: &str) -> Vec<(String, bool)> {
        let mut tokens = Vec::new();
        for word in text.split_inclusive(char::is_whitespace) {
            let chunk = word.trim_end();
            let mut pieces: Vec<_> = chunks(chunk)
                .flat_map(|chunk| self.split_chunk(chunk))
                .map(|piece| (piece, false))
                .collect();
            if let Some(last) = pieces.last_mut() {
                last.1 = chunk.len() < word.len();
            }
            tokens.append(&mut pieces);
        }
        tokens
    }

    fn split_chunk(&self, chunk: &str) -> Vec<String> {
        if let Some(pieces) = self.exceptions.get(chunk) {
            return pieces.clone();
        }
        let Peeled { mut before, middle, after } = self.peel(chunk);
        if let Some(pieces) = self.exceptions.get(middle) {
            before.extend(pieces.iter().map(String::as_str));
        } else if self.url.is_match(middle).unwrap_or(false) {
            before.push(middle);
        } else {
            self.split_infixes(middle, &mut before);
        }
        before.extend(after.into_iter().rev());
        self.rejoin(&before)
    }

    /// Takes marks off both ends until an exception or nothing more to take is left.
    fn peel<'a>(&self, chunk: &'a str) -> Peeled<'a> {
        let mut peeled = Peeled { before: Vec::new(), middle: chunk, after: Vec::new() };
        while !peeled.middle.is_empty() && !self.exceptions.contains_key(peeled.middle) {
            let text = peeled.middle;
            let prefix = found(&self.prefix, text).map_or(0, |(_, end)| end);
            let (head, rest) = text.split_at(prefix);
            if prefix > 0 && self.exceptions.contains_key(rest) {
                peeled.before.push(head);
                peeled.middle = rest;
                break;
            }
            let suffix = found(&self.suffix, rest).map_or(0, |(start, end)| end - start);
            let (stem, tail) = text.split_at(text.len() - suffix);
            if suffix > 0 && self.exceptions.contains_key(stem) {
                peeled.after.push(tail);
                peeled.middle = stem;
                break;
            }
            if prefix + suffix == 0 {
                break;
            }
            if prefix > 0 {
                peeled.before.push(head);
            }
            if suffix > 0 {
                peeled.after.push(tail);
            }
            peeled.middle = &text[prefix..text.len() - suffix];
        }
        peeled
    }

    fn split_infixes<'a>(&self, text: &'a str, pieces: &mut Vec<&'a str>) {
        let mut start = 0;
        for infix in self.infix.find_iter(text).map_while(Result::ok) {
            if infix.start() == 0 || infix.start() == infix.end() {
                continue;
            }
            if infix.start() > start {
                pieces.push(&text[start..infix.start()]);
            }
            pieces.push(infix.as_str());
            start = infix.end();
        }
        if start < text.len() {
            pieces.push(&text[start..]);
        }
    }

    /// Puts pieces together that make an exception: `Sept` and `.` are `Sept.`.
    fn rejoin(&self, pieces: &[&str]) -> Vec<String> {
        let mut joined = Vec::with_capacity(pieces.len());
        let mut rest = pieces;
        while let Some((first, others)) = rest.split_first() {
            let exception = [3, 2].into_iter().find_map(|n| {
                let exception = self.exceptions.get(&rest.get(..n)?.concat())?;
                Some((exception, n))
            });
            match exception {
                Some((tokens, n)) => {
                    joined.extend(tokens.iter().cloned());
                    rest = &rest[n..];
                }
                None => {
                    joined.push((*first).to_owned());
                    rest = others;
                }
            }
        }
        joined
    }
}

struct Peeled<'a> {
    before: Vec<&'a str>,
    middle: &'a str,
    /// Outermost first.
    after: Vec<&'a str>,
}

fn found(regex: &Regex, text: &str) -> Option<(usize, usize)> {
    let found = regex.find(text).ok().flatten()?;
    Some((found.start(), found.end()))
}

fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(MAX_CHUNK).map_or(rest.len(), |(at, _)| at);
        let (chunk, more) = rest.split_at(end);
        rest = more;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn each(characters: &str) -> impl Iterator<Item = String> + '_ {
    characters.chars().map(|c| fancy_regex::escape(c.encode_utf8(&mut [0; 4])).into_owned())
}

fn class(characters: &str) -> String {
    each(characters).collect()
}

fn owned(patterns: &[&str]) -> impl Iterator<Item = String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>().into_iter()
}

fn prefixes() -> Vec<String> {
    owned(&["§", "%", "=", "—", "–", r"\+(?![0-9])", "…", "……"])
        .chain(each(MARKS))
        .chain(owned(&[r"\.\.+", "…"]))
        .chain(each(QUOTES))
        .chain(owned(&[CURRENCIES, ICONS]))
        .collect()
}

fn suffixes() -> Vec<String> {
    let before_dot = format!(r"[0-9{LOWER}%²\-\+{}{}]", class(MARKS), class(QUOTES));
    owned(&["…", "……"])
        .chain(each(MARKS))
        .chain(owned(&[r"\.\.+", "…"]))
        .chain(each(QUOTES))
        .chain(owned(&[ICONS, "'s", "'S", "’s", "’S", "—", "–"]))
        .chain(owned(&[r"(?<=[0-9])\+", r"(?<=°[FfCcKk])\."]))
        .chain([
            format!("(?<=[0-9])(?:{CURRENCIES})"),
            format!("(?<=[0-9])(?:{UNITS})"),
            format!(r"(?<={before_dot})\."),
            format!(r"(?<=[{UPPER}][{UPPER}])\."),
        ])
        .collect()
}

fn infixes() -> Vec<String> {
    let quotes = class(QUOTES);
    owned(&[r"\.\.+", "…", ICONS, r"(?<=[0-9])[+\-*^](?=[0-9-])"])
        .chain([
            format!(r"(?<=[{LOWER}{quotes}])\.(?=[{UPPER}{quotes}])"),
            format!("(?<={LETTER}),(?={LETTER})"),
            format!(r"(?<=[^\W_])(?:-|–|—|--|---|——|~)(?={LETTER})"),
            format!(r"(?<=[^\W_])[:<>=/](?={LETTER})"),
        ])
        .collect()
}
