//! REFER and Replaces, against a peer that writes its own messages.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use hotline::sip::{
    HangUpCause, InboundConfig, Leg, LegEvent, ReferProgress, ReferRequest, Referral, Replaces,
    SipError, SipLeg, TrunkConfig, UserAgent, UserAgentConfig,
};
use sip_support::{Peer, SDP, agent, body_of, event, tag_of};

/// The request of that method that the agent sends, and its answer from us.
async fn answered(peer: &Peer, method: &str, status: &str) -> String {
    loop {
        let request = peer.receive().await;
        if request.starts_with(method) {
            reply(peer, &request, status).await;
            return request;
        }
    }
}

async fn reply(peer: &Peer, request: &str, status: &str) {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines: Vec<&str> =
        request.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).collect();
    let response =
        format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n"));
    peer.send(&response).await;
}

async fn report(peer: &Peer, cseq: u32, fragment: &str, state: &str) -> String {
    let headers =
        format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\n");
    peer.ask("NOTIFY", cseq, &format!("n{cseq}"), &headers, fragment).await
}

async fn progress(leg: &mut hotline::sip::SipLeg) -> ReferProgress {
    match event(leg).await {
        LegEvent::Referred(progress) => progress,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_referral_reports_progress_and_success() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "refer-ok").await;
    let headers = vec![("X-Hotline-Call-Id".to_owned(), "20261123-1".to_owned())];
    leg.refer(Referral { headers, ..Referral::to("sip:4002@192.0.2.9") }).await.unwrap();

    let refer = answered(&peer, "REFER", "202 Accepted").await;
    assert!(refer.contains("Refer-To: <sip:4002@192.0.2.9>\r\n"), "{refer}");
    assert!(refer.contains("X-Hotline-Call-Id: 20261123-1\r\n"), "{refer}");
    for (cseq, fragment) in [(2, "SIP/2.0 100 Trying"), (3, "SIP/2.0 180 Ringing\r\n")] {
        let answer = report(&peer, cseq, fragment, "active;expires=60").await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }
    let twice = leg.refer(Referral::to("sip:4003@192.0.2.9")).await;
    assert!(matches!(twice, Err(SipError::State { action: "refer", .. })), "{twice:?}");
    report(&peer, 4, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource").await;
    assert_eq!(progress(&mut leg).await, ReferProgress::Trying(100));
    assert_eq!(progress(&mut leg).await, ReferProgress::Trying(180));
    assert_eq!(progress(&mut leg).await, ReferProgress::Done(200));
    let late = report(&peer, 5, "SIP/2.0 200 OK\r\n", "terminated").await;
    assert!(late.starts_with("SIP/2.0 481"), "{late}");

    leg.hang_up(HangUpCause::Normal).await.unwrap();
    answered(&peer, "BYE", "200 OK").await;
}

#[tokio::test]
async fn a_referral_that_ends_busy_leaves_the_call_up() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "refer-busy").await;
    leg.refer(Referral::to("sip:4002@192.0.2.9")).await.unwrap();
    answered(&peer, "REFER", "202 Accepted").await;
    report(&peer, 2, "SIP/2.0 486 Busy Here\r\n", "terminated;reason=noresource").await;
    assert_eq!(progress(&mut leg).await, ReferProgress::Done(486));
    // It is up, and can be referred again; this time the peer will not.
    leg.refer(Referral::to("sip:4003@192.0.2.9")).await.unwrap();
    answered(&peer, "REFER", "603 Decline").await;
    assert_eq!(progress(&mut leg).await, ReferProgress::Refused(603));
    peer.ask("BYE", 3, "bye", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn a_subscription_that_ends_without_a_final_status_is_unknown() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "refer-unknown").await;
    leg.refer(Referral::to("sip:4002@192.0.2.9")).await.unwrap();
    answered(&peer, "REFER", "202 Accepted").await;
    report(&peer, 2, "SIP/2.0 180 Ringing\r\n", "terminated;reason=giveup").await;
    assert_eq!(progress(&mut leg).await, ReferProgress::Unknown);
}

#[tokio::test]
async fn a_peer_may_not_send_the_bot_elsewhere() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "refer-in").await;
    let target = "Refer-To: <sip:+900123456@192.0.2.9>\r\n";
    let answer = peer.ask("REFER", 2, "r2", target, "").await;
    assert!(answer.starts_with("SIP/2.0 603"), "{answer}");
    for (cseq, headers) in [
        (3, ""),
        (4, "Refer-To: <tel:112>\r\n"),
        (5, "Refer-To: <sip:a@192.0.2.9>\r\nRefer-To: <sip:b@192.0.2.9>\r\n"),
    ] {
        let branch = format!("r{cseq}");
        let answer = peer.ask("REFER", cseq, &branch, headers, "").await;
        assert!(answer.starts_with("SIP/2.0 400"), "{answer}");
    }
    let message = "Event: message-summary\r\nSubscription-State: active\r\n";
    let answer = peer.ask("NOTIFY", 6, "n6", message, "").await;
    assert!(answer.starts_with("SIP/2.0 489"), "{answer}");
    peer.ask("BYE", 7, "bye", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }), "the call went on");
}

#[tokio::test]
async fn another_phone_takes_the_callers_place() {
    let mut agent = agent().await;
    let (old, mut leg) = Peer::connect(&mut agent, "replaced").await;
    let mut new = Peer::new(&agent, "replacing").await;
    let replaces = format!("Replaces: replaced;to-tag={};from-tag=peer\r\n", old.tag);
    let headers = format!("{replaces}Require: replaces\r\nContent-Type: application/sdp\r\n");
    new.send(&new.message("INVITE", 1, "inv", &headers, SDP)).await;
    let LegEvent::Replaced(replacement) = event(&mut leg).await else { panic!("no replacement") };
    let mut by = replacement.into_leg();
    by.answer(SDP.to_owned()).await.unwrap();
    leg.replace(by);
    let ok = new.answer_to("CSeq: 1 INVITE").await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    new.tag = tag_of(&ok);
    new.ack(1, "").await;
    answered(&old, "BYE", "200 OK").await;

    assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }), "of the new leg");
    new.ask("BYE", 2, "bye", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn a_call_that_cannot_be_replaced_says_why() {
    let mut agent = agent().await;
    let (old, _leg) = Peer::connect(&mut agent, "kept").await;
    let tag = &old.tag;
    for (n, replaces, status) in [
        (1, format!("kept;to-tag={tag};from-tag=other"), "481"),
        (2, format!("nobody;to-tag={tag};from-tag=peer"), "481"),
        (3, format!("kept;to-tag={tag};from-tag=peer;early-only"), "486"),
        (4, "kept;to-tag=".to_owned(), "400"),
        (
            5,
            format!("kept;to-tag={tag};from-tag=peer\r\nReplaces: kept;to-tag=1;from-tag=2"),
            "400",
        ),
    ] {
        let new = Peer::new(&agent, &format!("taker-{n}")).await;
        let headers = format!("Replaces: {replaces}\r\nContent-Type: application/sdp\r\n");
        let answer = new.ask("INVITE", 1, "inv", &headers, SDP).await;
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{replaces}: {answer}");
    }
}

#[tokio::test]
async fn a_leg_names_itself_as_its_peer_knows_it() {
    let mut agent = agent().await;
    let (peer, leg) = Peer::connect(&mut agent, "named").await;
    let named = Replaces {
        call_id: "named".into(),
        to_tag: "peer".into(),
        from_tag: peer.tag.clone(),
        early_only: false,
    };
    assert_eq!(leg.replaces(), Some(named));
}

/// An agent whose callers may send it elsewhere.
async fn trusting() -> UserAgent {
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let inbound = InboundConfig { networks, ..InboundConfig::default() };
    let pbx = TrunkConfig { inbound, allow_refer: true, ..TrunkConfig::new("pbx", Vec::new()) };
    let config = UserAgentConfig::new("127.0.0.1:0".parse().unwrap());
    UserAgent::bind(UserAgentConfig { trunks: vec![pbx], ..config }).await.unwrap()
}

/// What the peer is told next by NOTIFY: the state of the subscription, and the fragment.
async fn told(peer: &Peer) -> (String, String) {
    let notify = answered(peer, "NOTIFY", "200 OK").await;
    assert!(notify.contains("Event: refer\r\n"), "{notify}");
    let state = notify.lines().find_map(|line| line.strip_prefix("Subscription-State: ")).unwrap();
    (state.to_owned(), body_of(&notify).trim_end().to_owned())
}

async fn refer_request(leg: &mut SipLeg) -> ReferRequest {
    match event(leg).await {
        LegEvent::Refer(request) => request,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_trusted_peer_sends_the_bot_elsewhere_and_hears_how_it_goes() {
    let mut agent = trusting().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "trusted").await;
    let headers = "Refer-To: <sip:4002@192.0.2.9?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n\
                   Referred-By: <sip:pbx@192.0.2.1>\r\n";
    peer.send(&peer.message("REFER", 2, "r2", headers, "")).await;
    let request = refer_request(&mut leg).await;
    assert_eq!(request.referral.to, "sip:4002@192.0.2.9");
    assert_eq!(request.referral.replaces.as_ref().unwrap().to_string(), "x;to-tag=1;from-tag=2");
    assert_eq!(request.referral.headers[0].1, "<sip:pbx@192.0.2.1>");
    let mut reports = request.accept();
    let accepted = peer.answer_to("CSeq: 2 REFER").await;
    assert!(accepted.starts_with("SIP/2.0 202"), "{accepted}");
    assert_eq!(told(&peer).await, ("active;expires=180".into(), "SIP/2.0 100 Trying".into()));
    let twice = peer.ask("REFER", 3, "r3", headers, "").await;
    assert!(twice.starts_with("SIP/2.0 603"), "one at a time: {twice}");
    reports.report(180);
    assert_eq!(told(&peer).await.1, "SIP/2.0 180 Ringing");
    reports.report(200);
    let last = ("terminated;reason=noresource".into(), "SIP/2.0 200 OK".into());
    assert_eq!(told(&peer).await, last);
    peer.ask("BYE", 4, "bye", "", "").await;
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn a_referral_that_is_dropped_is_declined_or_reported_as_failed() {
    let mut agent = trusting().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "dropped").await;
    let to = "Refer-To: <sip:4002@192.0.2.9>\r\n";
    peer.send(&peer.message("REFER", 2, "r2", to, "")).await;
    drop(refer_request(&mut leg).await);
    assert!(peer.answer_to("CSeq: 2 REFER").await.starts_with("SIP/2.0 603"));
    peer.send(&peer.message("REFER", 3, "r3", to, "")).await;
    drop(refer_request(&mut leg).await.accept());
    assert!(peer.answer_to("CSeq: 3 REFER").await.starts_with("SIP/2.0 202"));
    let notify = answered(&peer, "NOTIFY", "200 OK").await;
    assert!(notify.contains("Event: refer;id=3\r\n"), "the second has a name: {notify}");
    let notify = answered(&peer, "NOTIFY", "200 OK").await;
    assert!(body_of(&notify).starts_with("SIP/2.0 503"), "{notify}");
    peer.send(&peer.message("REFER", 4, "r4", &format!("{to}Refer-Sub: false\r\n"), "")).await;
    let _silent = refer_request(&mut leg).await.accept();
    let accepted = peer.answer_to("CSeq: 4 REFER").await;
    assert!(accepted.contains("Refer-Sub: false"), "{accepted}");
    peer.nothing_but("").await;
}

#[tokio::test]
async fn we_say_that_calls_may_be_replaced() {
    let mut agent = agent().await;
    let mut peer = Peer::new(&agent, "supported").await;
    let headers = "Content-Type: application/sdp\r\n";
    peer.send(&peer.message("INVITE", 1, "inv", headers, SDP)).await;
    let mut leg = agent.next_invite().await.unwrap();
    leg.answer(SDP.to_owned()).await.unwrap();
    let ok = peer.answer_to("CSeq: 1 INVITE").await;
    assert!(ok.contains("Supported: replaces"), "{ok}");
    peer.tag = tag_of(&ok);
    peer.ack(1, "").await;
}
