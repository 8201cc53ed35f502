//! The event stream at a steady rate: how late events come to many subscribers, how long a unary call takes meanwhile, and
//! whether a subscriber that reads slowly gets everything in the end. `cargo bench --bench events [-- EVENTS_A_SECOND SUBSCRIBERS SECONDS]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures with a clock"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hotline::{
    api::{Answering, Api, ApiConfig, House, NotPlaced, Outgoing, Parts},
    audio::CallTime,
    call::{control::Calls, live::Live},
    dialplan::Dialplan,
    proto::{
        CallsGetRequest, EventsSubscribeRequest, calls_client::CallsClient,
        events_client::EventsClient, events_subscribe_response::Content,
    },
    sip::TrunkState,
    store::{CallDirection, CallEvent, NewCall, Role, Store},
};
use serde_json::json;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tonic::{Request, metadata::AsciiMetadataValue, transport::Endpoint};

/// Calls that the events are of.
const CALLS: u64 = 50;
/// Writes a second.
const WRITES: u64 = 50;

/// A house without numbers.
struct Empty;

#[tonic::async_trait]
impl House for Empty {
    fn answering(&self) -> Vec<Answering> {
        Vec::new()
    }

    fn dialplans(&self, _tenant: &str) -> Vec<Arc<Dialplan>> {
        Vec::new()
    }

    fn trunks(&self) -> Vec<TrunkState> {
        Vec::new()
    }

    fn tenants(&self) -> Vec<String> {
        vec!["default".to_owned()]
    }

    fn max_calls(&self, _tenant: &str) -> usize {
        0
    }

    async fn place(&self, _call: Outgoing) -> Result<String, NotPlaced> {
        Err(NotPlaced::Away("no telephone".to_owned()))
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<u64>().ok());
    let rate = arguments.next().unwrap_or(1_000);
    let subscribers = arguments.next().unwrap_or(20);
    let seconds = arguments.next().unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(rate, subscribers, seconds));
}

async fn measure(rate: u64, subscribers: u64, seconds: u64) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("calls.db")).await.unwrap();
    let config = ApiConfig {
        listen: Some(([127, 0, 0, 1], 0).into()),
        requests_per_second: 1_000_000,
        ..ApiConfig::default()
    };
    let (live, calls) = (Live::new(1_024), Calls::default());
    let house = Arc::new(Empty);
    let parts = Parts { store: store.clone(), live, calls, house, announcements: None };
    let api = Api::start(&config, parts).await.unwrap();
    let url = format!("http://{}", api.address().unwrap());
    let (_, secret) = store.create_token("default", Role::Integrator, None).await.unwrap();
    let token: AsciiMetadataValue = format!("Bearer {secret}").parse().unwrap();
    for call in 0..CALLS {
        store.begin_call(new_call(call)).await.unwrap();
    }
    let total = rate * seconds;
    let begun = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..subscribers {
        reading.spawn(follow(url.clone(), token.clone(), total, begun, None));
    }
    let slow = tokio::spawn(follow(url.clone(), token.clone(), total, begun, Some(rate / 10)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let asking = tokio::spawn(ask(url, token, seconds));
    let cpu = cpu_seconds();
    write(&store, rate, seconds, begun).await;
    let written = begun.elapsed();
    let mut late: Vec<f64> = Vec::new();
    while let Some(result) = reading.join_next().await {
        late.extend(result.unwrap());
    }
    let (read, cpu) = (begun.elapsed(), cpu_seconds() - cpu);
    println!(
        "{rate} events a second, {subscribers} subscribers, {seconds} s: {total} events written in {written:.2?}"
    );
    println!("received    {} events, all of them after {read:.2?}", late.len());
    println!("late by     {}", quantiles(late));
    println!("Calls.Get   {}", quantiles(asking.await.unwrap()));
    println!("processor   {:.0} % of one core", cpu / read.as_secs_f64() * 100.0);
    let slow = slow.await.unwrap();
    println!("slow reader {} of {total} events after {:.2?}", slow.len(), begun.elapsed());
}

fn new_call(call: u64) -> NewCall {
    NewCall {
        id: format!("call-{call}"),
        tenant: "default".to_owned(),
        direction: CallDirection::Inbound,
        caller: "13912345678".to_owned(),
        called: "4001".to_owned(),
        sip_call_id: None,
        dialplan: "bench".to_owned(),
        dialplan_version: "1".to_owned(),
        dialplan_hash: String::new(),
        started_at: OffsetDateTime::now_utc(),
    }
}

/// Writes events at a steady rate, each with the moment at which it was given to the store.
async fn write(store: &Store, rate: u64, seconds: u64, begun: Instant) {
    let mut tick = tokio::time::interval(Duration::from_millis(1_000 / WRITES));
    let mut count = 0_u64;
    for _ in 0..seconds * WRITES {
        tick.tick().await;
        for _ in 0..rate / WRITES {
            let data = json!({ "node": "main.ask", "sent_us": begun.elapsed().as_micros() as u64 });
            let event = CallEvent::now(CallTime::from_ms(count), "node", data);
            let call = format!("call-{}", count % CALLS);
            store.log_events(&call, vec![event]).expect("the store keeps up");
            count += 1;
        }
    }
    store.flush().await.unwrap();
}

/// Reads `total` events; how late each was, in milliseconds. A reader with a `pace` reads so many a second at most.
async fn follow(
    url: String,
    token: AsciiMetadataValue,
    total: u64,
    begun: Instant,
    pace: Option<u64>,
) -> Vec<f64> {
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let mut request = Request::new(EventsSubscribeRequest {
        cursor: Some(0),
        kinds: vec!["node".to_owned()],
        ..EventsSubscribeRequest::default()
    });
    request.metadata_mut().insert("authorization", token);
    let mut stream = EventsClient::new(channel).subscribe(request).await.unwrap().into_inner();
    let mut late = Vec::new();
    while late.len() < total as usize {
        let message = stream.message().await.unwrap().unwrap();
        let Some(Content::Event(event)) = message.content else { continue };
        let data = event.data.unwrap();
        let Some(prost_types::value::Kind::NumberValue(sent)) = data.fields["sent_us"].kind else {
            continue;
        };
        late.push((begun.elapsed().as_micros() as f64 - sent) / 1_000.0);
        if let Some(pace) = pace
            && (late.len() as u64) < pace * 10
        {
            tokio::time::sleep(Duration::from_micros(1_000_000 / pace)).await;
        }
    }
    late
}

/// Unary calls, one after the other; how long each took, in milliseconds.
async fn ask(url: String, token: AsciiMetadataValue, seconds: u64) -> Vec<f64> {
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let mut client = CallsClient::new(channel);
    let (mut took, until) = (Vec::new(), Instant::now() + Duration::from_secs(seconds));
    while Instant::now() < until {
        let asked = Instant::now();
        let call_id = "call-1".to_owned();
        let mut request = Request::new(CallsGetRequest { call_id, unmasked: false });
        request.metadata_mut().insert("authorization", token.clone());
        client.get(request).await.unwrap();
        took.push(asked.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took
}

fn quantiles(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[((values.len() - 1) as f64 * q) as usize];
    format!(
        "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    )
}

/// Processor time of this process, clients included.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
