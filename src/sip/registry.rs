use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use rsipstack::{dialog::DialogId, transaction::transaction::Transaction};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use super::{LegEvent, Reason, lock::lock, sip_leg::EVENTS};

/// The legs that are alive, so that in-dialog requests find them and shutdown can wait for them.
#[derive(Debug)]
pub(super) struct Registry {
    legs: Mutex<HashMap<LegKey, Arc<Entry>>>,
    count: watch::Sender<usize>,
}

/// Call-ID and our own tag: unlike the dialog id, they never change during a leg.
type LegKey = (String, String);

/// What others need to know of a leg.
#[derive(Debug)]
pub(super) struct Entry {
    events: Mutex<Option<mpsc::Sender<LegEvent>>>,
    /// PRACK, and changes before the ACK, for the leg's driver.
    early: mpsc::Sender<Box<Transaction>>,
    bye_reason: Mutex<Option<Reason>>,
    /// What the media was like when that was last told.
    statistics: Reported,
    /// From tag and CSeq number of an inbound leg's INVITE.
    invite: Option<(String, u32)>,
}

/// Statistics that the holder of a leg reports, for whoever ends it.
pub(super) type Reported = Arc<Mutex<Option<String>>>;

/// Takes the leg out of the registry on drop.
#[derive(Debug)]
pub(super) struct Registered {
    registry: Arc<Registry>,
    key: LegKey,
    pub(super) entry: Arc<Entry>,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self { legs: Mutex::default(), count: watch::Sender::new(0) }
    }

    /// Adds a leg. `invite` is given for inbound ones: the From tag and the CSeq number.
    pub(super) fn add(
        self: &Arc<Self>,
        id: &DialogId,
        events: mpsc::Sender<LegEvent>,
        early: mpsc::Sender<Box<Transaction>>,
        statistics: Reported,
        invite: Option<(String, u32)>,
    ) -> Registered {
        let entry = Arc::new(Entry {
            events: Mutex::new(Some(events)),
            early,
            bye_reason: Mutex::default(),
            statistics,
            invite,
        });
        let key = key(id);
        lock(&self.legs).insert(key.clone(), entry.clone());
        self.count.send_modify(|n| *n += 1);
        Registered { registry: self.clone(), key, entry }
    }

    /// The leg that a dialog belongs to.
    pub(super) fn find(&self, id: &DialogId) -> Option<Arc<Entry>> {
        lock(&self.legs).get(&key(id)).cloned()
    }

    /// Whether a live leg began with an INVITE of this Call-ID, From tag and CSeq: then another
    /// such INVITE reached us over a second path (RFC 3261 section 8.2.2.2).
    pub(super) fn is_merged(&self, call_id: &str, from_tag: &str, cseq: u32) -> bool {
        lock(&self.legs).iter().any(|((id, _), leg)| {
            id == call_id && leg.invite.as_ref().is_some_and(|(t, n)| t == from_tag && *n == cseq)
        })
    }

    /// How many legs are alive.
    pub(super) fn len(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until no leg is alive.
    pub(super) async fn empty(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.count.subscribe().wait_for(|n| *n == 0).await;
    }
}

impl Entry {
    /// Hands an event to the holder of the leg.
    pub(super) fn emit(&self, event: LegEvent) {
        if let Some(events) = &*lock(&self.events) {
            // A dropped leg reads no events; its driver notices by the closed order channel.
            let _ = events.try_send(event);
        }
    }

    /// Like [`Self::emit`], for events that the peer can send without limit: says `false` when
    /// the holder does not keep up, and keeps room for the events that end a leg.
    pub(super) fn offer(&self, event: LegEvent) -> bool {
        match &*lock(&self.events) {
            Some(events) if events.capacity() > EVENTS / 4 => events.try_send(event).is_ok(),
            _ => false,
        }
    }

    /// Hands over the last event, if any, and ends the stream of events.
    pub(super) fn finish(&self, last: Option<LegEvent>) {
        if let (Some(events), Some(event)) = (lock(&self.events).take(), last) {
            let _ = events.try_send(event);
        }
    }

    /// Hands a PRACK, or a change before the ACK, to the leg's driver; back when it does not
    /// keep up.
    pub(super) fn early(&self, tx: Box<Transaction>) -> Result<(), Box<Transaction>> {
        self.early.try_send(tx).map_err(TrySendError::into_inner)
    }

    /// What the media was like, as far as it was told.
    pub(super) fn statistics(&self) -> Option<String> {
        lock(&self.statistics).clone()
    }

    /// Remembers the Reason header of the peer's BYE.
    pub(super) fn set_bye_reason(&self, reason: Option<Reason>) {
        *lock(&self.bye_reason) = reason;
    }

    pub(super) fn take_bye_reason(&self) -> Option<Reason> {
        lock(&self.bye_reason).take()
    }
}

impl Registered {
    /// The leg goes on in another dialog.
    pub(super) fn renew(&mut self, id: &DialogId) {
        let old = std::mem::replace(&mut self.key, key(id));
        let mut legs = lock(&self.registry.legs);
        legs.remove(&old);
        legs.insert(self.key.clone(), self.entry.clone());
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.entry.finish(None);
        lock(&self.registry.legs).remove(&self.key);
        self.registry.count.send_modify(|n| *n -= 1);
    }
}

fn key(id: &DialogId) -> LegKey {
    (id.call_id.clone(), id.local_tag.clone())
}
