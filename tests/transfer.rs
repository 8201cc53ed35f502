//! A service hands its caller over: by REFER, by a bridge, attended; and comes back when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;
mod transfer_support;

use sip_support::{body_of, tag_of};
use transfer_support::{
    Callee, SDP, asked, caller, came_to, header, hear, loud_a, loud_mu, media, media_of, record,
    report, sdp, service, talk,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_carries_audio_and_keys_both_ways_and_is_recorded() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(34_000, &callee, "bridge").await else { return };
    let (peer, rtp, bot) = caller(&service, "bridge").await;
    let from = callee.invited().await;
    assert!(header(&callee.invite, "X-Hotline-Call-Id:").starts_with("20"), "{}", callee.invite);
    let summary = header(&callee.invite, "X-Hotline-Summary:");
    assert!(summary.starts_with("https://crm.example/calls/20"), "{summary}");
    assert!(header(&callee.invite, "From:").contains("sip:1001@"), "{}", callee.invite);

    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    hear(&rtp, 0, loud_mu).await; // the ring-back tone
    callee.respond(from, &callee.invite, "200 OK", &sdp(&callee.rtp, 8)).await;
    callee.request("ACK").await;
    let there = media_of(body_of(&callee.invite));
    let (speaks, replies) = (talk(&rtp, bot, 0, 0x10), talk(&callee.rtp, there, 8, 0x35));
    hear(&callee.rtp, 8, loud_a).await;
    hear(&rtp, 0, loud_mu).await;
    hear(&callee.rtp, 101, |event| event[0] == 5).await;
    hear(&rtp, 101, |event| event[0] == 5).await;

    callee.hang_up(from).await;
    asked(&peer, "BYE", "200 OK").await;
    speaks.abort();
    replies.abort();
    let record = record(&mut service, "bridge").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
    let mut wav = hound::WavReader::open(record.recording.as_ref().unwrap()).unwrap();
    let samples: Vec<i16> = wav.samples::<i16>().map(Result::unwrap).collect();
    let last = &samples[samples.len() - 16_000..];
    let loudest = |side: usize| last.iter().skip(side).step_by(2).map(|s| s.abs()).max();
    // The ring-back tone is fainter.
    assert!(loudest(0) > Some(7_000) && loudest(1) > Some(7_000), "both are on the recording");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_desk_brings_the_caller_back_to_the_dialog() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(35_000, &callee, "bridge").await else { return };
    let (peer, ..) = caller(&service, "busy").await;
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "486 Busy Here", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "busy").await;
    assert_eq!(came_to(&record), ("bot_hangup", "desk_busy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_does_not_answer_is_cancelled() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(36_000, &callee, "bridge").await else { return };
    let (peer, ..) = caller(&service, "silent").await;
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    let (cancel, _) = callee.request("CANCEL").await;
    callee.respond(from, &cancel, "200 OK", "").await;
    callee.respond(from, &callee.invite, "487 Request Terminated", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "silent").await;
    assert_eq!(came_to(&record), ("bot_hangup", "desk_silent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_in_the_bridge_ends_both_legs() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(37_000, &callee, "bridge").await else { return };
    let (peer, rtp, bot) = caller(&service, "left").await;
    let from = callee.answer().await;
    let speaks = talk(&rtp, bot, 0, 0x10);
    hear(&callee.rtp, 8, loud_a).await;
    speaks.abort();
    peer.ask("BYE", 2, "bye", "", "").await;
    let (bye, _) = callee.request("BYE").await;
    callee.respond(from, &bye, "200 OK", "").await;
    let record = record(&mut service, "left").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_transfer_ends_the_call_or_falls_back() {
    let callee = Callee::new().await;
    for (ports, call_id, fragment, outcome) in [
        (38_000, "blind", "SIP/2.0 200 OK", ("transferred", "transferred")),
        (39_000, "blind-busy", "SIP/2.0 486 Busy Here", ("bot_hangup", "desk_busy")),
    ] {
        let Some((mut service, _dir)) = service(ports, &callee, "refer").await else { return };
        let (peer, ..) = caller(&service, call_id).await;
        let refer = asked(&peer, "REFER", "202 Accepted").await;
        assert_eq!(header(&refer, "Refer-To:"), format!("<{}>", callee.uri()));
        assert!(header(&refer, "Referred-By:").contains("sip:"), "{refer}");
        report(&peer, 2, fragment).await;
        asked(&peer, "BYE", "200 OK").await;
        assert_eq!(came_to(&record(&mut service, call_id).await), outcome);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attended_transfer_names_the_call_to_take_over() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(40_000, &callee, "attended").await else { return };
    let (peer, ..) = caller(&service, "attended").await;
    let from = callee.answer().await;
    let refer = asked(&peer, "REFER", "202 Accepted").await;
    let refer_to = header(&refer, "Refer-To:");
    let id = header(&callee.invite, "Call-ID:").replace('@', "%40");
    assert!(refer_to.starts_with(&format!("<{}?Replaces={id}%3B", callee.uri())), "{refer_to}");
    assert!(refer_to.contains("to-tag%3Dcallee"), "{refer_to}");
    // The caller's phone has taken our place there.
    callee.hang_up(from).await;
    report(&peer, 2, "SIP/2.0 200 OK").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "attended").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_phone_takes_the_callers_place_in_a_bridge() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(41_000, &callee, "bridge").await else { return };
    let (old, ..) = caller(&service, "first").await;
    let from = callee.answer().await;
    let (mut new, rtp) = (service.peer("second").await, media().await);
    let replaces = format!("Replaces: first;to-tag={};from-tag=peer\r\n{SDP}", old.tag);
    let ok = new.ask("INVITE", 1, "inv", &replaces, &sdp(&rtp, 0)).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    new.tag = tag_of(&ok);
    new.ack(1, "").await;
    asked(&old, "BYE", "200 OK").await;
    let replies = talk(&callee.rtp, media_of(body_of(&callee.invite)), 8, 0x35);
    hear(&rtp, 0, loud_mu).await;
    callee.hang_up(from).await;
    asked(&new, "BYE", "200 OK").await;
    replies.abort();
    assert_eq!(came_to(&record(&mut service, "first").await), ("transferred", "transferred"));
}
