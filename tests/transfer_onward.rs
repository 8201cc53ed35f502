//! What a desk does with a caller that was handed over to it: hold, and transfer by REFER.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;
mod transfer_support;

use std::time::Duration;

use service_support::Running;
use sip_support::body_of;
use tokio::net::UdpSocket;
use transfer_support::{
    Callee, SDP, asked, caller, came_to, desks, header, hear, loud_a, loud_mu, media_of, record,
    sdp, service, service_by, talk,
};

/// Whether nothing that can be heard comes for a second, after what is under way.
async fn is_quiet(rtp: &UdpSocket, loud: impl Fn(&[u8]) -> bool) -> bool {
    let mut packet = [0; 2_048];
    let until = tokio::time::Instant::now() + Duration::from_millis(1_500);
    let settled = until - Duration::from_millis(1_000);
    while let Ok(len) = tokio::time::timeout_at(until, rtp.recv(&mut packet)).await {
        let audible = packet[1] & 0x7F != 101 && loud(&packet[12..len.unwrap()]);
        if audible && tokio::time::Instant::now() > settled {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_puts_its_caller_on_hold_and_comes_back() {
    let mut desk = Callee::new().await;
    let Some((mut service, _dir)) = service(44_000, &desk, "bridge").await else { return };
    let (peer, rtp, bot) = caller(&service, "held").await;
    let from = desk.answer().await;
    let speaks = talk(&rtp, bot, 0, 0x10);
    let there = media_of(body_of(&desk.invite));
    let replies = talk(&desk.rtp, there, 8, 0x35);
    hear(&desk.rtp, 8, loud_a).await;
    hear(&rtp, 0, loud_mu).await;
    for (cseq, direction) in [(2, "inactive"), (3, "sendrecv"), (4, "sendonly"), (5, "sendrecv")] {
        let held = direction != "sendrecv";
        let talks = held.then(|| replies.abort());
        let offer = format!("{}a={direction}\r\n", sdp(&desk.rtp, 8));
        desk.send(from, "INVITE", cseq, SDP, &offer).await;
        let (ok, _) = desk.request("SIP/2.0 200").await;
        assert!(ok.contains(&format!("CSeq: {cseq} INVITE")), "{ok}");
        desk.send(from, "ACK", cseq, "", "").await;
        if talks.is_some() {
            assert!(is_quiet(&desk.rtp, loud_a).await, "{direction}: we send to a desk that holds");
            assert!(is_quiet(&rtp, loud_mu).await, "{direction}: the caller hears something");
        } else {
            hear(&desk.rtp, 8, loud_a).await;
        }
    }
    let replies = talk(&desk.rtp, there, 8, 0x35);
    hear(&rtp, 0, loud_mu).await;
    desk.hang_up(from).await;
    asked(&peer, "BYE", "200 OK").await;
    speaks.abort();
    replies.abort();
    assert_eq!(came_to(&record(&mut service, "held").await), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_hands_its_caller_on_to_another() {
    let (mut desk, mut other) = (Callee::new().await, Callee::new().await);
    let Some((mut service, _dir)) = service_by(42_000, &desk, "bridge", vec![desks(&desk)]).await
    else {
        return;
    };
    let (peer, rtp, bot) = caller(&service, "onward").await;
    let from = desk.answer().await;
    let refer = format!("Refer-To: <{}?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", other.uri());
    // The first whom the desk names is busy: the caller stays with the desk.
    desk.send(from, "REFER", 2, &format!("Refer-To: <{}>\r\n", other.uri()), "").await;
    let there = other.invited().await;
    other.respond(there, &other.invite, "486 Busy Here", "").await;
    desk.told("SIP/2.0 486").await;
    desk.send(from, "REFER", 3, &refer, "").await;
    loop {
        other.invited().await;
        if other.invite.contains("Replaces: ") {
            break;
        }
    }
    assert_eq!(header(&other.invite, "Replaces:"), "a;to-tag=1;from-tag=2");
    assert_eq!(header(&other.invite, "Require:"), "replaces");
    other.respond(there, &other.invite, "180 Ringing", "").await;
    desk.told("SIP/2.0 180").await;
    other.respond(there, &other.invite, "200 OK", &sdp(&other.rtp, 8)).await;
    desk.told("SIP/2.0 200").await;
    desk.hang_up(from).await;
    let (speaks, replies) =
        (talk(&rtp, bot, 0, 0x10), talk(&other.rtp, media_of(body_of(&other.invite)), 8, 0x35));
    hear(&other.rtp, 8, loud_a).await;
    hear(&rtp, 0, loud_mu).await;
    other.hang_up(there).await;
    asked(&peer, "BYE", "200 OK").await;
    speaks.abort();
    replies.abort();
    assert_eq!(came_to(&record(&mut service, "onward").await), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_side_has_its_caller_connected_elsewhere() {
    let mut callee = Callee::new().await;
    let running = Running::new(43_000, |config| config.trunks = vec![desks(&callee)]);
    let Some(mut service) = running.await else { return };
    let (peer, rtp, bot) = caller(&service, "elsewhere").await;
    hear(&rtp, 0, loud_mu).await; // the bot's greeting
    let refer = format!("Refer-To: <{}>\r\n", callee.uri());
    let accepted = peer.ask("REFER", 2, "r2", &refer, "").await;
    assert!(accepted.starts_with("SIP/2.0 202"), "{accepted}");
    let from = callee.answer().await;
    let replies = talk(&callee.rtp, media_of(body_of(&callee.invite)), 8, 0x35);
    let speaks = talk(&rtp, bot, 0, 0x10);
    hear(&callee.rtp, 8, loud_a).await;
    while !body_of(&asked(&peer, "NOTIFY", "200 OK").await).starts_with("SIP/2.0 200") {}
    callee.hang_up(from).await;
    asked(&peer, "BYE", "200 OK").await;
    speaks.abort();
    replies.abort();
    // The dialog had come to nothing yet.
    assert_eq!(came_to(&record(&mut service, "elsewhere").await), ("transferred", ""));
}
