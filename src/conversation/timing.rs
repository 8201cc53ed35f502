//! How long to wait, by what the dialog expects and what was heard so far.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    dialog::Expect,
    text::{Hypothesis, Lang},
    understand::{DigitSpec, best_digits, digits, yes_no},
};

/// Pauses and limits of turn-taking, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Pause that ends a turn whose answer is complete (yes/no, all digits there).
    pub complete_ms: u64,
    /// Pause that ends any other turn.
    pub open_ms: u64,
    /// Pause that ends a turn which sounds unfinished: digits missing, a trailing "and".
    pub unfinished_ms: u64,
    /// Audio kept before the noticed start of speech.
    pub pre_roll_ms: u64,
    /// Audio kept after the noticed end of speech.
    pub post_roll_ms: u64,
    /// Speech shorter than this in which no word is found is taken for a noise.
    pub noise_ms: u64,
    /// A turn is ended by force when it grows this long.
    pub max_turn_ms: u64,
    /// Recognition that takes longer than this after the end of turn is given up.
    pub max_thinking_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            complete_ms: 300,
            open_ms: 550,
            unfinished_ms: 1_200,
            pre_roll_ms: 300,
            post_roll_ms: 200,
            noise_ms: 300,
            max_turn_ms: 25_000,
            max_thinking_ms: 6_000,
        }
    }
}

impl Timing {
    /// The pause that ends the turn, given what was heard of it so far.
    pub(super) fn pause(&self, expect: &Expect, lang: Lang, text: &[Hypothesis]) -> Duration {
        let ms = match expect {
            Expect::Digits { min, max } => self.digits_pause(*min, *max, lang, text),
            Expect::YesNo => {
                let answered = text.first().is_some_and(|h| yes_no(lang, &h.text).is_some());
                if answered { self.complete_ms } else { self.open_ms }
            }
            Expect::Choice | Expect::Open => {
                let unfinished = text.first().is_some_and(|h| trails_off(lang, &h.text));
                if unfinished { self.unfinished_ms } else { self.open_ms }
            }
        };
        Duration::from_millis(ms)
    }

    pub(super) fn pre_roll(&self) -> Duration {
        Duration::from_millis(self.pre_roll_ms)
    }

    pub(super) fn post_roll(&self) -> Duration {
        Duration::from_millis(self.post_roll_ms)
    }

    pub(super) fn max_turn(&self) -> Duration {
        Duration::from_millis(self.max_turn_ms)
    }

    pub(super) fn max_thinking(&self) -> Duration {
        Duration::from_millis(self.max_thinking_ms)
    }

    fn digits_pause(&self, min: u8, max: u8, lang: Lang, text: &[Hypothesis]) -> u64 {
        match best_digits(lang, text, &DigitSpec { min, max, allow_x: true }) {
            Some(all) if all.chars().count() >= usize::from(max) => self.complete_ms,
            // Between the fewest and the most, the caller may go on.
            Some(_) => self.open_ms.max(700),
            None if text.iter().any(|h| digits(lang, &h.text).is_some()) => self.unfinished_ms,
            None => self.open_ms,
        }
    }
}

/// Whether an utterance ends in words after which people go on.
fn trails_off(lang: Lang, text: &str) -> bool {
    let text = crate::text::normalize(lang, text);
    let tails: &[&str] = match lang {
        Lang::En => &[" and", " but", " because", " um", " uh", " er", " the", " to", " my", " so"],
        Lang::Zh => &["因为", "然后", "那个", "就是", "还有", "我想", "如果", "但是", "的话"],
    };
    tails.iter().any(|tail| text.ends_with(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Vec<Hypothesis> {
        vec![Hypothesis { text: text.into(), confidence: 1.0 }]
    }

    fn pause(expect: &Expect, lang: Lang, text: &str) -> u64 {
        Timing::default().pause(expect, lang, &heard(text)).as_millis() as u64
    }

    #[test]
    fn a_complete_number_needs_only_a_short_pause() {
        let expect = Expect::Digits { min: 11, max: 11 };
        assert_eq!(pause(&expect, Lang::Zh, "一三八零零一三八零零零"), 300);
    }

    #[test]
    fn half_a_number_is_waited_for() {
        let expect = Expect::Digits { min: 11, max: 11 };
        assert_eq!(pause(&expect, Lang::Zh, "一三八零零一三"), 1_200);
    }

    #[test]
    fn yes_ends_the_turn_quickly() {
        assert_eq!(pause(&Expect::YesNo, Lang::En, "Yes."), 300);
        assert_eq!(pause(&Expect::YesNo, Lang::En, "well"), 550);
    }

    #[test]
    fn a_trailing_because_is_waited_for() {
        assert_eq!(pause(&Expect::Open, Lang::Zh, "我想查余额因为"), 1_200);
        assert_eq!(pause(&Expect::Open, Lang::En, "my bill is wrong and"), 1_200);
        assert_eq!(pause(&Expect::Open, Lang::En, "my bill is wrong"), 550);
    }
}
