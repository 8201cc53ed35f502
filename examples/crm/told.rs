//! What Hotline tells: the events of calls, each kept once, and callers who are about to be handed over.

use hotline::proto::{
    DeliverRequest, DeliverResponse, ScreenPopPushRequest, ScreenPopPushResponse,
    event_sink_server::EventSink, screen_pop_server::ScreenPop,
};
use prost_types::{Struct, Value as Wire, value::Kind};
use serde_json::{Map, Value};
use sqlx::types::Json;
use tonic::{Request, Response, Status};

use crate::{ledger::Ledger, tools::Refusal};

#[tonic::async_trait]
impl EventSink for Ledger {
    /// An event may come again, with the same key: it is the same event, and is kept once.
    async fn deliver(
        &self,
        request: Request<DeliverRequest>,
    ) -> Result<Response<DeliverResponse>, Status> {
        let DeliverRequest { event, idempotency_key } = request.into_inner();
        let event = event.ok_or_else(|| Status::invalid_argument("event is missing"))?;
        sqlx::query(
            "INSERT INTO events (key, tenant, call_id, seq, time_ms, kind, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(idempotency_key)
        .bind(event.tenant)
        .bind(event.call_id)
        .bind(event.seq)
        .bind(event.time_ms)
        .bind(event.kind)
        .bind(Json(object(event.data.unwrap_or_default())))
        .execute(self.pool())
        .await
        .map_err(Refusal::from)?;
        Ok(Response::new(DeliverResponse {}))
    }
}

#[tonic::async_trait]
impl ScreenPop for Ledger {
    /// An agent's screen would show this while the telephone rings.
    async fn push(
        &self,
        request: Request<ScreenPopPushRequest>,
    ) -> Result<Response<ScreenPopPushResponse>, Status> {
        let push = request.into_inner();
        println!("{} is handed over to {}: {}", push.call_id, push.to, push.summary);
        sqlx::query(
            "INSERT INTO screen_pops (key, call_id, desk, reason, summary, slots) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(push.idempotency_key)
        .bind(push.call_id)
        .bind(push.to)
        .bind(push.reason)
        .bind(push.summary)
        .bind(Json(push.slots))
        .execute(self.pool())
        .await
        .map_err(Refusal::from)?;
        Ok(Response::new(ScreenPopPushResponse {}))
    }
}

fn object(fields: Struct) -> Map<String, Value> {
    fields.fields.into_iter().map(|(name, value)| (name, json(value))).collect()
}

fn json(value: Wire) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::NumberValue(number)) => number.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::BoolValue(yes)) => yes.into(),
        Some(Kind::StructValue(fields)) => object(fields).into(),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json).collect(),
    }
}
