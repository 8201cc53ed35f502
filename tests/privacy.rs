//! Logs, metrics and traces of a call have no number of the caller's in them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{
    fs, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::post};
use hotline::service::Config;
use service_support::Running;
use sip_support::{Peer, SDP, tag_of};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

const PLAN: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.account
slots:
  account: {type: digits, length: 7, sensitive: true}
  id: {type: digits, length: 18, sensitive: true}
  card: {type: digits, length: 16, sensitive: true}
tools:
  find: {takes: [account], gives: {name: text}, sensitive: [name]}
defaults:
  wait: 60s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    account: {ask: "Account?", slot: account, next: id}
    id: {ask: "Identity?", slot: id, next: card}
    card: {ask: "Card?", slot: card, next: find}
    find: {tool: find, with: {account: "{account}"}, done: bye, failed: bye}
    bye: {say: "Bye.", hang_up: resolved}
"#;

/// Numbers that are in the call, and nowhere else.
const CALLER: &str = "13912345678";
const ACCOUNT: &str = "4417902";
const ID: &str = "110101199003071236";
const CARD: &str = "6222020200112233";

/// What is written to it can be read by others.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A collector of traces: what is exported to it.
async fn collector() -> (String, mpsc::Receiver<Vec<u8>>) {
    async fn export(State(to): State<mpsc::Sender<Vec<u8>>>, body: Bytes) -> impl IntoResponse {
        to.send(body[5..].to_vec()).await.unwrap();
        let headers = [("content-type", "application/grpc"), ("grpc-status", "0")];
        // An empty message, in a frame of its own.
        (headers, vec![0_u8; 5])
    }
    let (sender, spans) = mpsc::channel(16);
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let router = Router::new().route(path, post(export)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_routes(Routes::from(router));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (url, spans)
}

/// Sends a request as from the caller's number, and gives its final response.
async fn ask(caller: &Peer, method: &str, cseq: u32, headers: &str, body: &str) -> String {
    let message = caller.message(method, cseq, &format!("b{cseq}"), headers, body);
    caller.send(&message.replace("sip:1001@", &format!("sip:{CALLER}@"))).await;
    caller.answer_to(&format!("CSeq: {cseq} {method}")).await
}

async fn metrics(at: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_the_caller_is_in_logs_metrics_and_traces() {
    let logs = Shared::default();
    let writer = logs.clone();
    // As `HOTLINE_LOG=debug HOTLINE_LOG_FORMAT=json` does.
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter("warn,hotline=debug")
        .with_writer(move || writer.clone());
    subscriber.init();
    let dir = tempfile::tempdir().unwrap();
    let dialplan = dir.path().join("desk.yaml");
    fs::write(&dialplan, PLAN).unwrap();
    let (url, mut spans) = collector().await;
    let configure = |config: &mut Config| {
        config.recognizer.clear();
        config.numbers.truncate(1);
        config.numbers[0].dialplan = dialplan.clone();
        config.monitoring.listen = Some(([127, 0, 0, 1], 0).into());
        config.monitoring.otlp = Some(url.clone());
    };
    let Some(service) = Running::new(43_000, configure).await else { return };
    let mut caller = service.peer("private").await;
    let sdp = "Content-Type: application/sdp\r\n";
    let ok = ask(&caller, "INVITE", 1, sdp, SDP).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    caller.tag = tag_of(&ok);
    caller.ack(1, "").await;
    let mut cseq = 1;
    for number in [ACCOUNT, ID, CARD] {
        // A key before its question is nobody's answer: the bot begins within a second.
        tokio::time::sleep(Duration::from_secs(2)).await;
        for key in number.chars() {
            cseq += 1;
            let headers = "Content-Type: application/dtmf\r\n";
            let ok = ask(&caller, "INFO", cseq, headers, &key.to_string()).await;
            assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        }
    }
    let bye = caller.request("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    let record = service.record("private").await;
    assert_eq!(record.summary.disposition.as_deref(), Some("resolved"), "{record:?}");
    assert_eq!(record.summary.caller, CALLER, "it was the caller's number");

    let traced = tokio::time::timeout(Duration::from_secs(10), spans.recv()).await;
    let traced = String::from_utf8_lossy(&traced.expect("no trace").unwrap()).into_owned();
    for name in ["hotline.call_id", "turn", "dialog", "crm", "find", "resolved"] {
        assert!(traced.contains(name), "no {name} in {traced:?}");
    }
    let metrics = metrics(service.monitoring.unwrap()).await;
    assert!(metrics.contains("hotline_calls_total"), "{metrics}");
    let logged = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logged.lines().count() > 5 && logged.contains("\"call over\""), "{logged}");
    for (place, text) in [("logs", &logged), ("metrics", &metrics), ("traces", &traced)] {
        for number in [CALLER, ACCOUNT, ID, CARD] {
            assert!(!text.contains(number), "{number} is in the {place}");
            // Nor any part of it that would tell it.
            assert!(!text.contains(&number[..6]), "the beginning of {number} is in the {place}");
        }
    }
}
