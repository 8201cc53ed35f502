//! What the user agent says to a peer that writes its own messages.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::time::Duration;

use hotline::sip::{HangUpCause, Leg, LegEvent};

mod sip_support;

use sip_support::{Peer, SDP, agent, body_of, event, tag_of};

#[tokio::test]
async fn an_invite_without_sdp_gets_an_offer_and_answers_it_in_the_ack() {
    let mut agent = agent().await;
    let mut peer = Peer::new(&agent, "late-offer").await;
    let mut leg = peer.call(&mut agent, "", SDP).await;
    assert_eq!(leg.info().offer, None);
    peer.ack(1, "v=0 the answer").await;
    match event(&mut leg).await {
        LegEvent::Confirmed { answer } => assert_eq!(answer.as_deref(), Some("v=0 the answer")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn options_is_answered_with_what_we_can_do() {
    let agent = agent().await;
    let peer = Peer::new(&agent, "options").await;
    let answer = peer.ask("OPTIONS", 1, "o", "", "").await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert!(answer.contains("Allow: INVITE, ACK, CANCEL, BYE"), "{answer}");
    assert!(answer.contains("Accept: application/sdp"), "{answer}");
}

#[tokio::test]
async fn what_fits_no_dialog_gets_481_and_what_we_do_not_do_405() {
    let agent = agent().await;
    let mut peer = Peer::new(&agent, "stray").await;
    let answer = peer.ask("REGISTER", 1, "r", "", "").await;
    assert!(answer.starts_with("SIP/2.0 405") && answer.contains("Allow: "), "{answer}");
    peer.tag = "nobody".to_owned();
    for (i, method) in ["BYE", "INFO", "INVITE", "UPDATE", "OPTIONS"].iter().enumerate() {
        let answer = peer.ask(method, 2, &format!("s{i}"), "", "").await;
        assert!(answer.starts_with("SIP/2.0 481"), "{method}: {answer}");
    }
}

#[tokio::test]
async fn a_retransmitted_invite_is_one_call_and_gets_the_last_answer_again() {
    let mut agent = agent().await;
    let peer = Peer::new(&agent, "again").await;
    let invite = peer.message("INVITE", 1, "inv", "Content-Type: application/sdp\r\n", SDP);
    peer.send(&invite).await;
    let mut leg = agent.next_invite().await.unwrap();
    leg.ring().await.unwrap();
    while !peer.receive().await.starts_with("SIP/2.0 180") {}
    peer.send(&invite).await;
    assert!(peer.receive().await.starts_with("SIP/2.0 180"));
    let second = tokio::time::timeout(Duration::from_millis(200), agent.next_invite()).await;
    assert!(second.is_err(), "the same INVITE came out twice");
}

#[tokio::test]
async fn the_same_invite_over_a_second_path_is_a_loop() {
    let mut agent = agent().await;
    let peer = Peer::new(&agent, "merged").await;
    peer.send(&peer.message("INVITE", 1, "one", "", "")).await;
    let _leg = agent.next_invite().await.unwrap();
    peer.send(&peer.message("INVITE", 1, "two", "", "")).await;
    let answer = peer.answer_to("CSeq: 1 INVITE").await;
    assert!(answer.starts_with("SIP/2.0 482"), "{answer}");
}

#[tokio::test]
async fn extensions_and_bodies_that_we_do_not_know_are_refused() {
    let agent = agent().await;
    let peer = Peer::new(&agent, "unknown").await;
    let answer = peer.ask("INVITE", 1, "a", "Require: privacy, 100rel, timer\r\n", "").await;
    assert!(answer.starts_with("SIP/2.0 420"), "{answer}");
    assert!(answer.contains("Unsupported: privacy\r\n"), "{answer}");
    let answer = peer.ask("INVITE", 2, "b", "Content-Type: text/plain\r\n", "hello").await;
    assert!(answer.starts_with("SIP/2.0 415") && answer.contains("Accept: "), "{answer}");
}

#[tokio::test]
async fn keys_come_in_by_info() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "keys").await;
    let relay = "Content-Type: application/dtmf-relay\r\n";
    let answer = peer.ask("INFO", 2, "i2", relay, "Signal=5\r\nDuration=160\r\n").await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let answer = peer.ask("INFO", 3, "i3", "Content-Type: application/dtmf\r\n", "#").await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    for (want, held) in [('5', Some(Duration::from_millis(160))), ('#', None)] {
        match event(&mut leg).await {
            LegEvent::Key { key, duration } => assert_eq!((key, duration), (want, held)),
            other => panic!("{other:?}"),
        }
    }
    let answer = peer.ask("INFO", 4, "i4", "Content-Type: text/plain\r\n", "hi").await;
    assert!(answer.starts_with("SIP/2.0 415"), "{answer}");
}

#[tokio::test]
async fn keys_that_nobody_reads_are_refused_before_they_push_out_the_end() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "flood").await;
    let mut refused = 0;
    for cseq in 2..102 {
        let branch = format!("k{cseq}");
        let answer =
            peer.ask("INFO", cseq, &branch, "Content-Type: application/dtmf\r\n", "1").await;
        refused += u32::from(answer.starts_with("SIP/2.0 503"));
    }
    assert!(refused > 0, "all 100 keys were taken in");
    assert!(peer.ask("BYE", 102, "bye", "", "").await.starts_with("SIP/2.0 200"));
    let mut last = None;
    while let Some(event) = leg.next_event().await {
        last = Some(event);
    }
    assert!(matches!(last, Some(LegEvent::HungUp { .. })), "{last:?}");
}

#[tokio::test]
async fn a_reinvite_is_answered_by_whoever_holds_the_leg() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "hold").await;
    let sdp = "Content-Type: application/sdp\r\n";
    peer.send(&peer.message("INVITE", 2, "re2", sdp, "v=0 hold")).await;
    match event(&mut leg).await {
        LegEvent::Reinvite(change) => {
            assert_eq!(change.offer.as_deref(), Some("v=0 hold"));
            change.accept("v=0 held".to_owned());
        }
        other => panic!("{other:?}"),
    }
    let answer = peer.answer_to("CSeq: 2 INVITE").await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert_eq!(body_of(&answer), "v=0 held");
    peer.ack(2, "").await;

    peer.send(&peer.message("UPDATE", 3, "up3", sdp, "v=0 resume")).await;
    match event(&mut leg).await {
        LegEvent::Reinvite(change) => change.reject(488),
        other => panic!("{other:?}"),
    }
    assert!(peer.answer_to("CSeq: 3 UPDATE").await.starts_with("SIP/2.0 488"));
    assert!(peer.ask("BYE", 4, "bye", "", "").await.starts_with("SIP/2.0 200"));
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn a_reinvite_without_offer_is_answered_with_one() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "reoffer").await;
    peer.send(&peer.message("INVITE", 2, "re2", "", "")).await;
    match event(&mut leg).await {
        LegEvent::Reinvite(change) => {
            assert_eq!(change.offer, None);
            change.accept("v=0 our offer".to_owned());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(body_of(&peer.answer_to("CSeq: 2 INVITE").await), "v=0 our offer");
    peer.ack(2, "v=0 their answer").await;
    match event(&mut leg).await {
        LegEvent::Confirmed { answer } => assert_eq!(answer.as_deref(), Some("v=0 their answer")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_change_that_is_dropped_is_refused_and_the_call_goes_on() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "dropped").await;
    let sdp = "Content-Type: application/sdp\r\n";
    peer.send(&peer.message("INVITE", 2, "re2", sdp, SDP)).await;
    drop(event(&mut leg).await);
    assert!(peer.answer_to("CSeq: 2 INVITE").await.starts_with("SIP/2.0 488"));
    let options = peer.ask("OPTIONS", 3, "o3", "", "").await;
    assert!(options.starts_with("SIP/2.0 200"), "{options}");
}

#[tokio::test]
async fn a_second_reinvite_before_the_answer_to_the_first_has_to_wait() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "overlap").await;
    let sdp = "Content-Type: application/sdp\r\n";
    peer.send(&peer.message("INVITE", 2, "re2", sdp, "v=0 first")).await;
    let LegEvent::Reinvite(first) = event(&mut leg).await else { panic!("no re-INVITE") };
    let answer = peer.ask("INVITE", 3, "re3", sdp, "v=0 second").await;
    assert!(answer.starts_with("SIP/2.0 500") && answer.contains("Retry-After: "), "{answer}");
    first.accept("v=0 ok".to_owned());
    assert!(peer.answer_to("CSeq: 2 INVITE").await.starts_with("SIP/2.0 200"));
}

#[tokio::test]
async fn bye_goes_out_once_although_the_leg_is_hung_up_and_dropped() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "once").await;
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    drop(leg);
    let bye = peer.receive().await;
    assert!(bye.starts_with("BYE ") && bye.contains("Reason: Q.850;cause=16"), "{bye}");
    let answer: String = bye
        .lines()
        .filter(|l| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|h| l.starts_with(h)))
        .map(|l| format!("{l}\r\n"))
        .collect();
    peer.send(&format!("SIP/2.0 200 OK\r\n{answer}Content-Length: 0\r\n\r\n")).await;
    peer.nothing_but(&bye).await;
}

#[tokio::test]
async fn a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut agent = agent().await;
    let mut peer = Peer::new(&agent, "early-bye").await;
    peer.send(&peer.message("INVITE", 1, "inv", "", "")).await;
    let mut leg = agent.next_invite().await.unwrap();
    leg.ring().await.unwrap();
    let ringing = loop {
        let message = peer.receive().await;
        if message.starts_with("SIP/2.0 180") {
            break message;
        }
    };
    peer.tag = tag_of(&ringing);
    peer.send(&peer.message("BYE", 2, "bye", "", "")).await;
    let mut seen = [peer.answer_to("CSeq: ").await, peer.answer_to("CSeq: ").await];
    seen.sort();
    assert!(seen[0].starts_with("SIP/2.0 200") && seen[0].contains("CSeq: 2 BYE"), "{seen:?}");
    assert!(seen[1].starts_with("SIP/2.0 487") && seen[1].contains("CSeq: 1 INVITE"), "{seen:?}");
    assert!(matches!(event(&mut leg).await, LegEvent::Cancelled));
}

#[tokio::test]
async fn rubbish_on_the_wire_does_not_stop_the_agent() {
    let agent = agent().await;
    let peer = Peer::new(&agent, "rubbish").await;
    let invite = peer.message("INVITE", 1, "inv", "", SDP);
    peer.send("").await;
    peer.send("\r\n\r\n").await;
    peer.send(&"\0".repeat(1_000)).await;
    for cut in (0..invite.len()).step_by(7) {
        peer.send(&invite[..cut]).await;
        peer.send(&invite[cut..]).await;
    }
    let answer = peer.ask("OPTIONS", 99, "alive", "", "").await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

#[tokio::test]
async fn our_bye_says_what_the_media_was_like() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "statistics").await;
    leg.report_media("PS=500,PR=498,PL=2,JI=3".to_owned());
    leg.hang_up(HangUpCause::Normal).await.unwrap();
    let bye = peer.request("BYE").await;
    assert!(bye.contains("P-RTP-Stat: PS=500,PR=498,PL=2,JI=3\r\n"), "{bye}");
    assert!(bye.contains("Reason: Q.850;cause=16"), "{bye}");
}

#[tokio::test]
async fn a_change_that_overtakes_the_ack_waits_for_it() {
    for method in ["INVITE", "UPDATE"] {
        let mut agent = agent().await;
        let mut peer = Peer::new(&agent, "overtaken").await;
        let mut leg = peer.call(&mut agent, SDP, SDP).await;
        let sdp = "Content-Type: application/sdp\r\n";
        peer.send(&peer.message(method, 2, "change", sdp, SDP)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        peer.ack(1, "").await;
        assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { .. }));
        let LegEvent::Reinvite(change) = event(&mut leg).await else { panic!("no change") };
        change.accept(SDP.to_owned());
        let answer = peer.answer_to(&format!("CSeq: 2 {method}")).await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }
}

#[tokio::test]
async fn who_hangs_up_is_told_what_the_media_was_like() {
    let mut agent = agent().await;
    let (peer, mut leg) = Peer::connect(&mut agent, "told").await;
    leg.report_media("PS=1,PR=1,PL=0,JI=0".to_owned());
    leg.report_media("PS=50,PR=49,PL=1,JI=2".to_owned());
    let ok = peer.ask("BYE", 2, "bye", "", "").await;
    assert!(ok.contains("P-RTP-Stat: PS=50,PR=49,PL=1,JI=2\r\n"), "{ok}");
    assert!(matches!(event(&mut leg).await, LegEvent::HungUp { .. }));
}
