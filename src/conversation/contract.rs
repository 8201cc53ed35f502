//! What the rim tells the conversation and what it is told to do.

use serde::{Deserialize, Serialize};

use crate::{
    audio::{CallTime, Manner},
    dialog::{self, Outcome, Say},
    text::{Hypothesis, Lang, Phrase},
};

use super::{Order, TurnStamps};

/// Names one prompt of a call, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromptId(pub u32);

/// Names one attempt at recognising the caller, counted from 1. A turn that goes on after a pause
/// gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtteranceId(pub u32);

/// Names one use of a tool, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvokeId(pub u32);

/// Names one recorded clip that is played by order; the rim counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClipId(pub u32);
/// Names one answer of a language model, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerateId(pub u32);

/// What the rim saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The call is answered and audio flows; sent once, first.
    Start,
    /// The caller probably begins to speak; [`Input::SpeechStarted`] follows soon, if it is so, or else
    /// [`Input::SpeechUnlikely`].
    SpeechLikely {
        /// When the sound began.
        at: CallTime,
    },
    /// The sound that was likely to be speech is over, and was none.
    SpeechUnlikely,
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
    /// The words so far of what [`Output::Follow`] named, while the caller still speaks.
    Partial {
        /// Which attempt.
        utterance: UtteranceId,
        /// The words.
        hypothesis: Hypothesis,
    },
    /// The answer to [`Output::Recognize`]; no hypotheses when no word was found.
    Recognized {
        /// Which attempt.
        utterance: UtteranceId,
        /// Readings, best first.
        hypotheses: Vec<Hypothesis>,
        /// How it sounds, where that was measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<dialog::Voice>,
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
    /// The first audio of a prompt was sent; told again when more of it is there than was known then.
    PlaybackStarted {
        /// Which prompt.
        prompt: PromptId,
        /// Samples (8 kHz) the prompt has, as far as it was made.
        total: u64,
        /// When its audio was there, ready to be sent.
        ready: CallTime,
    },
    /// A prompt came to its end, or was stopped, or could not be made (`total` is then 0).
    PlaybackEnded {
        /// Which prompt.
        prompt: PromptId,
        /// Samples (8 kHz) really sent.
        played: u64,
        /// Samples (8 kHz) the prompt has; 0 when it was not made whole.
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
    /// What came of [`Output::Invoke`].
    Invoked {
        /// Which one.
        id: InvokeId,
        /// What.
        result: dialog::InvokeResult,
    },
    /// What somebody outside of the call orders; without effect where [`super::Conversation::check`] refuses it.
    Order(Order),
    /// The next part of the answer to [`Output::Generate`].
    Generated {
        /// Which answer.
        id: GenerateId,
        /// The part; after one that is no sentence, nothing more comes.
        part: dialog::Generated,
    },
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
    /// Play this clip after what is already queued.
    PlayClip {
        /// Its name in later inputs.
        prompt: PromptId,
        /// The clip.
        clip: ClipId,
    },
    /// Fall silent and keep the place, or go on there, whatever else holds or resumes the prompts.
    Mute(bool),
    /// Play more quietly, so that the caller is heard and hears that: somebody may be speaking.
    Duck,
    /// Fall silent and keep the place: somebody is speaking.
    Hold,
    /// Go on at the very sample where playing was held, more quietly until [`Output::Resume`]: whoever
    /// made the sound is silent, but it is not known yet what it was.
    ResumeDucked,
    /// Go on at the very sample where playing was held, at full level.
    Resume,
    /// Stop playing and forget everything queued, the level and the hold too; each prompt still
    /// gets its [`Input::PlaybackEnded`].
    StopPlayback,
    /// Recognise the caller from there on while they speak; the words so far are an [`Input::Partial`].
    /// An [`Output::Recognize`] with the same name tells where it ends, or it is cancelled. Only for
    /// languages of [`super::Conversation::following`].
    Follow {
        /// Its name in later inputs.
        utterance: UtteranceId,
        /// First sample.
        from: CallTime,
        /// The language.
        lang: Lang,
        /// Likely words.
        phrases: Vec<String>,
    },
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
    Prepare {
        /// The words.
        phrase: Phrase,
        /// How they will be said.
        manner: Manner,
    },
    /// Hand the caller over; what comes of it is an [`Input::Transferred`].
    Transfer(dialog::Transfer),
    /// Ask a tool; what comes of it, at the latest at its deadline, is an [`Input::Invoked`].
    Invoke {
        /// Its name in that input.
        id: InvokeId,
        /// What to ask.
        invoke: dialog::Invoke,
    },
    /// Have a language model answer; its answer comes in [`Input::Generated`]s, the last one at the deadline at the latest.
    Generate {
        /// Its name in those inputs.
        id: GenerateId,
        /// What to answer.
        request: Box<dialog::Generate>,
    },
    /// The rest of this answer is not wanted.
    StopGenerating {
        /// Which answer.
        id: GenerateId,
    },
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
        /// When its first sample was sent; equal to `to` when nothing was.
        from: CallTime,
        /// When its last sample had been sent, waits in between included.
        to: CallTime,
        /// Samples (8 kHz) of it that were sent.
        sent: u64,
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
    /// The caller hummed or agreed under a prompt, or hesitated: no turn, and nobody was interrupted.
    Backchannel {
        /// The words.
        text: String,
        /// Where it began.
        at: CallTime,
    },
    /// The caller made a noise under a prompt, which went on after it.
    Noise {
        /// Where it began.
        at: CallTime,
    },
    /// The caller went on after the turn had been taken to be over: the answer is taken back, and
    /// the turn goes on as if it had not been given.
    TurnReopened {
        /// Where the caller went on.
        at: CallTime,
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
