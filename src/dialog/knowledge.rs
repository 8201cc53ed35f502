//! Answers from the dialplan's knowledge base, where a caller asks what is no intent.

use std::sync::Arc;

use super::{BargeIn, Event, Machine, Output, Say, hear::DIGRESSION, machine::Failures};
use crate::{
    dialplan::model::{Ask, NodeId, PromptBargeIn, Wants},
    text::Hypothesis,
    understand::{self, ChoiceOption, FaqMatch},
};

impl Machine {
    /// Answers what was heard at an open question and asks again, or offers two answers, unless an
    /// intent is clear or the knowledge base has no answer; `false` when nothing was said. `intent`
    /// is how sure one is.
    pub(super) fn told(
        &mut self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        intent: Option<f32>,
        out: &mut Vec<Output>,
    ) -> bool {
        let plan = Arc::clone(&self.plan);
        let offered = self.offered.take().filter(|(at, _)| *at == node);
        let (Wants::Intent, Some(index)) = (&ask.wants, plan.faq(self.lang)) else {
            return false;
        };
        if intent.is_some_and(|score| score >= DIGRESSION) {
            return false;
        }
        if let Some(chosen) = offered.and_then(|(_, ids)| self.chosen(&ids, heard)) {
            return self.tell(node, chosen, out);
        }
        if let Some(found) = index.either(heard)
            && self.offer(node, found.map(|entry| entry.id), out)
        {
            return true;
        }
        if let Some(found) = index.answer(heard) {
            return self.tell(node, found, out);
        }
        let text = heard.first().map(|best| best.text.trim().to_owned()).unwrap_or_default();
        if intent.is_none() && !text.is_empty() {
            out.push(Output::Note(Event::Unanswered { text }));
        }
        false
    }

    /// Gives an answer and asks the question again.
    fn tell(&mut self, node: NodeId, found: FaqMatch, out: &mut Vec<Output>) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(entry) = plan.model().knowledge.get(&found.id) else {
            return false;
        };
        out.push(Output::Note(Event::Faq { id: found.id, score: found.score }));
        self.said.clear();
        self.failures = Failures::default();
        self.say(&plan.model().node(node).name, &entry.answer, PromptBargeIn::Any, out);
        self.ask(node, out);
        true
    }

    /// Asks which of two entries is meant; `false` where the dialplan does not say how.
    fn offer(&mut self, node: NodeId, ids: [String; 2], out: &mut Vec<Output>) -> bool {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let question = |id: &String| model.knowledge.get(id)?.questions.get(&self.lang)?.first();
        let (Some(offer), [Some(first), Some(second)]) =
            (model.offer.get(&self.lang), ids.each_ref().map(question))
        else {
            return false;
        };
        let say = Say {
            phrase: offer.phrase(self.lang, first, second),
            barge_in: BargeIn::Any,
            node: model.node(node).name.clone(),
            manner: self.care.manner,
        };
        out.push(Output::Note(Event::Offered { ids: ids.to_vec() }));
        self.said = vec![say.clone()];
        self.failures = Failures::default();
        self.offered = Some((node, ids));
        out.push(Output::Say(say));
        self.listen(node, out);
        true
    }

    /// Which of two offered entries the caller means, by its words or its place.
    fn chosen(&self, ids: &[String; 2], heard: &[Hypothesis]) -> Option<FaqMatch> {
        let options = ids.each_ref().map(|id| {
            let entry = self.plan.model().knowledge.get(id);
            let phrases = entry.and_then(|entry| entry.questions.get(&self.lang)).cloned();
            ChoiceOption { name: id.clone(), phrases: phrases.unwrap_or_default() }
        });
        let found = understand::choice(self.lang, heard, &options)?;
        Some(FaqMatch { id: found.name, score: found.score })
    }
}
