//! Recommending what suits a caller, and only to those who want it.

use serde::{Deserialize, Serialize};

use super::{Event, Feeling, Machine, Output};
use crate::dialplan::{
    Dialplan,
    expression::Operand,
    model::{Ask, Grade, NodeId, NodeKind, Offering, Prompt, Recommendation},
};

/// What was recommended in a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Recommended {
    made: Vec<OfferMade>,
    /// The place of the latest among the dialplan's offers.
    now: Option<usize>,
}

/// A recommendation, and what the caller said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferMade {
    /// What was offered, as the dialplan names it.
    pub offer: String,
    /// What the caller said.
    pub answer: OfferAnswer,
}

/// What a caller says to a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferAnswer {
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Neither.
    Unanswered,
}

impl OfferAnswer {
    /// As records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Unanswered => "unanswered",
        }
    }
}

impl Recommended {
    /// All that was recommended, in order.
    pub(super) fn made(&self) -> Vec<OfferMade> {
        self.made.clone()
    }
}

impl Machine {
    /// Chooses what to recommend now; `false` when that is nothing.
    pub(super) fn recommend(&mut self, offering: &Offering, out: &mut Vec<Output>) -> bool {
        match self.best_offer(offering, out) {
            Ok((place, name, score)) => {
                out.push(Output::Note(Event::Offer { offer: name.clone(), score }));
                if let Some(slot) = &offering.slot {
                    self.fill_slot(slot, name.clone(), out);
                }
                let answer = OfferAnswer::Unanswered;
                self.recommended.made.push(OfferMade { offer: name, answer });
                self.recommended.now = Some(place);
                true
            }
            Err(why) => {
                out.push(Output::Note(Event::NoOffer { why: why.to_owned() }));
                false
            }
        }
    }

    /// The question that is asked at `node`.
    pub(super) fn question<'p>(
        &self,
        plan: &'p Dialplan,
        node: NodeId,
        ask: &'p Ask,
    ) -> &'p Prompt {
        let model = plan.model();
        let offer = match model.node(node).kind {
            NodeKind::Offer(_) => self.recommended.now.and_then(|at| model.offers.get(at)),
            _ => None,
        };
        offer.map_or(&ask.ask, |offer| &offer.pitch)
    }

    /// The caller said yes or no at `node`, which may have been an offer.
    pub(super) fn answer_offer(&mut self, node: NodeId, yes: bool, out: &mut Vec<Output>) {
        if !matches!(self.plan.model().node(node).kind, NodeKind::Offer(_)) {
            return;
        }
        let Some(made) = self.recommended.made.last_mut() else { return };
        made.answer = if yes { OfferAnswer::Accepted } else { OfferAnswer::Declined };
        out.push(Output::Note(Event::OfferAnswered(made.clone())));
    }

    /// The offer with the highest score of those that suit the caller, the first of equals; or why there is none.
    fn best_offer(
        &self,
        offering: &Offering,
        out: &mut Vec<Output>,
    ) -> Result<(usize, String, i64), &'static str> {
        // Where it is not known whether a caller wants offers, there are none.
        if self.compute(&offering.unless, out) != Operand::Flag(false) {
            return Err("opted_out");
        }
        if self.values.feeling().0 == Feeling::Negative {
            return Err("negative");
        }
        if self.has_unfinished() {
            return Err("unfinished");
        }
        let grade = offering.grade.as_ref();
        let grade = grade.map(|grade| self.values.fill(grade, &self.plan, &self.facts));
        let grade = grade.and_then(|grade| Grade::of(&grade));
        let mut best: Option<(usize, &Recommendation, i64)> = None;
        for place in &offering.among {
            let Some(offer) = self.plan.model().offers.get(*place) else { continue };
            if !self.suits(offer, grade, out) {
                continue;
            }
            let score = offer.score.as_ref().map(|score| self.compute(score, out));
            let score = match score {
                None => 0,
                Some(Operand::Whole(score)) => score,
                Some(_) => continue,
            };
            if best.is_none_or(|(_, _, highest)| score > highest) {
                best = Some((*place, offer, score));
            }
        }
        let (place, offer, score) = best.ok_or("none_suits")?;
        Ok((place, offer.name.clone(), score))
    }

    fn suits(&self, offer: &Recommendation, grade: Option<Grade>, out: &mut Vec<Output>) -> bool {
        // One of unknown grade may buy nothing that has one.
        let allowed = offer.grade.is_none_or(|needs| grade.is_some_and(|has| needs <= has));
        let again = self.recommended.made.iter().any(|made| made.offer == offer.name);
        let meant = |out: &mut Vec<Output>| match &offer.when {
            Some(when) => self.compute(when, out) == Operand::Flag(true),
            None => true,
        };
        allowed && !again && meant(out)
    }
}
