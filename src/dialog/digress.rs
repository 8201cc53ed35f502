//! Callers who change the subject, and come back; callers who want several things at once.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Event, Machine, Output,
    machine::{Failures, Phase},
    turn::Answer,
};
use crate::{
    dialplan::model::{Ask, NodeId, NodeKind, PromptBargeIn, Routes, SlotKind, Target, Wants},
    text::{Hypothesis, Lang},
    understand,
};

/// Questions that are left open at most; of more, nobody remembers the first.
const DEEPEST: usize = 4;
/// Score from which a part of what was said is a request of its own.
const SURE: f32 = 0.8;

/// What is still to be done: questions that the caller left for another subject, and what else they
/// asked for in one breath.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    open: Vec<Left>,
    requests: VecDeque<Request>,
}

/// A question that the caller left.
#[derive(Debug, Clone, Copy)]
struct Left {
    phase: Phase,
    /// Sub-flows that were open.
    depth: usize,
}

/// Something that the caller also wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    intent: String,
    score: f32,
    to: NodeId,
}

impl Machine {
    /// The caller, at the question of `node`, is led to `to`. Where that is another subject and not
    /// an answer, the question stays open for a `return`.
    pub(super) fn lead(&mut self, node: NodeId, ask: &Ask, to: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        // A menu that only the globals answer is no question to come back to.
        let menu = matches!(ask.wants, Wants::Intent) && ask.routes.on.is_empty();
        let answers = menu || ask.routes.targets().any(|target| target == to);
        if !answers && model.node(to).flow() != model.node(node).flow() {
            self.leave_open(node, out);
        }
        self.progress(to, out);
    }

    /// Keeps the question of `node` for a `return`.
    pub(super) fn leave_open(&mut self, node: NodeId, out: &mut Vec<Output>) {
        if self.agenda.open.len() == DEEPEST {
            self.agenda.open.remove(0);
        }
        self.agenda.open.push(Left { phase: self.phase, depth: self.frames.len() });
        let from = self.plan.model().node(node).name.clone();
        out.push(Output::Note(Event::Digression { from }));
    }

    /// Goes back to the question that the caller left last; `false` when there is none.
    pub(super) fn come_back(&mut self, out: &mut Vec<Output>) -> bool {
        let Some(Left { phase, depth }) = self.agenda.open.pop() else { return false };
        self.unwind(depth);
        let (Phase::Asking(node) | Phase::Confirming(node)) = phase else { return false };
        let name = self.plan.model().node(node).name.clone();
        out.push(Output::Note(Event::Resumed { node: name }));
        self.phase = phase;
        self.failures = Failures::default();
        let menu = self.plan.model().node(node).question();
        let menu = menu.is_some_and(|ask| matches!(ask.wants, Wants::Intent));
        if !(menu && self.offer_else(node, out)) {
            self.pick_up(node, out);
        }
        true
    }

    /// Asks the open question of `node` again, or reads back again what it was reading back, after something else.
    pub(super) fn pick_up(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let Some(ask) = model.node(node).question() else { return self.enter(node, out) };
        let name = &model.node(node).name;
        self.say(name, &model.resume, PromptBargeIn::Any, out);
        let question = match (&ask.wants, self.phase) {
            (Wants::Slot { confirm: Some(confirm), .. }, Phase::Confirming(_)) => confirm,
            _ => self.question(&plan, node, ask),
        };
        // A talk may have none.
        if !question.texts.is_empty() {
            self.say(name, question, ask.barge_in, out);
        }
        self.listen(node, out);
    }

    /// Questions that were left need no answer any more: the caller is asked anew what it is about.
    /// A node of `flow` does so.
    pub(super) fn forget_open_questions(&mut self, flow: &str) {
        self.agenda.open.clear();
        self.leave_for(flow);
    }

    /// What was said leads to `answer`, by the whole of it. Where its parts ask for several things, the
    /// first comes first, and the others are taken down.
    pub(super) fn first_request(
        &mut self,
        ask: &Ask,
        heard: &[Hypothesis],
        answer: Answer,
        whole: Event,
    ) -> (Answer, Option<Event>) {
        let mut found = self.requests_in(ask, heard);
        if found.len() < 2 {
            if let Event::Intent { intent, .. } = &whole {
                self.agenda.requests.retain(|request| request.intent != *intent);
            }
            return (answer, Some(whole));
        }
        let Request { intent, score, to } = found.remove(0);
        self.agenda.requests = found.into();
        (Answer::Go(Target::Node(to)), Some(Event::Intent { intent, score }))
    }

    /// What the caller asked for beside a yes: "yes, and what do I owe you?" Nothing where the dialplan never comes
    /// back to it, or where no word joins the two: "yes, a person" is about the person alone.
    pub(super) fn beside_yes(&self, ask: &Ask, heard: &[Hypothesis]) -> Vec<Request> {
        let Some(best) = heard.first().filter(|_| self.comes_back()) else { return Vec::new() };
        // A joint in English is a word of its own, also at the beginning.
        let text = format!(" {}", best.text.to_lowercase().replace(',', " , "));
        let joint = joints(self.lang).iter().filter_map(|joint| text.find(joint)).min();
        let Some((yes, rest)) = joint.and_then(|at| text.split_at_checked(at)) else {
            return Vec::new();
        };
        if understand::yes_no(self.lang, yes) != Some(true) {
            return Vec::new();
        }
        self.requests_in(ask, &[Hypothesis { text: rest.to_owned(), confidence: best.confidence }])
    }

    /// What the caller asked for beside a value: "the kettle, I want to send it back". Nothing where the dialplan never
    /// comes back to it, or where any words are the value.
    pub(super) fn beside_value(&self, ask: &Ask, heard: &[Hypothesis]) -> Vec<Request> {
        let kind = match &ask.wants {
            Wants::Slot { slot, .. } => self.plan.model().slots.get(slot).map(|slot| &slot.kind),
            _ => None,
        };
        let words = matches!(kind, Some(SlotKind::Text) | None);
        if words || !self.comes_back() { Vec::new() } else { self.requests_in(ask, heard) }
    }

    /// Whether the dialplan has a node that goes on with what else was asked for.
    fn comes_back(&self) -> bool {
        let nodes = &self.plan.model().nodes;
        nodes.iter().any(|node| matches!(node.kind, NodeKind::NextRequest { .. }))
    }

    /// Whether something is still to be done: a question that was left, or another request.
    pub(super) fn has_unfinished(&self) -> bool {
        !self.agenda.open.is_empty() || !self.agenda.requests.is_empty()
    }

    /// Takes requests down for later.
    pub(super) fn remember(&mut self, requests: Vec<Request>) {
        self.agenda.requests.extend(requests);
    }

    /// What the caller also asked for, if there is something left.
    pub(super) fn next_request(&mut self, out: &mut Vec<Output>) -> Option<NodeId> {
        let Request { intent, score, to } = self.agenda.requests.pop_front()?;
        out.push(Output::Note(Event::Intent { intent, score }));
        Some(to)
    }

    /// The different requests in the parts of what was said, in order.
    fn requests_in(&self, ask: &Ask, heard: &[Hypothesis]) -> Vec<Request> {
        let mut found: Vec<Request> = Vec::new();
        let (Some(best), Some(classifier)) = (heard.first(), self.plan.classifier(self.lang))
        else {
            return found;
        };
        let routes: [&Routes; 2] = [&ask.routes, &self.plan.model().globals];
        for text in clauses(self.lang, &best.text) {
            let part = [Hypothesis { text, confidence: best.confidence }];
            let Some(is) = classifier.classify(&part).filter(|is| is.score >= SURE) else {
                continue;
            };
            let to = routes.iter().find_map(|routes| routes.on.get(&is.intent));
            if let Some(Target::Node(to)) = to
                && found.iter().all(|request| request.intent != is.intent)
            {
                found.push(Request { intent: is.intent, score: is.score, to: *to });
            }
        }
        found
    }
}

/// Words that join one request to another.
fn joints(lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::En => &[" and ", " also ", " then ", " plus "],
        Lang::Zh => &["顺便", "还有", "另外", "然后", "再就是"],
    }
}

/// The parts of what was said that may each ask for something.
fn clauses(lang: Lang, text: &str) -> Vec<String> {
    let ends =
        |c: char| matches!(c, ',' | '.' | ';' | '?' | '!' | '，' | '。' | '；' | '？' | '！');
    let mut text = text.to_lowercase();
    for joint in joints(lang) {
        text = text.replace(joint, ",");
    }
    let parts = text.split(ends).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
