//! How the caller feels, turn by turn: from the words, the voice and what happened, smoothed, and with two thresholds so
//! that it does not flicker.

use serde::{Deserialize, Serialize};

/// Shares of words, voice and events. Without a voice, the others share its part.
const WORDS: f32 = 0.6;
const VOICE: f32 = 0.25;
const EVENTS: f32 = 0.15;
/// Share of the last turn in the mood.
const LATEST: f32 = 0.6;
/// Below the first a caller is negative, until above the second; positive above the third.
const ENTER: f32 = -0.4;
const LEAVE: f32 = -0.1;
const PLEASED: f32 = 0.4;
/// Turns of a caller after which the usual loudness and pace are known.
const BASELINE_TURNS: u32 = 2;
/// Louder by so many dB, and faster by so many percent, counts in full.
const LOUDER_DB: f32 = 9.0;
const FASTER_PERCENT: f32 = 50.0;
/// Speech shorter than this says nothing about its pace.
const SHORTEST_MS: u32 = 400;
/// Share of the last turn in what is usual.
const BASELINE_LATEST: f32 = 0.3;

/// How a turn of the caller sounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Level of the speech in tenths of a dB below full scale: -200 is -20 dBFS.
    pub level_cb: i16,
    /// Speech without its pauses, ms.
    pub speech_ms: u32,
    /// Whether it cut the bot short.
    #[serde(default)]
    pub interrupts: bool,
}

/// How a caller feels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feeling {
    /// Angry or disappointed.
    Negative,
    /// Neither.
    #[default]
    Neutral,
    /// Pleased.
    Positive,
}

impl Feeling {
    /// As dialplans and records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// What happened in a turn, besides what was said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Events {
    /// It was not understood, so many times in a row.
    pub(super) no_match: u32,
    /// The caller cut the bot short.
    pub(super) interrupts: bool,
    /// The caller said the same as in the turn before.
    pub(super) repeats: bool,
}

/// The mood of one caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Mood {
    score: f32,
    pub(super) feeling: Feeling,
    /// First and lowest score, once a turn was weighed.
    range: Option<(f32, f32)>,
    /// Usual level and pace: tenths of a dB, syllables a second.
    usual: Option<(f32, f32)>,
    voices: u32,
}

/// What a turn came to; scores from -1 to 1 in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weighed {
    pub(super) words: i16,
    pub(super) voice: Option<i16>,
    pub(super) events: i16,
    pub(super) score: i16,
    /// The caller has just become negative.
    pub(super) turned_negative: bool,
}

impl Mood {
    /// Weighs a turn: the score of its words, its voice with the syllables that were spoken, and what happened.
    pub(super) fn weigh(
        &mut self,
        words: f32,
        voice: Option<(Voice, u32)>,
        events: Events,
    ) -> Weighed {
        let voice = voice.and_then(|(voice, syllables)| self.strain(voice, syllables));
        let events = events.score();
        let now = match voice {
            Some(voice) => WORDS * words + VOICE * voice + EVENTS * events,
            None => (WORDS * words + EVENTS * events) / (WORDS + EVENTS),
        };
        self.score = LATEST * now + (1.0 - LATEST) * self.score;
        let before = self.feeling;
        self.feeling = match before {
            Feeling::Negative if self.score < LEAVE => Feeling::Negative,
            _ if self.score <= ENTER => Feeling::Negative,
            _ if self.score >= PLEASED => Feeling::Positive,
            _ => Feeling::Neutral,
        };
        let (first, lowest) = self.range.unwrap_or((self.score, self.score));
        self.range = Some((first, lowest.min(self.score)));
        Weighed {
            words: hundredths(words),
            voice: voice.map(hundredths),
            events: hundredths(events),
            score: hundredths(self.score),
            turned_negative: before != Feeling::Negative && self.feeling == Feeling::Negative,
        }
    }

    /// The mood from -100 to 100.
    pub(super) fn percent(&self) -> i16 {
        hundredths(self.score)
    }

    /// The first, last and lowest score, from -100 to 100; `None` before the caller said anything.
    pub(super) fn summary(&self) -> Option<(i16, i16, i16)> {
        let (first, lowest) = self.range?;
        Some((hundredths(first), self.percent(), hundredths(lowest)))
    }

    /// How strained a voice is against what is usual for this caller, from -1 to 0; `None` while that is not known.
    fn strain(&mut self, voice: Voice, syllables: u32) -> Option<f32> {
        if voice.speech_ms < SHORTEST_MS || syllables == 0 {
            return None;
        }
        let level = f32::from(voice.level_cb);
        let pace = syllables as f32 * 1_000.0 / voice.speech_ms as f32;
        self.voices += 1;
        let Some((usual_level, usual_pace)) = self.usual else {
            self.usual = Some((level, pace));
            return None;
        };
        let known = self.voices > BASELINE_TURNS;
        let louder = ((level - usual_level) / 10.0 / LOUDER_DB).clamp(0.0, 1.0);
        let faster = ((pace / usual_pace - 1.0) * 100.0 / FASTER_PERCENT).clamp(0.0, 1.0);
        // Anger is no new usual: only calmer turns change it in full.
        let share = BASELINE_LATEST * (1.0 - louder);
        let mix = |usual: f32, latest: f32| usual + share * (latest - usual);
        self.usual = Some((mix(usual_level, level), mix(usual_pace, pace)));
        known.then_some(-(0.7 * louder + 0.3 * faster))
    }
}

impl Events {
    fn score(self) -> f32 {
        let no_match = match self.no_match {
            0 => 0.0,
            1 => 0.3,
            _ => 0.8,
        };
        let interrupts = if self.interrupts { 0.4 } else { 0.0 };
        let repeats = if self.repeats { 0.6 } else { 0.0 };
        -f32::min(no_match + interrupts + repeats, 1.0)
    }
}

fn hundredths(score: f32) -> i16 {
    (score * 100.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(mood: &mut Mood, words: f32) -> Feeling {
        mood.weigh(words, None, Events::default());
        mood.feeling
    }

    #[test]
    fn an_angry_caller_is_negative_in_the_second_turn_and_not_in_the_first() {
        let mut mood = Mood::default();
        assert_eq!(weigh(&mut mood, -0.8), Feeling::Neutral);
        assert_eq!(weigh(&mut mood, -0.8), Feeling::Negative);
        assert_eq!(mood.summary(), Some((-38, -54, -54)));
    }

    #[test]
    fn it_takes_more_than_one_plain_turn_to_calm_down() {
        let mut mood = Mood::default();
        weigh(&mut mood, -1.0);
        weigh(&mut mood, -1.0);
        assert_eq!(weigh(&mut mood, 0.0), Feeling::Negative);
        assert_eq!(weigh(&mut mood, 0.0), Feeling::Negative);
        assert_eq!(weigh(&mut mood, 0.0), Feeling::Neutral);
        assert_eq!(weigh(&mut mood, 0.9), Feeling::Positive);
    }

    #[test]
    fn plain_words_never_make_a_caller_negative_whatever_happens_once() {
        let mut mood = Mood::default();
        for no_match in [0, 1, 0, 2, 1, 0] {
            let events = Events { no_match, interrupts: true, repeats: true };
            assert!(!mood.weigh(0.0, None, events).turned_negative);
        }
    }

    #[test]
    fn a_voice_is_measured_against_the_callers_own() {
        let mut mood = Mood::default();
        let mut strain = |level_cb| {
            let voice = Voice { level_cb, speech_ms: 2_000, interrupts: false };
            mood.weigh(0.0, Some((voice, 8)), Events::default()).voice
        };
        // A loud line is nothing by itself, and two turns make a habit.
        assert_eq!([strain(-120), strain(-118)], [None, None]);
        assert_eq!(strain(-120), Some(0));
        assert!(strain(-30).unwrap() <= -60);
        assert!(strain(-240).unwrap() == 0);
    }
}
