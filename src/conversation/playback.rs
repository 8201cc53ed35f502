//! The playback ledger: what was sent, to the sample. It is the truth about what the caller heard.

use std::collections::VecDeque;

use super::contract::{Note, PromptId};
use crate::{
    audio::CallTime,
    dialog::{BargeIn, Say},
};

/// Prompts handed to the rim and not yet ended, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    count: u32,
    open: VecDeque<Prompt>,
}

#[derive(Debug, Clone)]
struct Prompt {
    id: PromptId,
    say: Say,
    started: Option<CallTime>,
}

impl Ledger {
    /// Enters a prompt that is being handed to the rim.
    pub(super) fn enter(&mut self, say: Say) -> PromptId {
        self.count += 1;
        let id = PromptId(self.count);
        self.open.push_back(Prompt { id, say, started: None });
        id
    }

    /// Notes that the first audio was sent.
    pub(super) fn started(&mut self, now: CallTime, id: PromptId) {
        if let Some(prompt) = self.open.iter_mut().find(|p| p.id == id) {
            prompt.started.get_or_insert(now);
        }
    }

    /// Closes a prompt and returns what is to be recorded of it.
    pub(super) fn ended(
        &mut self,
        now: CallTime,
        id: PromptId,
        played: u64,
        total: u64,
    ) -> Option<Note> {
        let index = self.open.iter().position(|p| p.id == id)?;
        let prompt = self.open.remove(index)?;
        let from = prompt.started.unwrap_or(now);
        Some(Note::Said {
            prompt: id,
            text: prompt.say.phrase.to_string(),
            node: prompt.say.node,
            from,
            to: CallTime(from.samples() + played),
            complete: total > 0 && played >= total,
        })
    }

    /// Whether nothing is playing or waiting to be played.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// What may cut the prompt that is sounding now.
    pub(super) fn barge_in(&self) -> Option<BargeIn> {
        self.open.front().map(|p| p.say.barge_in)
    }
}
