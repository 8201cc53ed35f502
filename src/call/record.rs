//! The call record while the call lasts.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Setup,
    hand_over::Progress,
    live::{Happening, Watched},
    on_line::OnLine,
};
use crate::{
    audio::CallTime, conversation::Note, dialog::Outcome, sip::Reason, srtp::SrtpError,
    store::CallEvent,
};

/// Collects what the store will get when the call is over, and tells watchers as it happens.
#[derive(Debug)]
pub(super) struct Record {
    watched: Watched,
    progress: Progress,
    events: Vec<CallEvent>,
    outcome: Option<Outcome>,
    turns: u32,
}

impl Record {
    pub(super) fn new(setup: &Setup) -> Self {
        let watched = Watched::new(setup.live.clone(), setup.id.clone(), setup.tenant.clone());
        let progress = Progress::new(&setup.dialplan);
        Self { watched, progress, events: Vec::new(), outcome: None, turns: 0 }
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
        let kind = data.as_object_mut().and_then(|fields| fields.remove("kind"));
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("note").to_owned();
        self.events.push(CallEvent { at, kind, data });
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
        self.events.push(CallEvent { at, kind: kind.to_owned(), data });
    }

    /// Why the call's media could not be protected.
    pub(super) fn unprotected(&mut self, at: CallTime, problem: &SrtpError) {
        let data = json!({ "problem": problem.to_string() });
        self.events.push(CallEvent { at, kind: "unprotected".to_owned(), data });
    }

    /// The dialog has ended with this.
    pub(super) fn outcome(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Everything, for the store: events, outcome, number of turns.
    pub(super) fn close(self) -> (Vec<CallEvent>, Option<Outcome>, u32) {
        (self.events, self.outcome, self.turns)
    }
}
