//! What is happening in calls now, for whoever watches.

use serde::Serialize;
use tokio::sync::broadcast;

use super::metrics::Metrics;
use crate::conversation::Note;

/// Something that happened in a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveEvent {
    /// The call's id.
    pub call: String,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// The call was answered; the dialplan's name.
    Answered {
        /// The dialplan that answers.
        dialplan: String,
    },
    /// The bot begins to say this.
    Saying {
        /// The words.
        text: String,
    },
    /// An entry of the call record.
    Note(Note),
    /// The call is over; the disposition, or why there is none.
    Ended {
        /// The dialog's disposition, or the end reason.
        disposition: String,
    },
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
        Self { watchers: broadcast::channel(capacity).0, metrics: Metrics::default() }
    }

    /// Watches from now on.
    pub fn watch(&self) -> broadcast::Receiver<LiveEvent> {
        self.watchers.subscribe()
    }

    /// What has been counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(super) fn tell(&self, call: &str, what: Happening) {
        // An error only says that nobody watches.
        let _ = self.watchers.send(LiveEvent { call: call.to_owned(), what });
    }
}
