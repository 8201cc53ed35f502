//! Datagrams, ticks, keys and renegotiations in any order: every tick gives 20 ms, every datagram
//! is accounted for, and what we send another session of ours can read.

use super::input::{Input, event_key, formats};
use crate::{
    audio::{CallTime, Pcm},
    rtp::{IgnoreReason, NtpTime, Received, RtpConfig, RtpSession, RtpStats, is_rtcp},
};

/// Checks one input.
pub fn check(data: &[u8]) {
    let mut input = Input(data);
    let agreed = formats(input.byte().unwrap_or(0));
    let session = |ssrc| {
        let config = RtpConfig {
            ssrc,
            first_seq: 65_530,
            first_timestamp: u32::MAX - 500,
            seed: 1,
            formats: agreed.clone(),
        };
        RtpSession::new(config)
    };
    let (mut ours, mut peer) = (session(1), session(2));
    let (mut tick, mut taken) = (0_u64, 0);
    while let Some(operation) = input.byte() {
        let now = CallTime(tick * 160);
        match operation % 8 {
            0..=3 => {
                let Some(datagram) = input.bytes() else { break };
                let read = ours.receive(now, datagram).is_ok();
                taken += u64::from(read && !is_rtcp(datagram));
            }
            4 => {
                for _ in 0..=operation >> 3 {
                    assert_eq!(ours.pull().audio.len(), 160);
                    tick += 1;
                }
            }
            5 => {
                let frame = Pcm::new(vec![i16::from(operation) << 7; 160]);
                for packet in ours.send(&frame) {
                    let received = peer.receive(now, &packet).expect("our own packet is RTP");
                    let bad = matches!(
                        received,
                        Received::Rtcp
                            | Received::Ignored(
                                IgnoreReason::PayloadType(_)
                                    | IgnoreReason::Empty
                                    | IgnoreReason::Malformed
                                    | IgnoreReason::Duplicate
                            )
                    );
                    assert!(!bad, "our own packet: {received:?}");
                }
            }
            6 => drop(ours.press(event_key(operation >> 3), 5)),
            _ => {
                let agreed = formats(operation >> 3);
                ours.renegotiate(agreed.clone());
                peer.renegotiate(agreed);
            }
        }
        let _ = ours.rtcp_due(now, NtpTime(tick << 32));
    }
    let RtpStats { received, duplicates, late, ignored, jitter_ms, mos, .. } = ours.stats();
    assert!(received <= taken && taken <= received + duplicates + late + ignored);
    assert!(jitter_ms.is_finite() && mos.is_none_or(|mos| (1.0..=5.0).contains(&mos)));
    assert!(std::iter::from_fn(|| ours.next_digit()).count() <= 64, "keys pile up");
}
