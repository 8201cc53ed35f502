//! Which features an utterance has, before any weighting.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::function_words::function_mask;
use crate::text::{Lang, fuzzy, is_hanzi, normalize};

/// Feature families; each is normalised on its own, so none drowns the other.
pub(super) const BLOCKS: usize = 2;
/// What a feature made only of function words ("what is the", 我想) is worth before the examples
/// show that it matters.
const FUNCTION_WORTH: f32 = 0.15;

/// A feature as it occurs in one utterance.
pub(super) struct Feature {
    /// Identity, the same in every run.
    pub(super) hash: u64,
    /// Which of the [`BLOCKS`] it belongs to.
    pub(super) block: usize,
    /// How much it says by itself, from [`FUNCTION_WORTH`] to 1.
    pub(super) worth: f32,
}

/// The features of `text`, with repeats. English: words and word pairs; letters 2 to 5 within a
/// word. Chinese: characters 1 to 3; pinyin with merged sounds, 1 and 2.
pub(super) fn features(lang: Lang, text: &str) -> Vec<Feature> {
    let units = units(lang, text);
    let mask = function_mask(lang, &units);
    let worths: Vec<f32> =
        mask.iter().map(|function| if *function { FUNCTION_WORTH } else { 1.0 }).collect();
    let mut found = Vec::new();
    match lang {
        Lang::En => {
            n_grams(&units, &worths, 1..=2, 0, &mut found);
            for (word, worth) in units.iter().zip(&worths) {
                let letters: Vec<String> = format!(" {word} ").chars().map(String::from).collect();
                let worths = vec![*worth; letters.len()];
                n_grams(&letters, &worths, 2..=5, 1, &mut found);
            }
        }
        Lang::Zh => {
            n_grams(&units, &worths, 1..=3, 0, &mut found);
            let sounds: Vec<String> = units.iter().map(|unit| fuzzy(unit).concat()).collect();
            n_grams(&sounds, &worths, 1..=2, 1, &mut found);
        }
    }
    found
}

/// The words of `text`, and in Chinese its characters, normalised. An English 's is dropped:
/// "the power's out" is about the same thing as "the power is out".
pub(in crate::understand) fn units(lang: Lang, text: &str) -> Vec<String> {
    match lang {
        Lang::En => {
            let bare = text.replace('\u{2019}', "'").replace("'s ", " ");
            let folded = normalize(lang, &bare);
            folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        Lang::Zh => normalize(lang, text).split(' ').flat_map(chars_and_words).collect(),
    }
}

/// Chinese characters one by one, other runs whole.
fn chars_and_words(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut in_run = false;
    for c in text.chars() {
        let joins = in_run && !is_hanzi(c);
        in_run = !is_hanzi(c);
        match units.last_mut().filter(|_| joins) {
            Some(run) => run.push(c),
            None => units.push(c.to_string()),
        }
    }
    units
}

fn n_grams(
    units: &[String],
    worths: &[f32],
    sizes: std::ops::RangeInclusive<usize>,
    block: usize,
    found: &mut Vec<Feature>,
) {
    for size in sizes {
        for (gram, worths) in units.windows(size).zip(worths.windows(size)) {
            let worth = worths.iter().sum::<f32>() / size as f32;
            found.push(Feature { hash: hash(block, gram), block, worth });
        }
    }
}

fn hash(block: usize, gram: &[String]) -> u64 {
    // `DefaultHasher::new` has fixed keys, unlike a `HashMap`'s own.
    let mut hasher = DefaultHasher::new();
    (block, gram).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_units_are_characters_and_latin_words() {
        assert_eq!(units(Lang::Zh, "打开app吧"), ["打", "开", "app", "吧"]);
    }

    #[test]
    fn homophones_share_their_sound_features() {
        let sounds = |text: &str| -> Vec<u64> {
            let features = features(Lang::Zh, text);
            features.iter().filter(|f| f.block == 1).map(|f| f.hash).collect()
        };
        assert_eq!(sounds("号码"), sounds("好嗎"));
    }

    #[test]
    fn function_words_are_worth_less() {
        let words = features(Lang::En, "the outage");
        assert_eq!(words[0].worth, FUNCTION_WORTH);
        assert_eq!(words[1].worth, 1.0);
    }

    #[test]
    fn nothing_has_no_features() {
        assert!(features(Lang::En, "?!").is_empty());
        assert!(features(Lang::Zh, "").is_empty());
    }
}
