//! Control packets: any bytes leave a session whose figures are sane and whose own reports a peer
//! can read.

use super::input::{Input, formats};
use crate::{
    audio::{CallTime, Pcm},
    rtp::{NtpTime, RtpConfig, RtpSession},
};

/// Checks one input.
pub fn check(data: &[u8]) {
    let session = |ssrc| {
        let formats = formats(0);
        RtpSession::new(RtpConfig { ssrc, first_seq: 1, first_timestamp: 1, seed: 7, formats })
    };
    // The sources that the seeds' reports are of and about.
    let (mut ours, mut peer) = (session(0x0102_0304), session(0x0506_0708));
    let mut input = Input(data);
    let mut now = CallTime::ZERO;
    while let Some(bytes) = input.bytes() {
        now = CallTime(now.0 + 8_000);
        for packet in peer.send(&Pcm::new(vec![1_000; 160])) {
            ours.receive(now, &packet).expect("our own packet is RTP");
        }
        let _ = ours.receive_rtcp(now, bytes);
        let _ = ours.receive(now, bytes);
        ours.pull();
        for packet in ours.send(&Pcm::new(vec![1_000; 160])) {
            peer.receive(now, &packet).expect("our own packet is RTP");
        }
        if let Some(report) = ours.rtcp_due(now, NtpTime(now.0 << 20)) {
            peer.receive_rtcp(now, &report).expect("our own report is RTCP");
        }
    }
    let stats = ours.stats();
    let sane = |figure: Option<f64>| figure.is_none_or(|x| x.is_finite() && x >= 0.0);
    assert!(sane(stats.rtt_ms) && sane(stats.peer_jitter_ms) && sane(stats.peer_mos), "{stats:?}");
    let bye = ours.bye(now, NtpTime(now.0 << 20));
    peer.receive_rtcp(now, &bye).expect("our own BYE is RTCP");
    assert!(peer.stats().received == 0 || peer.peer_left(), "our own BYE is not understood");
}
