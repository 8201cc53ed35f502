use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{
    CrmConfig, CrmError,
    proto::{
        DeliverRequest, Event, InvokeRequest, ScreenPopPushRequest, crm_client::CrmClient,
        event_sink_client::EventSinkClient, screen_pop_client::ScreenPopClient,
    },
};
use crate::dialog::{Invoke, InvokeResult};

/// How long after a failure a repeatable invocation is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the CRM may take to show who is coming.
const PUSH: Duration = Duration::from_secs(1);

/// The CRM of a service; clones share one connection.
#[derive(Debug, Clone, Default)]
pub struct Crm {
    client: Option<CrmClient<Channel>>,
    sink: Option<EventSinkClient<Channel>>,
    screen: Option<ScreenPopClient<Channel>>,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Crm {
    /// The CRM that `config` names; it is connected to when it is first asked.
    ///
    /// # Errors
    /// [`CrmError`] for an address, a token or certificates that cannot be used.
    pub fn new(config: &CrmConfig) -> Result<Self, CrmError> {
        let channel = config.url.as_deref().map(|url| config.channel(url)).transpose()?;
        let sink = channel.clone().map(EventSinkClient::new);
        let screen = channel.clone().map(ScreenPopClient::new);
        let authorization = config.authorization()?;
        Ok(Self { client: channel.map(CrmClient::new), sink, screen, authorization })
    }

    /// Hands an event to the CRM's `EventSink`; `key` is the same for every attempt at it.
    ///
    /// # Errors
    /// What the CRM answers, UNAVAILABLE when it cannot be reached.
    pub async fn deliver(&self, event: Event, key: String, within: Duration) -> Result<(), Status> {
        let Some(sink) = &self.sink else {
            return Err(Status::unavailable("no CRM is configured: set crm.url"));
        };
        let deadline = Instant::now() + within;
        let mut request = Request::new(DeliverRequest { event: Some(event), idempotency_key: key });
        self.prepare(&mut request, deadline);
        match timeout_at(deadline, sink.clone().deliver(request)).await {
            Ok(taken) => taken.map(|_| ()),
            Err(_) => Err(Status::deadline_exceeded("no answer in time")),
        }
    }

    /// Tells the CRM's `ScreenPop` of a caller who is about to be handed over.
    ///
    /// # Errors
    /// What the CRM answers, or that none is configured.
    pub async fn push(&self, request: ScreenPopPushRequest) -> Result<(), String> {
        let Some(screen) = &self.screen else {
            return Err("no CRM is configured: set crm.url".to_owned());
        };
        let deadline = Instant::now() + PUSH;
        let mut request = Request::new(request);
        self.prepare(&mut request, deadline);
        match timeout_at(deadline, screen.clone().push(request)).await {
            Ok(taken) => taken.map(|_| ()).map_err(|status| told(&status)),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// Asks for what a dialplan wants of a tool: the `number`-th time in this call. Always answers by
    /// `invoke.deadline`; a repeatable invocation is repeated until then while the CRM cannot be reached.
    pub async fn invoke(&self, call: &str, number: u32, invoke: Invoke) -> InvokeResult {
        let Some(client) = &self.client else {
            return InvokeResult::Failed("no CRM is configured: set crm.url".to_owned());
        };
        let deadline = Instant::now() + invoke.deadline;
        let request = InvokeRequest {
            call_id: call.to_owned(),
            tool: invoke.tool,
            arguments: invoke.arguments.into_iter().collect(),
            idempotency_key: format!("{call}/{number}"),
        };
        loop {
            let request = self.request(&request, deadline);
            match attempt(client.clone(), request, deadline).await {
                Ok(fields) => return InvokeResult::Done(fields),
                Err(status) if invoke.repeatable && may_pass(&status) => {
                    let again = Instant::now() + PAUSE;
                    if again >= deadline {
                        return InvokeResult::Failed(told(&status));
                    }
                    tokio::time::sleep_until(again).await;
                }
                Err(status) => return InvokeResult::Failed(told(&status)),
            }
        }
    }

    fn request(&self, request: &InvokeRequest, deadline: Instant) -> Request<InvokeRequest> {
        let mut request = Request::new(request.clone());
        self.prepare(&mut request, deadline);
        request
    }

    fn prepare<T>(&self, request: &mut Request<T>, deadline: Instant) {
        request.set_timeout(deadline - Instant::now());
        if let Some(token) = &self.authorization {
            request.metadata_mut().insert("authorization", token.clone());
        }
    }
}

/// One attempt.
async fn attempt(
    mut client: CrmClient<Channel>,
    request: Request<InvokeRequest>,
    deadline: Instant,
) -> Result<BTreeMap<String, String>, Status> {
    match timeout_at(deadline, client.invoke(request)).await {
        Ok(answer) => Ok(answer?.into_inner().fields.into_iter().collect()),
        Err(_) => Err(Status::deadline_exceeded("no answer in time")),
    }
}

/// Whether the same request may succeed in a moment: the CRM cannot be reached.
fn may_pass(status: &Status) -> bool {
    status.code() == Code::Unavailable
}

/// For the call record: the kind of failure and what the CRM says of it.
fn told(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
