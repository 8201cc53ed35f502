//! The caller's turn, from the first speech to the decision that it is over.

use super::contract::UtteranceId;
use crate::{audio::CallTime, text::Hypothesis};

/// A turn in progress.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// Where the speech began.
    pub(super) from: CallTime,
    /// The pause after the last speech, while there is one.
    pub(super) pause: Option<Pause>,
    /// Spoken under a prompt that may not be cut short.
    pub(super) over_prompt: bool,
    /// Since when the caller had been silent, to go back to if this was only a noise.
    pub(super) silence_before: Option<CallTime>,
}

/// A pause that may be the end of the turn.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    /// Where the speech ended.
    pub(super) at: CallTime,
    /// When that was noticed.
    pub(super) noticed: CallTime,
    /// The turn had grown too long: it ends as soon as its text is there.
    pub(super) forced: bool,
    /// The attempt at recognising the turn so far.
    pub(super) utterance: UtteranceId,
    /// Its result.
    pub(super) text: Option<Text>,
}

/// The result of recognition.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) ready: CallTime,
    pub(super) hypotheses: Vec<Hypothesis>,
}

impl Turn {
    /// A turn whose first speech is at `from`.
    pub(super) fn begin(from: CallTime, silence_before: Option<CallTime>) -> Self {
        Self { from, pause: None, over_prompt: false, silence_before }
    }

    /// Milliseconds of the turn up to `until`.
    pub(super) fn ms(&self, until: CallTime) -> u64 {
        until.since(self.from).as_millis() as u64
    }

    /// The pause whose recognition is `utterance`, if that is the current one.
    pub(super) fn pause_of(&mut self, utterance: UtteranceId) -> Option<&mut Pause> {
        self.pause.as_mut().filter(|p| p.utterance == utterance)
    }
}
