//! A node at which a language model speaks.

use std::{collections::BTreeSet, time::Duration};

use super::model::{Ask, NodeId, Prompt, Reference};

/// A talk that a language model leads, within the bounds that its author set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Talk {
    /// What the model is to be and to do. Never spoken.
    pub(crate) instructions: Prompt,
    /// Its name in the configuration; without one, the usual model.
    pub(crate) model: Option<String>,
    /// Sensitive values that the model may be told.
    pub(crate) share: BTreeSet<Reference>,
    /// How many entries of the knowledge base it is shown, at most.
    pub(crate) knowledge: usize,
    /// All that it can do besides speaking.
    pub(crate) actions: Vec<Action>,
    /// Words that no sentence of it may have.
    pub(crate) forbidden: Vec<String>,
    /// Turns of the caller that it answers.
    pub(crate) turns: u32,
    /// How long its first word may take, and its whole answer.
    pub(crate) first_word: Duration,
    pub(crate) deadline: Duration,
    /// Said when it takes long, in place of the dialplan's.
    pub(crate) filler: Option<Prompt>,
    /// Where the call goes on whatever goes wrong.
    pub(crate) fail: NodeId,
    /// How the caller is listened to, and what is asked first; where nothing is, the model speaks first.
    pub(crate) ask: Ask,
}

/// Something that a model can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) name: String,
    /// For the model: when to choose it.
    pub(crate) description: String,
    /// The slots that it fills, whose types the values must have.
    pub(crate) arguments: Vec<String>,
    pub(crate) next: NodeId,
}

impl Talk {
    /// Whether it begins with a question, and not with the model.
    pub(crate) fn begins_with_question(&self) -> bool {
        !self.ask.ask.texts.is_empty()
    }

    /// The action of that name.
    pub(crate) fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// Where it leads by itself.
    pub(crate) fn successors(&self) -> Vec<NodeId> {
        let actions = self.actions.iter().map(|action| action.next);
        actions.chain([self.fail]).collect()
    }

    /// The slots that its actions fill.
    pub(crate) fn fills(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().flat_map(|action| &action.arguments).map(String::as_str)
    }
}
