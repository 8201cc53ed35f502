//! Provisional responses that arrive, whatever the network loses (RFC 3262), on both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::time::Duration;

use hotline::sip::{DialRequest, Leg, LegEvent, SipLeg, UserAgent};
use sip_support::{Peer, SDP, agent, body_of, event, tag_of};
use tokio::time::timeout;

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";
const SUPPORTED: &str = "Content-Type: application/sdp\r\nSupported: 100rel\r\n";
const REQUIRED: &str = "Content-Type: application/sdp\r\nRequire: 100rel\r\n";

/// The value of a header; empty when there is none.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find(|line| line.starts_with(&format!("{name}: ")));
    line.map_or("", |line| line.split_once(": ").unwrap().1)
}

/// The next response with that code.
async fn response(peer: &mut Peer, code: u16) -> String {
    loop {
        let message = peer.receive().await;
        if message.starts_with(&format!("SIP/2.0 {code} ")) {
            if code > 100 {
                peer.tag = tag_of(&message);
            }
            return message;
        }
    }
}

/// Calls the agent and gives its leg.
async fn invite(agent: &mut UserAgent, call_id: &str, headers: &str) -> (Peer, SipLeg) {
    let peer = Peer::new(agent, call_id).await;
    peer.send(&peer.message("INVITE", 1, "inv", headers, SDP)).await;
    let leg = agent.next_invite().await.unwrap();
    (peer, leg)
}

/// Acknowledges a reliable response and gives what the PRACK was answered with.
async fn prack(peer: &Peer, reliable: &str, cseq: u32, headers: &str, body: &str) -> String {
    let rack = format!("RAck: {} 1 INVITE\r\n{headers}", header(reliable, "RSeq"));
    peer.ask("PRACK", cseq, &format!("prack{cseq}"), &rack, body).await
}

#[tokio::test]
async fn ringing_is_sent_again_until_its_prack() {
    for headers in [SUPPORTED, REQUIRED] {
        let mut agent = agent().await;
        let (mut peer, mut leg) = invite(&mut agent, "ringing", headers).await;
        leg.ring().await.unwrap();
        let first = response(&mut peer, 180).await;
        assert_eq!(header(&first, "Require"), "100rel", "{first}");
        assert_eq!(response(&mut peer, 180).await, first, "the same once more");
        let ok = prack(&peer, &first, 2, "", "").await;
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        // The third would come two seconds after the first.
        let quiet = timeout(Duration::from_millis(2_500), peer.receive()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        leg.answer(SDP.to_owned()).await.unwrap();
        assert!(response(&mut peer, 200).await.ends_with(SDP));
        peer.ack(1, "").await;
        assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }));
    }
}

#[tokio::test]
async fn a_caller_without_the_extension_gets_it_once() {
    let mut agent = agent().await;
    let (mut peer, mut leg) = invite(&mut agent, "plain", SDP_TYPE).await;
    leg.progress(SDP.to_owned()).await.unwrap();
    let progress = response(&mut peer, 183).await;
    assert!(!progress.contains("100rel") && !progress.contains("RSeq"), "{progress}");
    assert!(progress.ends_with(SDP), "{progress}");
    assert!(timeout(Duration::from_secs(1), peer.receive()).await.is_err());
    leg.answer(SDP.to_owned()).await.unwrap();
    response(&mut peer, 200).await;
}

#[tokio::test]
async fn the_answer_waits_for_the_prack_of_early_media() {
    let mut agent = agent().await;
    let (mut peer, mut leg) = invite(&mut agent, "early", SUPPORTED).await;
    leg.ring().await.unwrap();
    leg.progress(SDP.to_owned()).await.unwrap();
    let ringing = response(&mut peer, 180).await;
    prack(&peer, &ringing, 2, "", "").await;
    let early = response(&mut peer, 183).await;
    let rseq = |m: &str| header(m, "RSeq").parse::<u32>().unwrap();
    assert_eq!(rseq(&early), rseq(&ringing) + 1, "one after the other");
    assert_eq!(body_of(&early), SDP);

    let answering = tokio::spawn(async move {
        leg.answer(SDP.to_owned()).await.unwrap();
        leg
    });
    assert!(response(&mut peer, 183).await.contains("RSeq"), "still the 183");
    prack(&peer, &early, 3, "", "").await;
    let ok = response(&mut peer, 200).await;
    assert!(header(&ok, "CSeq").ends_with("INVITE"), "{ok}");
    let mut leg = answering.await.unwrap();
    peer.ack(1, "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }));
}

#[tokio::test]
async fn a_prack_that_fits_nothing_is_refused() {
    let mut agent = agent().await;
    let (mut peer, mut leg) = invite(&mut agent, "unfit", SUPPORTED).await;
    leg.ring().await.unwrap();
    let ringing = response(&mut peer, 180).await;
    let rseq: u32 = header(&ringing, "RSeq").parse().unwrap();
    for (cseq, rack, code) in [
        (2, format!("RAck: {} 1 INVITE\r\n", rseq + 1), "481"),
        (3, format!("RAck: {rseq} 2 INVITE\r\n"), "481"),
        (4, format!("RAck: {rseq} 1 OPTIONS\r\n"), "481"),
        (5, "RAck: nonsense\r\n".to_owned(), "400"),
        (6, String::new(), "400"),
        (7, format!("RAck: {rseq} 1 INVITE\r\n"), "200"),
        (8, format!("RAck: {rseq} 1 INVITE\r\n"), "481"),
    ] {
        let answer = peer.ask("PRACK", cseq, &format!("p{cseq}"), &rack, "").await;
        assert!(answer.starts_with(&format!("SIP/2.0 {code}")), "{rack}: {answer}");
    }
}

#[tokio::test]
async fn an_offer_in_a_prack_is_answered_or_refused() {
    for (cseq, accept) in [(2, true), (2, false)] {
        let mut agent = agent().await;
        let (mut peer, mut leg) = invite(&mut agent, "offer", SUPPORTED).await;
        leg.progress(SDP.to_owned()).await.unwrap();
        let early = response(&mut peer, 183).await;
        let holder = async {
            let LegEvent::Reinvite(change) = event(&mut leg).await else { panic!("no change") };
            assert_eq!(change.offer.as_deref(), Some(SDP));
            if accept {
                change.accept(SDP.replace("4000", "4002"));
            }
        };
        let (answer, ()) = tokio::join!(prack(&peer, &early, cseq, SDP_TYPE, SDP), holder);
        if accept {
            assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
            assert!(body_of(&answer).contains("m=audio 4002"), "{answer}");
        } else {
            assert!(answer.starts_with("SIP/2.0 488"), "{answer}");
        }
        leg.answer(SDP.to_owned()).await.unwrap();
        response(&mut peer, 200).await;
    }
}

#[tokio::test]
async fn the_session_can_be_changed_before_the_answer_once_it_is_agreed_on() {
    let mut agent = agent().await;
    let (mut peer, mut leg) = invite(&mut agent, "update", SUPPORTED).await;
    leg.progress(SDP.to_owned()).await.unwrap();
    let early = response(&mut peer, 183).await;
    let too_soon = peer.ask("UPDATE", 2, "u2", SDP_TYPE, SDP).await;
    assert!(too_soon.starts_with("SIP/2.0 500") && too_soon.contains("Retry-After"), "{too_soon}");
    prack(&peer, &early, 3, "", "").await;
    let holder = async {
        let LegEvent::Reinvite(change) = event(&mut leg).await else { panic!("no change") };
        change.accept(SDP.replace("4000", "4002"));
    };
    let (changed, ()) = tokio::join!(peer.ask("UPDATE", 4, "u4", SDP_TYPE, SDP), holder);
    assert!(changed.starts_with("SIP/2.0 200") && changed.contains("Contact: "), "{changed}");
    assert!(body_of(&changed).contains("m=audio 4002"), "{changed}");
    leg.answer(SDP.to_owned()).await.unwrap();
    response(&mut peer, 200).await;
}

#[tokio::test]
async fn a_caller_who_cancels_before_the_prack_is_gone() {
    let mut agent = agent().await;
    let (mut peer, mut leg) = invite(&mut agent, "cancelled", SUPPORTED).await;
    leg.progress(SDP.to_owned()).await.unwrap();
    response(&mut peer, 183).await;
    let tag = std::mem::take(&mut peer.tag);
    peer.send(&peer.message("CANCEL", 1, "inv", "", "")).await;
    peer.tag = tag;
    response(&mut peer, 487).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Cancelled));
    leg.answer(SDP.to_owned()).await.unwrap_err();
}

/// A phone that is called: a peer whose requests come from the agent.
async fn called(agent: &UserAgent) -> (Peer, SipLeg, String) {
    let peer = Peer::new(agent, "").await;
    let to = format!("sip:4001@{}", peer.socket.local_addr().unwrap());
    let request = DialRequest::new(&to, "sip:1000@127.0.0.1", SDP.to_owned());
    let leg = agent.dial(request).await.unwrap();
    let invite = peer.request("INVITE").await;
    (peer, leg, invite)
}

fn reliable(peer: &Peer, rseq: u32) -> String {
    let contact = peer.socket.local_addr().unwrap();
    format!("Require: 100rel\r\nRSeq: {rseq}\r\nContact: <sip:4001@{contact}>\r\n")
}

#[tokio::test]
async fn the_callees_reliable_responses_are_acknowledged() {
    let agent = agent().await;
    let (peer, mut leg, invite) = called(&agent).await;
    assert!(invite.contains("Supported: 100rel"), "{invite}");

    peer.respond(&invite, "180 Ringing", &reliable(&peer, 100), "").await;
    let first = peer.request("PRACK").await;
    assert_eq!(header(&first, "RAck"), format!("100 {}", header(&invite, "CSeq")));
    peer.respond(&first, "200 OK", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Ringing));

    let media = format!("{}{SDP_TYPE}", reliable(&peer, 101));
    peer.respond(&invite, "183 Session Progress", &media, SDP).await;
    let second = peer.request("PRACK").await;
    assert!(header(&second, "RAck").starts_with("101 "), "{second}");
    peer.respond(&second, "200 OK", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::EarlyMedia { sdp } if sdp == SDP));

    // The network repeats the one before: no third PRACK, no event.
    peer.respond(&invite, "180 Ringing", &reliable(&peer, 100), "").await;
    let contact = reliable(&peer, 0).lines().last().unwrap().to_owned() + "\r\n";
    peer.respond(&invite, "200 OK", &format!("{contact}{SDP_TYPE}"), SDP).await;
    let next = peer.receive().await;
    assert!(next.starts_with("ACK"), "{next}");
}

#[tokio::test]
async fn a_response_repeated_by_the_network_is_acknowledged_once() {
    let agent = agent().await;
    let (peer, mut leg, invite) = called(&agent).await;
    for _ in 0..3 {
        peer.respond(&invite, "180 Ringing", &reliable(&peer, 7), "").await;
    }
    let prack = peer.request("PRACK").await;
    peer.respond(&prack, "200 OK", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::Ringing));
    peer.nothing_but(&prack).await;
}
