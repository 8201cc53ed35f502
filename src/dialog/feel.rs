//! What the dialog does about how a caller feels: it says sorry, and offers something else.

use std::sync::Arc;

use super::{
    Event, Machine, Output, SentimentRange, Voice,
    machine::Phase,
    mood::{Events, Mood},
};
use crate::{
    dialplan::model::{NodeId, PromptBargeIn},
    text::{Hypothesis, normalize},
    understand,
};

/// Words of English, or characters of Chinese, from which saying the same again means something.
const SAME_LEAST: usize = 6;

/// How the caller feels, and what is still to be done about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Feelings {
    mood: Mood,
    /// How the turn sounded that is coming.
    voice: Option<Voice>,
    /// What was said in the turn before, folded.
    before: String,
    /// Something else is to be offered.
    offer: bool,
    offered: bool,
}

impl Feelings {
    /// How the caller felt in the call; `None` where nobody looked.
    pub(super) fn range(&self) -> Option<SentimentRange> {
        let (start, end, min) = self.mood.summary()?;
        Some(SentimentRange { start, end, min })
    }
}

impl Machine {
    /// Whether it matters how callers sound.
    pub fn wants_voice(&self) -> bool {
        self.plan.model().sentiment.is_some()
    }

    /// How the caller's turn sounds that is given to it next, as far as that is known.
    pub fn sounds(&mut self, voice: Option<Voice>) {
        self.feelings.voice = voice;
    }

    /// Weighs a turn; says sorry to a caller who has turned negative.
    pub(super) fn feel(&mut self, node: NodeId, heard: &[Hypothesis], out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let (Some(policy), Some(best)) = (&model.sentiment, heard.first()) else { return };
        let said = normalize(self.lang, &best.text);
        let voice = self.feelings.voice.take();
        let same = said.chars().count() >= SAME_LEAST && said == self.feelings.before;
        let events = Events {
            no_match: self.failures.no_match,
            interrupts: voice.is_some_and(|voice| voice.interrupts),
            repeats: same,
        };
        let words = understand::sentiment(self.lang, &best.text);
        let voice = voice.map(|voice| (voice, understand::syllables(self.lang, &best.text)));
        let weighed = self.feelings.mood.weigh(words, voice, events);
        self.feelings.before = said;
        let feeling = self.feelings.mood.feeling;
        self.values.feels(feeling, weighed.score);
        out.push(Output::Note(Event::Sentiment {
            feeling,
            score: weighed.score,
            words: weighed.words,
            voice: weighed.voice,
            events: weighed.events,
        }));
        if !weighed.turned_negative {
            return;
        }
        self.feelings.offer = policy.offer.is_some() && !self.feelings.offered;
        if let Some(sorry) = &policy.apologise {
            // Not remembered: `repeat` is for what it is about.
            let say = self.compose(&model.node(node).name, sorry, PromptBargeIn::Any);
            out.push(Output::Say(say));
        }
    }

    /// Tells how the caller felt in the call as a whole.
    pub(super) fn sum_up(&self, out: &mut Vec<Output>) {
        out.extend(self.feelings.range().map(|range| Output::Note(Event::Felt(range))));
    }

    /// Leaves the question of `node` open, and offers something else to a caller who turned negative; `false` when
    /// nothing is to be offered.
    pub(super) fn offer_else(&mut self, node: NodeId, out: &mut Vec<Output>) -> bool {
        let policy = self.plan.model().sentiment.as_ref();
        let Some(to) = policy.and_then(|policy| policy.offer).filter(|_| self.feelings.offer)
        else {
            return false;
        };
        (self.feelings.offer, self.feelings.offered) = (false, true);
        if !matches!(self.phase, Phase::Confirming(_)) {
            self.phase = Phase::Asking(node);
        }
        self.leave_open(node, out);
        self.progress(to, out);
        true
    }
}
