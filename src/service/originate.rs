//! Calls that are placed: what may be asked for, and what is known of it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use time::{OffsetDateTime, macros::format_description};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::Service;
use crate::{
    call::{self, Placing},
    dialplan::SlotError,
    sip::Redacted,
};

/// Requests that may wait.
const QUEUE: usize = 256;
/// Idempotency keys that are remembered.
const KEYS: usize = 10_000;
/// How long a call may ring.
const LONGEST_RING: Duration = Duration::from_secs(180);

/// A call that is to be placed, and what its dialplan knows from the beginning.
#[derive(Debug, Clone)]
pub struct OutboundCall {
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// A number, or a SIP URI.
    pub to: String,
    /// The trunk by which a number is called. With only one that has targets, it need not be given; a URI needs none.
    pub trunk: Option<String>,
    /// Our number in this call; that of the trunk when it is not given.
    pub caller_id: Option<String>,
    /// The dialplan that talks: the name of one that the service has, of a `[[dialplan]]` or of a number, or its path as
    /// the configuration has it.
    pub dialplan: String,
    /// Values that slots have from the beginning.
    pub variables: BTreeMap<String, String>,
    /// How long it may ring: 1 s to 180 s.
    pub ring: Duration,
    /// The same for every attempt at the same call: a second attempt starts no other one.
    pub idempotency_key: Option<String>,
    /// What the call is called by whoever places it; kept in the record.
    pub reference: Option<String>,
}

/// Why a call was not placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginateError {
    /// The service has no such dialplan.
    #[error("no dialplan `{name}`: add a [[dialplan]] with its file; there are {known}")]
    Dialplan {
        /// The name that was given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no such trunk.
    #[error("no trunk `{name}`: name one of the [[trunk]]s that have targets")]
    Trunk {
        /// The name that was given.
        name: String,
    },
    /// A number, and no trunk to call it by.
    #[error("name the trunk by which a number is called, or give a SIP URI")]
    NoTrunk,
    /// It can neither be a number nor a SIP URI.
    #[error("that is neither a number (digits and +*#) nor a SIP URI")]
    Number,
    /// It would ring too long, or not at all.
    #[error("a call may ring for 1 to {} s", LONGEST_RING.as_secs())]
    Ring,
    /// A variable that the dialplan has not, or a value that does not fit it.
    #[error(transparent)]
    Variable(#[from] SlotError),
    /// `sip.max_calls` are up.
    #[error("{limit} calls are up: try again later, or raise sip.max_calls")]
    Full {
        /// How many may be up.
        limit: usize,
    },
    /// The tenant's `max_calls` are up.
    #[error("tenant `{tenant}` has {limit} calls up: try again later, or raise its max_calls")]
    TenantFull {
        /// The tenant.
        tenant: String,
        /// How many it may have.
        limit: usize,
    },
    /// There is no such tenant.
    #[error("no tenant `{name}`: add a [[tenant]]")]
    Tenant {
        /// The name that was given.
        name: String,
    },
    /// Too many calls wait to be placed.
    #[error("too many calls wait to be placed: try again")]
    Busy,
    /// The service does not run, or no longer.
    #[error("the service does not run")]
    Stopped,
}

/// Places calls in a running service. Clones place them in the same.
#[derive(Debug, Clone)]
pub struct Originator(mpsc::Sender<Origin>);

/// A request, and who wants to know the call's id.
#[derive(Debug)]
pub(super) struct Origin {
    call: OutboundCall,
    reply: oneshot::Sender<Result<String, OriginateError>>,
}

impl Originator {
    pub(super) fn new() -> (Self, mpsc::Receiver<Origin>) {
        let (sender, requests) = mpsc::channel(QUEUE);
        (Self(sender), requests)
    }

    /// Places a call and returns its id at once. How it goes on is told by
    /// [`Happening`](crate::call::live::Happening)s and by its record, which a call that is not answered has too.
    ///
    /// # Errors
    /// [`OriginateError`]; there is no call then.
    pub async fn start(&self, call: OutboundCall) -> Result<String, OriginateError> {
        let (reply, id) = oneshot::channel();
        self.0.try_send(Origin { call, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => OriginateError::Busy,
            mpsc::error::TrySendError::Closed(_) => OriginateError::Stopped,
        })?;
        id.await.unwrap_or(Err(OriginateError::Stopped))
    }
}

/// The latest calls by the keys under which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Placed {
    ids: HashMap<(Arc<str>, String), String>,
    oldest: VecDeque<(Arc<str>, String)>,
}

impl Placed {
    fn find(&self, call: &OutboundCall) -> Option<String> {
        let key = call.idempotency_key.clone()?;
        self.ids.get(&(Arc::clone(&call.tenant), key)).cloned()
    }

    fn remember(&mut self, tenant: Arc<str>, key: String, id: String) {
        if self.oldest.len() >= KEYS
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.oldest.push_back((Arc::clone(&tenant), key.clone()));
        self.ids.insert((tenant, key), id);
    }
}

impl Service {
    pub(super) fn originate(&mut self, Origin { call, reply }: Origin, calls: &mut JoinSet<()>) {
        let placed = match self.placed.find(&call) {
            Some(id) => Ok(id),
            None => self.place(call, calls),
        };
        if let Err(error) = &placed {
            tracing::warn!(%error, "a call was not placed");
        }
        // Whoever asked may have stopped waiting; the call is placed all the same.
        let _ = reply.send(placed);
    }

    fn place(
        &mut self,
        call: OutboundCall,
        calls: &mut JoinSet<()>,
    ) -> Result<String, OriginateError> {
        let lines = Arc::clone(&self.lines);
        let (spoken, record) =
            lines.named(&call.dialplan).ok_or_else(|| OriginateError::Dialplan {
                name: call.dialplan.clone(),
                known: lines.names().join(", "),
            })?;
        if !(Duration::from_secs(1)..=LONGEST_RING).contains(&call.ring) {
            return Err(OriginateError::Ring);
        }
        if !self.shared.tenants.names().any(|name| *name == *call.tenant) {
            return Err(OriginateError::Tenant { name: call.tenant.to_string() });
        }
        let trunk = self.trunk_for(&call)?;
        let mut preset = BTreeMap::new();
        for (slot, value) in &call.variables {
            preset.insert(slot.clone(), spoken.dialplan.slot_value(slot, value)?);
        }
        let full = || OriginateError::Full { limit: self.permits.total() };
        let permit = self.permits.try_acquire().ok_or_else(full)?;
        let tenant = call.tenant.to_string();
        let tenant_permit = match self.shared.tenants.admit(&tenant) {
            Ok(permit) => permit,
            Err(limit) => return Err(OriginateError::TenantFull { tenant, limit }),
        };
        let id = call_id();
        tracing::info!(call = %id, to = %Redacted(&call.to), dialplan = %call.dialplan, "placing a call");
        let setup = call::Setup {
            tenant: Arc::clone(&call.tenant),
            tenant_permit,
            record,
            transfer_trunk: self.shared.config.transfer.trunk.clone().or_else(|| trunk.clone()),
            ..self.setup(id.clone(), spoken.clone(), trunk.as_deref(), permit)
        };
        if let Some(key) = call.idempotency_key {
            self.placed.remember(call.tenant, key, id.clone());
        }
        let OutboundCall { to, caller_id, ring, reference, .. } = call;
        let placing = Placing { to, trunk, caller_id, ring, preset, reference };
        let (running, placed) = (id.clone(), call::place(placing, setup));
        calls.spawn(async move {
            match placed.await {
                Ok(disposition) => tracing::info!(call = %running, %disposition, "call over"),
                Err(error) => tracing::warn!(call = %running, %error, "call failed"),
            }
        });
        Ok(id)
    }

    /// The trunk that `call` goes by; none for a SIP URI.
    fn trunk_for(&self, call: &OutboundCall) -> Result<Option<String>, OriginateError> {
        let is_uri = ["sip:", "sips:"].iter().any(|scheme| call.to.starts_with(scheme));
        let is_number = (1..=64).contains(&call.to.len())
            && call.to.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(c));
        if !is_uri && !is_number {
            return Err(OriginateError::Number);
        }
        let mut usable = self.shared.config.trunks.iter().filter(|t| !t.targets.is_empty());
        match &call.trunk {
            Some(_) if is_uri => Ok(None),
            Some(name) => match usable.any(|trunk| trunk.name == *name) {
                true => Ok(Some(name.clone())),
                false => Err(OriginateError::Trunk { name: name.clone() }),
            },
            None if is_uri => Ok(None),
            None => match (usable.next(), usable.next()) {
                (Some(only), None) => Ok(Some(only.name.clone())),
                _ => Err(OriginateError::NoTrunk),
            },
        }
    }
}

/// Unique, and sorts by time: `20261122T215012-1a2b3c4d`.
pub(super) fn call_id() -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]");
    let now = OffsetDateTime::now_utc();
    let now = now.format(&format).unwrap_or_else(|_| now.unix_timestamp().to_string());
    format!("{now}-{:08x}", rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tenant: &str, key: &str) -> OutboundCall {
        OutboundCall {
            tenant: tenant.into(),
            to: "1000".to_owned(),
            trunk: None,
            caller_id: None,
            dialplan: "reminder".to_owned(),
            variables: BTreeMap::new(),
            ring: Duration::from_secs(30),
            idempotency_key: Some(key.to_owned()),
            reference: None,
        }
    }

    #[test]
    fn a_key_is_one_call_of_one_tenant() {
        let mut placed = Placed::default();
        placed.remember("a".into(), "k".to_owned(), "call-1".to_owned());
        assert_eq!(placed.find(&call("a", "k")).as_deref(), Some("call-1"));
        assert_eq!(placed.find(&call("b", "k")), None);
        assert_eq!(placed.find(&call("a", "other")), None);
    }

    #[test]
    fn no_more_keys_are_remembered_than_may_be() {
        let mut placed = Placed::default();
        for n in 0..=KEYS {
            placed.remember("a".into(), n.to_string(), n.to_string());
        }
        assert_eq!(placed.ids.len(), KEYS);
        assert_eq!(placed.find(&call("a", "0")), None);
        assert!(placed.find(&call("a", "1")).is_some());
    }
}
