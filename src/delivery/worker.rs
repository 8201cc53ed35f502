//! Delivers to one sink: what waits, then what is new, several calls at a time.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    Metrics, Rules, Sink,
    lane::{Done, Item, Lane, jittered},
};
use crate::store::{Delivery, Settlement, Store, StoreError};

/// Events that are looked at together.
const BATCH: u32 = 256;
/// Calls whose events are on their way at the same time.
const LANES: usize = 8;
/// How long it may take to notice what nobody told us: a retry that is due, a replay.
const LOOK: Duration = Duration::from_secs(1);
/// How long a sink is ours without being taken anew, and how often it is.
const LEASE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(15));
/// Pauses while a sink takes nothing.
const AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often the queue is measured.
const MEASURE: Duration = Duration::from_secs(5);

pub(super) struct Worker {
    store: Store,
    node: String,
    sink: Arc<Sink>,
    rules: Rules,
    metrics: Metrics,
    leased: Option<Instant>,
    measured: Option<Instant>,
    /// Rounds in a row in which the sink took nothing.
    away: u32,
}

/// What a round has come to.
enum Round {
    /// There may be more to do.
    More,
    /// There was nothing to do.
    Idle,
    /// The sink is to be left alone for so long.
    Away(Duration),
}

impl Worker {
    pub(super) fn new(
        store: Store,
        node: &str,
        sink: Arc<Sink>,
        rules: Rules,
        metrics: Metrics,
    ) -> Self {
        let node = node.to_owned();
        Self { store, node, sink, rules, metrics, leased: None, measured: None, away: 0 }
    }

    /// Delivers for ever. Being dropped costs nothing but a second delivery of what was on its way.
    pub(super) async fn run(mut self) {
        let mut newest = self.store.newest();
        loop {
            newest.borrow_and_update();
            self.measure().await;
            match self.round().await {
                Ok(Round::More) => {}
                Ok(Round::Idle) => {
                    // An error says that nobody will tell us any more.
                    if let Ok(Err(_)) = timeout(LOOK, newest.changed()).await {
                        sleep(LOOK).await;
                    }
                }
                Ok(Round::Away(pause)) => sleep(pause).await,
                Err(error) => {
                    tracing::warn!(sink = %self.rules.name, %error, "events wait for the store");
                    sleep(LOOK).await;
                }
            }
        }
    }

    async fn round(&mut self) -> Result<Round, StoreError> {
        if !self.ours().await? {
            return Ok(Round::Idle);
        }
        let name = &self.rules.name;
        // Whether it is back is asked with one event.
        let most = if self.away > 0 { 1 } else { BATCH };
        let due = self.store.due_deliveries(name, most).await?;
        let position = self.store.sink_position(name).await?;
        let room = most.saturating_sub(due.len() as u32);
        let events = match room {
            0 => Vec::new(),
            room => self.store.events_after(None, position, room).await?,
        };
        if due.is_empty() && events.is_empty() {
            return Ok(Round::Idle);
        }
        let moved = events.last().map(|last| (position, last.cursor));
        let mut settlement = Settlement { moved, ..Settlement::default() };
        let held: HashSet<String> = self.store.calls_held(name).await?.into_iter().collect();
        let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
        for delivery in due {
            let lane = lanes.entry(delivery.event.call.clone()).or_default();
            lane.items.push_back(Item { delivery, waited: true });
        }
        for event in events.into_iter().filter(|event| self.rules.want(event)) {
            let wait = held.contains(&event.call);
            let problem = if wait { "waits for an earlier event of its call" } else { "" };
            let delivery = Delivery {
                event,
                attempts: 0,
                next_at: OffsetDateTime::UNIX_EPOCH,
                dead: false,
                problem: problem.to_owned(),
            };
            match wait {
                true => settlement.left.push(delivery),
                false => {
                    let lane = lanes.entry(delivery.event.call.clone()).or_default();
                    lane.items.push_back(Item { delivery, waited: false });
                }
            }
        }
        let (tried, away) = (!lanes.is_empty(), self.deliver(lanes, &mut settlement).await?);
        if !self.store.settle(name, &settlement).await? {
            tracing::info!(sink = %name, "events are replayed");
            return Ok(Round::More);
        }
        Ok(match away {
            Some((why, after)) => Round::Away(self.left_alone(&why, after)),
            None => {
                if tried && self.away > 0 {
                    tracing::info!(sink = %self.rules.name, "takes events again");
                    self.away = 0;
                }
                Round::More
            }
        })
    }

    /// Runs lanes, some at a time, until all are done or the sink takes nothing any more.
    async fn deliver(
        &self,
        lanes: BTreeMap<String, Lane>,
        settlement: &mut Settlement,
    ) -> Result<Option<(String, Option<Duration>)>, StoreError> {
        let mut lanes = lanes.into_values();
        let mut running: JoinSet<Done> = JoinSet::new();
        let mut away = None;
        loop {
            while running.len() < LANES
                && away.is_none()
                && let Some(lane) = lanes.next()
            {
                running.spawn(lane.run(
                    Arc::clone(&self.sink),
                    self.rules.clone(),
                    self.metrics.clone(),
                ));
            }
            match running.join_next().await {
                Some(Ok(done)) => {
                    settlement.taken.extend(done.taken);
                    settlement.left.extend(done.left);
                    away = away.or(done.away);
                }
                // Its events are not accounted for: nothing is settled, all of it comes again.
                Some(Err(_)) => return Err(StoreError::Closed),
                None => break,
            }
        }
        settlement.left.extend(lanes.flat_map(Lane::waiting));
        Ok(away)
    }

    fn left_alone(&mut self, why: &str, after: Option<Duration>) -> Duration {
        self.away += 1;
        if self.away == 1 {
            tracing::warn!(sink = %self.rules.name, %why, "takes no events: they wait");
        }
        let (first, longest) = AWAY;
        let doubled = first.saturating_mul(1_u32.checked_shl(self.away - 1).unwrap_or(u32::MAX));
        let pause = jittered(doubled.min(longest), rand::random());
        after.map_or(pause, |after| after.min(longest).max(pause))
    }

    /// Whether it is us who deliver to the sink.
    async fn ours(&mut self) -> Result<bool, StoreError> {
        let (lease, renew) = LEASE;
        if self.leased.is_some_and(|at| at.elapsed() < renew) {
            return Ok(true);
        }
        let until = OffsetDateTime::now_utc() + lease;
        let ours = self.store.lease_sink(&self.rules.name, &self.node, until).await?;
        self.leased = ours.then(Instant::now);
        Ok(ours)
    }

    async fn measure(&mut self) {
        if self.measured.is_some_and(|at| at.elapsed() < MEASURE) {
            return;
        }
        self.measured = Some(Instant::now());
        if let Ok(state) = self.store.sink_state(&self.rules.name).await {
            self.metrics.stands(&self.rules.name, &state);
        }
    }
}
