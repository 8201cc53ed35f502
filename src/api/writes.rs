//! Requests that change something: each is done once, however often it is sent, and stands in the audit log.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tonic::{Code, Response, Status};

use super::{
    ask::{self, wrong},
    own::unreadable,
};
use crate::store::{Deed, Identity, Store};

/// How long an answer is remembered for whoever asks again.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Answers that are remembered; beyond, the oldest are forgotten.
const MOST: usize = 20_000;
/// Characters of a key.
const KEY: usize = 200;

/// Does what changes something. Clones share what is remembered.
#[derive(Clone)]
pub(super) struct Writes {
    store: Store,
    remembered: Arc<Mutex<Remembered>>,
}

/// What is to be done, for the audit log.
pub(super) struct Write {
    /// Who asks.
    pub(super) who: Identity,
    /// The method, such as `Calls.Say`.
    pub(super) action: &'static str,
    /// The id of what is changed.
    pub(super) object: String,
    /// The key of the request; empty for one that is not to be repeated.
    pub(super) key: String,
}

/// A tenant, a method and a key.
type Name = (String, &'static str, String);

#[derive(Default)]
struct Remembered {
    answers: HashMap<Name, Kept>,
    /// In the order in which they were kept.
    ages: VecDeque<(Instant, Name)>,
}

struct Kept {
    request: [u8; 32],
    /// `None` while it is being worked on.
    answer: Option<Vec<u8>>,
}

impl Writes {
    pub(super) fn new(store: Store) -> Self {
        Self { store, remembered: Arc::default() }
    }

    /// Does `work` and answers what it gives; or what it gave when the request came before with the same key. Work that
    /// was begun is finished also when its client is gone.
    pub(super) async fn once<Q: Message, A: Message + Default + 'static>(
        &self,
        write: Write,
        request: &Q,
        work: impl Future<Output = Result<A, Status>> + Send + 'static,
    ) -> Result<Response<A>, Status> {
        ask::at_most("idempotency_key", &write.key, KEY)?;
        let digest = Sha256::digest(request.encode_to_vec()).into();
        let name = (write.who.tenant.clone(), write.action, write.key.clone());
        let keyed = !write.key.is_empty();
        if keyed && let Some(answer) = self.begin(&name, digest)? {
            return A::decode(&answer[..]).map(Response::new).map_err(|_| lost());
        }
        let (writes, reservation) =
            (self.clone(), Reservation(keyed.then(|| (self.clone(), name))));
        let done = tokio::spawn(async move {
            writes.audit(&write.who, write.action, &write.object, json!({})).await?;
            let result = work.await;
            if let Err(status) = &result {
                let failed = json!({ "failed": format!("{:?}", status.code()) });
                writes.audit(&write.who, write.action, &write.object, failed).await?;
            }
            reservation.end(result.as_ref().ok().map(Message::encode_to_vec));
            result
        });
        done.await.map_err(|_| lost())?.map(Response::new)
    }

    /// Puts on record that something was read; without that it may not be.
    pub(super) async fn seen(
        &self,
        who: &Identity,
        action: &'static str,
        object: &str,
    ) -> Result<(), Status> {
        self.audit(who, action, object, json!({})).await
    }

    async fn audit(
        &self,
        who: &Identity,
        action: &str,
        object: &str,
        details: Value,
    ) -> Result<(), Status> {
        tracing::info!(token = %who.token_id, tenant = %who.tenant, action, object, %details, "API");
        let deed = Deed {
            tenant: who.tenant.clone(),
            who: who.token_id.clone(),
            action: action.to_owned(),
            // What a client calls an object may be anything, also a number that was mistaken for an id.
            object: redacted_object(object),
            details,
        };
        self.store.audit(deed).await.map(drop).map_err(|error| unreadable(&error))
    }

    /// What was answered before; `None` when the work is to be done now.
    fn begin(&self, name: &Name, request: [u8; 32]) -> Result<Option<Vec<u8>>, Status> {
        let mut remembered = self.remembered();
        remembered.forget(Instant::now());
        match remembered.answers.get(name) {
            Some(kept) if kept.request != request => {
                Err(wrong("idempotency_key", "was used for another request: take a new one"))
            }
            Some(Kept { answer: Some(answer), .. }) => Ok(Some(answer.clone())),
            Some(_) => Err(Status::aborted("the same request is being worked on: ask again")),
            None => {
                remembered.answers.insert(name.clone(), Kept { request, answer: None });
                Ok(None)
            }
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.ages.front()
            && (now.saturating_duration_since(*at) > KEPT || self.ages.len() >= MOST)
            && let Some((_, name)) = self.ages.pop_front()
        {
            self.answers.remove(&name);
        }
    }
}

/// A key whose work is being done; freed when that fails.
struct Reservation(Option<(Writes, Name)>);

impl Reservation {
    fn end(mut self, answer: Option<Vec<u8>>) {
        let Some(answer) = answer else { return };
        let Some((writes, name)) = self.0.take() else { return };
        let mut remembered = writes.remembered();
        if let Some(kept) = remembered.answers.get_mut(&name) {
            kept.answer = Some(answer);
            remembered.ages.push_back((Instant::now(), name));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some((writes, name)) = self.0.take() {
            writes.remembered().answers.remove(&name);
        }
    }
}

/// An id as it may stand in the log; what is none is left out.
fn redacted_object(object: &str) -> String {
    let fits = object.len() <= 100 && object.bytes().all(|b| b.is_ascii_graphic());
    let number = object.bytes().all(|b| b.is_ascii_digit() || b"+-*#".contains(&b));
    if fits && !number { object.to_owned() } else { String::new() }
}

fn lost() -> Status {
    Status::new(Code::Internal, "the request could not be worked on: this is a bug, and in the log")
}
