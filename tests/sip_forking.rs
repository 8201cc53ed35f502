//! A call of ours that rings in several places (RFC 3261 sections 12.1.2 and 13.2.2.4).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use hotline::sip::{DialRequest, LegEvent, Reason, SipLeg, UserAgent};
use sip_support::{Peer, SDP, agent, event};

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";

/// Phones behind one proxy: each responds with a tag of its own.
struct Phones {
    peer: Peer,
    invite: String,
}

impl Phones {
    async fn called(agent: &UserAgent) -> (Self, SipLeg) {
        let peer = Peer::new(agent, "").await;
        let to = format!("sip:4001@{}", peer.socket.local_addr().unwrap());
        let request = DialRequest::new(&to, "sip:1000@127.0.0.1", SDP.to_owned());
        let leg = agent.dial(request).await.unwrap();
        let invite = peer.request("INVITE").await;
        (Self { peer, invite }, leg)
    }

    /// The phone `tag` responds, with audio on `port` if it is one.
    async fn respond(&self, tag: &str, status: &str, port: Option<u16>) {
        let to = self.invite.lines().find(|line| line.starts_with("To:")).unwrap();
        let invite = self.invite.replace(to, &format!("{to};tag={tag}"));
        let own = self.peer.socket.local_addr().unwrap();
        let contact = format!("Contact: <sip:{tag}@{own}>\r\n");
        let body = port.map(sdp).unwrap_or_default();
        let headers = contact + if port.is_some() { SDP_TYPE } else { "" };
        self.peer.respond(&invite, status, &headers, &body).await;
    }
}

fn sdp(port: u16) -> String {
    SDP.replace("4000", &port.to_string())
}

async fn early(leg: &mut SipLeg) -> String {
    match event(leg).await {
        LegEvent::EarlyMedia { sdp } => sdp,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn early_media_comes_from_the_phone_that_described_itself_last() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    phones.respond("a", "180 Ringing", None).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Ringing));
    phones.respond("b", "183 Session Progress", Some(5_002)).await;
    assert_eq!(early(&mut leg).await, sdp(5_002));
    phones.respond("c", "183 Session Progress", Some(5_004)).await;
    assert_eq!(early(&mut leg).await, sdp(5_004));
    phones.respond("b", "200 OK", Some(5_002)).await;
    match event(&mut leg).await {
        LegEvent::Answered { sdp: answer } => assert_eq!(answer, sdp(5_002)),
        other => panic!("{other:?}"),
    }
    let ack = phones.peer.request("ACK").await;
    assert!(ack.starts_with("ACK sip:b@") && ack.contains(";tag=b"), "{ack}");
}

#[tokio::test]
async fn a_phone_that_was_not_heard_of_before_can_answer() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    phones.respond("a", "183 Session Progress", Some(5_002)).await;
    assert_eq!(early(&mut leg).await, sdp(5_002));
    phones.respond("new", "200 OK", Some(5_008)).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Answered { sdp: s } if s == sdp(5_008)));
    phones.peer.request("ACK").await;
    drop(leg);
    let bye = phones.peer.request("BYE").await;
    assert!(bye.starts_with("BYE sip:new@") && bye.contains(";tag=new"), "{bye}");
}

#[tokio::test]
async fn a_phone_that_has_described_itself_need_not_do_so_again() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    phones.respond("a", "183 Session Progress", Some(5_002)).await;
    assert_eq!(early(&mut leg).await, sdp(5_002));
    phones.respond("b", "183 Session Progress", Some(5_004)).await;
    assert_eq!(early(&mut leg).await, sdp(5_004));
    phones.respond("a", "200 OK", None).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Answered { sdp: s } if s == sdp(5_002)));
}

#[tokio::test]
async fn a_second_answer_is_acknowledged_and_hung_up_on_and_the_first_goes_on() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    phones.respond("a", "200 OK", Some(5_002)).await;
    assert!(matches!(event(&mut leg).await, LegEvent::Answered { .. }));
    phones.peer.request("ACK").await;
    phones.respond("b", "200 OK", Some(5_004)).await;
    let ack = phones.peer.request("ACK").await;
    assert!(ack.contains(";tag=b"), "{ack}");
    let bye = phones.peer.request("BYE").await;
    assert!(bye.starts_with("BYE sip:b@") && bye.contains(";tag=b"), "{bye}");
    phones.peer.respond(&bye, "200 OK", "", "").await;
    drop(leg);
    let bye = phones.peer.request("BYE").await;
    assert!(bye.contains(";tag=a"), "the first was up until now: {bye}");
}

#[tokio::test]
async fn reliable_responses_are_acknowledged_to_the_phone_that_sent_them() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    for (rseq, tag) in [(20, "a"), (10, "b"), (21, "a")] {
        let to = phones.invite.lines().find(|line| line.starts_with("To:")).unwrap();
        let invite = phones.invite.replace(to, &format!("{to};tag={tag}"));
        let own = phones.peer.socket.local_addr().unwrap();
        let headers = format!(
            "Require: 100rel\r\nRSeq: {rseq}\r\nContact: <sip:{tag}@192.0.2.9>\r\n\
             Record-Route: <sip:{own};lr>\r\n"
        );
        phones.peer.respond(&invite, "180 Ringing", &headers, "").await;
        let prack = phones.peer.request("PRACK").await;
        assert!(prack.starts_with(&format!("PRACK sip:{tag}@192.0.2.9 ")), "{prack}");
        assert!(prack.contains(&format!("Route: <sip:{own};lr>")), "{prack}");
        assert!(prack.contains(&format!(";tag={tag}")), "{prack}");
        assert!(prack.contains(&format!("RAck: {rseq} 1 INVITE")), "{prack}");
        phones.peer.respond(&prack, "200 OK", "", "").await;
        assert!(matches!(event(&mut leg).await, LegEvent::Ringing));
    }
}

#[tokio::test]
async fn a_refusal_tells_the_cause_of_the_network_behind_it() {
    let agent = agent().await;
    let (phones, mut leg) = Phones::called(&agent).await;
    let reason = "Reason: Q.850;cause=17;text=\"User busy\"\r\n";
    phones.peer.respond(&phones.invite, "486 Busy Here", reason, "").await;
    let LegEvent::Rejected { code: 486, cause: Some(cause), .. } = event(&mut leg).await else {
        panic!("not refused as busy")
    };
    let busy = Reason { q850: Some(17), sip: None, text: Some("User busy".into()) };
    assert_eq!(cause, busy);
}
