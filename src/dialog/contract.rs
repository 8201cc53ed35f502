//! What goes into the dialog and what comes out. The conversation room drives it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Feeling, Generate, Generated, OfferMade, Outcome, SentimentRange};
use crate::{
    audio::Manner,
    text::{Hypothesis, Lang, Phrase},
};

/// What happened to the caller's turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The call was answered and audio flows; sent once, first.
    Start,
    /// The caller said something: readings, best first, never empty.
    Heard(Vec<Hypothesis>),
    /// The caller made a sound in which no word was found.
    Unclear,
    /// The caller pressed keys, `0-9*#`, without the terminator.
    Keys(String),
    /// The caller was silent for as long as [`Listen::no_input`] allows.
    NoInput,
    /// What came of an [`Output::Transfer`].
    Transferred(TransferResult),
    /// What came of an [`Output::Invoke`].
    Invoked(InvokeResult),
    /// Somebody outside of the call gives a slot a value. Answered with a note at most.
    Given {
        /// The slot.
        slot: String,
        /// Its value, as [`Dialplan::slot_value`](crate::dialplan::Dialplan::slot_value) gives it.
        value: String,
    },
    /// Somebody outside of the call has the caller handed over; what comes of it is an
    /// [`Input::Transferred`]. Without a [`Transfer`], the dialog only waits for that.
    TakenAway(Option<Transfer>),
    /// The next part of the answer to an [`Output::Generate`].
    Generated(Generated),
    /// The caller hung up.
    HungUp,
}

/// What the bot does next. One step's outputs are done in order; a step ends with exactly one of
/// [`Output::Listen`], [`Output::Transfer`], [`Output::Invoke`] and [`Output::HangUp`], except the
/// step of [`Input::HungUp`], of [`Input::Given`], of [`Input::TakenAway`] without a transfer, and of
/// anything but the result during a transfer or while a tool is asked, which end with none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Speak.
    Say(Say),
    /// Wait for the caller, once everything before it has been said.
    Listen(Listen),
    /// Hand the caller over, once everything before it has been said.
    Transfer(Transfer),
    /// Ask a tool, at once; what it gives is an [`Input::Invoked`].
    Invoke(Invoke),
    /// Have a language model answer, while the caller is listened to; its answer comes in [`Input::Generated`]s. Of two at
    /// once, only the second is wanted.
    Generate(Box<Generate>),
    /// The rest of that answer is not wanted.
    StopGenerating,
    /// End the call, once everything before it has been said.
    HangUp(Outcome),
    /// Something for the call record.
    Note(Event),
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Say {
    /// The words.
    pub phrase: Phrase,
    /// Whether the caller may cut it short.
    pub barge_in: BargeIn,
    /// Name of the node that says it.
    pub node: String,
    /// How fast and how loud.
    #[serde(default)]
    pub manner: Manner,
}

/// What may cut a prompt short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BargeIn {
    /// Speech and keys.
    #[default]
    Any,
    /// Keys only.
    Keys,
    /// Nothing: legal text that must be heard in full.
    None,
}

/// How to listen for the caller's turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listen {
    /// The language to recognise.
    pub lang: Lang,
    /// What the dialog waits for; the conversation sets its pauses by it.
    pub expect: Expect,
    /// Likely words, for recognisers that can be biased.
    pub phrases: Vec<String>,
    /// Silence after the prompt that counts as no input.
    pub no_input: Duration,
    /// How keys are collected.
    pub keys: KeyRules,
    /// How long the pauses are that end a turn, in percent of the usual: 100 for most callers.
    pub patience_percent: u16,
}

/// The shape of the answer that the dialog waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Anything that the dialog understands.
    Open,
    /// A message in the caller's own words, which may be long.
    Text,
    /// Anything, for a language model.
    Talk,
    /// Yes or no.
    YesNo,
    /// A string of digits.
    Digits {
        /// Fewest digits.
        min: u8,
        /// Most digits.
        max: u8,
    },
    /// One of a few things.
    Choice,
}

/// How pressed keys become one [`Input::Keys`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRules {
    /// Complete after this many keys.
    pub max: u8,
    /// Key that completes the entry and is not part of it.
    pub terminator: Option<char>,
    /// Silence between keys that completes the entry.
    pub inter_digit: Duration,
}

/// A hand-over to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// A number or a SIP URI.
    pub to: String,
    /// How.
    pub mode: TransferMode,
    /// How long it may ring.
    pub ring: Duration,
}

/// How a caller is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferMode {
    /// We call, and stay between the two: recording goes on.
    Bridge,
    /// We call, and once that is answered the caller's side takes our place in it (Replaces).
    Attended,
    /// The caller's side calls (REFER), and we are out of it.
    Refer,
    /// We call somebody who takes the call over from the bot, stay between the two, and may be given the caller back.
    TakeOver,
}

/// Something to be asked of others, or told them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoke {
    /// The tool, as the dialplan names it.
    pub tool: String,
    /// Its arguments.
    pub arguments: BTreeMap<String, String>,
    /// How long it may take.
    pub deadline: Duration,
    /// Whether it may be asked again when no answer comes.
    pub repeatable: bool,
    /// Said when it takes long.
    pub filler: Say,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvokeResult {
    /// The fields that it gave.
    Done(BTreeMap<String, String>),
    /// It gave nothing in time, or refused; why, for the record.
    Failed(String),
}

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferResult {
    /// The caller was handed over, and we have no more part in the call.
    Done,
    /// The callee was busy, or declined.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It could not be done at all.
    Failed,
    /// Whoever had taken the call over gave it back.
    GivenBack,
}

/// Something for the call record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The dialog entered a node.
    Node {
        /// `flow.node`.
        node: String,
    },
    /// An intent was recognised.
    Intent {
        /// Its name.
        intent: String,
        /// How sure, `0.0..=1.0`.
        score: f32,
    },
    /// The call goes on in another language, because the caller spoke it.
    Language {
        /// Which.
        lang: Lang,
    },
    /// A slot got a value.
    Slot {
        /// Its name.
        slot: String,
        /// Its value, masked when the slot is sensitive.
        value: String,
    },
    /// The caller left this question for another subject.
    Digression {
        /// The question's node.
        from: String,
    },
    /// The dialog is back at that question.
    Resumed {
        /// The question's node.
        node: String,
    },
    /// A turn was not understood; `count` in a row at this node.
    NoMatch {
        /// How many in a row.
        count: u32,
    },
    /// A question was answered from the knowledge base.
    Faq {
        /// The entry's id.
        id: String,
        /// How near the question was to those of the entry, `0.0..=1.0`.
        score: f32,
    },
    /// Two entries of the knowledge base were offered.
    Offered {
        /// Their ids, the nearer first.
        ids: Vec<String>,
    },
    /// What the caller said at an open question was no intent, and the knowledge base had no answer.
    Unanswered {
        /// What was heard.
        text: String,
    },
    /// The bot speaks otherwise from now on: the caller wished it, or the dialplan.
    Manner {
        /// Speed in percent of the usual.
        rate_percent: u16,
        /// Level in dB above the usual.
        gain_db: i8,
        /// Whether it also waits longer, as for the elderly.
        elderly: bool,
    },
    /// A tool is asked; sensitive arguments are masked.
    Invoke {
        /// The tool.
        tool: String,
        /// With what.
        arguments: BTreeMap<String, String>,
    },
    /// A tool gave this; sensitive fields are masked.
    Invoked {
        /// The tool.
        tool: String,
        /// What.
        fields: BTreeMap<String, String>,
    },
    /// A tool gave nothing that could be used.
    InvokeFailed {
        /// The tool.
        tool: String,
        /// Why.
        problem: String,
    },
    /// How the caller feels after a turn, and what that comes from; from -100 for anger to 100 for delight.
    Sentiment {
        /// In short.
        feeling: Feeling,
        /// Over the last turns.
        score: i16,
        /// Of the words of this turn.
        words: i16,
        /// Of the voice against what is usual for this caller, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<i16>,
        /// Of what happened: not understood, interrupted, said again.
        events: i16,
    },
    /// How the caller felt in the call as a whole; the last of the dialog's events.
    Felt(SentimentRange),
    /// Something is recommended.
    Offer {
        /// What.
        offer: String,
        /// How well it suits the caller, as the dialplan reckons.
        score: i64,
    },
    /// What the caller said to that.
    OfferAnswered(OfferMade),
    /// Nothing is recommended, for this reason.
    NoOffer {
        /// `opted_out`, `negative`, `unfinished` or `none_suits`.
        why: String,
    },
    /// A language model is asked to answer.
    ModelAsked {
        /// The node.
        node: String,
        /// Entries of the knowledge base that it is shown, the nearest first.
        knowledge: Vec<String>,
    },
    /// What the model said, or part of it, is from this entry of the knowledge base, as it says.
    Cited {
        /// The entry's id.
        id: String,
    },
    /// The model chose an action of its node; the slots that it filled follow.
    Action {
        /// Its name.
        action: String,
    },
    /// There was no answer, or one that must not be used.
    ModelFailed {
        /// Why.
        problem: String,
    },
    /// An expression of the dialplan had no value, for example because something in it was not known.
    NoValue {
        /// The expression.
        expression: String,
        /// Why.
        problem: String,
    },
    /// The caller is being handed over.
    Transfer(Transfer),
    /// Somebody takes the call over from the bot, which falls silent.
    TakenOver,
    /// What came of that.
    Transferred {
        /// What.
        result: TransferResult,
    },
    /// The caller was silent; `count` in a row at this node.
    NoInput {
        /// How many in a row.
        count: u32,
    },
}
