//! Floor 7: tells others of events, and loses none. Each sink has a place in the log of events, kept in the store: what it
//! has not taken is sent again, in the order of its call, until it is taken or given up.

mod answer;
mod config;
mod lane;
mod message;
mod metrics;
mod webhook;
mod worker;

use std::sync::Arc;

use tokio::task::JoinSet;

pub use answer::Answer;
pub use config::{DeliveryError, Rules, WebhookConfig};
pub use message::{json, message};
pub use metrics::Metrics;

use crate::{crm::Crm, store::Store};
use webhook::Webhook;
use worker::Worker;

/// The sinks of a service, each with a task that lasts as long as this.
pub struct Outbox {
    _workers: JoinSet<()>,
}

/// Somebody who is told of events.
#[derive(Debug)]
enum Sink {
    Webhook(Webhook),
    Crm(Box<Crm>),
}

/// A sink and what it gets.
#[derive(Debug)]
pub struct SinkConfig {
    rules: Rules,
    sink: Sink,
}

impl SinkConfig {
    /// A webhook.
    ///
    /// # Errors
    /// [`DeliveryError`] when its address or its secret cannot be used.
    pub fn webhook(config: &WebhookConfig) -> Result<Self, DeliveryError> {
        Ok(Self { rules: config.rules(), sink: Sink::Webhook(Webhook::new(config)?) })
    }

    /// The CRM, which implements `EventSink` of `proto/hotline/v1/events.proto`.
    pub fn crm(crm: Crm, rules: Rules) -> Self {
        Self { rules, sink: Sink::Crm(Box::new(crm)) }
    }
}

impl Outbox {
    /// Begins to deliver. `node` is the service's name among those that share the store: of these, one at a time
    /// delivers to a sink.
    ///
    /// # Errors
    /// [`DeliveryError`] when two sinks have one name, or the store cannot be written.
    pub async fn start(
        store: &Store,
        node: &str,
        sinks: Vec<SinkConfig>,
        metrics: &Metrics,
    ) -> Result<Self, DeliveryError> {
        let mut workers = JoinSet::new();
        let mut names: Vec<String> = Vec::new();
        for SinkConfig { rules, sink } in sinks {
            if names.contains(&rules.name) {
                return Err(DeliveryError::Twice { name: rules.name });
            }
            names.push(rules.name.clone());
            store.add_sink(&rules.name).await?;
            let worker = Worker::new(store.clone(), node, Arc::new(sink), rules, metrics.clone());
            workers.spawn(worker.run());
        }
        Ok(Self { _workers: workers })
    }
}
