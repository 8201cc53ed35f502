//! The caller's turn, from the first speech to the decision that it is over.

use super::{EndOfTurn, contract::UtteranceId};
use crate::{
    audio::CallTime,
    dialog::{Listen, Machine},
    text::Hypothesis,
};

/// A turn in progress.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// Where the speech began.
    pub(super) from: CallTime,
    /// Where the speech that goes on, or that ended last, began: after a pause, later than the turn.
    pub(super) stretch: CallTime,
    /// The pause after the last speech, while there is one.
    pub(super) pause: Option<Pause>,
    /// What it is spoken over.
    pub(super) over: Over,
    /// Since when the caller had been silent, to go back to if this was only a noise.
    pub(super) silence_before: Option<CallTime>,
    /// How often it has been recognised.
    pub(super) attempts: u32,
    /// It cut the bot short.
    pub(super) interrupts: bool,
    /// The attempt that goes on while the caller speaks.
    pub(super) following: Option<UtteranceId>,
}

/// What a turn is spoken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Silence: it is the caller's turn.
    Silence,
    /// A prompt that speech may not cut short.
    Protected,
    /// A prompt that is played more quietly until it is known what the caller wants.
    Ducked,
    /// A prompt that is held until then.
    Held,
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
    /// Whether the dialog makes something of it.
    pub(super) understood: bool,
    /// Why the turn will be over at `due`, unless the caller goes on.
    pub(super) why: EndOfTurn,
    pub(super) due: CallTime,
}

/// A turn that was taken to be over, while its answer can still be taken back.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    /// The turn.
    pub(super) from: CallTime,
    pub(super) attempts: u32,
    /// The dialog before it, and how it listened.
    pub(super) machine: Machine,
    pub(super) listen: Listen,
    /// The last moment at which going on counts as the same turn.
    pub(super) until: CallTime,
}

impl Turn {
    /// A turn whose first speech is at `from`.
    pub(super) fn begin(from: CallTime, over: Over, silence_before: Option<CallTime>) -> Self {
        Self {
            from,
            stretch: from,
            pause: None,
            over,
            silence_before,
            attempts: 0,
            interrupts: false,
            following: None,
        }
    }

    /// Whether it is spoken over a prompt which it may yet cut short.
    pub(super) fn overlaps(&self) -> bool {
        matches!(self.over, Over::Ducked | Over::Held)
    }

    /// The pause whose recognition is `utterance`, if that is the current one.
    pub(super) fn pause_of(&mut self, utterance: UtteranceId) -> Option<&mut Pause> {
        self.pause.as_mut().filter(|p| p.utterance == utterance)
    }
}
