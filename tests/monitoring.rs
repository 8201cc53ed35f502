//! What Prometheus and a supervisor get over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{net::SocketAddr, time::Duration};

use hotline::service::{Config, Service};
use service_support::Running;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn monitored(config: &mut Config) {
    config.monitoring.listen = Some(([127, 0, 0, 1], 0).into());
}

/// The status line and the body of the answer to a GET.
async fn get(at: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

/// The metrics once they have that line; it may come a moment after the SIP message it tells of.
async fn metrics_with(at: SocketAddr, line: &str) -> String {
    for _ in 0..200 {
        let (status, text) = get(at, "/metrics").await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        if text.lines().any(|l| l == line) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no {line} within 10 s: {}", get(at, "/metrics").await.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_while_they_last_and_when_they_are_over() {
    let Some(service) = Running::new(36_000, monitored).await else { return };
    let at = service.monitoring.unwrap();
    let caller = service.call("counted").await;
    metrics_with(at, "hotline_calls_active 1").await;

    let gone = caller.ask("BYE", 2, "bye", "", "").await;
    assert!(gone.starts_with("SIP/2.0 200"), "{gone}");
    let after = metrics_with(at, "hotline_calls_total{reason=\"caller_hangup\"} 1").await;
    assert!(after.lines().any(|line| line == "hotline_calls_active 0"), "{after}");
    assert!(after.ends_with("# EOF\n"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_are_counted_by_status() {
    let elsewhere = |config: &mut Config| {
        monitored(config);
        config.numbers[0].number = "5000".into();
    };
    let Some(service) = Running::new(37_000, elsewhere).await else { return };
    let stranger = service.peer("stranger").await;
    let refused = stranger.ask("INVITE", 1, "inv", "", "").await;
    assert!(refused.starts_with("SIP/2.0 404"), "{refused}");
    metrics_with(service.monitoring.unwrap(), "hotline_calls_refused_total{code=\"404\"} 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_is_alive_but_not_ready() {
    let Some(mut service) = Running::new(38_000, monitored).await else { return };
    let at = service.monitoring.unwrap();
    assert_eq!(get(at, "/readyz").await.0, "HTTP/1.1 200 OK");
    let caller = service.call("lasting").await;
    let _ = service.stop.take().unwrap().send(());
    let refused = loop {
        let (status, _) = get(at, "/readyz").await;
        if !status.ends_with("200 OK") {
            break status;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(refused, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(get(at, "/healthz").await.0, "HTTP/1.1 200 OK");
    let _ = service.cut.take().unwrap().send(());
    let bye = caller.request("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    service.over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let toml = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hotline.toml");
    let mut config = Config::load(&toml).unwrap();
    config.sip.listen = vec!["127.0.0.1:0".parse().unwrap()];
    config.monitoring.listen = Some(address);
    let error = Service::start(config, None).await.err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("monitoring.listen {address} cannot be listened on")),
        "{error}"
    );
}
