use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::store::{DEFAULT_TENANT, Event, StoreError};

/// What a sink gets, and how long it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The sink's name in the store, in `hotline outbox` and in metrics.
    pub name: String,
    /// Whose events.
    pub tenant: String,
    /// Kinds of events, such as `call.ended`, or `call.*` for all that begin so; all when there is none.
    pub kinds: Vec<String>,
    /// Attempts before an event goes to the dead letters.
    pub tries: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Rules {
    /// Whether the sink gets this event.
    pub fn want(&self, event: &Event) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(head) => event.what.kind.starts_with(head),
            None => event.what.kind == *pattern,
        };
        event.tenant == self.tenant && (self.kinds.is_empty() || self.kinds.iter().any(fits))
    }
}

/// An address that gets events as signed POST requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Its name: it keeps its place in the events as long as it keeps its name.
    pub name: String,
    /// Where events are posted.
    pub url: String,
    /// A file with the secret that requests are signed with, 16 bytes or more.
    pub secret_file: PathBuf,
    /// Kinds of events, such as `call.ended`, or `call.*`; all without it.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Whose events.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// Seconds that one attempt may take.
    #[serde(default = "default_timeout")]
    pub timeout_s: u64,
    /// Attempts before an event goes to the dead letters.
    #[serde(default = "default_tries")]
    pub tries: u32,
}

impl WebhookConfig {
    /// What it gets.
    pub fn rules(&self) -> Rules {
        Rules {
            name: format!("webhook:{}", self.name),
            tenant: self.tenant.clone(),
            kinds: self.kinds.clone(),
            tries: self.tries.max(1),
            timeout: Duration::from_secs(self.timeout_s.max(1)),
        }
    }
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

fn default_timeout() -> u64 {
    10
}

fn default_tries() -> u32 {
    12
}

/// Why events cannot be delivered as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The address of a webhook.
    #[error(
        "webhook `{name}`: url `{url}` cannot be used: write it like https://crm.example.net/hotline"
    )]
    Url {
        /// The webhook.
        name: String,
        /// Its address.
        url: String,
    },
    /// The secret of a webhook.
    #[error("webhook `{name}`: secret_file {path}: {problem}")]
    Secret {
        /// The webhook.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Two sinks have one name.
    #[error(
        "two sinks of events are called `{name}`: each keeps its place in the events by its name"
    )]
    Twice {
        /// The name.
        name: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::{audio::CallTime, store::CallEvent};

    #[test]
    fn a_sink_gets_the_kinds_and_the_tenant_that_it_asks_for() {
        let event = |tenant: &str, kind: &str| Event {
            cursor: 1,
            tenant: tenant.to_owned(),
            call: "c".to_owned(),
            seq: 0,
            what: CallEvent {
                at: CallTime::ZERO,
                time: OffsetDateTime::UNIX_EPOCH,
                kind: kind.to_owned(),
                data: serde_json::Value::Null,
            },
        };
        let config: WebhookConfig = toml::from_str(
            "name = \"crm\"\nurl = \"http://x\"\nsecret_file = \"s\"\nkinds = [\"call.*\", \"slot\"]",
        )
        .unwrap();
        let rules = config.rules();
        assert!(
            rules.want(&event("default", "call.ended")) && rules.want(&event("default", "slot"))
        );
        assert!(!rules.want(&event("default", "slots")) && !rules.want(&event("acme", "slot")));
    }
}
