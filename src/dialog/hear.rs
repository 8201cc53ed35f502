//! What the caller's words mean at the open question.

use std::collections::BTreeMap;

use super::{
    Event, Expect, Machine, Output,
    keyed::{clock, day},
    machine::Phase,
    turn::Answer,
};
use crate::{
    dialplan::{
        expression::decimal,
        model::{Ask, NodeId, SlotKind, Target, Wants},
    },
    text::{Hypothesis, Lang, language_of, normalize},
    understand::{self, ChoiceOption, IntentMatch},
};

/// Score from which an intent is taken where an answer to something else was expected.
pub(super) const DIGRESSION: f32 = 0.75;
/// Score from which it counts more than a yes or no in the same breath.
const OVERRULES_YES_NO: f32 = 0.85;
/// Most words, or Chinese characters, of a free-text answer that may still be a request such as
/// "agent": longer ones are the text itself.
const SHORT: usize = 5;

impl Machine {
    /// The answer in `heard` and the intent to note when it was one, in the language that the caller speaks,
    /// where the dialplan speaks it too. The call changes to that language when something is made of the
    /// words, or when they are the second in a row: recognisers write a line such as "thank you for
    /// watching" where nobody said anything.
    pub(super) fn heard_in_any_language(
        &mut self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        out: &mut Vec<Output>,
    ) -> (Answer, Option<Event>) {
        let spoken = heard.first().and_then(|best| language_of(&best.text));
        let other =
            spoken.filter(|lang| *lang != self.lang && self.plan.languages().contains(lang));
        let before = self.foreign.take();
        let Some(lang) = other else { return self.heard(node, ask, heard) };
        let usual = std::mem::replace(&mut self.lang, lang);
        let found = self.heard(node, ask, heard);
        if self.makes_sense(ask, heard, &found.0) || before == Some(lang) {
            out.push(Output::Note(Event::Language { lang }));
            return found;
        }
        (self.lang, self.foreign) = (usual, Some(lang));
        self.heard(node, ask, heard)
    }

    /// Whether the words themselves are the answer; those of a message are not understood.
    fn makes_sense(&self, ask: &Ask, heard: &[Hypothesis], answer: &Answer) -> bool {
        match answer {
            // A model makes something of everything.
            Answer::NoMatch if matches!(ask.wants, Wants::Talk) => true,
            Answer::NoMatch => {
                self.plan.faq(self.lang).is_some_and(|faq| faq.answer(heard).is_some())
            }
            Answer::Value(_) => !matches!(self.expectation(&ask.wants).0, Expect::Text),
            _ => true,
        }
    }

    /// The answer in `heard`, and the intent to note when it was one.
    fn heard(&self, node: NodeId, ask: &Ask, heard: &[Hypothesis]) -> (Answer, Option<Event>) {
        let intent = self.intent(ask, heard);
        let confirming = matches!(self.phase, Phase::Confirming(_));
        let own = match &ask.wants {
            Wants::Slot { slot, .. } if confirming => {
                let correction = self.correction(slot, heard);
                correction.unwrap_or_else(|| self.yes_no(node, ask, heard, intent.as_ref()))
            }
            Wants::Slot { slot, .. } => self.value(node, ask, slot, heard, intent.as_ref()),
            Wants::YesNo { .. } => self.yes_no(node, ask, heard, intent.as_ref()),
            Wants::Intent | Wants::Talk => Answer::NoMatch,
        };
        let wanted = if matches!(ask.wants, Wants::Intent) { 0.0 } else { DIGRESSION };
        match (own, intent) {
            (Answer::NoMatch, Some((found, target))) if found.score >= wanted => {
                let event = Event::Intent { intent: found.intent, score: found.score };
                (Answer::Go(target), Some(event))
            }
            (own, _) => (own, None),
        }
    }

    /// The intent and where it leads, if it leads anywhere from this question.
    fn intent(&self, ask: &Ask, heard: &[Hypothesis]) -> Option<(IntentMatch, Target)> {
        let found = self.plan.classifier(self.lang)?.classify(heard)?;
        let globals = &self.plan.model().globals;
        let target = ask.routes.on.get(&found.intent);
        let target = *target.or_else(|| globals.on.get(&found.intent))?;
        Some((found, target))
    }

    fn yes_no(
        &self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        intent: Option<&(IntentMatch, Target)>,
    ) -> Answer {
        let said = heard.iter().find_map(|h| understand::yes_no(self.lang, &h.text));
        let said = said.or_else(|| self.own_yes_no(ask, heard));
        if said == Some(true) && !self.beside_yes(ask, heard).is_empty() {
            return Answer::Yes;
        }
        match said {
            Some(_) if intent.is_some_and(|i| self.overrules(node, ask, heard, i)) => {
                Answer::NoMatch
            }
            Some(true) => Answer::Yes,
            Some(false) => Answer::No,
            None => Answer::NoMatch,
        }
    }

    /// Whether what was heard at a question for yes or no begins with one, apart from the rest.
    pub(super) fn said_yes_or_no(&self, ask: &Ask, heard: &[Hypothesis]) -> bool {
        let begins = |h: &Hypothesis| {
            let clause = h.text.split_once([',', '，', '.', '。']).map(|(clause, _)| clause);
            clause.is_some_and(|clause| {
                let alone = [Hypothesis { text: clause.to_owned(), confidence: h.confidence }];
                let said = understand::yes_no(self.lang, clause);
                said.or_else(|| self.own_yes_no(ask, &alone)).is_some()
            })
        };
        matches!(ask.wants, Wants::YesNo { .. }) && heard.first().is_some_and(begins)
    }

    /// Yes or no in words that mean so only at this question.
    fn own_yes_no(&self, ask: &Ask, heard: &[Hypothesis]) -> Option<bool> {
        let Wants::YesNo { words, .. } = &ask.wants else {
            return None;
        };
        let phrases = |words: &BTreeMap<Lang, Vec<String>>| -> Vec<String> {
            words.get(&self.lang).cloned().unwrap_or_default()
        };
        let (yes, no) = (phrases(&words.yes), phrases(&words.no));
        heard.iter().find_map(|h| said_longest(self.lang, &h.text, &yes, &no)).or_else(|| {
            let options = [("yes", yes), ("no", no)]
                .map(|(name, phrases)| ChoiceOption { name: name.to_owned(), phrases });
            understand::choice(self.lang, heard, &options).map(|found| found.name == "yes")
        })
    }

    /// Whether an intent beside a yes or no is what the caller is after: "no, give me a person".
    /// Within the same flow it is more likely part of the answer: "yes, report the outage".
    /// So is the question's own intent after a yes or no that stands apart: "yes, who are you?"
    fn overrules(
        &self,
        node: NodeId,
        ask: &Ask,
        heard: &[Hypothesis],
        (found, to): &(IntentMatch, Target),
    ) -> bool {
        let model = self.plan.model();
        let leaves = match to {
            Target::Node(to) => model.node(*to).flow() != model.node(node).flow(),
            Target::Wish(_) => true,
        };
        let own = ask.routes.on.contains_key(&found.intent) && !self.said_yes_or_no(ask, heard);
        found.score >= OVERRULES_YES_NO && (leaves || own)
    }

    /// The value of a slot that was asked for.
    fn value(
        &self,
        node: NodeId,
        ask: &Ask,
        slot: &str,
        heard: &[Hypothesis],
        intent: Option<&(IntentMatch, Target)>,
    ) -> Answer {
        let value = match self.plan.model().slots.get(slot).map(|s| &s.kind) {
            Some(SlotKind::YesNo) => {
                return match self.yes_no(node, ask, heard, intent) {
                    Answer::Yes => Answer::Value("yes".into()),
                    Answer::No => Answer::Value("no".into()),
                    other => other,
                };
            }
            Some(SlotKind::Text) => {
                let text = heard.first().map(|h| h.text.trim()).unwrap_or_default();
                let request = intent.is_some_and(|(found, _)| found.score >= DIGRESSION);
                let request = request && length(self.lang, text) <= SHORT;
                (!text.is_empty() && !request).then(|| text.to_owned())
            }
            Some(kind) => self.match_value(kind, heard),
            None => None,
        };
        value.map_or(Answer::NoMatch, Answer::Value)
    }

    /// A value said in answer to "is that right?": another one replaces the first, the same one
    /// again confirms it. `None` when no value was said.
    fn correction(&self, slot: &str, heard: &[Hypothesis]) -> Option<Answer> {
        let kind = &self.plan.model().slots.get(slot)?.kind;
        let value = self.match_value(kind, heard).or_else(|| self.amended(slot, kind, heard))?;
        if self.values.slot(slot) != Some(&value) {
            return Some(Answer::Value(value));
        }
        let denied = heard.iter().find_map(|h| understand::yes_no(self.lang, &h.text));
        Some(if denied == Some(false) { Answer::No } else { Answer::Yes })
    }

    /// The number that was read back, with the part corrected that the caller said.
    fn amended(&self, slot: &str, kind: &SlotKind, heard: &[Hypothesis]) -> Option<String> {
        match kind {
            SlotKind::Digits(spec) => {
                understand::amended(self.lang, self.values.slot(slot)?, heard, spec)
            }
            _ => None,
        }
    }

    /// A value in `heard`, but for yes or no and free text.
    pub(super) fn match_value(&self, kind: &SlotKind, heard: &[Hypothesis]) -> Option<String> {
        match kind {
            SlotKind::Digits(spec) => understand::best_digits(self.lang, heard, spec),
            SlotKind::Code(form) => understand::code(self.lang, heard, form),
            SlotKind::Choice(options) => {
                let options: Vec<ChoiceOption> = options
                    .iter()
                    .map(|option| ChoiceOption {
                        name: option.name.clone(),
                        phrases: option.phrases.get(&self.lang).cloned().unwrap_or_default(),
                    })
                    .collect();
                understand::choice(self.lang, heard, &options).map(|found| found.name)
            }
            SlotKind::Offered(from) => self.offer_heard(from, heard),
            SlotKind::Number { min, max } => {
                understand::number(self.lang, heard, &(*min..=*max)).map(|value| value.to_string())
            }
            SlotKind::Money => understand::money(self.lang, heard).map(decimal),
            SlotKind::Date => {
                let today = day(&self.facts.date)?;
                understand::date(self.lang, heard, today).map(|date| date.to_string())
            }
            SlotKind::Time => understand::time_of_day(self.lang, heard).map(clock),
            SlotKind::YesNo | SlotKind::Text | SlotKind::Counter => None,
        }
    }
}

/// Whether the longest phrase that stands in `text` is one of `yes`: 没有房 means more than the 有房
/// in it. `None` when none does.
fn said_longest(lang: Lang, text: &str, yes: &[String], no: &[String]) -> Option<bool> {
    let said = normalize(lang, text);
    let longest = |phrases: &[String]| {
        let phrases = phrases.iter().map(|phrase| normalize(lang, phrase));
        phrases.filter(|p| said.contains(p.as_str())).map(|p| p.chars().count()).max().unwrap_or(0)
    };
    match (longest(yes), longest(no)) {
        (y, n) if y == n => None,
        (y, n) => Some(y > n),
    }
}

/// Words of English, characters of Chinese.
fn length(lang: Lang, text: &str) -> usize {
    let said = normalize(lang, text);
    match lang {
        Lang::En => said.split_whitespace().count(),
        Lang::Zh => said.chars().count(),
    }
}
