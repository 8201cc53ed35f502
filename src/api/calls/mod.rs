//! `Calls`: listed, watched, placed and driven.

mod command;
mod read;
mod start;
mod watch;

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status};

use self::{command::Order, watch::WatchStream};
use super::{
    Parts,
    gate::identity,
    own::own_call,
    writes::{Write, Writes},
};
use crate::{
    call::control::{self, Command, ControlError},
    conversation::Refusal,
    proto::{
        CallsGetRequest, CallsGetResponse, CallsGiveBackRequest, CallsGiveBackResponse,
        CallsHangUpRequest, CallsHangUpResponse, CallsHoldRequest, CallsHoldResponse,
        CallsListRequest, CallsListResponse, CallsMuteRequest, CallsMuteResponse, CallsPlayRequest,
        CallsPlayResponse, CallsRecordRequest, CallsRecordResponse, CallsResumeRequest,
        CallsResumeResponse, CallsSayRequest, CallsSayResponse, CallsSendKeysRequest,
        CallsSendKeysResponse, CallsSetVariableRequest, CallsSetVariableResponse,
        CallsStartRequest, CallsStartResponse, CallsTakeOverRequest, CallsTakeOverResponse,
        CallsTransferRequest, CallsTransferResponse, CallsWatchRequest, calls_server::Calls,
    },
};

/// How long after its answer a call may take to begin its dialog, and how often it is looked whether it has.
const BEGINS: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(50);

/// A request, and what is answered to it.
type Asked<T> = Request<T>;
type Answered<T> = Result<Response<T>, Status>;

#[derive(Clone)]
pub(super) struct CallsService {
    pub(super) parts: Parts,
    pub(super) writes: Writes,
}

#[tonic::async_trait]
impl Calls for CallsService {
    type WatchStream = WatchStream;

    async fn start(&self, request: Asked<CallsStartRequest>) -> Answered<CallsStartResponse> {
        self.place(request).await
    }

    async fn list(&self, request: Asked<CallsListRequest>) -> Answered<CallsListResponse> {
        self.listed(request).await
    }

    async fn get(&self, request: Asked<CallsGetRequest>) -> Answered<CallsGetResponse> {
        self.got(request).await
    }

    async fn watch(&self, request: Asked<CallsWatchRequest>) -> Answered<Self::WatchStream> {
        self.watched(request).await
    }

    async fn hang_up(&self, request: Asked<CallsHangUpRequest>) -> Answered<CallsHangUpResponse> {
        self.order("Calls.HangUp", request).await
    }

    async fn transfer(
        &self,
        request: Asked<CallsTransferRequest>,
    ) -> Answered<CallsTransferResponse> {
        self.order("Calls.Transfer", request).await
    }

    async fn hold(&self, request: Asked<CallsHoldRequest>) -> Answered<CallsHoldResponse> {
        self.order("Calls.Hold", request).await
    }

    async fn resume(&self, request: Asked<CallsResumeRequest>) -> Answered<CallsResumeResponse> {
        self.order("Calls.Resume", request).await
    }

    async fn mute(&self, request: Asked<CallsMuteRequest>) -> Answered<CallsMuteResponse> {
        self.order("Calls.Mute", request).await
    }

    async fn send_keys(
        &self,
        request: Asked<CallsSendKeysRequest>,
    ) -> Answered<CallsSendKeysResponse> {
        self.order("Calls.SendKeys", request).await
    }

    async fn say(&self, request: Asked<CallsSayRequest>) -> Answered<CallsSayResponse> {
        self.order("Calls.Say", request).await
    }

    async fn play(&self, request: Asked<CallsPlayRequest>) -> Answered<CallsPlayResponse> {
        self.order("Calls.Play", request).await
    }

    async fn record(&self, request: Asked<CallsRecordRequest>) -> Answered<CallsRecordResponse> {
        self.order("Calls.Record", request).await
    }

    async fn set_variable(
        &self,
        request: Asked<CallsSetVariableRequest>,
    ) -> Answered<CallsSetVariableResponse> {
        self.order("Calls.SetVariable", request).await
    }

    async fn take_over(
        &self,
        request: Asked<CallsTakeOverRequest>,
    ) -> Answered<CallsTakeOverResponse> {
        self.order("Calls.TakeOver", request).await
    }

    async fn give_back(
        &self,
        request: Asked<CallsGiveBackRequest>,
    ) -> Answered<CallsGiveBackResponse> {
        self.order("Calls.GiveBack", request).await
    }
}

impl CallsService {
    /// Has a call of the tenant's do what `request` says.
    async fn order<O: Order>(
        &self,
        action: &'static str,
        request: Asked<O>,
    ) -> Answered<O::Answer> {
        let who = identity(request.extensions())?.clone();
        let order = request.into_inner();
        let (object, key) = (order.call_id().to_owned(), order.key().to_owned());
        let write = Write { who: who.clone(), action, object, key };
        let (parts, carried_out) = (self.parts.clone(), order.clone());
        let work = async move {
            let id = carried_out.call_id();
            let is_own = parts.calls.get(id).is_some_and(|status| *status.tenant == *who.tenant);
            if !is_own {
                // It may be over; whether it ever was is told to its tenant only.
                own_call(&parts.store, &who, id).await?;
                return Err(Status::failed_precondition(format!("call_id: call {id} is over")));
            }
            let command = carried_out.command(&parts).await?;
            told(&parts.calls, id, command).await.map_err(refused)?;
            Ok(O::Answer::default())
        };
        self.writes.once(write, &order, work).await
    }
}

/// Tells a call what to do; one that was answered just now is given a moment to begin.
async fn told(calls: &control::Calls, id: &str, command: Command) -> Result<(), ControlError> {
    let patience = Instant::now() + BEGINS;
    loop {
        match calls.command(id, command.clone()).await {
            Err(ControlError::Dialog(Refusal::NotBegun)) if Instant::now() < patience => {
                sleep(AGAIN).await;
            }
            result => return result,
        }
    }
}

/// Why a call does not do what it is told.
fn refused(error: ControlError) -> Status {
    match error {
        ControlError::NoSuchCall { id } => {
            Status::failed_precondition(format!("call_id: call {id} is over"))
        }
        ControlError::Busy { .. } => Status::resource_exhausted(error.to_string()),
        ControlError::NoAnswer { .. } => Status::deadline_exceeded(error.to_string()),
        error => Status::failed_precondition(error.to_string()),
    }
}
