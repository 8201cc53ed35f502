//! A caller whose audio does not come is told so by the question coming again, and let go in the end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::time::Duration;

use hotline::{conversation::journal, service::Config};
use service_support::Running;
use sip_support::{Peer, body_of, tag_of};
use tokio::{net::UdpSocket, time::timeout};

const SDP: &str = "Content-Type: application/sdp\r\n";

/// Short limits: told after 2 s, ended after 6.
fn soon(config: &mut Config) {
    config.limits.no_audio_s = 2;
    config.limits.media_timeout_s = 6;
}

/// A caller that is answered, and where the service takes its audio.
async fn call(service: &Running, call_id: &str) -> (Peer, UdpSocket, u16) {
    let (mut peer, rtp) = (service.peer(call_id).await, UdpSocket::bind("127.0.0.1:0").await);
    let rtp = rtp.unwrap();
    let port = rtp.local_addr().unwrap().port();
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 13\r\n"
    );
    let ok = peer.ask("INVITE", 1, "inv", SDP, &sdp).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    peer.tag = tag_of(&ok);
    peer.ack(1, "").await;
    let line = body_of(&ok).lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let bot = line.split(' ').next().unwrap().parse().unwrap();
    (peer, rtp, bot)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_audio_is_recorded_asked_again_and_ended() {
    let Some(service) = Running::new(24_000, soon).await else { return };
    let (peer, ..) = call(&service, "deaf").await;
    let bye = timeout(Duration::from_secs(20), peer.request("BYE")).await.expect("no BYE for 20 s");
    assert!(bye.contains("Media timeout"), "{bye}");
    peer.respond(&bye, "200 OK", "", "").await;
    let record = service.record("deaf").await;
    assert_eq!(record.summary.end_reason.as_deref(), Some("no_audio"));
    let told: Vec<_> = record.events.iter().filter(|event| event.kind == "no_audio").collect();
    assert_eq!(told.len(), 1, "{:?}", record.events);
    assert_eq!(told[0].data["ever"], false);
    let text = std::fs::read_to_string(record.journal.unwrap()).unwrap();
    assert!(text.contains("\"no_audio\""), "{text}");
    assert_eq!(journal::replay(&text).unwrap().difference, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn comfort_noise_is_a_sign_of_life() {
    let Some(service) = Running::new(25_000, soon).await else { return };
    let (peer, rtp, bot) = call(&service, "quiet").await;
    for n in 0u32..9 {
        let mut packet = vec![0x80, 13];
        packet.extend((n as u16).to_be_bytes());
        packet.extend((n * 8_000).to_be_bytes());
        packet.extend(7u32.to_be_bytes());
        packet.push(70);
        rtp.send_to(&packet, ("127.0.0.1", bot)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let ok = peer.ask("BYE", 2, "bye", "", "").await;
    assert!(ok.starts_with("SIP/2.0 200"), "the call was still up: {ok}");
    assert!(ok.contains("P-RTP-Stat: PS="), "{ok}");
    let record = service.record("quiet").await;
    assert_eq!(record.summary.end_reason.as_deref(), Some("caller_hangup"));
    assert!(record.events.iter().all(|event| event.kind != "no_audio"), "{:?}", record.events);
}
