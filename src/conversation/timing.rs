//! Pauses and limits of turn-taking.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Pauses and limits of turn-taking, in milliseconds. The pauses are those of a caller with
/// ordinary patience; a question may stretch them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Pause that ends a turn whose answer is complete (yes/no, all digits there).
    pub complete_ms: u64,
    /// Pause that ends a turn to which the dialog has an answer.
    pub understood_ms: u64,
    /// Pause that ends a turn of which the dialog makes nothing.
    pub open_ms: u64,
    /// Pause that ends what is the beginning of something longer that callers say.
    pub begun_ms: u64,
    /// Pause that ends a number which is long enough and may be longer.
    pub may_go_on_ms: u64,
    /// Pause that ends a message in the caller's own words.
    pub message_ms: u64,
    /// Pause that ends a turn which breaks off at a word such as "and".
    pub unfinished_ms: u64,
    /// Pause that ends a number of which digits are missing: people look them up.
    pub digits_missing_ms: u64,
    /// A caller who goes on this soon after the turn was taken to be over had not finished: the
    /// answer is taken back.
    pub reopen_ms: u64,
    /// Speech under a prompt makes the prompt fall silent after this.
    pub hold_ms: u64,
    /// Speech under a prompt that goes on for this long is no backchannel: the prompt is dropped.
    pub interrupt_ms: u64,
    /// A prompt that was held goes on more quietly when the sound has been over for this long and what
    /// it was is not known yet.
    pub resume_ms: u64,
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
            complete_ms: 180,
            understood_ms: 220,
            open_ms: 600,
            begun_ms: 1_000,
            may_go_on_ms: 440,
            message_ms: 1_000,
            unfinished_ms: 1_200,
            digits_missing_ms: 1_700,
            reopen_ms: 700,
            hold_ms: 160,
            interrupt_ms: 700,
            resume_ms: 300,
            pre_roll_ms: 300,
            post_roll_ms: 200,
            noise_ms: 300,
            max_turn_ms: 25_000,
            max_thinking_ms: 6_000,
        }
    }
}

impl Timing {
    pub(super) fn pre_roll(&self) -> Duration {
        Duration::from_millis(self.pre_roll_ms)
    }

    pub(super) fn post_roll(&self) -> Duration {
        Duration::from_millis(self.post_roll_ms)
    }

    pub(super) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_ms)
    }

    pub(super) fn interrupt(&self) -> Duration {
        Duration::from_millis(self.interrupt_ms)
    }

    pub(super) fn resume(&self) -> Duration {
        Duration::from_millis(self.resume_ms)
    }

    pub(super) fn reopen(&self) -> Duration {
        Duration::from_millis(self.reopen_ms)
    }

    pub(super) fn noise(&self) -> Duration {
        Duration::from_millis(self.noise_ms)
    }

    pub(super) fn max_turn(&self) -> Duration {
        Duration::from_millis(self.max_turn_ms)
    }

    pub(super) fn max_thinking(&self) -> Duration {
        Duration::from_millis(self.max_thinking_ms)
    }
}
