//! Answers from the dialplan's knowledge base, where a caller asks what is no intent.

use std::sync::Arc;

use super::{Event, Machine, Output, hear::DIGRESSION, machine::Failures};
use crate::{
    dialplan::model::{Ask, NodeId, PromptBargeIn, Wants},
    text::Hypothesis,
};

impl Machine {
    /// Answers what was heard at an open question and asks again, unless an intent is clear or the
    /// knowledge base has no answer; `false` when nothing was said. `intent` is how sure one is.
    pub(super) fn told(
        &mut self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        intent: Option<f32>,
        out: &mut Vec<Output>,
    ) -> bool {
        let plan = Arc::clone(&self.plan);
        let (Wants::Intent, Some(index)) = (&ask.wants, plan.faq(self.lang)) else {
            return false;
        };
        if intent.is_some_and(|score| score >= DIGRESSION) {
            return false;
        }
        let found = index.answer(heard);
        let entry = found.as_ref().and_then(|found| plan.model().knowledge.get(&found.id));
        let (Some(found), Some(entry)) = (found, entry) else {
            let text = heard.first().map(|best| best.text.trim().to_owned()).unwrap_or_default();
            if intent.is_none() && !text.is_empty() {
                out.push(Output::Note(Event::Unanswered { text }));
            }
            return false;
        };
        out.push(Output::Note(Event::Faq { id: found.id, score: found.score }));
        self.said.clear();
        self.failures = Failures::default();
        self.say(&plan.model().node(node).name, &entry.answer, PromptBargeIn::Any, out);
        self.ask(node, out);
        true
    }
}
