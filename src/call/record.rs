//! The call record while the call lasts.

use std::{mem, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Setup,
    hand_over::Progress,
    live::{Happening, Watched},
    on_line::OnLine,
};
use crate::{
    audio::CallTime,
    conversation::Note,
    dialog::Outcome,
    sip::Reason,
    srtp::SrtpError,
    store::{CallEvent, Store},
};

/// Has what happens written while it happens, tells watchers, and keeps what the end of the call needs.
#[derive(Debug)]
pub(super) struct Record {
    watched: Watched,
    progress: Progress,
    store: Store,
    /// Events that the store could not take yet.
    waiting: Vec<CallEvent>,
    outcome: Option<Outcome>,
    turns: u32,
}

impl Record {
    pub(super) fn new(setup: &Setup) -> Self {
        let watched = Watched::new(setup.live.clone(), setup.id.clone(), setup.tenant.clone());
        let progress = Progress::new(&setup.dialplan);
        let store = setup.store.clone();
        Self { watched, progress, store, waiting: Vec::new(), outcome: None, turns: 0 }
    }

    /// The call was answered after `rang_ms`.
    pub(super) fn answered(&mut self, dialplan: &str, rang_ms: u64) {
        let data = json!({ "dialplan": dialplan, "rang_ms": rang_ms });
        self.event(CallTime::ZERO, "call.answered", data);
        self.tell(Happening::Answered { dialplan: dialplan.to_owned() });
    }

    /// The call's id.
    pub(super) fn call(&self) -> &str {
        self.watched.call()
    }

    /// Whose call it is.
    pub(super) fn tenant(&self) -> Arc<str> {
        self.watched.tenant()
    }

    /// How the call has gone so far.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Who tells watchers of the call.
    pub(super) fn watched(&self) -> Watched {
        self.watched.clone()
    }

    /// Tells watchers something that is not kept.
    pub(super) fn tell(&self, what: Happening) {
        self.watched.tell(what);
    }

    /// Keeps an entry, of a turn with how it was heard, and tells watchers.
    pub(super) fn note(&mut self, at: CallTime, note: Note, on_line: Option<OnLine>) {
        self.watched.metrics().note(&note, on_line.as_ref());
        self.progress.note(&note);
        if let Note::Turn(_) = note {
            self.turns += 1;
        }
        // Serialising our own plain enums cannot fail; if it did, the record would say so.
        let mut data =
            serde_json::to_value(&note).unwrap_or_else(|e| json!({"error": e.to_string()}));
        if let Some(on_line) = on_line {
            on_line.add_to(&mut data);
        }
        // Events of the dialog are told by their own names.
        let tag = if matches!(note, Note::Dialog(_)) { "event" } else { "kind" };
        let fields = data.as_object_mut();
        let kind = fields.and_then(|fields| {
            let kind = fields.remove(tag);
            fields.remove("kind");
            kind
        });
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("note").to_owned();
        self.event(at, &kind, data);
        self.tell(Happening::Note(note));
    }

    /// Counts a recognition that begins.
    pub(super) fn recognizing(&self) {
        self.watched.metrics().recognizing();
    }

    /// Why the peer says that it hung up.
    pub(super) fn peer_reason(&mut self, at: CallTime, reason: &Reason) {
        self.entry(at, "peer_reason", reason);
    }

    /// Somebody outside of the call had it do this.
    pub(super) fn command(&mut self, at: CallTime, command: &'static str) {
        if matches!(command, "transfer" | "take_over") {
            self.progress.ordered();
        }
        self.entry(at, "command", &json!({ "command": command }));
        self.tell(Happening::Command { command });
    }

    /// Keeps an entry of the rim's own.
    pub(super) fn entry(&mut self, at: CallTime, kind: &str, data: &impl Serialize) {
        let data = serde_json::to_value(data).unwrap_or_default();
        self.event(at, kind, data);
    }

    /// Why the call's media could not be protected.
    pub(super) fn unprotected(&mut self, at: CallTime, problem: &SrtpError) {
        let data = json!({ "problem": problem.to_string() });
        self.event(at, "unprotected", data);
    }

    /// The dialog has ended with this.
    pub(super) fn outcome(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// What is left to write: events, outcome, number of turns.
    pub(super) fn close(self) -> (Vec<CallEvent>, Option<Outcome>, u32) {
        (self.waiting, self.outcome, self.turns)
    }

    /// Has an event written. The call waits for nothing: what the store cannot take now goes with the next one, at the
    /// latest with the outcome.
    fn event(&mut self, at: CallTime, kind: &str, data: Value) {
        self.waiting.push(CallEvent::now(at, kind, data));
        if let Err(refused) =
            self.store.log_events(self.watched.call(), mem::take(&mut self.waiting))
        {
            self.waiting = refused;
        }
    }
}
