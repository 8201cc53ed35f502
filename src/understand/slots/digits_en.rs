//! Spoken English digits.

use super::digits::Token;
use crate::text::{Lang, normalize};

const FILLERS: [&str; 15] = [
    "um", "uh", "er", "erm", "ah", "eh", "and", "then", "dash", "hyphen", "space", "comma", "so",
    "like", "mm",
];
const RESTARTS: [&str; 9] =
    ["wait", "sorry", "no", "actually", "correction", "mean", "scratch", "oops", "nope"];
/// What recognisers write for a digit said alone.
const MISHEARD: [(&str, u64); 16] = [
    ("to", 2),
    ("too", 2),
    ("tu", 2),
    ("for", 4),
    ("fore", 4),
    ("ate", 8),
    ("won", 1),
    ("tree", 3),
    ("free", 3),
    ("sex", 6),
    ("sicks", 6),
    ("nein", 9),
    ("fife", 5),
    ("hive", 5),
    ("owe", 0),
    ("wan", 1),
];

/// The tokens of an utterance.
pub(super) fn tokens(heard: &str) -> Vec<Token> {
    let folded = normalize(Lang::En, heard);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (used, token) = token(&words, at);
        tokens.push(token);
        at += used;
    }
    tokens
}

/// The token at `at` and how many words it takes.
fn token(words: &[&str], at: usize) -> (usize, Token) {
    let word = words[at];
    if let Some(times) = repetition(word)
        && let Some(digit) = words.get(at + 1).and_then(|next| single(next))
    {
        return (2, Token::Digits(vec![digit.to_string().repeat(times)]));
    }
    if let Some((used, ways)) = number(&words[at..]) {
        return (used, Token::Digits(ways));
    }
    if let Some(token) = doubtful(words, at) {
        return (1, token);
    }
    if matches!(word, "x" | "ex") && at > 0 && is_digit_word(words[at - 1]) {
        return (1, Token::Digits(vec!["X".into(), String::new()]));
    }
    let token = match word {
        _ if FILLERS.contains(&word) => Token::Filler,
        _ if RESTARTS.contains(&word) => Token::Restart,
        _ => numeric_word(word).map_or(Token::Word, |digits| Token::Digits(vec![digits])),
    };
    (1, token)
}

/// Words that are digits only beside digits: "oh", and the misheard ones.
fn doubtful(words: &[&str], at: usize) -> Option<Token> {
    let word = words[at];
    let known =
        |at: Option<usize>| at.and_then(|at| words.get(at)).is_some_and(|w| is_digit_word(w));
    let (before, after) = (known(at.checked_sub(1)), known(Some(at + 1)));
    let is_oh = matches!(word, "oh" | "o");
    let digit = if is_oh { "0".to_owned() } else { misheard(word)?.to_string() };
    Some(match (before, after) {
        (true, _) if is_oh => Token::Digits(vec![digit]),
        (true, true) => Token::Digits(vec![digit, String::new()]),
        (false, true) if is_oh => Token::Digits(vec![digit, String::new()]),
        (true, false) | (false, true) => Token::Digits(vec![String::new(), digit]),
        (false, false) => Token::Filler,
    })
}

fn misheard(word: &str) -> Option<u64> {
    MISHEARD.iter().find(|(heard, _)| *heard == word).map(|(_, digit)| *digit)
}

fn is_digit_word(word: &str) -> bool {
    ones(word).is_some()
        || teens(word).is_some()
        || tens(word).is_some()
        || matches!(word, "oh" | "o" | "hundred" | "thousand")
        || repetition(word).is_some()
        || numeric_word(word).is_some()
}

/// A word written with digits: "415", "31002x".
fn numeric_word(word: &str) -> Option<String> {
    let body = word.strip_suffix('x').unwrap_or(word);
    let numeric = !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit());
    numeric.then(|| word.to_ascii_uppercase())
}

/// A number in words: how many words, and its readings as digits.
fn number(words: &[&str]) -> Option<(usize, Vec<String>)> {
    let (mut used, mut ways) = below_hundred(words)?;
    let value: u64 = ways[0].parse().ok()?;
    let (scale, width) = match words.get(used) {
        Some(&"hundred") if value > 0 => (100, 2),
        Some(&"thousand") if value > 0 => (1000, 3),
        _ => return Some((used, ways)),
    };
    used += 1;
    ways = vec![(value * scale).to_string()];
    let joined = usize::from(words.get(used) == Some(&"and"));
    let rest = &words[(used + joined).min(words.len())..];
    let below = if scale == 1000 { number(rest) } else { below_hundred(rest) };
    let Some((more, below)) = below.filter(|(_, ways)| ways[0].len() <= width) else {
        return Some((used, ways));
    };
    let sum = (value * scale + below[0].parse::<u64>().ok()?).to_string();
    let beside = format!("{}{}", ways[0], below[0]);
    // "eight hundred five five five" is 800 555, "one hundred five" is 105.
    let goes_on = rest.get(more).is_some_and(|next| is_digit_word(next));
    let ways = if goes_on && joined == 0 { vec![beside, sum] } else { vec![sum, beside] };
    Some((used + joined + more, ways))
}

fn below_hundred(words: &[&str]) -> Option<(usize, Vec<String>)> {
    let word = *words.first()?;
    if let Some(value) = ones(word).or_else(|| teens(word)) {
        return Some((1, vec![value.to_string()]));
    }
    if let Some(digit) = numeric_word(word).filter(|digits| digits.len() <= 2) {
        // "8 hundred": numerals that begin a number in words.
        let scaled = matches!(words.get(1), Some(&"hundred" | &"thousand"));
        return (scaled && digit.parse::<u8>().is_ok()).then(|| (1, vec![digit]));
    }
    let tens = tens(word)?;
    match words.get(1).and_then(|next| ones(next)).filter(|ones| *ones > 0) {
        Some(ones) => Some((2, vec![(tens + ones).to_string(), format!("{tens}{ones}")])),
        None => Some((1, vec![tens.to_string()])),
    }
}

/// One digit, said or written.
fn single(word: &str) -> Option<u64> {
    let written = word.parse().ok().filter(|_| word.len() == 1);
    let spoken = if matches!(word, "oh" | "o") { Some(0) } else { ones(word) };
    spoken.or(written).or_else(|| misheard(word))
}

fn repetition(word: &str) -> Option<usize> {
    match word {
        "double" => Some(2),
        "triple" | "treble" => Some(3),
        "quadruple" => Some(4),
        _ => None,
    }
}

pub(super) fn ones(word: &str) -> Option<u64> {
    let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    match word {
        "nought" | "naught" | "nil" => Some(0),
        "niner" => Some(9),
        _ => words.iter().position(|known| *known == word).map(|at| at as u64),
    }
}

pub(super) fn teens(word: &str) -> Option<u64> {
    let words = [
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
    words.iter().position(|known| *known == word).map(|at| at as u64 + 10)
}

pub(super) fn tens(word: &str) -> Option<u64> {
    let words = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let word = if word == "fourty" { "forty" } else { word };
    words.iter().position(|known| *known == word).map(|at| at as u64 * 10 + 20)
}
