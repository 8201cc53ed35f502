//! What is counted of deliveries, for Prometheus.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use time::OffsetDateTime;

use super::Answer;
use crate::store::SinkState;

/// Counters and gauges of all sinks; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    waiting: Family<Of, Gauge>,
    oldest: Family<Of, Gauge>,
    dead: Family<Of, Gauge>,
    attempts: Family<Attempt, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    sink: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    sink: String,
    result: &'static str,
}

impl Metrics {
    /// Has them written with others.
    pub fn register(&self, registry: &mut Registry) {
        let help =
            "Events that a sink has not taken yet, those of kinds that it does not get included";
        registry.register("outbox_waiting", help, self.waiting.clone());
        let help = "Seconds since the oldest of them happened";
        registry.register("outbox_oldest_seconds", help, self.oldest.clone());
        let help = "Events that were given up and wait for somebody to retry or drop them";
        registry.register("outbox_dead", help, self.dead.clone());
        let help = "Attempts at delivering an event";
        registry.register("outbox_attempts", help, self.attempts.clone());
    }

    pub(super) fn attempt(&self, sink: &str, answer: &Answer) {
        let result = match answer {
            Answer::Taken => "taken",
            Answer::Refused(_) => "refused",
            Answer::Failed(_) => "failed",
            Answer::Away { .. } => "away",
        };
        self.attempts.get_or_create(&Attempt { sink: sink.to_owned(), result }).inc();
    }

    pub(super) fn stands(&self, sink: &str, state: &SinkState) {
        let of = Of { sink: sink.to_owned() };
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let now = OffsetDateTime::now_utc();
        let age = state.oldest.map_or(0, |oldest| (now - oldest).whole_seconds().max(0));
        self.waiting.get_or_create(&of).set(count(state.behind));
        self.oldest.get_or_create(&of).set(age);
        self.dead.get_or_create(&of).set(count(state.dead));
    }
}
