//! One task writes what happens in calls, many of them in one transaction.
//!
//! A call's orders come in the order in which it gave them. While the database cannot be reached they
//! wait: nothing is dropped, and what was committed before an answer was lost is not written twice.

use std::{mem, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};

use super::{CallEnd, CallEvent, NewCall, StoreError, books::Books, database::Db};

/// Orders in one transaction.
const BATCH: usize = 512;
/// Orders that are held while the database is away; the rest waits in the queue.
const MOST: usize = 8_192;
/// How long events wait for company when nobody waits for them.
const GATHER: Duration = Duration::from_millis(20);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long a caller is kept waiting for the database before the call is refused.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);
/// Pauses between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How often it is looked whether other processes have written events.
const LOOK: Duration = Duration::from_millis(500);

pub(super) type Done = oneshot::Sender<Result<(), StoreError>>;

/// Something to write.
#[derive(Debug)]
pub(super) enum Order {
    /// A call begins.
    Begin { call: Box<NewCall>, asked: Instant },
    /// Things that happened in a call.
    Events { call: String, events: Vec<CallEvent>, when: When },
    /// A call is over.
    Finish { call: String, end: Box<CallEnd>, events: Vec<CallEvent> },
    /// A call that is over has another outcome from now on.
    Correct { call: String, disposition: String, event: CallEvent },
    /// Nothing: what came before it is written.
    Flush,
}

/// When events may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// While the call lasts.
    UnderWay,
    /// Also when it is over.
    Ever,
}

/// An order and who waits for it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) order: Order,
    pub(super) done: Option<Done>,
}

impl Entry {
    fn answer(self, result: Result<(), StoreError>) {
        match self.done {
            // Whoever waited may be gone.
            Some(done) => drop(done.send(result)),
            None => {
                if let Err(error) = result {
                    tracing::error!(%error, "an event of a call is lost");
                }
            }
        }
    }
}

/// The task: ends when nobody can give orders any more.
pub(super) async fn run(
    db: Db,
    node: String,
    mut orders: mpsc::Receiver<Entry>,
    newest: watch::Sender<u64>,
) {
    let mut writer = Writer { books: Books::new(db, node), newest };
    let mut batch = Vec::new();
    let orders = &mut orders;
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            count = orders.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return;
                }
                if batch.iter().all(|entry| entry.done.is_none()) {
                    sleep(GATHER).await;
                    while batch.len() < BATCH && let Ok(entry) = orders.try_recv() {
                        batch.push(entry);
                    }
                }
                writer.write(mem::take(&mut batch), Some(&mut *orders)).await;
            }
            _ = look.tick() => writer.look().await,
        }
    }
}

struct Writer {
    books: Books,
    newest: watch::Sender<u64>,
}

impl Writer {
    /// Writes all of a batch, however long the database is away, and what comes from `more` meanwhile.
    async fn write(&mut self, mut batch: Vec<Entry>, mut more: Option<&mut mpsc::Receiver<Entry>>) {
        let (mut pause, longest) = PAUSES;
        let mut attempts = 0_u32;
        while !batch.is_empty() {
            let attempt = self.books.attempt(&batch, attempts > 0);
            let error = match timeout(ATTEMPT, attempt).await {
                Ok(Ok((results, newest))) => {
                    self.tell(newest);
                    for (entry, result) in batch.into_iter().zip(results) {
                        entry.answer(result);
                    }
                    return;
                }
                Ok(Err(error)) if error.may_pass() => error.to_string(),
                Ok(Err(error)) if batch.len() == 1 => {
                    if let Some(entry) = batch.pop() {
                        entry.answer(Err(error));
                    }
                    return;
                }
                // One of them cannot be written: the others shall not suffer for it.
                Ok(Err(_)) => {
                    for entry in batch {
                        Box::pin(self.write(vec![entry], None)).await;
                    }
                    return;
                }
                Err(_) => "no answer in time".to_owned(),
            };
            attempts += 1;
            if attempts == 3 {
                tracing::error!(%error, waiting = batch.len(), "the database is away: calls' records wait for it");
            }
            // New callers wait as well, and not for ever.
            while batch.len() < MOST
                && let Some(more) = &mut more
                && let Ok(entry) = more.try_recv()
            {
                batch.push(entry);
            }
            batch = self.give_up(batch, &error);
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Callers are not kept waiting for ever; the rest stays.
    fn give_up(&mut self, batch: Vec<Entry>, why: &str) -> Vec<Entry> {
        let (late, rest) = batch.into_iter().partition::<Vec<_>, _>(|entry| match &entry.order {
            Order::Begin { asked, .. } => asked.elapsed() > BEGIN_WITHIN,
            _ => false,
        });
        for entry in late {
            if let Order::Begin { call, .. } = &entry.order {
                // It may have been committed all the same.
                self.books.abandon(call.id.clone());
            }
            let error = self.books.away(why);
            entry.answer(Err(error));
        }
        rest
    }

    fn tell(&self, newest: u64) {
        self.newest.send_if_modified(|seen| {
            let more = newest > *seen;
            *seen = newest.max(*seen);
            more
        });
    }

    /// Other processes write events, too.
    async fn look(&self) {
        if let Ok(Ok(newest)) = timeout(LOOK, self.books.newest()).await {
            self.tell(newest);
        }
    }
}
