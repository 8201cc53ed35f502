//! The journal: every step of a call, one JSON line each, enough to run it again.
//!
//! The first line is the [`Header`] (dialplan, facts of the call, timing); each later line is one
//! [`Step`]. [`replay`] feeds the inputs to a new conversation and compares the outputs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Conversation, Input, Output, Timing};
use crate::{
    audio::CallTime,
    dialog::{CallFacts, Machine},
    dialplan::{Dialplan, DialplanSource},
    text::Lang,
};

/// Version of the journal's format.
pub const FORMAT: u32 = 2;

/// What a conversation starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] when it was written.
    pub format: u32,
    /// The version of Hotline that wrote it.
    pub hotline: String,
    /// The call's id.
    pub call: String,
    /// The dialplan, whole, so that replay needs no other file.
    pub dialplan: DialplanSource,
    /// What was known of the call when it began.
    pub facts: CallFacts,
    /// Turn-taking settings.
    pub timing: Timing,
    /// Languages whose recogniser had words while the caller spoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub following: Vec<Lang>,
}

/// One input and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: CallTime,
    /// What the rim saw.
    #[serde(rename = "in")]
    pub input: Input,
    /// What it was told to do.
    #[serde(rename = "out", default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
}

/// How a replay went.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The call's id.
    pub call: String,
    /// Steps replayed, the differing one included.
    pub steps: usize,
    /// The first difference.
    pub difference: Option<Difference>,
}

/// Where a replay first differs from the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Line of the journal, from 1.
    pub line: usize,
    /// The step as it was written.
    pub recorded: Step,
    /// What the conversation did this time.
    pub replayed: Vec<Output>,
}

/// A journal that cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A line is not what it should be.
    #[error("line {line}: {problem}: is this a Hotline call journal, whole?")]
    BadLine {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Written by another version of Hotline.
    #[error("journal format {found} is not {FORMAT}: replay it with Hotline {hotline}")]
    Format {
        /// The journal's format.
        found: u32,
        /// The version that wrote it.
        hotline: String,
    },
    /// The dialplan in the journal does not load.
    #[error("the dialplan in the journal does not load: {0}")]
    Dialplan(String),
}

/// A header or a step as one line, without the line feed.
///
/// # Errors
/// [`JournalError::BadLine`] when a value has no JSON form, such as a score that is not a number.
pub fn line<T: Serialize>(entry: &T) -> Result<String, JournalError> {
    serde_json::to_string(entry)
        .map_err(|e| JournalError::BadLine { line: 0, problem: e.to_string() })
}

/// Builds the conversation that `header` describes.
///
/// # Errors
/// [`JournalError::Dialplan`] when the dialplan does not load.
pub fn conversation(header: &Header) -> Result<Conversation, JournalError> {
    let plan = Dialplan::from_source(header.dialplan.clone()).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        JournalError::Dialplan(errors.join("; "))
    })?;
    let machine = Machine::new(Arc::new(plan), header.facts.clone());
    Ok(Conversation::new(machine, header.timing.clone()).following(header.following.clone()))
}

/// Runs a journal again and compares, step by step, up to the first difference.
///
/// # Errors
/// [`JournalError`] when the text is not a journal that this version can replay.
pub fn replay(journal: &str) -> Result<Replay, JournalError> {
    let mut lines = journal.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().ok_or_else(|| bad(1, "the file is empty"))?;
    let header: Header = serde_json::from_str(first).map_err(|e| bad(1, e))?;
    if header.format != FORMAT {
        return Err(JournalError::Format { found: header.format, hotline: header.hotline });
    }
    let mut conversation = conversation(&header)?;
    let mut steps = 0;
    for (index, text) in lines {
        let recorded: Step = serde_json::from_str(text).map_err(|e| bad(index + 1, e))?;
        let replayed = conversation.step(recorded.at, recorded.input.clone());
        steps += 1;
        // Compared as text, for "the same" means byte for byte.
        if line(&replayed)? != line(&recorded.outputs)? {
            let difference = Some(Difference { line: index + 1, recorded, replayed });
            return Ok(Replay { call: header.call, steps, difference });
        }
    }
    Ok(Replay { call: header.call, steps, difference: None })
}

fn bad(line: usize, problem: impl ToString) -> JournalError {
    JournalError::BadLine { line, problem: problem.to_string() }
}
