//! What the rim tells the conversation and what it is told to do.

use serde::{Deserialize, Serialize};

use crate::{
    audio::CallTime,
    dialog::{self, Outcome, Say},
    text::{Hypothesis, Lang, Phrase},
};

/// Names one prompt of a call, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromptId(pub u32);

/// Names one attempt at recognising the caller, counted from 1. A turn that goes on after a pause
/// gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtteranceId(pub u32);

/// What the rim saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The call is answered and audio flows; sent once, first.
    Start,
    /// The caller began to speak at `at`, which is a little before now.
    SpeechStarted {
        /// Where the speech began.
        at: CallTime,
    },
    /// The caller paused; the last speech was at `at`, a little before now.
    SpeechStopped {
        /// Where the speech ended.
        at: CallTime,
    },
    /// The answer to [`Output::Recognize`]; no hypotheses when no word was found.
    Recognized {
        /// Which attempt.
        utterance: UtteranceId,
        /// Readings, best first.
        hypotheses: Vec<Hypothesis>,
    },
    /// Recognition failed or was refused by a full queue.
    RecognitionFailed {
        /// Which attempt.
        utterance: UtteranceId,
        /// Why, for the record.
        problem: String,
    },
    /// The caller pressed a key, one of `0-9*#A-D`.
    Key(char),
    /// The first audio of a prompt was sent.
    PlaybackStarted {
        /// Which prompt.
        prompt: PromptId,
    },
    /// A prompt came to its end, or was stopped, or could not be made (`total` is then 0).
    PlaybackEnded {
        /// Which prompt.
        prompt: PromptId,
        /// Samples (8 kHz) really sent.
        played: u64,
        /// Samples (8 kHz) the prompt has.
        total: u64,
    },
    /// The moment that [`super::Conversation::deadline`] named has come.
    Deadline,
    /// Nothing at all has come from the caller's phone for longer than it should: not even silence.
    NoAudio {
        /// Since when.
        since: CallTime,
        /// Whether anything came before.
        ever: bool,
    },
    /// What came of [`Output::Transfer`].
    Transferred(dialog::TransferResult),
    /// The caller hung up, or the line is gone.
    HungUp,
}

/// What the rim shall do, in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Play this after what is already queued.
    Play {
        /// Its name in later inputs.
        prompt: PromptId,
        /// The words.
        say: Say,
    },
    /// Stop playing and forget everything queued; each prompt still gets its
    /// [`Input::PlaybackEnded`].
    StopPlayback,
    /// Recognise the caller's audio of this stretch.
    Recognize {
        /// Its name in later inputs.
        utterance: UtteranceId,
        /// First sample.
        from: CallTime,
        /// Sample after the last.
        to: CallTime,
        /// The language.
        lang: Lang,
        /// Likely words.
        phrases: Vec<String>,
    },
    /// The result of this attempt is no longer wanted.
    CancelRecognition {
        /// Which attempt.
        utterance: UtteranceId,
    },
    /// Make this phrase's audio ready: it is likely to be played next.
    Prepare(Phrase),
    /// Hand the caller over; what comes of it is an [`Input::Transferred`].
    Transfer(dialog::Transfer),
    /// End the call.
    HangUp(Outcome),
    /// For the call record.
    Note(Note),
}

/// An entry of the call record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Note {
    /// The dialog's own events.
    Dialog(dialog::Event),
    /// The bot said this, up to where it was cut off.
    Said {
        /// Which prompt.
        prompt: PromptId,
        /// The words of the whole prompt.
        text: String,
        /// The node that said it.
        node: String,
        /// First sample sent; equal to `to` when nothing was.
        from: CallTime,
        /// Sample after the last one sent.
        to: CallTime,
        /// Whether it was sent to its end. A legal text that was not complete was not delivered.
        complete: bool,
    },
    /// The caller said this.
    Heard {
        /// Readings, best first; empty when no word was found.
        hypotheses: Vec<Hypothesis>,
        /// Where the speech began.
        from: CallTime,
        /// Where it ended.
        to: CallTime,
    },
    /// The caller pressed these keys; masked where the question is sensitive.
    Keys {
        /// How many.
        count: usize,
        /// When the entry was complete.
        at: CallTime,
    },
    /// The caller cut the bot short.
    BargeIn {
        /// Where the caller's speech or key began.
        at: CallTime,
    },
    /// Recognition failed.
    RecognitionFailed {
        /// Why.
        problem: String,
    },
    /// Nothing came from the caller's phone, not even silence.
    NoAudio {
        /// Since when.
        since: CallTime,
        /// Whether anything came before; without it, audio probably goes one way only.
        ever: bool,
    },
    /// Where the time of one turn went.
    Turn(TurnStamps),
}

/// The moments of one turn, from the caller's last speech to the bot's first audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnStamps {
    /// Turns counted from 1.
    pub turn: u32,
    /// The caller's last speech (or last key).
    pub speech_end: CallTime,
    /// When the pause was noticed.
    pub pause_noticed: CallTime,
    /// When the final text was there; `None` for keys.
    pub text_ready: Option<CallTime>,
    /// When the turn was decided to be over.
    pub decided: CallTime,
    /// When the dialog had its answer.
    pub dialog_done: CallTime,
    /// When the answer's first audio was sent.
    pub first_audio: CallTime,
}

impl TurnStamps {
    /// Stamps of a turn that was decided and answered `now`; its first audio is still to come.
    pub(super) fn decided(
        turn: u32,
        speech_end: CallTime,
        pause_noticed: CallTime,
        text_ready: Option<CallTime>,
        now: CallTime,
    ) -> Self {
        let (decided, dialog_done, first_audio) = (now, now, now);
        Self { turn, speech_end, pause_noticed, text_ready, decided, dialog_done, first_audio }
    }

    /// Voice to voice, in milliseconds.
    pub fn latency_ms(&self) -> u64 {
        self.first_audio.as_ms().saturating_sub(self.speech_end.as_ms())
    }
}
