//! Answers from the dialplan's knowledge base, where a caller asks what is no intent.

use std::sync::Arc;

use super::{
    BargeIn, Event, Machine, Output, Say, hear::DIGRESSION, machine::Failures, turn::Answer,
};
use crate::{
    dialplan::model::{Ask, NodeId, NodeKind, PromptBargeIn, Wants},
    text::Hypothesis,
    understand::{self, ChoiceOption, FaqMatch},
};

impl Machine {
    /// Answers a question from the knowledge base and asks its own again, or offers two answers, or says
    /// that it does not know; `false` when nothing was said. What was heard came to `answer`, by an intent
    /// of which one is so `sure`: a clear intent counts more, and so does any answer to a question that
    /// waits for something else than an intent.
    pub(super) fn told(
        &mut self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        (answer, sure): (&Answer, Option<f32>),
        out: &mut Vec<Output>,
    ) -> bool {
        if matches!(ask.wants, Wants::Talk) {
            // The model is shown the entries.
            return false;
        }
        let plan = Arc::clone(&self.plan);
        let offered = self.offered.take().filter(|(at, _)| *at == node);
        let open = matches!(ask.wants, Wants::Intent);
        let text = heard.first().map(|best| best.text.trim().to_owned()).unwrap_or_default();
        let asks = understand::is_question(self.lang, &text);
        let index = plan.faq(self.lang);
        let found = index.and_then(|index| index.answer(heard));
        // As good as word for word: that counts more than an intent that it resembles.
        let same = found.as_ref().is_some_and(|found| found.score >= understand::FAQ_SAME);
        let answered =
            !open && (!asks || matches!(answer, Answer::Value(_) | Answer::Yes | Answer::No));
        let clear = sure.is_some_and(|score| score >= DIGRESSION);
        if answered || (clear && !same) {
            return false;
        }
        if let Some(chosen) = offered.and_then(|(_, ids)| self.chosen(&ids, heard)) {
            return self.tell(node, chosen, out);
        }
        if open
            && let Some(found) = index.and_then(|index| index.either(heard))
            && self.offer(node, found.map(|entry| entry.id), out)
        {
            return true;
        }
        if let Some(found) = found {
            return self.tell(node, found, out);
        }
        if sure.is_some() || text.is_empty() || (index.is_none() && plan.model().unknown.is_none())
        {
            return false;
        }
        out.push(Output::Note(Event::Unanswered { text }));
        asks && self.admit(node, out)
    }

    /// Says that it does not know, and asks its own question again; the next time it is a no-match like others.
    fn admit(&mut self, node: NodeId, out: &mut Vec<Output>) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(unknown) = plan.model().unknown.as_ref().filter(|_| self.failures.no_match == 0)
        else {
            return false;
        };
        self.failures.no_match = 1;
        self.said.clear();
        self.say(&plan.model().node(node).name, unknown, PromptBargeIn::Any, out);
        self.pick_up(node, out);
        true
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
        match &plan.model().node(node).kind {
            NodeKind::Ask(ask) if matches!(ask.wants, Wants::Intent) => self.ask(node, out),
            _ => self.pick_up(node, out),
        }
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
