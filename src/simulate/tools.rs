//! Tools that give what a script says.

use std::collections::BTreeMap;

use super::model::Model;
use crate::dialog::{Invoke, InvokeResult};

/// What the tools of a scripted call give, and what its language model answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tools {
    answers: BTreeMap<String, Vec<Answer>>,
    pub(super) model: Model,
}

/// What a tool gives when it is asked in a certain way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The arguments that matter.
    pub(crate) with: BTreeMap<String, String>,
    pub(crate) result: InvokeResult,
    /// How often at most it is given; without limit unless said.
    pub(crate) times: Option<u32>,
}

/// Something that a tool was asked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// The tool, as the dialplan names it.
    pub tool: String,
    /// Its arguments, in full.
    pub arguments: BTreeMap<String, String>,
}

impl Tools {
    pub(crate) fn set(&mut self, tool: &str, answers: Vec<Answer>) {
        self.answers.insert(tool.to_owned(), answers);
    }

    /// What it says that `others` do not say likewise.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let mut own = self.clone();
        own.answers.retain(|tool, answers| others.answers.get(tool) != Some(answers));
        own
    }

    /// Whether it says what `tool` gives.
    pub fn know(&self, tool: &str) -> bool {
        self.answers.contains_key(tool)
    }

    /// The first answer whose arguments are those of the question and that is not used up; a
    /// failure when there is none.
    pub fn ask(&mut self, invoke: &Invoke) -> InvokeResult {
        let answers = self.answers.get_mut(&invoke.tool).map_or(&mut [][..], Vec::as_mut_slice);
        let fits = |answer: &&mut Answer| {
            let agree =
                |(name, value): (&String, &String)| invoke.arguments.get(name) == Some(value);
            answer.times != Some(0) && answer.with.iter().all(agree)
        };
        match answers.iter_mut().find(fits) {
            Some(answer) => {
                answer.times = answer.times.map(|left| left - 1);
                answer.result.clone()
            }
            None => InvokeResult::Failed("the script does not say what it gives".to_owned()),
        }
    }
}
