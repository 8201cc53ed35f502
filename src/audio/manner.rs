use serde::{Deserialize, Serialize};

use super::{Pcm, Rate, level, stretch::stretch};

/// How a prompt is said: its speed and its level, for callers who ask for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Manner {
    /// Speed in percent: 80 takes a quarter more time. Held between 50 and 200.
    pub rate_percent: u16,
    /// Change of level in dB; peaks are limited instead of clipped.
    pub gain_db: i8,
}

impl Manner {
    /// As the voice speaks of itself.
    pub const USUAL: Self = Self { rate_percent: 100, gain_db: 0 };

    /// `audio` said in this manner: as long as the speed makes it, at the same pitch.
    pub fn apply<R: Rate>(self, audio: &Pcm<R>) -> Pcm<R> {
        let mut said = stretch(audio, self.rate_percent);
        if self.gain_db != 0 {
            level::raise(&mut said, f32::from(self.gain_db));
        }
        said
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self::USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Hz8k;

    #[test]
    fn the_usual_manner_changes_nothing() {
        let audio: Pcm<Hz8k> = Pcm::new((0..4_000).map(|i| (i % 97) * 50).collect());
        assert_eq!(Manner::USUAL.apply(&audio), audio);
    }
}
