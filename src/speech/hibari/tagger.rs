//! Part-of-speech tagger: an averaged perceptron over the words around, with Penn Treebank tags.
//!
//! It tells "I read it" from "I will read it".

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use serde::Deserialize;

use super::files::read_json;
use crate::speech::SpeechError;

const START: [&str; 2] = ["-START2-", "-START-"];
const END: [&str; 2] = ["-END-", "-END2-"];

/// The trained tagger.
pub(super) struct Tagger {
    tags: Vec<String>,
    /// Words that nearly always have one tag.
    known: HashMap<String, String>,
    /// Words frequent enough to be features; others stand by their shape.
    vocabulary: HashSet<String>,
    /// For each feature, the weight it gives to the tags at these indices.
    weights: HashMap<String, Box<[(u8, f64)]>>,
}

#[derive(Deserialize)]
struct Model {
    tags: Vec<String>,
    tagdict: HashMap<String, String>,
    vocab: HashSet<String>,
    weights: HashMap<String, HashMap<String, f64>>,
}

impl Tagger {
    /// Reads the weights in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, SpeechError> {
        let model: Model = read_json(dir, "tagger.json.gz")?;
        let mut tags = model.tags;
        // In order, so that of tags with equal scores the last in the alphabet wins.
        tags.sort_unstable();
        let index: HashMap<&str, u8> = tags.iter().map(String::as_str).zip(0..).collect();
        let indexed = |weights: HashMap<String, f64>| {
            weights.iter().filter_map(|(tag, w)| Some((*index.get(tag.as_str())?, *w))).collect()
        };
        let weights = model.weights.into_iter().map(|(f, weights)| (f, indexed(weights))).collect();
        Ok(Self { tags, known: model.tagdict, vocabulary: model.vocab, weights })
    }

    /// One tag for each of `words`.
    pub(super) fn tag(&self, words: &[&str]) -> Vec<String> {
        let mut context: Vec<String> = START.map(str::to_owned).to_vec();
        context.extend(words.iter().map(|word| self.in_vocabulary(word)));
        context.extend(END.map(str::to_owned));
        let mut tags: Vec<String> = Vec::with_capacity(words.len());
        for (i, word) in words.iter().enumerate() {
            let tag = match self.known.get(*word) {
                Some(tag) => tag.clone(),
                None => {
                    let before = |n: usize| match i.checked_sub(n) {
                        Some(at) => tags[at].as_str(),
                        None => START[2 - (n - i)],
                    };
                    self.predict(&features(word, i == 0, &context[i..i + 5], before(1), before(2)))
                }
            };
            tags.push(tag);
        }
        tags
    }

    fn in_vocabulary(&self, word: &str) -> String {
        let normal = normal_form(word);
        if self.vocabulary.contains(&normal) { normal } else { format!("<{}>", shape(word)) }
    }

    fn predict(&self, features: &[String]) -> String {
        let mut scores = vec![0.0; self.tags.len()];
        let mut is_scored = false;
        for weights in features.iter().filter_map(|feature| self.weights.get(feature)) {
            is_scored = true;
            for &(tag, weight) in weights {
                scores[usize::from(tag)] += weight;
            }
        }
        let best = self.tags.iter().zip(scores).max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.filter(|_| is_scored).map_or_else(|| "NN".to_owned(), |(tag, _)| tag.clone())
    }
}

/// `around` holds the two words before, the word itself and the two after.
fn features(
    word: &str,
    is_first: bool,
    around: &[String],
    tag_1: &str,
    tag_2: &str,
) -> Vec<String> {
    let first = word.chars().next().map(String::from).unwrap_or_default();
    vec![
        "b".to_owned(),
        format!("s3={}", ending(word)),
        format!("p1={first}"),
        format!("w={}", around[2]),
        format!("sh={}", shape(word)),
        if is_first { "i0" } else { "i+" }.to_owned(),
        format!("t-1={tag_1}"),
        format!("t-2={tag_2}"),
        format!("t-12={tag_1},{tag_2}"),
        format!("w-1={}", around[1]),
        format!("s3-1={}", ending(&around[1])),
        format!("w-2={}", around[0]),
        format!("w+1={}", around[3]),
        format!("s3+1={}", ending(&around[3])),
        format!("w+2={}", around[4]),
    ]
}

fn normal_form(word: &str) -> String {
    if word.contains('-') && !word.starts_with('-') {
        return "!HYPHEN".to_owned();
    }
    if word.chars().count() == 4 && word.chars().all(char::is_numeric) {
        return "!YEAR".to_owned();
    }
    if word.starts_with(char::is_numeric) {
        return "!DIGITS".to_owned();
    }
    word.to_lowercase()
}

/// Which kinds of characters `word` is made of.
fn shape(word: &str) -> String {
    let mut chars = word.chars();
    let is_first_upper = chars.next().is_some_and(char::is_uppercase);
    let is_rest_lower = chars.clone().all(char::is_lowercase) && !chars.as_str().is_empty();
    let all = |is: fn(char) -> bool| word.chars().all(is);
    let fixed = if all(char::is_alphabetic) {
        match () {
            () if all(char::is_lowercase) => "x",
            () if all(char::is_uppercase) && chars.as_str().is_empty() => "X1",
            () if all(char::is_uppercase) => "XX",
            () if is_first_upper && is_rest_lower => "Xx",
            () => "xX",
        }
    } else if all(char::is_numeric) {
        "d"
    } else {
        return word.chars().take(4).map(char_shape).collect();
    };
    fixed.to_owned()
}

fn char_shape(c: char) -> char {
    match c {
        _ if c.is_numeric() => 'd',
        _ if c.is_alphabetic() => 'x',
        _ => c,
    }
}

/// The last three characters.
fn ending(word: &str) -> &str {
    word.char_indices().nth_back(2).map_or(word, |(at, _)| &word[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_names_words_and_numbers_apart() {
        for (word, expected) in [
            ("word", "x"),
            ("Name", "Xx"),
            ("USA", "XX"),
            ("I", "X1"),
            ("iPhone", "xX"),
            ("1205", "d"),
            ("10th", "ddxx"),
            ("o'clock", "x'xx"),
        ] {
            assert_eq!(shape(word), expected, "{word}");
        }
    }

    #[test]
    fn endings_count_characters_not_bytes() {
        assert_eq!(ending("naïve"), "ïve");
        assert_eq!(ending("é"), "é");
    }

    #[test]
    fn hyphens_years_and_digits_stand_for_themselves() {
        assert_eq!(normal_form("long-term"), "!HYPHEN");
        assert_eq!(normal_form("2024"), "!YEAR");
        assert_eq!(normal_form("10am"), "!DIGITS");
        assert_eq!(normal_form("Hello"), "hello");
    }
}
