//! The newest events, read from the log once for all who follow it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use crate::store::{Event, Store};

/// Events kept; who is further behind reads the log itself.
const KEPT: usize = 8_192;
/// Events read at once.
const BATCH: u32 = 1_000;
/// How long after a failure the log is read again.
const PAUSE: Duration = Duration::from_secs(1);

/// The end of the log. Clones see the same; it is read while somebody but the first of them follows.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    kept: Arc<Mutex<Kept>>,
    newest: watch::Receiver<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// All events after this cursor and up to `to` are kept.
    from: u64,
    to: u64,
    events: VecDeque<Arc<Event>>,
}

impl Tail {
    /// Follows the log of `store` in a task, which ends with the last clone.
    pub(super) fn follow(store: Store) -> Self {
        let now = *store.newest().borrow();
        let kept = Kept { from: now, to: now, events: VecDeque::new() };
        let (tell, newest) = watch::channel(now);
        let tail = Self { kept: Arc::new(Mutex::new(kept)), newest };
        tokio::spawn(read(store, Arc::clone(&tail.kept), tell));
        tail
    }

    /// The events after `cursor`, oldest first; `None` when some of them are no longer kept.
    pub(super) fn after(&self, cursor: u64) -> Option<Vec<Arc<Event>>> {
        let kept = lock(&self.kept);
        if cursor < kept.from {
            return None;
        }
        let at = kept.events.partition_point(|event| event.cursor <= cursor);
        Some(kept.events.range(at..).cloned().collect())
    }

    /// All events after this cursor are kept.
    pub(super) fn from(&self) -> u64 {
        lock(&self.kept).from
    }

    /// Changes whenever there are newer events.
    pub(super) fn newest(&mut self) -> &mut watch::Receiver<u64> {
        &mut self.newest
    }
}

async fn read(store: Store, kept: Arc<Mutex<Kept>>, tell: watch::Sender<u64>) {
    let mut newest = store.newest();
    // The store tells of new events as long as it is there; nobody needs them when all clones are gone.
    while !tell.is_closed() {
        let now = *newest.borrow_and_update();
        if tell.receiver_count() > 1 {
            catch_up(&store, &kept, &tell).await;
        } else {
            lock(&kept).restart(now);
            // Whoever came in this moment looks again.
            tell.send_replace(now);
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() {
                return;
            },
            () = tell.closed() => return,
        }
    }
}

/// Reads all that there is.
async fn catch_up(store: &Store, kept: &Mutex<Kept>, tell: &watch::Sender<u64>) {
    loop {
        let to = lock(kept).to;
        match store.events_after(None, to, BATCH).await {
            Ok(batch) => {
                let more = batch.len() == BATCH as usize;
                tell.send_replace(lock(kept).add(batch));
                if !more {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the log of events cannot be read");
                sleep(PAUSE).await;
            }
        }
    }
}

impl Kept {
    /// Nobody follows: what comes after `now` is kept from here on.
    fn restart(&mut self, now: u64) {
        self.events.clear();
        (self.from, self.to) = (now, now);
    }

    fn add(&mut self, batch: Vec<Event>) -> u64 {
        for event in batch {
            self.to = event.cursor;
            self.events.push_back(Arc::new(event));
        }
        while self.events.len() > KEPT
            && let Some(oldest) = self.events.pop_front()
        {
            self.from = oldest.cursor;
        }
        self.to
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CallEvent;

    fn events(cursors: std::ops::RangeInclusive<u64>) -> Vec<Event> {
        let event = |cursor| Event {
            cursor,
            tenant: "acme".to_owned(),
            call: "call-1".to_owned(),
            seq: 0,
            what: CallEvent::now(crate::audio::CallTime::ZERO, "node", serde_json::json!({})),
        };
        cursors.map(event).collect()
    }

    fn tail(kept: Kept) -> Tail {
        Tail { kept: Arc::new(Mutex::new(kept)), newest: watch::channel(0).1 }
    }

    fn after(tail: &Tail, cursor: u64) -> Option<Vec<u64>> {
        tail.after(cursor).map(|events| events.iter().map(|event| event.cursor).collect())
    }

    #[test]
    fn what_is_kept_is_given_and_what_is_not_is_said() {
        let mut kept = Kept { from: 10, to: 10, ..Kept::default() };
        kept.add(events(11..=13));
        let tail = tail(kept);
        assert_eq!(after(&tail, 9), None);
        assert_eq!(after(&tail, 10), Some(vec![11, 12, 13]));
        assert_eq!(after(&tail, 12), Some(vec![13]));
        assert_eq!(after(&tail, 20), Some(vec![]), "its reader is ahead");
    }

    #[test]
    fn the_oldest_are_forgotten_and_that_is_known() {
        let mut kept = Kept::default();
        kept.add(events(1..=KEPT as u64 + 5));
        let tail = tail(kept);
        assert_eq!(after(&tail, 4), None);
        assert_eq!(after(&tail, 5).map(|events| events.len()), Some(KEPT));
    }
}
