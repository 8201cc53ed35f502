//! Both sides want something at the same moment: session changes, CANCEL and answer, sessions of
//! different lengths.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::time::Duration;

use hotline::sip::{
    DialRequest, HangUpCause, Leg, LegEvent, SessionTimerConfig, SipLeg, UserAgent, UserAgentConfig,
};
use sip_support::{Peer, SDP, event};
use tokio::time::{Instant, timeout};

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";

/// An agent whose sessions last `expires` seconds.
async fn agent(expires: u64) -> UserAgent {
    let seconds = Duration::from_secs;
    let session_timer = SessionTimerConfig { expires: seconds(expires), min: seconds(2) };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = UserAgentConfig { session_timer, ..UserAgentConfig::new(listen) };
    UserAgent::bind(config).await.unwrap()
}

/// A phone that the agent calls: its peer, the agent's leg and the INVITE.
async fn called(agent: &UserAgent) -> (Peer, SipLeg, String) {
    let peer = Peer::new(agent, "").await;
    let to = format!("sip:4001@{}", peer.socket.local_addr().unwrap());
    let request = DialRequest::new(&to, "sip:1000@127.0.0.1", SDP.to_owned());
    let leg = agent.dial(request).await.unwrap();
    let invite = peer.request("INVITE").await;
    (peer, leg, invite)
}

fn contact(peer: &Peer) -> String {
    format!("Contact: <sip:4001@{}>\r\n", peer.socket.local_addr().unwrap())
}

async fn answer(peer: &Peer, invite: &str, headers: &str) {
    let headers = format!("{}{SDP_TYPE}{headers}", contact(peer));
    peer.respond(invite, "200 OK", &headers, SDP).await;
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find(|line| line.starts_with(&format!("{name}: ")));
    line.map_or("", |line| line.split_once(": ").unwrap().1)
}

#[tokio::test]
async fn a_change_that_meets_our_refresh_is_told_to_wait() {
    let mut agent = agent(3).await;
    let (peer, mut leg) = Peer::connect(&mut agent, "theirs").await;
    let ours = peer.request("INVITE").await;
    for (cseq, method) in [(2, "INVITE"), (3, "UPDATE")] {
        let answer = peer.ask(method, cseq, &format!("m{cseq}"), SDP_TYPE, SDP).await;
        assert!(answer.starts_with("SIP/2.0 491"), "{method}: {answer}");
    }
    peer.respond(&ours, "200 OK", &contact(&peer), "").await;
    peer.request("ACK").await;
    peer.send(&peer.message("INVITE", 4, "later", SDP_TYPE, SDP)).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Reinvite(_)), "now it may");
}

#[tokio::test]
async fn our_refresh_that_meets_a_change_is_sent_again_within_two_seconds_by_the_called() {
    // Refreshed after 7.5 s and ended after 10 s: longer than the wait may last.
    let mut agent = agent(15).await;
    let (peer, _leg) = Peer::connect(&mut agent, "ours").await;
    let first = peer.request("INVITE").await;
    peer.respond(&first, "491 Request Pending", "", "").await;
    let refused = Instant::now();
    peer.request("ACK").await;
    let again = timeout(Duration::from_secs(4), peer.request("INVITE")).await.unwrap();
    assert!(refused.elapsed() < Duration::from_millis(2_500), "{:?}", refused.elapsed());
    assert_ne!(header(&first, "CSeq"), header(&again, "CSeq"));
    assert!(again.ends_with(SDP), "the same description: {again}");
}

#[tokio::test]
async fn our_refresh_that_meets_a_change_is_sent_again_after_two_seconds_by_the_caller() {
    let agent = agent(12).await;
    let (peer, mut leg, invite) = called(&agent).await;
    let timers = "Require: timer\r\nSession-Expires: 4;refresher=uac\r\n";
    answer(&peer, &invite, timers).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Answered { .. }));
    let first = peer.request("INVITE").await;
    peer.respond(&first, "491 Request Pending", "", "").await;
    let refused = Instant::now();
    // The session would end 2.7 s after its last refresh; the peer's own keeps it.
    peer.request("ACK").await;
    let bye = timeout(Duration::from_millis(1_900), peer.request("INVITE")).await;
    assert!(bye.is_err(), "{:?} after the refusal", refused.elapsed());
}

#[tokio::test]
async fn an_invite_for_too_short_a_session_is_sent_again_with_the_callees_minimum() {
    let agent = agent(30).await;
    let (peer, mut leg, invite) = called(&agent).await;
    assert_eq!(header(&invite, "Session-Expires"), "30");
    peer.respond(&invite, "422 Session Interval Too Small", "Min-SE: 600\r\n", "").await;
    let again = peer.request("INVITE").await;
    assert_eq!(header(&again, "Session-Expires"), "600");
    assert_eq!(header(&again, "Min-SE"), "600");
    assert_eq!(header(&again, "Call-ID"), header(&invite, "Call-ID"));
    assert!(again.ends_with(SDP), "{again}");
    answer(&peer, &again, "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Answered { .. }));
    peer.request("ACK").await;
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    peer.request("BYE").await;
}

#[tokio::test]
async fn a_callee_that_is_never_satisfied_ends_the_call() {
    let agent = agent(30).await;
    let (peer, mut leg, invite) = called(&agent).await;
    peer.respond(&invite, "422 Session Interval Too Small", "Min-SE: 600\r\n", "").await;
    let again = peer.request("INVITE").await;
    peer.respond(&again, "422 Session Interval Too Small", "Min-SE: 900\r\n", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Rejected { code: 422, .. }));
}

#[tokio::test]
async fn a_refresh_for_too_short_a_session_is_sent_again_with_the_peers_minimum() {
    let mut agent = agent(8).await;
    let (peer, _leg) = Peer::connect(&mut agent, "refresh").await;
    let first = peer.request("INVITE").await;
    peer.respond(&first, "422 Session Interval Too Small", "Min-SE: 60\r\n", "").await;
    peer.request("ACK").await;
    let again = peer.request("INVITE").await;
    assert!(header(&again, "Session-Expires").starts_with("60"), "{again}");
    assert_eq!(header(&again, "Min-SE"), "60");
}

#[tokio::test]
async fn a_cancel_that_comes_after_the_answer_changes_nothing() {
    let mut agent = agent(1_800).await;
    let mut peer = Peer::new(&agent, "late").await;
    let mut leg = peer.call(&mut agent, SDP, SDP).await;
    let tag = std::mem::take(&mut peer.tag);
    let cancelled = peer.ask("CANCEL", 1, "inv", "", "").await;
    assert!(cancelled.starts_with("SIP/2.0 200"), "{cancelled}");
    peer.tag = tag;
    peer.ack(1, "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }), "the call is up");
    assert!(peer.ask("BYE", 2, "bye", "", "").await.starts_with("SIP/2.0 200"));
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn an_answer_that_crosses_our_cancel_is_acknowledged_and_hung_up_on() {
    let agent = agent(1_800).await;
    let (peer, mut leg, invite) = called(&agent).await;
    peer.respond(&invite, "180 Ringing", &contact(&peer), "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Ringing));
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    let cancel = peer.request("CANCEL").await;
    answer(&peer, &invite, "").await;
    peer.respond(&cancel, "200 OK", "", "").await;
    peer.request("ACK").await;
    let bye = peer.request("BYE").await;
    peer.respond(&bye, "200 OK", "", "").await;
    assert!(timeout(Duration::from_secs(5), leg.next_event()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_call_given_up_before_any_response_is_cancelled_with_the_first() {
    let agent = agent(1_800).await;
    let (peer, mut leg, invite) = called(&agent).await;
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    peer.respond(&invite, "180 Ringing", &contact(&peer), "").await;
    let cancel = peer.request("CANCEL").await;
    peer.respond(&cancel, "200 OK", "", "").await;
    peer.respond(&invite, "487 Request Terminated", "", "").await;
    peer.request("ACK").await;
    assert!(timeout(Duration::from_secs(5), leg.next_event()).await.unwrap().is_none());
}
