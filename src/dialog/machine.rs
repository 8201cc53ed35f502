use std::sync::Arc;

use super::{
    BargeIn, CallFacts, Event, Input, Outcome, Output, Say,
    digress::Agenda,
    feel::Feelings,
    ordered::Away,
    recommend::Recommended,
    subflow::Frame,
    talk::Talking,
    values::{Values, shown},
    ways::Ways,
    wish::Care,
};
use crate::{
    audio::CallTime,
    dialplan::{
        Dialplan,
        model::{Node, NodeId, NodeKind, Prompt, PromptBargeIn, Template, Then},
    },
    text::{Hypothesis, Lang},
};

/// Nodes passed without the caller, at most: more than any dialplan without a loop has, sub-flows and all.
const LONGEST_WALK: usize = 10_000;

/// The dialog of one call: a pure function of what it is fed.
///
/// Cloning is cheap enough to try an answer ahead and throw it away.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) plan: Arc<Dialplan>,
    pub(super) facts: CallFacts,
    pub(super) lang: Lang,
    /// Another language, in which the caller's last turn was, of which nothing was made.
    pub(super) foreign: Option<Lang>,
    pub(super) values: Values,
    pub(super) phase: Phase,
    /// Failures in a row at the open question.
    pub(super) failures: Failures,
    pub(super) turns: u32,
    /// When the step that is being taken happens.
    pub(super) now: CallTime,
    pub(super) talking: Talking,
    pub(super) feelings: Feelings,
    pub(super) recommended: Recommended,
    pub(super) care: Care,
    pub(super) agenda: Agenda,
    /// The sub-flows that the call is in, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// Entries of the knowledge base between which the caller may choose, at the open question.
    pub(super) offered: Option<(NodeId, [String; 2])>,
    /// What the caller said in the last turn.
    pub(super) heard_last: Vec<Hypothesis>,
    /// What was said since the caller's last understood turn, for `repeat`.
    pub(super) said: Vec<Say>,
    /// How prompts were said that can be said in several ways.
    pub(super) ways: Ways,
}

/// Where the dialog stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing has happened yet.
    Fresh,
    /// A question is open.
    Asking(NodeId),
    /// A value was read back and waits for a yes.
    Confirming(NodeId),
    /// A tool was asked.
    Invoking(NodeId),
    /// The caller is being handed over.
    Transferring(NodeId),
    /// Somebody outside of the call has taken the caller from the open question.
    Away(Away),
    /// The call is over.
    Ended,
}

/// How often in a row the open question got no usable answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) no_input: u32,
    pub(super) no_match: u32,
    /// Values that the caller did not confirm.
    pub(super) rejected: u32,
}

impl Machine {
    /// The dialog of a call that has not been answered yet.
    pub fn new(plan: Arc<Dialplan>, facts: CallFacts) -> Self {
        let values = Values::preset(&facts.preset, &plan);
        Self {
            lang: plan.language(),
            foreign: None,
            plan,
            facts,
            values,
            phase: Phase::Fresh,
            failures: Failures::default(),
            turns: 0,
            now: CallTime::ZERO,
            talking: Talking::default(),
            feelings: Feelings::default(),
            recommended: Recommended::default(),
            care: Care::default(),
            agenda: Agenda::default(),
            frames: Vec::new(),
            offered: None,
            heard_last: Vec::new(),
            said: Vec::new(),
            ways: Ways::default(),
        }
    }

    /// Whether these words are the beginning of something longer that the dialplan says callers say.
    pub fn expects_more(&self, text: &str) -> bool {
        self.plan.classifier(self.lang).is_some_and(|intents| intents.is_beginning(text))
    }

    /// Takes what happened and returns what to do, in order.
    ///
    /// Every input is accepted at every moment; [`Input::Start`] comes first. The step of an input
    /// other than [`Input::HungUp`] and [`Input::Given`] ends with exactly one [`Output::Listen`],
    /// [`Output::Transfer`], [`Output::Invoke`] or [`Output::HangUp`]; during a transfer, and while a tool is
    /// asked, only the result has an answer, and once the call is over, there is nothing more.
    pub fn step(&mut self, now: CallTime, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.now = now;
        match (self.phase, input) {
            (Phase::Ended, _) => {}
            (_, Input::HungUp) => {
                self.hush(&mut out);
                self.sum_up(&mut out);
                self.phase = Phase::Ended;
            }
            (_, Input::Given { slot, value }) => self.given(&slot, &value, &mut out),
            (Phase::Away(away), Input::Transferred(result)) => self.back(away, result, &mut out),
            (Phase::Transferring(node), Input::Transferred(result)) => {
                self.transferred(node, result, &mut out);
            }
            (Phase::Invoking(node), Input::Invoked(result)) => {
                self.invoked(node, result, &mut out);
            }
            (Phase::Transferring(_) | Phase::Invoking(_) | Phase::Away(_), _) => {}
            (Phase::Asking(node) | Phase::Confirming(node), Input::TakenAway(by)) => {
                self.taken_away(node, by, &mut out);
            }
            (Phase::Fresh, Input::TakenAway(_)) => {}
            (Phase::Asking(node), Input::Generated(part)) => self.generated(node, part, &mut out),
            (Phase::Fresh, _) => self.enter(self.plan.model().start, &mut out),
            (
                Phase::Asking(node) | Phase::Confirming(node),
                Input::Start | Input::Transferred(_) | Input::Invoked(_) | Input::Generated(_),
            ) => {
                self.listen(node, &mut out);
            }
            (Phase::Asking(node) | Phase::Confirming(node), input) => {
                self.turn(node, input, &mut out);
            }
        }
        out
    }

    /// The slots so far and a disposition: for the record of a call that the caller ended.
    pub fn outcome(&self, disposition: &str) -> Outcome {
        Outcome {
            disposition: disposition.to_owned(),
            slots: self.values.for_record(&self.plan),
            sentiment: self.feelings.range(),
            offers: self.recommended.made(),
        }
    }

    /// The value of a slot, in full whether or not records may show it; `None` while it has none.
    pub fn slot(&self, name: &str) -> Option<&str> {
        self.values.slot(name)
    }

    /// The language that the call is in.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Goes through the flow from `node` until a question or the end.
    pub(super) fn enter(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let mut next = node;
        // The linter refuses loops without a question, so every walk comes to an end.
        for _ in 0..LONGEST_WALK {
            let node = model.node(next);
            out.push(Output::Note(Event::Node { node: node.name.clone() }));
            match self.pass(node, out) {
                Step::To(then) => next = then,
                Step::Ask => return self.ask(next, out),
                Step::Transfer => return self.transfer(next, out),
                Step::Invoke => return self.invoke(next, out),
                Step::Talk => return self.begin_talk(next, out),
                Step::Return(otherwise) => {
                    if self.come_back(out) {
                        return;
                    }
                    next = otherwise;
                }
                Step::Finish(word) => match self.finish(node.flow(), &word, out) {
                    Some(then) => next = then,
                    None => return self.hang_up("dialplan_loop", out),
                },
                Step::End(disposition) => return self.hang_up(&disposition, out),
            }
        }
        self.hang_up("dialplan_loop", out);
    }

    /// Does what a node does, up to its question.
    fn pass(&mut self, node: &Node, out: &mut Vec<Output>) -> Step {
        match &node.kind {
            NodeKind::Ask(_) => Step::Ask,
            NodeKind::Transfer(_) => Step::Transfer,
            NodeKind::Tool(_) => Step::Invoke,
            NodeKind::Llm(_) => Step::Talk,
            NodeKind::Offer(offering) => match self.recommend(offering, out) {
                true => Step::Ask,
                false => Step::To(offering.none),
            },
            NodeKind::Say { say, barge_in, then } => {
                self.say(&node.name, say, *barge_in, out);
                Step::after(then)
            }
            NodeKind::Then(then) => Step::after(then),
            NodeKind::When { cases, otherwise } => {
                let case = cases.iter().find(|case| self.holds(&case.condition, out));
                Step::To(case.map_or(*otherwise, |case| case.next))
            }
            NodeKind::Do(call) => match self.begin(call, out) {
                Some(first) => Step::To(first),
                None => Step::End("dialplan_loop".to_owned()),
            },
            NodeKind::Lookup { table, key, matching, found, missing } => {
                let row = self.find_row(table, key, matching);
                self.values.found(table, row);
                Step::To(if row.is_some() { *found } else { *missing })
            }
            NodeKind::Set { values, next } => {
                for (slot, to) in values {
                    match self.set_to(slot, to, out) {
                        Some(value) => self.fill_slot(slot, value, out),
                        None => self.values.clear(slot),
                    }
                }
                Step::To(*next)
            }
            NodeKind::Take { slot, found, missing } => {
                let kind = self.plan.model().slots.get(slot).map(|slot| slot.kind.clone());
                let value = kind.and_then(|kind| self.match_value(&kind, &self.heard_last));
                Step::To(match value {
                    Some(value) => {
                        self.fill_slot(slot, value, out);
                        *found
                    }
                    None => *missing,
                })
            }
            NodeKind::Count { counter, limit, reached, next } => {
                let count = self.values.count(counter);
                Step::To(if count >= *limit { *reached } else { *next })
            }
            NodeKind::NextRequest { say, otherwise } => {
                self.forget_open_questions(node.flow());
                let to = self.next_request(out);
                if let (Some(_), Some(say)) = (to, say) {
                    self.say(&node.name, say, PromptBargeIn::Any, out);
                }
                Step::To(to.unwrap_or(*otherwise))
            }
            NodeKind::Mode { elderly, next } => {
                self.mode(*elderly, out);
                Step::To(*next)
            }
            NodeKind::Language { lang, next } => {
                self.lang = *lang;
                Step::To(*next)
            }
        }
    }

    fn find_row(
        &self,
        table: &str,
        key: &Template,
        matching: &[(String, Template)],
    ) -> Option<usize> {
        let table = self.plan.model().tables.get(table)?;
        let fill = |template| self.values.fill(template, &self.plan, &self.facts);
        let key = fill(key);
        let wanted: Vec<(usize, String)> = matching
            .iter()
            .map(|(column, template)| Some((table.column(column)?, fill(template))))
            .collect::<Option<_>>()?;
        table.rows.iter().position(|row| {
            row[table.key] == key && wanted.iter().all(|(column, value)| row[*column] == *value)
        })
    }

    /// Gives a slot a value and notes it.
    pub(super) fn fill_slot(&mut self, slot: &str, value: String, out: &mut Vec<Output>) {
        out.push(Output::Note(Event::Slot {
            slot: slot.to_owned(),
            value: shown(&self.plan, slot, &value),
        }));
        self.values.set(slot, value);
    }

    /// Says a prompt in the call's language.
    pub(super) fn say(
        &mut self,
        node: &str,
        prompt: &Prompt,
        barge_in: PromptBargeIn,
        out: &mut Vec<Output>,
    ) {
        let say = self.compose(node, prompt, barge_in);
        self.said.push(say.clone());
        out.push(Output::Say(say));
    }

    /// A prompt filled in.
    pub(super) fn compose(&mut self, node: &str, prompt: &Prompt, barge_in: PromptBargeIn) -> Say {
        let way = self.way(node, prompt);
        Say {
            phrase: self.values.phrase(prompt, way, self.lang, &self.plan, &self.facts),
            barge_in: match barge_in {
                PromptBargeIn::Any => BargeIn::Any,
                PromptBargeIn::Keys => BargeIn::Keys,
                PromptBargeIn::None => BargeIn::None,
            },
            node: node.to_owned(),
            manner: self.care.manner,
        }
    }

    pub(super) fn hang_up(&mut self, disposition: &str, out: &mut Vec<Output>) {
        self.phase = Phase::Ended;
        self.sum_up(out);
        out.push(Output::HangUp(self.outcome(disposition)));
    }
}

/// What follows a node.
enum Step {
    To(NodeId),
    Ask,
    Transfer,
    Invoke,
    Talk,
    /// Back to the question that the caller left, or else there.
    Return(NodeId),
    /// Out of the sub-flow that the node is in.
    Finish(String),
    End(String),
}

impl Step {
    fn after(then: &Then) -> Self {
        match then {
            Then::Next(node) => Self::To(*node),
            Then::Return(otherwise) => Self::Return(*otherwise),
            Then::Finish(word) => Self::Finish(word.clone()),
            Then::HangUp(disposition) => Self::End(disposition.clone()),
        }
    }
}
