//! Waiting for a tool: the caller is not left in silence, and not spoken over.

use std::time::Duration;

use super::{
    Conversation,
    contract::{InvokeId, Output, PromptId},
    engine::Next,
    overlap::LIKELY_FOR,
    stamps::TurnStamps,
};
use crate::{
    audio::CallTime,
    dialog::{self, InvokeResult, Say},
};

/// Silence after which a filler is said, and silence after it until the next.
pub(super) const FIRST_FILLER: Duration = Duration::from_millis(1_500);
pub(super) const NEXT_FILLER: Duration = Duration::from_secs(6);
/// The rim ends an invocation at its deadline; when not even that comes, it is taken for failed.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// A tool that has been asked.
#[derive(Debug, Clone)]
pub(super) struct Invoking {
    id: InvokeId,
    filler: Say,
    /// Since when nobody speaks.
    quiet_since: Option<CallTime>,
    caller_speaks: bool,
    /// The caller may have begun to speak; until then nothing is said.
    perhaps_until: CallTime,
    fillers: u32,
    /// The filler that was said last.
    sounding: Option<PromptId>,
    until: CallTime,
    /// Of the turn that has not been answered with anything yet.
    pub(super) stamps: Option<TurnStamps>,
}

impl Invoking {
    fn filler_due(&self) -> Option<CallTime> {
        let wait = if self.fillers == 0 { FIRST_FILLER } else { NEXT_FILLER };
        let quiet = self.quiet_since.filter(|_| !self.caller_speaks);
        quiet.map(|since| (since + wait).max(self.perhaps_until))
    }

    /// When something is to be done about it.
    pub(super) fn deadline(&self) -> CallTime {
        self.filler_due().map_or(self.until, |at| at.min(self.until))
    }

    /// Nothing is being said any more.
    pub(super) fn idle(&mut self, now: CallTime) {
        self.quiet_since.get_or_insert(now);
    }

    /// Something is said meanwhile.
    pub(super) fn busy(&mut self) {
        self.quiet_since = None;
    }

    /// The caller perhaps begins to speak.
    pub(super) fn perhaps(&mut self, now: CallTime) {
        self.perhaps_until = now + LIKELY_FOR;
    }

    /// The caller begins or stops to speak.
    fn caller(&mut self, now: CallTime, speaks: bool) {
        self.caller_speaks = speaks;
        if self.quiet_since.is_some() {
            self.quiet_since = Some(now);
        }
    }
}

impl Conversation {
    /// Hands what the dialog asks to the rim, at once.
    pub(super) fn invoke(&mut self, now: CallTime, invoke: dialog::Invoke, out: &mut Vec<Output>) {
        self.invocations += 1;
        let id = InvokeId(self.invocations);
        self.next = Next::Invoking(Box::new(Invoking {
            id,
            filler: invoke.filler.clone(),
            quiet_since: None,
            caller_speaks: false,
            perhaps_until: CallTime::ZERO,
            fillers: 0,
            sounding: None,
            until: now + invoke.deadline + GRACE,
            stamps: None,
        }));
        self.silence_since = None;
        self.drop_turn(out);
        out.push(Output::Prepare {
            phrase: invoke.filler.phrase.clone(),
            manner: invoke.filler.manner,
        });
        out.push(Output::Invoke { id, invoke });
    }

    /// The caller begins or stops to speak while a tool is asked. It is no answer, since nothing was
    /// asked, but no filler is said over it, and one that sounds falls silent.
    pub(super) fn speech_while_invoking(
        &mut self,
        now: CallTime,
        speaks: bool,
        out: &mut Vec<Output>,
    ) {
        let Next::Invoking(waiting) = &mut self.next else { return };
        waiting.caller(now, speaks);
        // What else is said was begun before the tool was asked, or by order.
        if speaks && waiting.sounding.is_some_and(|filler| self.ledger.is_only(filler)) {
            out.push(Output::StopPlayback);
        }
    }

    /// The result is there; one that is no longer waited for is dropped.
    pub(super) fn invoked(
        &mut self,
        now: CallTime,
        id: InvokeId,
        result: InvokeResult,
        out: &mut Vec<Output>,
    ) {
        let Next::Invoking(waiting) = &self.next else { return };
        if waiting.id != id {
            return;
        }
        let stamps = waiting.stamps;
        let first = self.advance(now, dialog::Input::Invoked(result), out);
        self.answered(now, first, stamps);
    }

    /// Says a filler, or gives up.
    pub(super) fn invoking_due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Next::Invoking(waiting) = &mut self.next else { return };
        if waiting.until <= now {
            let (id, problem) = (waiting.id, "no answer within its deadline".to_owned());
            return self.invoked(now, id, InvokeResult::Failed(problem), out);
        }
        if waiting.filler_due().is_some_and(|at| at <= now) {
            waiting.fillers += 1;
            waiting.quiet_since = None;
            let (say, stamps) = (waiting.filler.clone(), waiting.stamps.take());
            let prompt = self.ledger.enter(say.clone());
            waiting.sounding = Some(prompt);
            out.push(Output::Play { prompt, say });
            self.answered(now, Some(prompt), stamps);
        }
    }

    /// The turn with these stamps is answered with `first`, or waits for a tool.
    pub(super) fn answered(
        &mut self,
        now: CallTime,
        first: Option<PromptId>,
        stamps: Option<TurnStamps>,
    ) {
        let stamps = stamps.map(|stamps| TurnStamps { dialog_done: now, ..stamps });
        match (first, &mut self.next) {
            (Some(first), _) => self.stamps = stamps.map(|stamps| (first, stamps)),
            (None, Next::Invoking(waiting)) => waiting.stamps = stamps,
            (None, _) => {
                if let Some(generating) = &mut self.generating {
                    generating.answers(stamps);
                }
            }
        }
    }
}
