//! What a language model is asked, and what it answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Say;
use crate::{audio::CallTime, text::Lang};

/// Something for a language model to answer. It can speak, and choose one of `actions`; nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generate {
    /// Which model, by its name in the configuration; without one, the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The language to answer in.
    pub lang: Lang,
    /// What the model is, how it speaks, and all that it may know.
    pub instructions: String,
    /// What was said, oldest first. The dialog gives the caller's part; the conversation, which knows what the caller
    /// really heard, adds the bot's.
    pub history: Vec<Utterance>,
    /// What it can choose to do.
    pub actions: Vec<ActionOffer>,
    /// How long its first word may take.
    pub first_word: Duration,
    /// How long its whole answer may take.
    pub deadline: Duration,
    /// Said when it takes long.
    pub filler: Say,
    /// Values that must not leave in the bot's part of the history. Empty once that is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

/// What one of the two said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
    /// Who.
    pub by: Speaker,
    /// When.
    pub at: CallTime,
    /// The words; of a prompt that was cut short, those that were heard.
    pub text: String,
}

/// One of the two who speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The bot.
    Bot,
}

/// An action that a model may choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionOffer {
    /// Its name.
    pub name: String,
    /// When to choose it.
    pub description: String,
    /// Its arguments, as a JSON Schema of an object.
    pub parameters: serde_json::Value,
}

/// A part of a model's answer. The last one is something else than a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// A sentence, or a clause of a long one.
    Sentence(String),
    /// It chooses an action, and is done.
    Action {
        /// Which.
        name: String,
        /// Its arguments, as the model wrote them: JSON, if it kept to the protocol.
        arguments: String,
    },
    /// It has said everything.
    Finished,
    /// There is no answer, or no more of it; why, for the record.
    Failed(String),
}
