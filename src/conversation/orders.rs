//! What somebody outside of the call orders: what is said, what is known, who talks to the caller.

use serde::{Deserialize, Serialize};

use super::{
    Conversation,
    contract::{ClipId, Output},
    engine::Next,
    keys::KeyEntry,
    turn::Turn,
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn, Say, Secret, Transfer},
    dialplan::SlotError,
    text::Lang,
};

/// Longest sentence that is said by order, in characters.
const LONGEST: usize = 1_000;
/// Sentences that may wait until the caller has finished.
const MOST: usize = 8;

/// What somebody outside of the call orders. It is an input like others, so that a journal replays it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Say this, after what is queued and not over the caller; the question that is open stays open.
    Say {
        /// The sentence, of at most 1,000 characters.
        text: String,
        /// Its language; that of the call, when it is not given.
        lang: Option<Lang>,
        /// Whether it cuts short what is being said, and speaks over the caller.
        interrupt: bool,
        /// Whether the caller may cut it short.
        barge_in: bool,
    },
    /// Play a recorded clip likewise.
    Play {
        /// The clip, which the rim has.
        clip: ClipId,
        /// What it is called in the record.
        name: String,
        /// Whether it cuts short what is being said, and sounds over the caller.
        interrupt: bool,
    },
    /// Give a slot a value. The open question stays open.
    Set {
        /// The slot.
        slot: String,
        /// The value, as dialplans write it.
        value: String,
    },
    /// Hand the caller over at once; when that fails, the dialog comes back to the open question.
    HandOver(Transfer),
    /// Take the call over from the bot, which falls silent and stops listening. By a [`Transfer`] with
    /// [`TakeOver`](dialog::TransferMode::TakeOver), somebody talks to the caller; without one, what is said is said by
    /// order. [`GivenBack`](dialog::TransferResult::GivenBack) ends it.
    TakeOver(Option<Transfer>),
    /// The bot falls silent and keeps its place, or goes on.
    MuteBot(bool),
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody has said anything yet.
    #[error("the dialog has not begun: try again in a moment")]
    NotBegun,
    /// The dialog has said its last word.
    #[error("the dialog is over")]
    Over,
    /// Somebody else talks to the caller, or is being called.
    #[error("the caller is being handed over, or talks to somebody else")]
    Away,
    /// A tool is being asked.
    #[error("the dialog waits for a tool: try again in a moment")]
    Asking,
    /// The dialplan has no voice for it.
    #[error("the dialplan does not speak {0}")]
    Language(Lang),
    /// There is nothing to say, or too much.
    #[error("say 1 to {LONGEST} characters, with a word among them")]
    Sentence,
    /// The caller does not let anybody have a word.
    #[error("{MOST} sentences wait already until the caller has finished: interrupt, or try again")]
    Full,
    /// The slot, or its value.
    #[error(transparent)]
    Slot(#[from] SlotError),
}

/// What waits until the caller has finished.
#[derive(Debug, Clone)]
pub(super) struct Ordered {
    say: Say,
    clip: Option<ClipId>,
}

impl Conversation {
    /// Whether `order` can be carried out now.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn check(&self, order: &Order) -> Result<(), Refusal> {
        match (&self.next, order) {
            (Next::Over, _) => return Err(Refusal::Over),
            // Last words that wait can be let go on.
            (_, Order::MuteBot(_)) => return Ok(()),
            (Next::HangUp(_), _) => return Err(Refusal::Over),
            (_, Order::Set { slot, value }) => {
                self.machine.slot_value(slot, value)?;
                return Ok(());
            }
            (Next::Start, _) => return Err(Refusal::NotBegun),
            (Next::Transfer(_) | Next::Transferring, _) => return Err(Refusal::Away),
            (Next::TakenOver, Order::HandOver(_) | Order::TakeOver(_)) => {
                return Err(Refusal::Away);
            }
            (Next::Invoking(_), Order::HandOver(_) | Order::TakeOver(_)) => {
                return Err(Refusal::Asking);
            }
            (Next::Listen(_) | Next::Invoking(_) | Next::TakenOver, _) => {}
        }
        match order {
            Order::Say { text, lang, interrupt, .. } => {
                let sayable = text.chars().any(char::is_alphanumeric);
                if !sayable || text.chars().count() > LONGEST {
                    return Err(Refusal::Sentence);
                }
                if let Some(lang) = lang.filter(|lang| !self.machine.speaks(*lang)) {
                    return Err(Refusal::Language(lang));
                }
                self.has_room(*interrupt)
            }
            Order::Play { interrupt, .. } => self.has_room(*interrupt),
            _ => Ok(()),
        }
    }

    /// Whether somebody outside of the call says what is said, by order.
    pub fn is_taken_over(&self) -> bool {
        matches!(self.next, Next::TakenOver)
    }

    /// The language that the call is in.
    pub fn lang(&self) -> Lang {
        self.machine.lang()
    }

    /// The values so far that records do not show.
    pub fn secrets(&self) -> Vec<Secret> {
        self.machine.secrets()
    }

    /// The slots so far and a disposition, for the record of a call that is ended by order.
    pub fn outcome(&self, disposition: &str) -> dialog::Outcome {
        self.machine.outcome(disposition)
    }

    pub(super) fn carry_out(&mut self, now: CallTime, order: Order, out: &mut Vec<Output>) {
        if self.check(&order).is_err() {
            return;
        }
        match order {
            Order::Say { text, lang, interrupt, barge_in } => {
                let barge_in = if barge_in { BargeIn::Any } else { BargeIn::None };
                let say = self.machine.sentence(&text, lang, barge_in);
                self.order_said(now, Ordered { say, clip: None }, interrupt, out);
            }
            Order::Play { clip, name, interrupt } => {
                let say = self.machine.sentence(&format!("[{name}]"), None, BargeIn::Any);
                self.order_said(now, Ordered { say, clip: Some(clip) }, interrupt, out);
            }
            Order::Set { slot, value } => {
                self.advance(now, dialog::Input::Given { slot, value }, out);
            }
            Order::HandOver(transfer) => {
                self.fall_silent(now, out);
                self.advance(now, dialog::Input::TakenAway(Some(transfer)), out);
            }
            Order::TakeOver(by) => {
                self.fall_silent(now, out);
                self.next = Next::TakenOver;
                self.advance(now, dialog::Input::TakenAway(by), out);
            }
            Order::MuteBot(on) => {
                self.ledger.mute(now, on);
                out.push(Output::Mute(on));
            }
        }
    }

    /// Says what waits, once nobody is spoken over.
    pub(super) fn say_ordered(&mut self, out: &mut Vec<Output>) {
        let may = matches!(self.next, Next::Listen(_) | Next::Invoking(_) | Next::TakenOver);
        if self.ordered.is_empty() || !may || self.caller_has_the_word() {
            return;
        }
        self.silence_since = None;
        // What is taken back later is not what was ordered.
        self.closed = None;
        if let Next::Invoking(waiting) = &mut self.next {
            waiting.busy();
        }
        for Ordered { say, clip } in std::mem::take(&mut self.ordered) {
            let prompt = self.ledger.enter(say.clone());
            out.push(match clip {
                None => Output::Play { prompt, say },
                Some(clip) => Output::PlayClip { prompt, clip },
            });
        }
    }

    fn order_said(&mut self, now: CallTime, what: Ordered, interrupt: bool, out: &mut Vec<Output>) {
        if interrupt {
            self.fall_silent(now, out);
        }
        self.ordered.push_back(what);
    }

    fn has_room(&self, interrupt: bool) -> Result<(), Refusal> {
        let full = !interrupt && self.ordered.len() >= MOST;
        if full { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Whether the caller is speaking or pressing keys, and not over a prompt.
    fn caller_has_the_word(&self) -> bool {
        let speaks = self.turn.as_ref().is_some_and(|turn| !turn.overlaps());
        self.ledger.is_idle() && (speaks || !self.keys.is_empty())
    }

    /// Stops what is being said, and forgets what the caller has begun to say.
    fn fall_silent(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let overlaps = self.turn.as_ref().is_some_and(Turn::overlaps);
        let disturbed = self.likely.take().is_some() | overlaps;
        self.drop_turn(out);
        self.stop_generating(out);
        (self.keys, self.typed_ahead) = (KeyEntry::default(), Vec::new());
        (self.silence_since, self.closed, self.stamps) = (None, None, None);
        if !self.ledger.is_idle() {
            out.push(Output::StopPlayback);
        } else if disturbed {
            out.push(Output::Resume);
        }
        self.ledger.resume(now);
    }
}
