//! The API of a house that has two tenants, over real gRPC on loopback and a real database.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use hotline::{
    api::{Answering, Api, ApiConfig, House, NotPlaced, Outgoing, Parts},
    audio::CallTime,
    call::{control::Calls, live::Live},
    dialplan::Dialplan,
    sip::TrunkState,
    store::{CallDirection, CallEnd, CallEvent, NewCall, Role, Store},
};
use serde_json::json;
use time::OffsetDateTime;
use tonic::{
    Request,
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

/// When the calls of tests begin.
pub(crate) const MONDAY: i64 = 1_795_400_000;

/// A house with a number for each tenant, both answered by the same dialplan.
struct TwoTenants(Arc<Dialplan>);

#[tonic::async_trait]
impl House for TwoTenants {
    fn answering(&self) -> Vec<Answering> {
        let number = |number: &str, tenant: &str| Answering {
            number: number.to_owned(),
            tenant: tenant.to_owned(),
            trunk: None,
            recorded: true,
            dialplan: Arc::clone(&self.0),
        };
        vec![number("4001", "acme"), number("4002", "acme")]
    }

    fn dialplans(&self, tenant: &str) -> Vec<Arc<Dialplan>> {
        if tenant == "acme" { vec![Arc::clone(&self.0)] } else { Vec::new() }
    }

    fn trunks(&self) -> Vec<TrunkState> {
        Vec::new()
    }

    fn tenants(&self) -> Vec<String> {
        ["acme", "bank", "default"].map(str::to_owned).to_vec()
    }

    fn max_calls(&self, _tenant: &str) -> usize {
        100
    }

    async fn place(&self, _call: Outgoing) -> Result<String, NotPlaced> {
        Err(NotPlaced::Away("this house has no telephone".to_owned()))
    }
}

/// An API that is served until it is dropped.
pub(crate) struct Served {
    pub(crate) api: Api,
    pub(crate) parts: Parts,
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) live: Live,
    pub(crate) calls: Calls,
    pub(crate) dir: tempfile::TempDir,
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One that is configured by `configure`.
    pub(crate) async fn with(configure: impl FnOnce(&mut ApiConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("calls.db")).await.unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/utility-en.yaml");
        let house = TwoTenants(Arc::new(Dialplan::load(path).unwrap()));
        let mut config = ApiConfig {
            listen: Some(([127, 0, 0, 1], 0).into()),
            requests_per_second: 100_000,
            ..ApiConfig::default()
        };
        configure(&mut config);
        let (live, calls) = (Live::new(1_024), Calls::default());
        let parts = Parts {
            store: store.clone(),
            live: live.clone(),
            calls: calls.clone(),
            house: Arc::new(house),
            announcements: None,
        };
        let api = Api::start(&config, parts.clone()).await.unwrap();
        let address = api.address().unwrap();
        Self { api, parts, address, store, live, calls, dir }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let url = format!("http://{}", self.address);
        Endpoint::from_shared(url).unwrap().connect().await.unwrap()
    }

    /// The text of a new token.
    pub(crate) async fn token(&self, tenant: &str, role: Role) -> String {
        self.store.create_token(tenant, role, None).await.unwrap().1
    }

    /// Writes that a call has begun.
    pub(crate) async fn begin(&self, tenant: &str, id: &str, started_at: OffsetDateTime) {
        // What is a tenant's is told by its names.
        let (called, dialplan) = match tenant {
            "acme" => ("4001", "utility-hotline"),
            _ => ("5001", "bank-hotline"),
        };
        let call = NewCall {
            id: id.to_owned(),
            tenant: tenant.to_owned(),
            direction: CallDirection::Inbound,
            caller: "13912345678".to_owned(),
            called: called.to_owned(),
            sip_call_id: None,
            dialplan: dialplan.to_owned(),
            dialplan_version: "3".to_owned(),
            dialplan_hash: "abc".to_owned(),
            started_at,
        };
        self.store.begin_call(call).await.unwrap();
    }

    /// Writes that it is over, after what happened in it.
    pub(crate) async fn end(&self, id: &str, disposition: &str, events: &[CallEvent]) {
        let end = CallEnd { disposition: Some(disposition.to_owned()), ..ended() };
        self.store.finish_call(id, end, events).await.unwrap();
    }

    /// A call that is over, in which the caller told an account number.
    pub(crate) async fn call(&self, tenant: &str, id: &str) {
        self.begin(tenant, id, monday()).await;
        self.end(id, "resolved", &conversation()).await;
    }
}

/// The end of an answered call of 42 s.
pub(crate) fn ended() -> CallEnd {
    CallEnd {
        ended_at: monday() + Duration::from_secs(45),
        answered_ms: Some(3_000),
        duration_ms: 42_000,
        end_reason: "caller_hangup".to_owned(),
        disposition: None,
        slots: BTreeMap::from([("account".to_owned(), "4417902".to_owned())]),
        turns: 2,
        rtp: json!(null),
        recording: None,
        journal: None,
    }
}

/// What was said in it.
pub(crate) fn conversation() -> Vec<CallEvent> {
    vec![
        happened(
            1_000,
            "said",
            json!({"text": "What is your account number?", "from": 1_000, "complete": true}),
        ),
        happened(
            4_000,
            "heard",
            json!({"hypotheses": [{"text": " It is 4417902.", "confidence": 0.9}], "from": 24_000}),
        ),
        happened(
            9_000,
            "said",
            json!({"text": "You owe 132.48.", "from": 64_000, "complete": true}),
        ),
    ]
}

/// Something that happened `ms` after the answer.
pub(crate) fn happened(ms: u64, kind: &str, data: serde_json::Value) -> CallEvent {
    CallEvent {
        at: CallTime::from_ms(ms),
        time: monday() + Duration::from_millis(3_000 + ms),
        kind: kind.to_owned(),
        data,
    }
}

pub(crate) fn monday() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(MONDAY).unwrap()
}

/// A request with a token.
pub(crate) fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value: AsciiMetadataValue = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}
