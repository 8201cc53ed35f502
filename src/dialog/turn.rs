use std::{sync::Arc, time::Duration};

use super::{
    Event, Expect, Input, KeyRules, Listen, Machine, Output,
    keyed::digits_of,
    machine::{Failures, Phase},
};
use crate::{
    dialplan::model::{Ask, Ladders, NodeId, Prompt, PromptBargeIn, SlotKind, Target, Wants},
    text::Hypothesis,
    understand::{self, DigitSpec},
};

/// Silence between keys that ends an entry.
const INTER_DIGIT: Duration = Duration::from_secs(3);

/// Values that the caller says are wrong before the question is given up.
const REJECTIONS: u32 = 3;

/// Most keys of a sum of money: millions, a point, hundredths.
const MOST_MONEY_KEYS: u8 = 10;

/// What a turn came to.
pub(super) enum Answer {
    /// A value for the slot that was asked for.
    Value(String),
    Yes,
    No,
    /// Somewhere else.
    Go(Target),
    /// Nothing usable.
    NoMatch,
}

impl Machine {
    /// Asks the question of `node` and waits.
    pub(super) fn ask(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let Some(ask) = model.node(node).question() else {
            return self.enter(node, out);
        };
        if self.turns > model.limits.max_turns {
            return self.hang_up("max_turns", out);
        }
        if matches!(ask.wants, Wants::Intent) {
            self.forget_open_questions(model.node(node).flow());
            if self.offer_else(node, out) {
                return;
            }
        }
        self.phase = Phase::Asking(node);
        let question = self.question(&plan, node, ask);
        self.say(&model.node(node).name, question, ask.barge_in, out);
        self.listen(node, out);
    }

    /// Waits for the answer to the open question.
    pub(super) fn listen(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let Some(ask) = model.node(node).question() else {
            return self.enter(node, out);
        };
        let confirming = matches!(self.phase, Phase::Confirming(_));
        let (expect, max) =
            if confirming { (Expect::YesNo, 1) } else { self.expectation(&ask.wants) };
        out.push(Output::Listen(Listen {
            lang: self.lang,
            expect,
            phrases: self.likely_words(&ask.wants),
            no_input: self.care.no_input(ask.no_input.unwrap_or(model.limits.no_input)),
            keys: KeyRules { max, terminator: (max > 1).then_some('#'), inter_digit: INTER_DIGIT },
            patience_percent: self.care.patience_percent(),
        }));
    }

    pub(super) fn expectation(&self, wants: &Wants) -> (Expect, u8) {
        match wants {
            Wants::Intent => (Expect::Open, 1),
            Wants::Talk => (Expect::Talk, 1),
            Wants::YesNo { .. } => (Expect::YesNo, 1),
            Wants::Slot { slot, .. } => match self.plan.model().slots.get(slot).map(|s| &s.kind) {
                Some(SlotKind::Digits(DigitSpec { min, max, .. })) => {
                    (Expect::Digits { min: *min, max: *max }, *max)
                }
                Some(SlotKind::Code(form)) => {
                    let most = u8::try_from(form.longest()).unwrap_or(u8::MAX);
                    (Expect::Choice, if form.is_digits() { most } else { 1 })
                }
                Some(SlotKind::YesNo) => (Expect::YesNo, 1),
                Some(SlotKind::Choice(_) | SlotKind::Offered(_)) => (Expect::Choice, 1),
                Some(SlotKind::Number { max, .. }) => (Expect::Choice, digits_of(*max)),
                Some(SlotKind::Money) => (Expect::Choice, MOST_MONEY_KEYS),
                Some(SlotKind::Date | SlotKind::Time) => (Expect::Choice, 4),
                Some(SlotKind::Text) => (Expect::Text, 1),
                Some(SlotKind::Counter) | None => (Expect::Open, 1),
            },
        }
    }

    /// The dialplan's hot words, and the options when one is to be chosen.
    fn likely_words(&self, wants: &Wants) -> Vec<String> {
        let model = self.plan.model();
        let mut words = model.hot_words.get(&self.lang).cloned().unwrap_or_default();
        let kind = match wants {
            Wants::Slot { slot, .. } => model.slots.get(slot).map(|s| &s.kind),
            _ => None,
        };
        match kind {
            Some(SlotKind::Choice(options)) => {
                let phrases = options.iter().filter_map(|o| o.phrases.get(&self.lang));
                words.extend(phrases.flatten().cloned());
            }
            Some(SlotKind::Offered(from)) => {
                words.extend(self.offers(from).into_iter().flat_map(|offer| offer.phrases));
            }
            _ => {}
        }
        words
    }

    /// One turn of the caller at the open question.
    pub(super) fn turn(&mut self, node: NodeId, input: Input, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let Some(ask) = plan.model().node(node).question() else {
            return self.enter(node, out);
        };
        self.hush(out);
        self.turns += 1;
        if self.turns > plan.model().limits.max_turns {
            return match plan.model().limits.too_long {
                Some(then) => self.progress(then, out),
                None => self.hang_up("max_turns", out),
            };
        }
        let answer = match input {
            Input::NoInput => return self.no_input(node, ask, out),
            Input::Keys(keys) => self.pressed(ask, &keys),
            Input::Heard(heard) => {
                if self.stop_card_number(node, ask, &heard, out) {
                    return;
                }
                self.heard_last.clone_from(&heard);
                self.keep_said(ask, &heard);
                let (answer, intent) = self.heard_in_any_language(node, ask, &heard, out);
                self.feel(node, &heard, out);
                if matches!((&answer, &intent), (Answer::NoMatch, None))
                    && self.offer_else(node, out)
                {
                    return;
                }
                if matches!((&ask.wants, &answer), (Wants::Talk, Answer::NoMatch)) {
                    self.failures = Failures::default();
                    return self.consult(node, out);
                }
                let sure = match &intent {
                    Some(Event::Intent { score, .. }) => Some(*score),
                    _ => None,
                };
                if self.told(node, ask, &heard, (&answer, sure), out) {
                    return;
                }
                let (answer, intent) = match intent {
                    Some(intent) => self.first_request(ask, &heard, answer, intent),
                    None => (answer, None),
                };
                out.extend(intent.map(Output::Note));
                if let Answer::Go(Target::Node(to)) = answer
                    && self.said_yes_or_no(ask, &heard)
                {
                    // "No, what do I owe you?" answers the question, which is not to be asked again.
                    return self.progress(to, out);
                }
                match answer {
                    Answer::Yes => self.remember(self.beside_yes(ask, &heard)),
                    Answer::Value(_) => self.remember(self.beside_value(ask, &heard)),
                    _ => {}
                }
                answer
            }
            Input::Unclear
            | Input::Start
            | Input::Transferred(_)
            | Input::Invoked(_)
            | Input::Given { .. }
            | Input::TakenAway(_)
            | Input::Generated(_)
            | Input::HungUp => Answer::NoMatch,
        };
        match answer {
            Answer::NoMatch => self.no_match(node, ask, out),
            answer => self.answered(node, ask, answer, out),
        }
    }

    /// A caller who reads out the number of a card that was not asked for is led elsewhere, and nothing is kept of it.
    fn stop_card_number(
        &mut self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        out: &mut Vec<Output>,
    ) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(to) = plan.model().card_number else { return false };
        let wanted =
            matches!(self.expectation(&ask.wants).0, Expect::Digits { max, .. } if max >= 13);
        let said = |h: &Hypothesis| understand::is_card_number(self.lang, &h.text);
        if wanted || !heard.iter().any(said) {
            return false;
        }
        self.heard_last.clear();
        self.lead(node, ask, to, out);
        true
    }

    fn answered(&mut self, node: NodeId, ask: &Ask, answer: Answer, out: &mut Vec<Output>) {
        let confirming = matches!(self.phase, Phase::Confirming(_));
        if let (Answer::Yes | Answer::No, Wants::YesNo { .. }) = (&answer, &ask.wants) {
            self.answer_offer(node, matches!(answer, Answer::Yes), out);
        }
        match (answer, &ask.wants) {
            (Answer::Go(Target::Node(to)), _) => self.lead(node, ask, to, out),
            (Answer::Go(Target::Wish(wish)), _) => self.grant(wish, node, out),
            (Answer::Yes, Wants::YesNo { yes, .. }) => self.progress(*yes, out),
            (Answer::No, Wants::YesNo { no, .. }) => self.progress(*no, out),
            (Answer::Yes, Wants::Slot { next, .. }) if confirming => self.progress(*next, out),
            (Answer::No, Wants::Slot { slot, .. }) if confirming => {
                self.values.clear(slot);
                self.reject(node, ask, out);
            }
            (Answer::Value(value), Wants::Slot { slot, confirm, next }) => {
                self.fill_slot(slot, value, out);
                match confirm {
                    Some(confirm) => self.read_back(node, confirm, out),
                    None => self.progress(*next, out),
                }
            }
            _ => self.no_match(node, ask, out),
        }
    }

    /// Leaves the question.
    pub(super) fn progress(&mut self, to: NodeId, out: &mut Vec<Output>) {
        self.said.clear();
        self.failures = Failures::default();
        self.enter(to, out);
    }

    fn read_back(&mut self, node: NodeId, confirm: &Prompt, out: &mut Vec<Output>) {
        self.said.clear();
        self.failures = Failures { rejected: self.failures.rejected, ..Failures::default() };
        self.phase = Phase::Confirming(node);
        let name = self.plan.model().node(node).name.clone();
        self.say(&name, confirm, PromptBargeIn::Any, out);
        self.listen(node, out);
    }

    /// The value was wrong: ask again, but not for ever.
    fn reject(&mut self, node: NodeId, ask: &Ask, out: &mut Vec<Output>) {
        self.said.clear();
        self.failures = Failures { rejected: self.failures.rejected + 1, ..Failures::default() };
        if self.failures.rejected >= REJECTIONS {
            return self.give_up(ask, out);
        }
        self.ask(node, out);
    }

    fn pressed(&self, ask: &Ask, keys: &str) -> Answer {
        let confirming = matches!(self.phase, Phase::Confirming(_));
        let mut chars = keys.chars();
        let single = match (chars.next(), chars.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        };
        let yes_no = match single {
            Some('1') => Answer::Yes,
            Some('2') => Answer::No,
            _ => Answer::NoMatch,
        };
        let own = match &ask.wants {
            _ if confirming => yes_no,
            Wants::YesNo { .. } => yes_no,
            Wants::Intent | Wants::Talk => Answer::NoMatch,
            Wants::Slot { slot, .. } => self.keyed_value(slot, keys, single),
        };
        let routes = [&ask.routes, &self.plan.model().globals];
        match (own, single) {
            (Answer::NoMatch, Some(key)) => routes
                .iter()
                .find_map(|r| r.keys.get(&key))
                .map_or(Answer::NoMatch, |t| Answer::Go(*t)),
            (own, _) => own,
        }
    }

    fn no_input(&mut self, node: NodeId, ask: &Ask, out: &mut Vec<Output>) {
        self.failures.no_input += 1;
        let count = self.failures.no_input;
        out.push(Output::Note(Event::NoInput { count }));
        self.climb(node, ask, count, |ladders| &ladders.no_input, out);
    }

    fn no_match(&mut self, node: NodeId, ask: &Ask, out: &mut Vec<Output>) {
        self.failures.no_match += 1;
        let count = self.failures.no_match;
        out.push(Output::Note(Event::NoMatch { count }));
        self.climb(node, ask, count, |ladders| &ladders.no_match, out);
    }

    /// Says the next rung of a ladder, or gives up when there is none.
    fn climb(
        &mut self,
        node: NodeId,
        ask: &Ask,
        count: u32,
        ladder: fn(&Ladders) -> &Vec<Prompt>,
        out: &mut Vec<Output>,
    ) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let own = ladder(&ask.ladders);
        let confirming = matches!(self.phase, Phase::Confirming(_));
        let has_own = !own.is_empty() && !confirming;
        let rungs = if has_own { own } else { ladder(&model.defaults) };
        // In the middle of a talk, its first question is long past.
        let alone = has_own || matches!(ask.wants, Wants::Talk);
        let rung = rungs.get(count as usize - 1);
        let Some(rung) = rung else {
            return self.give_up(ask, out);
        };
        // Not remembered: `repeat` is for what was said before the trouble.
        let name = &model.node(node).name;
        out.push(Output::Say(self.compose(name, rung, PromptBargeIn::Any)));
        if !alone {
            let question = match &ask.wants {
                Wants::Slot { confirm: Some(confirm), .. } if confirming => confirm,
                _ => self.question(&plan, node, ask),
            };
            out.push(Output::Say(self.compose(name, question, ask.barge_in)));
        }
        self.listen(node, out);
    }

    fn give_up(&mut self, ask: &Ask, out: &mut Vec<Output>) {
        let default = self.plan.model().defaults.give_up;
        match ask.ladders.give_up.or(default) {
            Some(node) => self.progress(node, out),
            None => self.hang_up("gave_up", out),
        }
    }
}
