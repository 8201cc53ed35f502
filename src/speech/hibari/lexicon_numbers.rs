//! Digits to phonemes: years, amounts, ordinals, decimals, digit groups.

use super::{
    lexicon::{Lexicon, Query},
    numbers::{cardinal, decimal, ordinal, year},
    stress::Stress,
    suffixes::{with_ed, with_ing, with_s},
};

const ORDINALS: [&str; 4] = ["st", "nd", "rd", "th"];
const SUFFIXES: [&str; 9] = ["ing", "'d", "ed", "'s", "st", "nd", "rd", "th", "s"];

impl Lexicon {
    /// How a number sounds, such as `1,250`, `2nd`, `1990s`, `-3.5`; `None` when `word` is none.
    ///
    /// `is_head` is unset for digits inside a word, which are read in short groups.
    pub(super) fn number(
        &self,
        word: &str,
        currency: Option<char>,
        is_head: bool,
    ) -> Option<String> {
        if !is_number(word, is_head) {
            return None;
        }
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == '\'');
        let suffix = &word[digits.len()..];
        let mut words = Words { lexicon: self, spoken: Vec::new() };
        let positive = digits.strip_prefix('-');
        if positive.is_some() {
            words.say("minus");
        }
        words.say_number(positive.unwrap_or(digits), suffix, currency, is_head);
        let spoken = words.spoken.join(" ");
        if spoken.is_empty() {
            return None;
        }
        Some(match suffix {
            "s" | "'s" => with_s(&spoken),
            "ed" | "'d" => with_ed(&spoken),
            "ing" => with_ing(&spoken),
            _ => spoken,
        })
    }

    /// `phonemes` of an amount in words, and the currency after it.
    pub(super) fn with_currency(&self, phonemes: String, currency: Option<char>) -> String {
        let name = currency.and_then(units).map(|(unit, _)| format!("{unit}s"));
        match name.and_then(|name| self.stem_s(&name, Query::BARE)) {
            Some(name) => format!("{phonemes} {name}"),
            None => phonemes,
        }
    }
}

/// The words of a number, as they are put together.
struct Words<'a> {
    lexicon: &'a Lexicon,
    spoken: Vec<String>,
}

impl Words<'_> {
    fn say_number(&mut self, number: &str, suffix: &str, currency: Option<char>, is_head: bool) {
        let dots = number.matches('.').count();
        let is_digits = is_digits(number);
        let units = currency.and_then(units);
        let plain = number.replace(',', "");
        match units {
            _ if is_digits && ORDINALS.contains(&suffix) => self.say_parsed(number, ordinal),
            None if is_digits && number.len() == 4 && self.spoken.is_empty() => {
                self.say_parsed(number, year);
            }
            _ if !is_head && dots == 0 => self.say_group(&plain),
            _ if !is_head || dots > 1 => plain.split('.').for_each(|part| self.say_part(part)),
            Some(units) if is_amount(number) => self.say_amount(&plain, units),
            _ if dots == 0 && ORDINALS.contains(&suffix) => self.say_parsed(&plain, ordinal),
            _ if dots == 0 => self.say_cardinal(&plain),
            _ => self.say_decimal(&plain),
        }
    }

    /// `$12.50`: twelve dollars and fifty cents.
    fn say_amount(&mut self, amount: &str, (unit, subunit): (&str, &str)) {
        let (whole, cents) = amount.split_once('.').unwrap_or((amount, ""));
        let is_nothing = |digits: &str| digits.bytes().all(|b| b == b'0');
        // `$9.5` has fifty cents, not five.
        let cents = if cents.len() == 1 { format!("{cents}0") } else { cents.to_owned() };
        let says_cents = !is_nothing(&cents);
        let says_whole = !is_nothing(whole) || !says_cents;
        if says_whole {
            self.say_units(whole, unit);
        }
        if says_whole && says_cents {
            self.say("and");
        }
        if says_cents {
            self.say_units(&cents, subunit);
        }
    }

    fn say_units(&mut self, digits: &str, unit: &str) {
        self.say_cardinal(if digits.is_empty() { "0" } else { digits });
        let name = if digits.trim_start_matches('0') == "1" || unit == "pence" {
            self.lexicon.lookup(unit, Query::BARE)
        } else {
            self.lexicon.stem_s(&format!("{unit}s"), Query::BARE)
        };
        self.spoken.extend(name);
    }

    /// Digits inside a word: `a380`, three eighty; `b1205`, digit by digit.
    fn say_group(&mut self, digits: &str) {
        match digits.as_bytes() {
            [b'0', ..] | [_, _, _, _, ..] => self.say_digits(digits),
            [_, b'0', b'0'] => self.say_cardinal(digits),
            [_, b'0', _] => {
                self.say_cardinal(&digits[..1]);
                let unstressed = Query { stress: Some(Stress::None), ..Query::BARE };
                self.spoken.extend(self.lexicon.lookup("O", unstressed));
                self.say_cardinal(&digits[2..]);
            }
            [_, _, _] => {
                self.say_cardinal(&digits[..1]);
                self.say_cardinal(&digits[1..]);
            }
            _ => self.say_cardinal(digits),
        }
    }

    /// A part between dots of a version or an address.
    fn say_part(&mut self, digits: &str) {
        let is_round = digits.bytes().skip(1).all(|b| b == b'0');
        if digits.starts_with('0') || (digits.len() != 2 && !is_round) {
            self.say_digits(digits);
        } else if !digits.is_empty() {
            self.say_cardinal(digits);
        }
    }

    fn say_decimal(&mut self, number: &str) {
        match (number.strip_prefix('.'), decimal(number)) {
            (Some(fraction), _) => {
                self.say("point");
                self.say_digits(fraction);
            }
            (None, Some(words)) => self.say(&words),
            (None, None) => self.say_digits(number),
        }
    }

    fn say_cardinal(&mut self, digits: &str) {
        self.say_parsed(digits, cardinal);
    }

    /// Digits as `to_words` says; one by one when there are too many for a number.
    fn say_parsed(&mut self, digits: &str, to_words: fn(u128) -> String) {
        match digits.parse() {
            Ok(number) => self.say(&to_words(number)),
            Err(_) => self.say_digits(digits),
        }
    }

    fn say_digits(&mut self, digits: &str) {
        for digit in digits.chars().filter_map(|c| c.to_digit(10)) {
            self.say(&cardinal(u128::from(digit)));
        }
    }

    /// Adds number words; as in American speech, "and" is left out except between units.
    fn say(&mut self, words: &str) {
        let is_joint = words == "and";
        for word in words.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty()) {
            if word == "and" && !is_joint {
                continue;
            }
            let stress = (word == "point").then_some(Stress::None);
            self.spoken.extend(self.lexicon.lookup(word, Query { stress, ..Query::BARE }));
        }
    }
}

fn is_number(word: &str, is_head: bool) -> bool {
    if !word.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    let stem = SUFFIXES.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
    let unsigned = if is_head { stem.strip_prefix('-').unwrap_or(stem) } else { stem };
    unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_amount(number: &str) -> bool {
    number.split_once('.').is_none_or(|(_, cents)| cents.len() < 3)
}

fn units(currency: char) -> Option<(&'static str, &'static str)> {
    match currency {
        '$' => Some(("dollar", "cent")),
        '£' => Some(("pound", "pence")),
        '€' => Some(("euro", "cent")),
        _ => None,
    }
}
