//! What somebody outside of the call does to the dialog: gives it values, takes the caller away from it and brings
//! them back.

use super::{
    BargeIn, Event, Machine, Output, Say, Transfer, TransferMode, TransferResult,
    machine::{Failures, Phase},
    values::shown,
};
use crate::{
    dialplan::{
        SlotError,
        model::{NodeId, SlotKind},
    },
    text::{Lang, Phrase, Piece, ReadAs},
};

/// The node that records name for what is said by order.
const NODE: &str = "operator";

/// A value that records do not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The value.
    pub value: String,
    /// What records show in its place.
    pub shown: String,
}

/// Shorter values are found in too many words.
const SHORTEST_SECRET: usize = 3;

/// From where the caller was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Away {
    /// The open question.
    node: NodeId,
    /// Whether a value had been read back there.
    confirming: bool,
    /// Whether the call was taken over from the bot, and not only handed to somebody else.
    taken_over: bool,
}

impl Machine {
    /// `value` as `slot` holds it, if somebody outside of the dialog gives it now.
    ///
    /// # Errors
    /// [`SlotError`] when there is no such slot, or the value is not of its type.
    pub fn slot_value(&self, slot: &str, value: &str) -> Result<String, SlotError> {
        let offered = match self.plan.model().slots.get(slot).map(|slot| &slot.kind) {
            Some(SlotKind::Offered(from)) => self.offers(from),
            _ => Vec::new(),
        };
        match offered.iter().any(|offer| offer.name == value) {
            true => Ok(value.to_owned()),
            false => self.plan.slot_value(slot, value),
        }
    }

    /// The values so far that records do not show.
    pub fn secrets(&self) -> Vec<Secret> {
        let secret = |slot: &str| {
            let value = self.slot(slot)?;
            let shown = shown(&self.plan, slot, value);
            Some(Secret { value: value.to_owned(), shown })
        };
        let secrets = self.plan.sensitive_slots().filter_map(secret);
        secrets.filter(|secret| secret.value.chars().count() >= SHORTEST_SECRET).collect()
    }

    /// Whether the dialplan speaks `lang`.
    pub fn speaks(&self, lang: Lang) -> bool {
        self.plan.languages().contains(&lang)
    }

    /// A sentence that somebody outside of the call has the bot say, in `lang` or else the call's language, as the bot
    /// speaks to this caller.
    pub fn sentence(&self, text: &str, lang: Option<Lang>, barge_in: BargeIn) -> Say {
        // As a value, its audio is not kept on disk: it may be about the caller.
        let piece = Piece::Value { value: text.to_owned(), read_as: ReadAs::Text };
        Say {
            phrase: Phrase { lang: lang.unwrap_or(self.lang), pieces: vec![piece] },
            barge_in,
            node: NODE.to_owned(),
            manner: self.care.manner,
        }
    }

    pub(super) fn given(&mut self, slot: &str, value: &str, out: &mut Vec<Output>) {
        if self.phase == Phase::Ended {
            return;
        }
        if let Ok(value) = self.slot_value(slot, value) {
            self.fill_slot(slot, value, out);
        }
    }

    pub(super) fn taken_away(&mut self, node: NodeId, by: Option<Transfer>, out: &mut Vec<Output>) {
        self.hush(out);
        let confirming = matches!(self.phase, Phase::Confirming(_));
        let taken_over = by.as_ref().is_none_or(|transfer| transfer.mode == TransferMode::TakeOver);
        self.phase = Phase::Away(Away { node, confirming, taken_over });
        if taken_over {
            out.push(Output::Note(Event::TakenOver));
        }
        if let Some(transfer) = by {
            out.push(Output::Note(Event::Transfer(transfer.clone())));
            out.push(Output::Transfer(transfer));
        }
    }

    /// What came of it: the end, or the open question again.
    pub(super) fn back(&mut self, away: Away, result: TransferResult, out: &mut Vec<Output>) {
        let Away { node, confirming, taken_over } = away;
        out.push(Output::Note(Event::Transferred { result }));
        if result == TransferResult::Done {
            return self.hang_up(if taken_over { "taken_over" } else { "transferred" }, out);
        }
        self.said.clear();
        self.failures = Failures::default();
        self.phase = if confirming { Phase::Confirming(node) } else { Phase::Asking(node) };
        let name = self.plan.model().node(node).name.clone();
        out.push(Output::Note(Event::Resumed { node: name }));
        self.pick_up(node, out);
    }
}
