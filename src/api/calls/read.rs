//! Calls as clients see them.

use std::{cmp::Reverse, collections::BTreeMap};

use time::{Duration, OffsetDateTime};
use tonic::{Request, Response, Status};

use super::CallsService;
use crate::{
    api::{
        ask::{self, timestamp, wrong},
        gate::identity,
        own::{own_call, unreadable},
    },
    call::control::{CallState as Running, CallStatus},
    proto::{
        Call, CallDirection, CallState, CallsGetRequest, CallsGetResponse, CallsListRequest,
        CallsListResponse,
    },
    store::{self, CallFilter, CallSummary, Identity, Role, masked},
};

/// Calls that may have begun in the same millisecond.
const AT_ONCE: u32 = 200;

impl CallsService {
    pub(super) async fn listed(
        &self,
        request: Request<CallsListRequest>,
    ) -> Result<Response<CallsListResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let asked = request.into_inner();
        let shown = self.shown(&who, asked.unmasked, "Calls.List", "").await?;
        let size = ask::page_size(asked.page_size, 50, 500)?;
        let running = self.running(&who);
        if asked.live_only {
            let mut live: Vec<&CallStatus> = running.values().collect();
            live.sort_by_key(|status| Reverse(status.started_at));
            let calls = live.into_iter().map(|status| shown.status(status)).collect();
            return Ok(Response::new(CallsListResponse { calls, next_page_token: String::new() }));
        }
        let disposition = match asked.disposition.as_str() {
            "" => None,
            name => Some(ask::name("disposition", name)?.to_owned()),
        };
        let after = Place::read(&asked.page_token)?;
        let from_page = after.as_ref().map(|place| place.started_at + Duration::MILLISECOND);
        let filter = CallFilter {
            tenant: Some(who.tenant.clone()),
            limit: size + AT_ONCE,
            since: ask::moment("started_from", asked.started_from)?,
            before: from_page.or(ask::moment("started_before", asked.started_before)?),
            disposition,
        };
        let calls = self.parts.store.calls(&filter).await.map_err(|e| unreadable(&e))?;
        let mut rest = calls.iter().filter(|call| after.as_ref().is_none_or(|p| p.precedes(call)));
        let page: Vec<&CallSummary> = rest.by_ref().take(size as usize).collect();
        let next_page_token = match (rest.next(), page.last()) {
            (Some(_), Some(last)) => Place::of(last).written(),
            _ => String::new(),
        };
        let calls = page.into_iter().map(|call| shown.call(call, running.get(&call.id)));
        Ok(Response::new(CallsListResponse { calls: calls.collect(), next_page_token }))
    }

    pub(super) async fn got(
        &self,
        request: Request<CallsGetRequest>,
    ) -> Result<Response<CallsGetResponse>, Status> {
        let who = identity(request.extensions())?.clone();
        let CallsGetRequest { call_id, unmasked } = request.into_inner();
        let record = own_call(&self.parts.store, &who, &call_id).await?;
        let shown = self.shown(&who, unmasked, "Calls.Get", &call_id).await?;
        let mut call = shown.call(&record.summary, self.parts.calls.get(&call_id).as_ref());
        call.has_recording = record.recording.is_some();
        call.slots = record.slots;
        Ok(Response::new(CallsGetResponse { call: Some(call) }))
    }

    /// The tenant's running calls.
    fn running(&self, who: &Identity) -> BTreeMap<String, CallStatus> {
        let own = |status: &CallStatus| *status.tenant == *who.tenant;
        let calls = self.parts.calls.list().into_iter().filter(own);
        calls.map(|status| (status.id.clone(), status)).collect()
    }

    /// How numbers are shown; in full only to those who may see them, and not without a trace.
    async fn shown(
        &self,
        who: &Identity,
        unmasked: bool,
        action: &'static str,
        object: &str,
    ) -> Result<Shown, Status> {
        if unmasked && who.role == Role::Operator {
            return Err(Status::permission_denied("unmasked: a token of role operator may not"));
        }
        if unmasked {
            self.writes.seen(who, action, object).await?;
        }
        Ok(Shown { unmasked })
    }
}

/// How numbers are shown.
struct Shown {
    unmasked: bool,
}

impl Shown {
    fn call(&self, call: &CallSummary, running: Option<&CallStatus>) -> Call {
        let state = match running {
            Some(status) => state(status.state),
            None => CallState::Ended,
        };
        Call {
            call_id: call.id.clone(),
            state: state.into(),
            direction: direction(call.direction).into(),
            caller: self.number(&call.caller, call.direction == store::CallDirection::Inbound),
            called: self.number(&call.called, call.direction == store::CallDirection::Outbound),
            dialplan: call.dialplan.clone(),
            dialplan_version: call.dialplan_version.clone(),
            started_at: Some(timestamp(call.started_at)),
            ended_at: call.ended_at.map(timestamp),
            answered_after_ms: call.answered_ms,
            duration_ms: call.duration_ms,
            end_reason: call.end_reason.clone().unwrap_or_default(),
            disposition: call.disposition.clone().unwrap_or_default(),
            turns: call.turns,
            slots: BTreeMap::new(),
            has_recording: false,
        }
    }

    fn status(&self, status: &CallStatus) -> Call {
        Call {
            call_id: status.id.clone(),
            state: state(status.state).into(),
            direction: direction(status.direction).into(),
            caller: self.number(&status.caller, status.direction == store::CallDirection::Inbound),
            called: self.number(&status.called, status.direction == store::CallDirection::Outbound),
            dialplan: status.dialplan.clone(),
            started_at: Some(timestamp(status.started_at)),
            ..Call::default()
        }
    }

    /// A number; those of our own, and those of others to those who may see them, in full.
    fn number(&self, number: &str, of_others: bool) -> String {
        if of_others && !self.unmasked { masked(number) } else { number.to_owned() }
    }
}

fn direction(direction: store::CallDirection) -> CallDirection {
    match direction {
        store::CallDirection::Inbound => CallDirection::Inbound,
        store::CallDirection::Outbound => CallDirection::Outbound,
    }
}

fn state(state: Running) -> CallState {
    match state {
        Running::Ringing => CallState::Ringing,
        Running::Talking => CallState::Talking,
        Running::HandingOver => CallState::HandingOver,
        Running::HandedOver => CallState::HandedOver,
        Running::TakenOver => CallState::TakenOver,
        Running::Held => CallState::Held,
    }
}

/// Where a page ends: at the call of that id, which started then.
struct Place {
    started_at: OffsetDateTime,
    id: String,
}

impl Place {
    fn of(call: &CallSummary) -> Self {
        Self { started_at: call.started_at, id: call.id.clone() }
    }

    fn written(&self) -> String {
        format!("{}:{}", self.started_at.unix_timestamp_nanos() / 1_000_000, self.id)
    }

    fn read(token: &str) -> Result<Option<Self>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let wrong =
            || wrong("page_token", "is not the next_page_token of a page before, unchanged");
        let (ms, id) = token.split_once(':').ok_or_else(wrong)?;
        let nanos = ms.parse::<i128>().ok().and_then(|ms| ms.checked_mul(1_000_000));
        let at = nanos.and_then(|n| OffsetDateTime::from_unix_timestamp_nanos(n).ok());
        Ok(Some(Self { started_at: at.ok_or_else(wrong)?, id: id.to_owned() }))
    }

    /// Whether `call` comes on a later page: calls are listed latest first, those of one moment by their ids.
    fn precedes(&self, call: &CallSummary) -> bool {
        call.started_at < self.started_at
            || (call.started_at == self.started_at && call.id > self.id)
    }
}
