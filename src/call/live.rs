//! What is happening in calls now, for whoever watches.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};
use tokio::sync::broadcast;

use super::metrics::Metrics;
use crate::{
    conversation::Note,
    store::{CallDirection, masked},
};

/// Something that happened in a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveEvent {
    /// The call's id.
    pub call: String,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happening {
    /// The INVITE came or went.
    Started {
        /// Who called whom.
        direction: CallDirection,
        /// The caller's number.
        caller: Masked,
        /// The number that was called.
        called: Masked,
        /// The dialplan that talks.
        dialplan: String,
    },
    /// The phone of whom we called rings.
    Ringing,
    /// Audio comes from there before the answer.
    EarlyMedia,
    /// The call was answered.
    Answered {
        /// The dialplan that talks.
        dialplan: String,
    },
    /// The bot begins to say this.
    Saying {
        /// The words.
        text: String,
    },
    /// An entry of the call record: what was heard, nodes, slots, turns.
    Note(Note),
    /// The hand-over of the caller came so far.
    Transfer(TransferState),
    /// The caller was put on hold, or taken from it.
    Held {
        /// Whether the call is held from now on, by either side.
        on: bool,
    },
    /// Somebody outside of the call had it do this.
    Command {
        /// The command's [name](super::control::Command::name).
        command: &'static str,
    },
    /// The call is over.
    Ended {
        /// The dialog's disposition; the end reason when there is none.
        disposition: String,
        /// Who or what ended it.
        reason: String,
    },
}

impl Happening {
    pub(super) fn ended(disposition: &str, reason: &str) -> Self {
        Self::Ended { disposition: disposition.to_owned(), reason: reason.to_owned() }
    }
}

/// How far a hand-over has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Somebody is being called, or the caller's side is asked to call.
    Calling,
    /// It rings there.
    Ringing,
    /// The two talk through us.
    Connected,
    /// The caller was handed over, and we have no more part in it.
    Done,
    /// Busy, or declined.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It could not be done.
    Failed,
    /// Whoever had taken the call over gave it back.
    GivenBack,
}

/// A number of which only the last digits are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked(String);

impl Masked {
    /// Masks `number`.
    pub fn new(number: &str) -> Self {
        Self(masked(number))
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// Tells watchers, and counts. A watcher that lags loses the oldest events; the counters lose nothing.
#[derive(Debug, Clone)]
pub struct Live {
    watchers: broadcast::Sender<LiveEvent>,
    metrics: Metrics,
}

impl Live {
    /// A channel that keeps the latest `capacity` events for slow watchers.
    pub fn new(capacity: usize) -> Self {
        Self::counting(capacity, Metrics::default())
    }

    /// The same, counting with `metrics`.
    pub fn counting(capacity: usize, metrics: Metrics) -> Self {
        Self { watchers: broadcast::channel(capacity).0, metrics }
    }

    /// Watches from now on.
    pub fn watch(&self) -> broadcast::Receiver<LiveEvent> {
        self.watchers.subscribe()
    }

    /// What has been counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Tells watchers of one call.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    live: Live,
    call: String,
    tenant: Arc<str>,
}

impl Watched {
    pub(super) fn new(live: Live, call: String, tenant: Arc<str>) -> Self {
        Self { live, call, tenant }
    }

    /// The call's id.
    pub(super) fn call(&self) -> &str {
        &self.call
    }

    /// Whose call it is.
    pub(super) fn tenant(&self) -> Arc<str> {
        Arc::clone(&self.tenant)
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.live.metrics
    }

    pub(super) fn tell(&self, what: Happening) {
        let (call, tenant) = (self.call.clone(), Arc::clone(&self.tenant));
        // An error only says that nobody watches.
        let _ = self.live.watchers.send(LiveEvent { call, tenant, what });
    }
}
