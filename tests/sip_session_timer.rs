//! Sessions that nobody refreshes end; those that somebody does stay (RFC 4028).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::time::Duration;

use hotline::sip::{
    DialRequest, HangUpCause, Leg, LegEvent, SessionTimerConfig, SipLeg, UserAgent, UserAgentConfig,
};
use sip_support::{Peer, SDP, event, tag_of};
use tokio::time::timeout;

/// An agent whose sessions last `expires` seconds.
async fn agent(expires: u64) -> UserAgent {
    let seconds = Duration::from_secs;
    let session_timer = SessionTimerConfig { expires: seconds(expires), min: seconds(2) };
    let listen = "127.0.0.1:0".parse().unwrap();
    UserAgent::bind(UserAgentConfig { session_timer, ..UserAgentConfig::new(listen) })
        .await
        .unwrap()
}

/// Calls the agent with these headers; gives the leg and the 200 OK.
async fn call(peer: &mut Peer, agent: &mut UserAgent, headers: &str) -> (SipLeg, String) {
    let headers = format!("Content-Type: application/sdp\r\n{headers}");
    peer.send(&peer.message("INVITE", 1, "inv", &headers, SDP)).await;
    let mut leg = agent.next_invite().await.unwrap();
    leg.answer(SDP.to_owned()).await.unwrap();
    let ok = peer.answer_to("CSeq: 1 INVITE").await;
    peer.tag = tag_of(&ok);
    peer.ack(1, "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }));
    (leg, ok)
}

/// The next request that the agent sends, by its method, answered with 200 OK.
async fn answered_request(peer: &Peer, headers: &str) -> String {
    loop {
        let request = peer.receive().await;
        if request.starts_with("SIP/2.0") {
            continue;
        }
        let copied: String = request
            .lines()
            .filter(|line| {
                ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|h| line.starts_with(h))
            })
            .map(|line| format!("{line}\r\n"))
            .collect();
        peer.send(&format!("SIP/2.0 200 OK\r\n{copied}{headers}Content-Length: 0\r\n\r\n")).await;
        return request;
    }
}

#[tokio::test]
async fn a_session_too_short_is_refused() {
    let agent = agent(1_800).await;
    let peer = Peer::new(&agent, "short").await;
    let headers = "Content-Type: application/sdp\r\nSupported: timer\r\nSession-Expires: 1\r\n";
    let answer = peer.ask("INVITE", 1, "inv", headers, SDP).await;
    assert!(answer.starts_with("SIP/2.0 422") && answer.contains("Min-SE: 2"), "{answer}");
}

#[tokio::test]
async fn a_peer_that_promised_to_refresh_and_does_not_is_hung_up_on() {
    let mut agent = agent(3).await;
    let mut peer = Peer::new(&agent, "vanished").await;
    let (mut leg, ok) =
        call(&mut peer, &mut agent, "Supported: timer\r\nSession-Expires: 3\r\n").await;
    assert!(ok.contains("Session-Expires: 3;refresher=uac"), "{ok}");
    assert!(ok.contains("Require: timer"), "{ok}");
    let bye = answered_request(&peer, "").await;
    assert!(bye.starts_with("BYE") && bye.contains("Session expired"), "{bye}");
    match event(&mut leg).await {
        LegEvent::Failed { why } => assert!(why.contains("not refreshed"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_peers_refresh_keeps_the_session() {
    let mut agent = agent(3).await;
    let mut peer = Peer::new(&agent, "refreshing").await;
    let timer = "Supported: timer\r\nSession-Expires: 3;refresher=uac\r\n";
    let (_leg, _) = call(&mut peer, &mut agent, timer).await;
    for cseq in 2..6 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let answer = peer.ask("UPDATE", cseq, &format!("u{cseq}"), timer, "").await;
        assert!(answer.starts_with("SIP/2.0 200"), "after {cseq} s: {answer}");
        assert!(answer.contains("Session-Expires: 3;refresher=uac"), "{answer}");
    }
}

#[tokio::test]
async fn a_peer_without_timers_is_refreshed_with_the_same_description() {
    let mut agent = agent(3).await;
    let mut peer = Peer::new(&agent, "plain").await;
    let (_leg, ok) = call(&mut peer, &mut agent, "").await;
    assert!(ok.contains("Session-Expires: 3;refresher=uas"), "{ok}");
    let refresh = answered_request(&peer, "Contact: <sip:1001@127.0.0.1>\r\n").await;
    assert!(refresh.starts_with("INVITE") && refresh.ends_with(SDP), "{refresh}");
}

#[tokio::test]
async fn a_peer_that_has_update_is_refreshed_with_it() {
    let mut agent = agent(3).await;
    let mut peer = Peer::new(&agent, "update").await;
    let (_leg, _) = call(&mut peer, &mut agent, "Allow: INVITE, UPDATE, BYE\r\n").await;
    let refresh = answered_request(&peer, "").await;
    assert!(refresh.starts_with("UPDATE") && !refresh.contains("m=audio"), "{refresh}");
    assert!(refresh.contains("Session-Expires: 3;refresher=uac"), "{refresh}");
}

#[tokio::test]
async fn two_of_ours_refresh_each_other() {
    let (mut callee, caller) = (agent(3).await, agent(3).await);
    let uri = format!("sip:1@{}", callee.local_addr());
    let mut out = caller.dial(DialRequest::new(&uri, "sip:2@127.0.0.1", SDP.into())).await.unwrap();
    let mut inbound = callee.next_invite().await.unwrap();
    inbound.answer(SDP.into()).await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::Answered { .. }));
    assert!(matches!(event(&mut inbound).await, LegEvent::Confirmed { .. }));
    let twice_the_session = Duration::from_secs(6);
    assert!(timeout(twice_the_session, inbound.next_event()).await.is_err(), "the call stays up");
    out.hang_up(HangUpCause::Normal).await.unwrap();
    assert!(matches!(event(&mut inbound).await, LegEvent::HungUp { .. }));
}
