//! Examples that were said whole, inside something longer.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    text::{Lang, fuzzy},
    understand::vectors::{function_mask, units},
};

/// Nearness of an example said whole inside something longer: this, and a share of
/// [`LENGTH_SHARE`] by how much of what was said it is.
const SAID: f32 = 0.6;
/// The same for an example that only sounds the same.
const SOUNDED: f32 = 0.5;
const LENGTH_SHARE: f32 = 0.35;
/// A few syllables sound like many things; so many in a row seldom do.
const FEWEST_SYLLABLES: usize = 4;

/// All examples, by what is said in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    /// By hash of the units: the intents whose example it is.
    said: HashMap<u64, Vec<Owner>>,
    /// By hash of the syllables, in Chinese.
    sounded: HashMap<u64, Vec<Owner>>,
    /// Units of the longest example.
    longest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    intent: usize,
    /// Whether the example says something beyond function words, so that it may be looked for
    /// inside longer utterances.
    telling: bool,
}

impl Whole {
    /// Adds an example of an intent.
    pub(super) fn add(&mut self, lang: Lang, intent: usize, example: &str) {
        let said = Said::new(lang, example);
        if said.units.is_empty() {
            return;
        }
        let mask = function_mask(lang, &said.units);
        let content = mask.iter().filter(|function| !**function).count();
        let owner = Owner { intent, telling: content >= if lang == Lang::Zh { 2 } else { 1 } };
        self.longest = self.longest.max(said.units.len());
        if said.sounds.len() >= FEWEST_SYLLABLES {
            self.sounded.entry(hash(&said.sounds)).or_default().push(owner);
        }
        self.said.entry(hash(&said.units)).or_default().push(owner);
    }

    /// Raises the nearness of the intents that have an example in what was said: to 1 where it is
    /// all that was said.
    pub(super) fn raise(&self, said: &Said, nearness: &mut [f32]) {
        let count = said.units.len();
        for (table, units, least, exact) in
            [(&self.said, &said.units, SAID, true), (&self.sounded, &said.sounds, SOUNDED, false)]
        {
            for length in 1..=units.len().min(self.longest) {
                let share = least + LENGTH_SHARE * length as f32 / count as f32;
                for owner in
                    units.windows(length).filter_map(|window| table.get(&hash(window))).flatten()
                {
                    let near = match owner.telling {
                        _ if exact && length == count => 1.0,
                        true => share,
                        false => 0.0,
                    };
                    nearness[owner.intent] = nearness[owner.intent].max(near);
                }
            }
        }
    }
}

/// An utterance, ready to look for examples in.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// Its words, in Chinese its characters.
    pub(super) units: Vec<String>,
    /// Their sounds, in Chinese.
    pub(super) sounds: Vec<String>,
}

impl Said {
    pub(super) fn new(lang: Lang, text: &str) -> Self {
        let units = units(lang, text);
        let sounds = match lang {
            Lang::Zh => units.iter().map(|unit| fuzzy(unit).concat()).collect(),
            Lang::En => Vec::new(),
        };
        Self { units, sounds }
    }

    /// What it is compared by: sounds in Chinese, words in English.
    pub(super) fn forms(&self, lang: Lang) -> &[String] {
        match lang {
            Lang::Zh => &self.sounds,
            Lang::En => &self.units,
        }
    }
}

fn hash(units: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    units.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearness(example: &str, text: &str) -> f32 {
        let mut whole = Whole::default();
        whole.add(Lang::Zh, 0, example);
        let mut nearness = [0.0];
        whole.raise(&Said::new(Lang::Zh, text), &mut nearness);
        nearness[0]
    }

    #[test]
    fn all_that_was_said_is_nearest_and_a_part_is_nearer_the_longer_it_is() {
        assert_eq!(nearness("转人工", "转人工"), 1.0);
        let (most, least) =
            (nearness("转人工", "请转人工"), nearness("转人工", "你好请给我转人工"));
        assert!(1.0 > most && most > least && least > 0.6, "{most} {least}");
    }

    #[test]
    fn a_phrase_of_function_words_counts_only_alone() {
        assert_eq!(nearness("好的", "好的"), 1.0);
        assert_eq!(nearness("好的", "好的我想查余额"), 0.0);
    }

    #[test]
    fn four_syllables_count_by_their_sound() {
        assert!(nearness("租房提取", "我要组房提取") > 0.5);
        assert_eq!(nearness("余额", "我要鱼鹅"), 0.0);
    }
}
