//! Receivers of events: a webhook over HTTP and a CRM over gRPC, on the loopback interface.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use hotline::crm::proto::{
    DeliverRequest, DeliverResponse,
    event_sink_server::{EventSink, EventSinkServer},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tonic::transport::{Server, server::TcpIncoming};

pub(crate) const SECRET: &str = "a secret that is long enough";

/// A webhook that keeps what it took.
pub(crate) struct Receiver {
    at: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    server: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    taken: Vec<Value>,
    badly_signed: usize,
    answers: HashMap<String, u16>,
    fail_once: HashSet<String>,
    pause: Duration,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut receiver = Self { at, seen: Arc::default(), server: JoinSet::new() };
        receiver.serve(listener);
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.at)
    }

    /// Nobody listens there any more.
    pub(crate) fn stop(&mut self) {
        self.server = JoinSet::new();
    }

    pub(crate) async fn resume(&mut self) {
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let app = Router::new().route("/events", post(take)).with_state(Arc::clone(&self.seen));
        self.server.spawn(async move { axum::serve(listener, app).await.unwrap() });
    }

    /// Events of this kind are answered with this status from now on.
    pub(crate) fn answer(&self, kind: &str, status: u16) {
        self.seen.lock().unwrap().answers.insert(kind.to_owned(), status);
    }

    /// The first attempt at the event with this key is answered with 500.
    pub(crate) fn fail_once(&self, key: &str) {
        self.seen.lock().unwrap().fail_once.insert(key.to_owned());
    }

    pub(crate) fn slow_down(&self, pause: Duration) {
        self.seen.lock().unwrap().pause = pause;
    }

    /// What was taken, once it is `count` events.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Value> {
        let enough = async || self.seen.lock().unwrap().taken.len() >= count;
        if timeout(Duration::from_secs(30), until(enough)).await.is_err() {
            panic!("only {} of {count} events came", self.seen.lock().unwrap().taken.len());
        }
        self.seen.lock().unwrap().taken.clone()
    }

    pub(crate) fn badly_signed(&self) -> usize {
        self.seen.lock().unwrap().badly_signed
    }

    /// How many events came, the same ones included.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().taken.len()
    }

    /// How many different events came; panics when one came with different contents.
    pub(crate) fn distinct(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let mut by_key: BTreeMap<&str, &Value> = BTreeMap::new();
        for event in &seen.taken {
            let key = event["idempotency_key"].as_str().unwrap();
            let before = by_key.insert(key, event);
            assert!(before.is_none_or(|before| before == event), "{key} came with other content");
        }
        by_key.len()
    }

    /// The first arrivals of a call's events are in the order of their numbers.
    pub(crate) fn assert_each_call_is_in_order(&self) {
        let seen = self.seen.lock().unwrap();
        let mut next: HashMap<&str, u64> = HashMap::new();
        for event in &seen.taken {
            let next = next.entry(event["call_id"].as_str().unwrap()).or_default();
            let seq = event["seq"].as_u64().unwrap();
            assert!(
                seq <= *next,
                "{} came before number {next} of its call",
                event["idempotency_key"]
            );
            *next = (*next).max(seq + 1);
        }
    }
}

async fn take(State(seen): State<Arc<Mutex<Seen>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap();
    let pause = seen.lock().unwrap().pause;
    sleep(pause).await;
    let mut seen = seen.lock().unwrap();
    if !is_signed(headers["x-hotline-signature"].to_str().unwrap(), &body) {
        seen.badly_signed += 1;
        return StatusCode::UNAUTHORIZED;
    }
    if seen.fail_once.remove(event["idempotency_key"].as_str().unwrap()) {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let status = seen.answers.get(event["kind"].as_str().unwrap()).copied().unwrap_or(200);
    if status < 300 {
        seen.taken.push(event);
    }
    StatusCode::from_u16(status).unwrap()
}

/// As `docs/events.md` says that a receiver shall do it.
fn is_signed(header: &str, body: &[u8]) -> bool {
    let fields: HashMap<&str, &str> = header.split(',').filter_map(|f| f.split_once('=')).collect();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.", fields["t"]).as_bytes());
    mac.update(body);
    let tag: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    tag == fields["v1"]
}

/// Waits until it is so.
pub(crate) async fn until(so: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if so().await {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to that within 30 s");
}

struct Sink(mpsc::Sender<DeliverRequest>);

#[tonic::async_trait]
impl EventSink for Sink {
    async fn deliver(
        &self,
        request: tonic::Request<DeliverRequest>,
    ) -> Result<tonic::Response<DeliverResponse>, tonic::Status> {
        self.0.send(request.into_inner()).await.unwrap();
        Ok(tonic::Response::new(DeliverResponse {}))
    }
}

/// A CRM's `EventSink`: its address and what it takes.
pub(crate) async fn grpc_sink() -> (String, mpsc::Receiver<DeliverRequest>, JoinSet<()>) {
    let (sender, events) = mpsc::channel(1_000);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let incoming = TcpIncoming::from(listener);
        let service = EventSinkServer::new(Sink(sender));
        Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
    });
    (format!("http://{at}"), events, server)
}
