//! `Dispositions`: outcomes of calls, on their way to the CRM and back.

use serde_json::json;
use tonic::{Request, Response, Status};

use super::{
    ask::{self, timestamp},
    gate::identity,
    own::{end_of, own_call, unreadable},
    writes::{Write, Writes},
};
use crate::{
    proto::{
        DispositionsCorrectRequest, DispositionsCorrectResponse, DispositionsListPendingRequest,
        DispositionsListPendingResponse, DispositionsWriteBackRequest,
        DispositionsWriteBackResponse, PendingDisposition, dispositions_server::Dispositions,
    },
    store::{CallEvent, CallRecord, Delivery, Identity, Store},
};

/// Deliveries that are looked through for outcomes.
const LOOKED_THROUGH: u32 = 10_000;
/// The event that carries an outcome.
const ENDED: &str = "call.ended";

pub(super) struct DispositionsService {
    pub(super) store: Store,
    pub(super) writes: Writes,
}

#[tonic::async_trait]
impl Dispositions for DispositionsService {
    async fn write_back(
        &self,
        request: Request<DispositionsWriteBackRequest>,
    ) -> Result<Response<DispositionsWriteBackResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Dispositions.WriteBack",
            object: asked.call_id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (store, new) = (self.store.clone(), asked.clone());
        let work = async move {
            let reference = ask::text("reference", &new.reference, 200)?;
            let record = over(&store, &who, &new.call_id).await?;
            let data = json!({ "reference": reference, "by": who.token_id });
            let event = CallEvent::now(end_of(&record), "disposition.written_back", data);
            store.append_later(&new.call_id, event).await.map_err(|e| unreadable(&e))?;
            Ok(DispositionsWriteBackResponse {})
        };
        self.writes.once(write, &asked, work).await
    }

    async fn correct(
        &self,
        request: Request<DispositionsCorrectRequest>,
    ) -> Result<Response<DispositionsCorrectResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let write = Write {
            who: who.clone(),
            action: "Dispositions.Correct",
            object: asked.call_id.clone(),
            key: asked.idempotency_key.clone(),
        };
        let (store, new) = (self.store.clone(), asked.clone());
        let work = async move {
            let disposition = ask::name("disposition", &new.disposition)?;
            let reason = ask::at_most("reason", &new.reason, 500)?;
            let record = over(&store, &who, &new.call_id).await?;
            let former = record.summary.disposition.clone().unwrap_or_default();
            let data = json!({
                "former": former, "disposition": disposition, "reason": reason, "by": who.token_id,
            });
            let event = CallEvent::now(end_of(&record), "disposition.changed", data);
            let corrected = store.correct_disposition(&new.call_id, disposition, event).await;
            corrected.map_err(|e| unreadable(&e))?;
            Ok(DispositionsCorrectResponse { former })
        };
        self.writes.once(write, &asked, work).await
    }

    async fn list_pending(
        &self,
        request: Request<DispositionsListPendingRequest>,
    ) -> Result<Response<DispositionsListPendingResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let size = ask::page_size(asked.page_size, 50, 500)? as usize;
        let from = usize::try_from(ask::page_offset(&asked.page_token)?).unwrap_or(usize::MAX);
        let mut pending = Vec::new();
        for sink in self.store.sinks().await.map_err(|e| unreadable(&e))? {
            let waiting = self.store.deliveries(&sink, LOOKED_THROUGH).await;
            let waiting = waiting.map_err(|e| unreadable(&e))?;
            let own = |delivery: &Delivery| {
                delivery.event.tenant == who.tenant && delivery.event.what.kind == ENDED
            };
            pending.extend(waiting.into_iter().filter(own).map(waits));
        }
        pending.sort_by_key(|(cursor, _)| *cursor);
        let more = pending.len() > from.saturating_add(size);
        let next_page_token = if more { (from + size).to_string() } else { String::new() };
        let pending = pending.into_iter().skip(from).take(size).map(|(_, pending)| pending);
        Ok(Response::new(DispositionsListPendingResponse {
            pending: pending.collect(),
            next_page_token,
        }))
    }
}

/// A call of the tenant's that is over.
async fn over(store: &Store, who: &Identity, id: &str) -> Result<CallRecord, Status> {
    let record = own_call(store, who, id).await?;
    match record.summary.end_reason {
        Some(_) => Ok(record),
        None => Err(Status::failed_precondition("call_id: the call is not over yet")),
    }
}

fn waits(delivery: Delivery) -> (u64, PendingDisposition) {
    let what = &delivery.event.what;
    let pending = PendingDisposition {
        call_id: delivery.event.call.clone(),
        disposition: what.data["disposition"].as_str().unwrap_or_default().to_owned(),
        ended_at: Some(timestamp(what.time)),
        attempts: delivery.attempts,
        last_error: delivery.problem,
        dead: delivery.dead,
    };
    (delivery.event.cursor, pending)
}
