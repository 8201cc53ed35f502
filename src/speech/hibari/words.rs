//! Groups tagged tokens into written words, and settles the stress inside compounds.

use fancy_regex::Regex;

use super::{
    patterns,
    stress::{self, PRIMARY, Stress},
    token::{Token, written},
};

/// Parts of a token: runs of letters or digits, a capital before a capitalised word, marks.
const PARTS: &str = r"^['‘’]+|[A-ZÀ-ÖØ-Þ](?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])|(?:^-)?(?:\d?[,.]?\d)+|[-_]+|['‘’]{2,}|[^\W\d_]*?(?:['‘’][^\W\d_])*?[a-zß-öø-ÿ](?=[A-ZÀ-ÖØ-Þ])|[^\W\d_]+(?:['‘’][^\W\d_])*|[^\w\-'‘’]|['‘’]+$";

/// Reading a word tries each run of its parts, so a word with more than these becomes several.
const MAX_PARTS: usize = 32;

/// The marks that the voice pauses or changes its tone at.
const PAUSES: &str = ";:,.!?—…";

/// Splits tokens into parts.
pub(super) struct WordSplitter {
    parts: Regex,
}

impl WordSplitter {
    /// Compiles the rules.
    pub(super) fn new() -> Self {
        Self { parts: patterns::constant(PARTS) }
    }

    /// The written words of a sentence, each as its parts; marks and currency signs are settled.
    pub(super) fn group(&self, tokens: Vec<Token>) -> Vec<Vec<Token>> {
        let is_number: Vec<bool> = tokens.iter().map(|token| token.tag == "CD").collect();
        let mut words: Vec<Vec<Token>> = Vec::new();
        let mut currency = None;
        for (i, token) in tokens.into_iter().enumerate() {
            let ends_number = !is_number.get(i + 1).copied().unwrap_or(false);
            let mut parts = self.split(token);
            for j in 0..parts.len() {
                let is_between_letters = is_between_letters(&parts, j);
                let is_last = j + 1 == parts.len();
                let part = &mut parts[j];
                if part.is_settled() {
                } else if let Some(sign) = currency_sign(part) {
                    currency = Some(sign);
                    part.phonemes = Some(String::new());
                } else if let Some(mark) = mark(part) {
                    part.phonemes = Some(mark);
                } else if currency.is_some() {
                    match part.tag == "CD" {
                        false => currency = None,
                        true if is_last && ends_number => part.currency = currency,
                        true => {}
                    }
                } else if part.text == "2" && is_between_letters {
                    part.alias = Some("to");
                }
            }
            parts.into_iter().for_each(|part| append(&mut words, part));
        }
        words
    }

    fn split(&self, token: Token) -> Vec<Token> {
        if token.is_settled() {
            return vec![token];
        }
        let found = self.parts.find_iter(&token.text).map_while(Result::ok);
        let part = |text: &str| Token {
            text: text.to_owned(),
            is_head: true,
            space_after: false,
            ..token.clone()
        };
        let mut parts: Vec<Token> = found.map(|found| part(found.as_str())).collect();
        if let Some(last) = parts.last_mut() {
            last.space_after = token.space_after;
        }
        parts
    }
}

/// Decides what the parts of one written word sound like together, and how they are stressed.
pub(super) fn settle(parts: &mut [Token]) {
    let text = written(parts);
    let is_apart = text.contains([' ', '/']) || kinds_of_characters(&text) > 1;
    let last = parts.len().saturating_sub(1);
    for (i, part) in parts.iter_mut().enumerate() {
        if part.phonemes.is_some() {
            part.space_before = i > 0 && is_apart;
        } else if i == last && is_pause(&part.text) {
            part.phonemes = Some(part.text.clone());
        } else if is_silent(&part.text) {
            part.phonemes = Some(String::new());
        }
    }
    if !is_apart {
        weaken_compound(parts);
    }
}

/// Whether `text` is made of marks that are not read inside a word.
pub(super) fn is_silent(text: &str) -> bool {
    text.chars().all(|c| "',-._‘’/".contains(c))
}

/// Whether the voice pauses or changes its tone at `c`.
pub(super) fn pauses_at(c: char) -> bool {
    PAUSES.contains(c)
}

/// A compound has one main stress: the lighter half of the stressed parts gives way.
fn weaken_compound(parts: &mut [Token]) {
    let mut stressed: Vec<(bool, usize, usize)> = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let phonemes = part.phonemes.as_deref().unwrap_or_default();
        if !phonemes.is_empty() {
            stressed.push((phonemes.contains(PRIMARY), stress::weight(phonemes), i));
        }
    }
    let weakened = match stressed.as_slice() {
        [(_, _, first), (_, _, second)] if parts[*first].text.chars().count() == 1 => vec![*second],
        few if few.len() < 2 => return,
        all if all.iter().filter(|(is_primary, ..)| *is_primary).count()
            <= all.len().div_ceil(2) =>
        {
            return;
        }
        _ => {
            stressed.sort_unstable();
            stressed[..stressed.len() / 2].iter().map(|(_, _, i)| *i).collect()
        }
    };
    for i in weakened {
        let phonemes = parts[i].phonemes.take();
        parts[i].phonemes = phonemes.map(|it| stress::apply(it, Some(Stress::Weaken)));
    }
}

/// Adds a part to the word it stands in, or begins a word with it.
fn append(words: &mut Vec<Vec<Token>>, mut part: Token) {
    let Some(word) = words.last_mut().filter(|_| !part.is_settled()) else {
        return words.push(vec![part]);
    };
    let length = word.len();
    match word.last_mut() {
        Some(last) if !last.space_after && !last.is_settled() && length < MAX_PARTS => {
            part.is_head = false;
            word.push(part);
        }
        Some(last) if length >= MAX_PARTS => {
            last.space_after = true;
            words.push(vec![part]);
        }
        _ => words.push(vec![part]),
    }
}

fn is_between_letters(parts: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| parts[i].text.chars().next_back());
    let after = parts.get(at + 1).and_then(|part| part.text.chars().next());
    before.is_some_and(char::is_alphabetic) && after.is_some_and(char::is_alphabetic)
}

fn currency_sign(part: &Token) -> Option<char> {
    match part.text.as_str() {
        "$" if part.tag == "$" => Some('$'),
        "£" if part.tag == "$" => Some('£'),
        "€" if part.tag == "$" => Some('€'),
        _ => None,
    }
}

/// The phonemes of a punctuation mark; `None` for a word.
fn mark(part: &Token) -> Option<String> {
    let marks = || part.text.chars().filter(|c| pauses_at(*c) || "\"“”".contains(*c)).collect();
    match part.tag.as_str() {
        ":" if matches!(part.text.as_str(), "-" | "–") => Some("—".to_owned()),
        _ if part.text.chars().all(|c| c.is_ascii_alphabetic()) => None,
        "-LRB-" => Some("(".to_owned()),
        "-RRB-" => Some(")".to_owned()),
        "``" => Some("“".to_owned()),
        "\"\"" | "''" => Some("”".to_owned()),
        "." | "," | ":" | "$" | "#" | "NFP" => Some(marks()),
        _ => None,
    }
}

fn is_pause(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(pauses_at) && chars.next().is_none()
}

fn kinds_of_characters(text: &str) -> usize {
    let spoken = || text.chars().filter(|c| !is_silent(c.encode_utf8(&mut [0; 4])));
    let has = |is: fn(char) -> bool| usize::from(spoken().any(is));
    has(char::is_alphabetic)
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_alphabetic() && !c.is_ascii_digit())
}
