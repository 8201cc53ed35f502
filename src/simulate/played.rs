//! What came of a call in writing.

use std::{collections::BTreeMap, fmt};

use super::tools::Asked;
use crate::dialog::{Input, InvokeResult, Outcome};

/// What came of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Played {
    /// What was said and done, in order.
    pub transcript: Vec<Line>,
    /// Nodes entered, in order.
    pub nodes: Vec<String>,
    /// Which node was followed by which, as long as one led to the other.
    pub transitions: Vec<(String, String)>,
    /// Intents, in order.
    pub intents: Vec<String>,
    /// What tools were asked, in order.
    pub asked: Vec<Asked>,
    /// Entries of the knowledge base that a model cited, in order.
    pub cited: Vec<String>,
    /// How often what a script can count happened, by name.
    pub counts: BTreeMap<&'static str, u32>,
    /// How it ended; `None` while the call goes on.
    pub outcome: Option<Outcome>,
    /// Where it went another way than the script.
    pub problems: Vec<Problem>,
}

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The bot said this.
    Bot(String),
    /// The caller did this.
    Caller(String),
    /// A tool was asked, a call handed over, the call ended.
    Done(String),
}

/// A place where a call went another way than its script.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Line of the script, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// Lines of the transcript so far.
    pub after: usize,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot(text) => write!(f, "bot     {text}"),
            Self::Caller(text) => write!(f, "caller  {text}"),
            Self::Done(text) => write!(f, "        {text}"),
        }
    }
}

pub(super) fn written(input: &Input) -> String {
    match input {
        Input::Heard(heard) => {
            let texts: Vec<&str> = heard.iter().map(|h| h.text.as_str()).collect();
            texts.join(" | ")
        }
        Input::Unclear => "[unclear]".to_owned(),
        Input::NoInput => "[silence]".to_owned(),
        Input::HungUp => "[hangs up]".to_owned(),
        Input::Keys(keys) => format!("[{keys}]"),
        Input::Start
        | Input::Transferred(_)
        | Input::Invoked(_)
        | Input::Generated(_)
        | Input::Given { .. }
        | Input::TakenAway(_) => String::new(),
    }
}

pub(super) fn given(result: &InvokeResult) -> String {
    match result {
        InvokeResult::Done(fields) => format!(" → {}", pairs(fields)),
        InvokeResult::Failed(why) => format!(" fails: {why}"),
    }
}

pub(super) fn pairs(values: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> =
        values.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    pairs.join(", ")
}
