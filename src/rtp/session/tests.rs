use proptest::prelude::*;

use bytes::Bytes;
use rtc_shared::marshal::Marshal;

use super::*;
use crate::{
    audio::{Codec, Law, g711},
    rtp::{FRAME, PlayoutKind},
};

mod formats;

const EVENTS: u8 = 101;
const NOISE: u8 = 13;

/// A session in mu-law with events.
fn session(ssrc: u32) -> RtpSession {
    session_with(ssrc, formats(0, Codec::Pcmu))
}

fn session_with(ssrc: u32, formats: Formats) -> RtpSession {
    RtpSession::new(RtpConfig {
        ssrc,
        first_seq: 65_530,
        first_timestamp: u32::MAX - 1_000,
        seed: ssrc.into(),
        formats,
    })
}

fn formats(payload_type: u8, codec: Codec) -> Formats {
    Formats {
        send_events: Some(EVENTS),
        receive_events: vec![(EVENTS, codec.clock_rate())],
        ..Formats::only(payload_type, codec)
    }
}

/// The one packet of a tick.
fn send(session: &mut RtpSession, frame: &Pcm<Hz8k>) -> Vec<u8> {
    let mut packets = session.send(frame);
    assert_eq!(packets.len(), 1);
    packets.remove(0)
}

/// A session's next `ticks` ticks at the other one.
fn talk(from: &mut RtpSession, to: &mut RtpSession, ticks: u64, frame: &Pcm<Hz8k>) -> Vec<Playout> {
    let mut heard = Vec::new();
    for tick in 0..ticks {
        for packet in from.send(frame) {
            to.receive(at(tick), &packet).unwrap();
        }
        heard.push(to.pull());
    }
    heard
}

fn frame(level: i16) -> Pcm<Hz8k> {
    // As it sounds after companding.
    g711::decode(Law::Mu, &g711::encode(Law::Mu, &Pcm::new(vec![level; FRAME])))
}

fn parsed(datagram: &[u8]) -> Packet {
    parse(datagram).unwrap()
}

fn at(tick: u64) -> CallTime {
    CallTime::from_ms(tick * 20)
}

/// A datagram of `ssrc` with these header fields and 20 ms of audio.
fn datagram(ssrc: u32, seq: u16, timestamp: u32, payload_type: u8) -> Vec<u8> {
    let header = Header {
        version: 2,
        payload_type,
        sequence_number: seq,
        timestamp,
        ssrc,
        ..Header::default()
    };
    let packet = Packet { header, payload: Bytes::from(vec![0x55; FRAME]) };
    packet.marshal().unwrap().to_vec()
}

#[test]
fn what_one_side_sends_the_other_hears() {
    let (mut bot, mut caller) = (session(1), session(2));
    let mut heard = Vec::new();
    for tick in 0..100 {
        let packet = send(&mut bot, &frame(100 * tick as i16 + 10));
        assert_eq!(caller.receive(at(tick), &packet), Ok(Received::Audio));
        let playout = caller.pull();
        if playout.kind == PlayoutKind::Heard {
            heard.push(playout.audio);
        }
    }
    assert!(heard.len() >= 98);
    for (i, audio) in heard.iter().enumerate() {
        assert_eq!(*audio, frame(100 * i as i16 + 10));
    }
    assert_eq!(bot.stats().sent, 100);
    let stats = caller.stats();
    assert_eq!((stats.received, stats.lost, stats.late, stats.concealed_ms), (100, 0, 0, 0));
}

#[test]
fn packets_are_numbered_and_stamped_in_order_and_wrap() {
    let mut bot = session(1);
    for i in 0..20_u32 {
        let header = parsed(&send(&mut bot, &frame(0))).header;
        assert_eq!(header.sequence_number, 65_530_u16.wrapping_add(i as u16));
        assert_eq!(header.timestamp, (u32::MAX - 1_000).wrapping_add(160 * i));
        assert_eq!((header.payload_type, header.ssrc), (0, 1));
        assert_eq!(header.marker, i == 0);
    }
}

#[test]
fn the_packet_after_a_pause_is_marked_and_the_pause_takes_time() {
    let mut bot = session(1);
    let before = parsed(&send(&mut bot, &frame(0))).header;
    bot.skip();
    bot.skip();
    let after = parsed(&send(&mut bot, &frame(0))).header;
    assert!(after.marker);
    assert_eq!(after.timestamp, before.timestamp.wrapping_add(3 * 160));
    assert_eq!(after.sequence_number, before.sequence_number.wrapping_add(1));
}

#[test]
fn keys_go_through_once_each_between_audio() {
    let (mut caller, mut bot) = (session(1), session(2));
    talk(&mut caller, &mut bot, 3, &frame(1_000));
    for key in "199*#".chars() {
        assert!(caller.press(key, 5));
    }
    let heard = talk(&mut caller, &mut bot, 60, &frame(1_000));
    let keys: String = std::iter::from_fn(|| bot.next_digit()).map(|d| d.key).collect();
    assert_eq!(keys, "199*#");
    assert_eq!(heard[59].audio, frame(1_000), "then the audio goes on");
    assert!(!caller.press('x', 5));
    assert_eq!(bot.stats().concealed_ms, 0, "no audio is lost while a key is down");
}

#[test]
fn a_key_is_paced_by_the_tick_and_its_end_is_sent_three_times() {
    let mut caller = session(1);
    send(&mut caller, &frame(500));
    caller.press('5', 3);
    let mut sent = Vec::new();
    for _ in 0..8 {
        sent.extend(caller.send(&frame(500)).iter().map(|p| parsed(p)));
    }
    let events: Vec<_> = sent.iter().filter(|p| p.header.payload_type == EVENTS).collect();
    let durations: Vec<_> =
        events.iter().map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]])).collect();
    assert_eq!(durations, [160, 320, 480, 480, 480]);
    let ends = events.iter().filter(|p| p.payload[1] & 0x80 != 0).count();
    assert_eq!(ends, 3);
    let start = events[0].header.timestamp;
    assert!(events[0].header.marker && events.iter().all(|p| p.header.timestamp == start));
    // Three ticks of key, four of rest, and speech again.
    assert_eq!(sent.last().unwrap().header.timestamp, start.wrapping_add(7 * 160));
    assert!(sent.last().unwrap().header.marker);
}

#[test]
fn without_negotiated_events_no_key_is_sent() {
    let mut caller = session_with(1, Formats::only(0, Codec::Pcmu));
    assert!(!caller.press('5', 5));
}

#[test]
fn a_codec_is_told_by_its_static_payload_type() {
    let mut bot = session(1);
    bot.receive(at(0), &datagram(2, 1, 0, 8)).unwrap();
    bot.receive(at(1), &datagram(2, 2, 160, 8)).unwrap();
    assert_eq!(bot.pull().audio, g711::decode(Law::A, &[0x55; FRAME]));
}

#[test]
fn what_is_not_to_be_played_is_ignored_with_the_reason() {
    let mut bot = session(1);
    assert_eq!(bot.receive(at(0), &datagram(2, 1, 0, 0)), Ok(Received::Audio));
    for (datagram, reason) in [
        (datagram(2, 1, 0, 0), IgnoreReason::Duplicate),
        (datagram(2, 2, 160, 18), IgnoreReason::PayloadType(18)),
        (datagram(3, 9, 160, 0), IgnoreReason::OtherSource),
        (datagram(1, 9, 160, 0), IgnoreReason::OwnSource),
        (datagram(2, 30_000, 160, 0), IgnoreReason::SequenceJump),
        (datagram(2, 3, 3_000_000, 0), IgnoreReason::TimestampJump),
        (datagram(2, 4, 160, 0)[..12].to_vec(), IgnoreReason::Empty),
    ] {
        assert_eq!(bot.receive(at(1), &datagram), Ok(Received::Ignored(reason)));
    }
    let stats = bot.stats();
    assert_eq!((stats.duplicates, stats.lost), (1, 0));
}

#[test]
fn another_source_takes_over_with_its_second_packet() {
    let mut bot = session(1);
    for tick in 0..10 {
        bot.receive(at(tick), &datagram(2, tick as u16, tick as u32 * 160, 0)).unwrap();
        bot.pull();
    }
    let other = |i: u16| datagram(3, 500 + i, 9_000_000 + u32::from(i) * 160, 0);
    let ignored = Ok(Received::Ignored(IgnoreReason::OtherSource));
    assert_eq!(bot.receive(at(10), &other(0)), ignored);
    for i in 1..6_u16 {
        assert_eq!(bot.receive(at(10 + u64::from(i)), &other(i)), Ok(Received::Audio));
        bot.pull();
    }
    assert_eq!(bot.pull().kind, PlayoutKind::Heard);
    assert_eq!(
        bot.receive(at(17), &datagram(2, 10, 1_600, 0)),
        ignored,
        "it is over for the first"
    );
}

#[test]
fn datagrams_that_are_not_rtp_are_errors() {
    let mut bot = session(1);
    assert_eq!(bot.receive(at(0), b""), Err(RtpError::Version { version: 0, len: 0 }));
    assert_eq!(bot.receive(at(0), b"\r\n\r\n"), Err(RtpError::Version { version: 0, len: 4 }));
    let malformed = bot.receive(at(0), &[0x80, 0, 1]);
    assert!(matches!(malformed, Err(RtpError::Malformed { protocol: "RTP", .. })));
    let long = [&datagram(2, 1, 0, 0)[..], &[0; 2_000]].concat();
    assert_eq!(bot.receive(at(0), &long), Err(RtpError::Oversized { len: 2_160 }));
}

#[test]
fn reports_travel_and_tell_the_round_trip() {
    let (mut bot, mut caller) = (session(1), session(2));
    let wall = |now: CallTime| {
        NtpTime::from_unix(
            std::time::Duration::from_secs(1_800_000_000) + now.since(CallTime::ZERO),
        )
    };
    // 40 ms there, 60 ms back; the caller loses every tenth packet and answers each report 1 s on.
    assert_eq!(bot.rtcp_due(at(0), wall(at(0))), None);
    for tick in 0..200_u64 {
        let packet = send(&mut bot, &frame(0));
        if tick % 10 != 5 {
            caller.receive(at(tick + 2), &packet).unwrap();
        }
        bot.receive(at(tick + 3), &send(&mut caller, &frame(0))).unwrap();
    }
    let sent = bot.rtcp_due(at(200), wall(at(200))).unwrap();
    assert_eq!(bot.rtcp_due(at(201), wall(at(201))), None);
    assert_eq!(caller.receive(at(202), &sent), Ok(Received::Rtcp));
    assert_eq!(caller.rtcp_due(at(202), wall(at(202))), None);
    let answered = caller.rtcp_due(at(402), wall(at(402))).unwrap();
    bot.receive_rtcp(at(405), &answered).unwrap();
    let stats = bot.stats();
    assert!((stats.rtt_ms.unwrap() - 100.0).abs() < 0.1, "{stats:?}");
    assert_eq!(stats.peer_lost, Some(20));
}

#[test]
fn reports_go_out_at_varied_intervals_around_those_of_rfc_3550() {
    let mut bot = session(1);
    let due: Vec<u64> = (0..20_000)
        .filter(|&t| bot.rtcp_due(at(t), NtpTime(0)).is_some())
        .map(|t| t * 20)
        .collect();
    let gaps: Vec<u64> = due.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.iter().all(|gap| (2_040..=6_180).contains(gap)), "{gaps:?}");
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!((3_500..4_700).contains(&mean), "{mean}");
    assert!(gaps.iter().max() > gaps.iter().min().map(|least| least + 1_000).as_ref());
}

#[test]
fn a_clean_call_is_rated_well_and_a_lossy_one_worse() {
    let rated = |lost: fn(u64) -> bool| {
        let (mut bot, mut caller) = (session(1), session(2));
        for tick in 0..500 {
            let packet = send(&mut bot, &frame(1_000 + tick as i16));
            if !lost(tick) {
                caller.receive(at(tick), &packet).unwrap();
            }
            caller.pull();
        }
        caller.stats().mos.unwrap()
    };
    let (clean, lossy) = (rated(|_| false), rated(|tick| tick % 10 == 9));
    assert!(clean > 4.3, "{clean}");
    assert!((3.0..3.7).contains(&lossy), "{lossy}");
    assert_eq!(session(1).stats().mos, None);
}

#[test]
fn a_bye_is_understood() {
    let (mut bot, mut caller) = (session(1), session(2));
    bot.receive(at(0), &send(&mut caller, &frame(0))).unwrap();
    assert!(!bot.peer_left());
    bot.receive(at(1), &caller.bye(at(1), NtpTime(0))).unwrap();
    assert!(bot.peer_left());
}

proptest! {
    #[test]
    fn no_datagram_panics(
        datagrams in proptest::collection::vec(
            (any::<bool>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80)),
            0..40,
        )
    ) {
        let mut bot = session(1);
        for (i, (valid, kind, mut bytes)) in datagrams.into_iter().enumerate() {
            if valid {
                // Version 2; half of them control packets.
                let kind = if kind % 2 == 0 { 200 + kind % 8 } else { kind & 0x7F };
                bytes.splice(0..0, [0x80 | (kind & 0x3F), kind]);
            }
            let _ = bot.receive(at(i as u64), &bytes);
            let _ = bot.receive_rtcp(at(i as u64), &bytes);
            prop_assert_eq!(bot.pull().audio.len(), FRAME);
        }
        bot.rtcp_due(at(10_000), NtpTime(0));
        bot.bye(at(10_001), NtpTime(0));
    }
}
