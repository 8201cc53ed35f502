//! What a recogniser writes when it hears the sound and misses the word.

use std::collections::HashMap;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::text::{is_hanzi, toneless};

/// The 3,755 common characters of GB 2312, level 1: what recognisers write.
const COMMON: &str = include_str!("common_hanzi.txt");

/// Puts homophones into Chinese texts, the same ones in every run.
pub(super) struct Homophones {
    /// Common characters by syllable, without tone.
    by_sound: HashMap<String, Vec<char>>,
    random: StdRng,
}

impl Homophones {
    pub(super) fn new() -> Self {
        let mut by_sound: HashMap<String, Vec<char>> = HashMap::new();
        for c in COMMON.chars().filter(|c| is_hanzi(*c)) {
            by_sound.entry(sound(c)).or_default().push(c);
        }
        Self { by_sound, random: StdRng::seed_from_u64(1) }
    }

    /// `text` with each Chinese character replaced, with probability `share`, by another of the
    /// same sound in any tone; one without homophones stays.
    pub(super) fn mishear(&mut self, text: &str, share: f64) -> String {
        text.chars().map(|c| self.replace(c, share)).collect()
    }

    fn replace(&mut self, c: char, share: f64) -> char {
        if !is_hanzi(c) || !self.random.random_bool(share.clamp(0.0, 1.0)) {
            return c;
        }
        let same = self.by_sound.get(&sound(c)).map_or(&[][..], Vec::as_slice);
        let others: Vec<char> = same.iter().copied().filter(|other| *other != c).collect();
        if others.is_empty() { c } else { others[self.random.random_range(0..others.len())] }
    }
}

fn sound(c: char) -> String {
    toneless(c.encode_utf8(&mut [0; 4])).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sound_stays_and_the_characters_change() {
        let said = "我想查一下公积金余额";
        let heard = Homophones::new().mishear(said, 1.0);
        assert_ne!(heard, said);
        assert_eq!(toneless(&heard), toneless(said));
        assert_eq!(Homophones::new().mishear(said, 0.0), said);
        assert_eq!(Homophones::new().mishear("K22, ok", 1.0), "K22, ok");
    }

    #[test]
    fn the_share_is_kept() {
        let said = "公积金余额查询".repeat(100);
        let heard = Homophones::new().mishear(&said, 0.15);
        let changed = said.chars().zip(heard.chars()).filter(|(a, b)| a != b).count();
        assert!((70..140).contains(&changed), "{changed} of 700");
    }
}
