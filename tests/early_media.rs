//! What a caller gets before the answer: ringing, or an announcement as early media.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{path::Path, time::Duration};

use hotline::service::BeforeAnswer;
use service_support::Running;
use sip_support::{Peer, SDP, body_of, tag_of};
use tokio::{net::UdpSocket, time::Instant};

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";
const RELIABLE: &str = "Content-Type: application/sdp\r\nSupported: 100rel\r\n";

fn announcement() -> BeforeAnswer {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/callers/en");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "wav"));
    files.sort();
    BeforeAnswer::Announcement(files.remove(0))
}

async fn service(ports: u16, before: &BeforeAnswer) -> Option<Running> {
    Running::new(ports, |config| config.numbers[0].before_answer = Some(before.clone())).await
}

/// The next response to the INVITE, and the agent's tag from it.
async fn response(peer: &mut Peer) -> String {
    loop {
        let message = peer.receive().await;
        let is_response = message.starts_with("SIP/2.0") && !message.starts_with("SIP/2.0 100");
        if is_response && message.contains("CSeq: 1 INVITE") {
            peer.tag = tag_of(&message);
            return message;
        }
    }
}

/// Waits for packets that can be heard (PCMU), as many as asked for.
async fn listen(rtp: &UdpSocket, audible: usize) {
    let mut heard = 0;
    let mut packet = [0; 512];
    while heard < audible {
        let received = tokio::time::timeout(Duration::from_secs(5), rtp.recv(&mut packet));
        let len = received.await.expect("no audio for 5 s").unwrap();
        heard += usize::from(packet[12..len].iter().any(|code| code & 0x7F < 0x60));
    }
}

fn port_of(message: &str) -> u16 {
    let line = body_of(message).lines().find(|line| line.starts_with("m=audio")).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_is_heard_before_the_answer_by_a_caller_behind_a_nat() {
    let Some(service) = service(36_000, &announcement()).await else { return };
    let mut peer = service.peer("early").await;
    // What the caller describes is not where it sends from.
    let (described, real) = (
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
    );
    let sdp = SDP.replace("4000", &described.local_addr().unwrap().port().to_string());
    peer.send(&peer.message("INVITE", 1, "inv", RELIABLE, &sdp)).await;
    let early = response(&mut peer).await;
    assert!(early.starts_with("SIP/2.0 183") && early.contains("Require: 100rel"), "{early}");
    listen(&described, 5).await;

    let mut packet = vec![0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    packet.resize(172, 0xFF);
    real.send_to(&packet, ("127.0.0.1", port_of(&early))).await.unwrap();
    listen(&real, 20).await;

    let rseq = early.lines().find_map(|l| l.strip_prefix("RSeq: ")).unwrap().to_owned();
    let rack = format!("RAck: {rseq} 1 INVITE\r\n");
    assert!(peer.ask("PRACK", 2, "prack", &rack, "").await.starts_with("SIP/2.0 200"));
    let ok = peer.answer_to("CSeq: 1 INVITE").await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    assert_eq!(body_of(&ok), body_of(&early), "the same answer");
    peer.ack(1, "").await;
    listen(&real, 50).await;
    assert!(peer.ask("BYE", 3, "bye", "", "").await.starts_with("SIP/2.0 200"));
    let record = service.record("early").await;
    assert!(record.summary.answered_ms.is_some_and(|ms| ms > 500), "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rings_for_as_long_as_configured() {
    let Some(service) = service(37_000, &BeforeAnswer::RingingMs(1_500)).await else { return };
    let mut peer = service.peer("ringing").await;
    let called = Instant::now();
    peer.send(&peer.message("INVITE", 1, "inv", SDP_TYPE, SDP)).await;
    let ringing = response(&mut peer).await;
    assert!(ringing.starts_with("SIP/2.0 180"), "{ringing}");
    let ok = response(&mut peer).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    assert!(called.elapsed() >= Duration::from_millis(1_500));
    peer.ack(1, "").await;
    assert!(peer.ask("BYE", 2, "bye", "", "").await.starts_with("SIP/2.0 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_during_the_announcement_is_on_record() {
    let Some(mut service) = service(38_000, &announcement()).await else { return };
    let mut peer = service.peer("gone").await;
    peer.send(&peer.message("INVITE", 1, "inv", SDP_TYPE, SDP)).await;
    assert!(response(&mut peer).await.starts_with("SIP/2.0 183"));
    peer.tag.clear();
    peer.send(&peer.message("CANCEL", 1, "inv", "", "")).await;
    assert!(response(&mut peer).await.starts_with("SIP/2.0 487"));
    peer.ack(1, "").await;
    let _ = service.stop.take().unwrap().send(());
    service.over().await;
    let record = service.record("gone").await;
    assert_eq!(record.summary.end_reason.as_deref(), Some("cancelled"));
    assert_eq!(record.summary.answered_ms, None);
    let days = std::fs::read_dir(service.data.path().join("calls")).unwrap();
    for day in days {
        let left: Vec<_> = std::fs::read_dir(day.unwrap().path()).unwrap().collect();
        assert!(left.is_empty(), "a call that never was has files: {left:?}");
    }
}
