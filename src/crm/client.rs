use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{
    CrmConfig, CrmError,
    proto::{InvokeRequest, crm_client::CrmClient},
};
use crate::dialog::{Invoke, InvokeResult};

/// How long after a failure a repeatable invocation is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// The CRM of a service; clones share one connection.
#[derive(Debug, Clone, Default)]
pub struct Crm {
    client: Option<CrmClient<Channel>>,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Crm {
    /// The CRM that `config` names; it is connected to when it is first asked.
    ///
    /// # Errors
    /// [`CrmError`] for an address, a token or certificates that cannot be used.
    pub fn new(config: &CrmConfig) -> Result<Self, CrmError> {
        let channel = config.url.as_deref().map(|url| config.channel(url)).transpose()?;
        Ok(Self { client: channel.map(CrmClient::new), authorization: config.authorization()? })
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
        request.set_timeout(deadline - Instant::now());
        if let Some(token) = &self.authorization {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
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
