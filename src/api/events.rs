//! `Events`: the log of events, followed by a cursor.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{
    ask::{self, wrong},
    gate::identity,
    limits::{Limits, Stream},
    redacted::redacted_json,
    tail::Tail,
};
use crate::{
    delivery,
    proto::{
        Event, EventsSubscribeRequest, EventsSubscribeResponse, Heartbeat, events_server::Events,
        events_subscribe_response::Content,
    },
    store::{self, Role, Store},
};

/// Events read from the log at once.
const BATCH: u32 = 500;
/// Events that wait for a subscriber; while they do, no more are read for it.
const QUEUE: usize = 64;
/// Kinds that a subscriber may ask for.
const KINDS: usize = 100;
/// Heartbeats unless asked for otherwise.
const HEARTBEAT: u32 = 15;

pub(super) struct EventsService {
    pub(super) store: Store,
    pub(super) tail: Tail,
    pub(super) limits: Limits,
}

#[tonic::async_trait]
impl Events for EventsService {
    type SubscribeStream = ReceiverStream<Result<EventsSubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<EventsSubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let wanted = Wanted::read(&asked)?;
        let heartbeat = match asked.heartbeat_seconds {
            0 => HEARTBEAT,
            seconds @ 1..=300 => seconds,
            seconds => {
                return Err(wrong("heartbeat_seconds", format_args!("is {seconds}, not 1 to 300")));
            }
        };
        let open = self.limits.stream(&who.tenant).ok_or_else(|| {
            let most = self.limits.max_streams();
            Status::resource_exhausted(format!("{most} event streams are open already: end one"))
        })?;
        let now = *self.store.newest().borrow();
        let cursor = asked.cursor.unwrap_or(now);
        if cursor > now {
            return Err(wrong("cursor", "is beyond the newest event: it is of another database"));
        }
        let (sender, events) = mpsc::channel(QUEUE);
        let follower = Follower {
            store: self.store.clone(),
            tail: self.tail.clone(),
            tenant: who.tenant,
            redacts: who.role == Role::Operator,
            wanted,
            cursor,
            heartbeat: Duration::from_secs(heartbeat.into()),
            sender,
            _open: open,
        };
        tokio::spawn(follower.follow());
        Ok(Response::new(ReceiverStream::new(events)))
    }
}

/// Which events a subscriber wants.
struct Wanted {
    kinds: Vec<String>,
    call: Option<Arc<str>>,
}

impl Wanted {
    fn read(asked: &EventsSubscribeRequest) -> Result<Self, Status> {
        if asked.kinds.len() > KINDS {
            return Err(wrong("kinds", format_args!("has more than {KINDS}")));
        }
        for kind in &asked.kinds {
            ask::text("kinds", kind, 64)?;
        }
        let call = match asked.call_id.as_str() {
            "" => None,
            id => Some(Arc::from(ask::call_id(id)?)),
        };
        Ok(Self { kinds: asked.kinds.clone(), call })
    }

    fn takes(&self, event: &store::Event) -> bool {
        let of_call = self.call.as_ref().is_none_or(|call| **call == *event.call);
        let fits = |kind: &String| match kind.strip_suffix('*') {
            Some(head) => event.what.kind.starts_with(head),
            None => event.what.kind == *kind,
        };
        of_call && (self.kinds.is_empty() || self.kinds.iter().any(fits))
    }
}

/// Reads the log for one subscriber, at the subscriber's pace.
struct Follower {
    store: Store,
    tail: Tail,
    tenant: String,
    redacts: bool,
    wanted: Wanted,
    cursor: u64,
    heartbeat: Duration,
    sender: mpsc::Sender<Result<EventsSubscribeResponse, Status>>,
    _open: Stream,
}

impl Follower {
    /// Until the subscriber is gone.
    async fn follow(mut self) {
        loop {
            self.tail.newest().borrow_and_update();
            let there = match self.tail.after(self.cursor) {
                Some(events) if events.is_empty() => self.wait().await,
                Some(events) => self.send_all(events.iter().map(|event| &**event)).await,
                None => self.catch_up().await,
            };
            if !there {
                return;
            }
        }
    }

    /// Reads what is no longer kept; false when the subscriber is gone.
    async fn catch_up(&mut self) -> bool {
        // What was the newest before is read in any case.
        let newest = *self.store.newest().borrow();
        match self.store.events_after(Some(&self.tenant), self.cursor, BATCH).await {
            Ok(batch) => {
                let count = batch.len();
                let there = self.send_all(batch.iter()).await;
                // Those of other tenants are passed over.
                if count < BATCH as usize {
                    self.cursor = self.cursor.max(newest.min(self.tail.from()));
                }
                there
            }
            Err(error) => {
                tracing::warn!(%error, "a subscriber is sent away: the log cannot be read");
                let gone = "the log cannot be read now: subscribe again with the last cursor";
                let _ = self.sender.send(Err(Status::unavailable(gone))).await;
                false
            }
        }
    }

    async fn send_all(&mut self, events: impl Iterator<Item = &store::Event>) -> bool {
        for event in events {
            self.cursor = event.cursor;
            if event.tenant != self.tenant || !self.wanted.takes(event) {
                continue;
            }
            let message = self.message(event);
            if !self.send(Content::Event(message)).await {
                return false;
            }
        }
        true
    }

    /// Waits for newer events, with heartbeats; false when the subscriber or the service is gone.
    async fn wait(&mut self) -> bool {
        loop {
            let waited = tokio::select! {
                waited = timeout(self.heartbeat, self.tail.newest().changed()) => waited,
                () = self.sender.closed() => return false,
            };
            match waited {
                Ok(changed) => return changed.is_ok(),
                Err(_) => {
                    let sent_at = Some(ask::timestamp(OffsetDateTime::now_utc()));
                    if !self.send(Content::Heartbeat(Heartbeat { sent_at })).await {
                        return false;
                    }
                }
            }
        }
    }

    async fn send(&self, content: Content) -> bool {
        let message = EventsSubscribeResponse { cursor: self.cursor, content: Some(content) };
        self.sender.send(Ok(message)).await.is_ok()
    }

    fn message(&self, event: &store::Event) -> Event {
        if !self.redacts {
            return delivery::message(event);
        }
        let mut event = event.clone();
        redacted_json(&mut event.what.data);
        delivery::message(&event)
    }
}
