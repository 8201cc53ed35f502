//! Codecs, packet lengths, comfort noise and keys, from one session to another.

use super::*;

#[test]
fn every_codec_carries_speech_and_keys_on_its_own_clock() {
    for &codec in Codec::ALL {
        let of =
            |ssrc| session_with(ssrc, formats(codec.static_payload_type().unwrap_or(111), codec));
        let (mut bot, mut caller) = (of(1), of(2));
        let tone = crate::audio::Pcm::new(
            (0..FRAME)
                .map(|i| (f64::from(i as u16) * 0.3142).sin().mul_add(8_000.0, 0.0) as i16)
                .collect(),
        );
        let heard = talk(&mut bot, &mut caller, 50, &tone);
        let loud = heard[10..].iter().filter(|p| crate::audio::level::rms_dbfs(&p.audio) > -20.0);
        assert!(loud.count() >= 38, "{codec}");
        assert!(heard[5..].iter().all(|p| p.kind == PlayoutKind::Heard), "{codec}");
        bot.press('7', 5);
        talk(&mut bot, &mut caller, 12, &tone);
        assert_eq!(caller.next_digit().map(|d| d.key), Some('7'), "{codec}");
        assert_eq!(caller.next_digit(), None, "{codec}");
        assert_eq!((caller.stats().lost, caller.stats().ignored), (0, 0), "{codec}");
    }
}

#[test]
fn packets_have_the_length_that_the_peer_wants() {
    for (ptime_ms, per_tick) in [(10, &[2, 2, 2][..]), (30, &[0, 1, 1, 0, 1, 1]), (60, &[0, 0, 1])]
    {
        let (mut bot, mut caller) =
            (session_with(1, Formats { ptime_ms, ..formats(0, Codec::Pcmu) }), session(2));
        let mut last = None;
        for &packets in per_tick {
            let sent = bot.send(&frame(1_000));
            assert_eq!(sent.len(), packets, "{ptime_ms} ms");
            for packet in sent {
                let Packet { header, payload } = parsed(&packet);
                assert_eq!(payload.len(), 8 * ptime_ms as usize);
                if let Some(last) = last.replace(header.timestamp) {
                    assert_eq!(header.timestamp.wrapping_sub(last), 8 * ptime_ms);
                }
            }
        }
        let heard = talk(&mut bot, &mut caller, 60, &frame(1_000));
        assert!(heard[12..].iter().all(|p| p.audio == frame(1_000)), "{ptime_ms} ms");
    }
}

#[test]
fn a_codec_may_change_in_mid_call() {
    let (mut bot, mut caller) = (session(1), session(2));
    talk(&mut bot, &mut caller, 10, &frame(1_000));
    for (payload_type, codec) in Codec::ALL.iter().enumerate().map(|(i, c)| (96 + i as u8, *c)) {
        let mut both = formats(payload_type, codec);
        both.receive.push((0, Codec::Pcmu));
        bot.renegotiate(both.clone());
        caller.renegotiate(both);
        let tone = Pcm::new((0..FRAME).map(|i| if i % 20 < 10 { 4_000 } else { -4_000 }).collect());
        let heard = talk(&mut bot, &mut caller, 40, &tone);
        let loud = heard[20..].iter().all(|p| crate::audio::level::rms_dbfs(&p.audio) > -30.0);
        assert!(loud, "{codec}");
    }
}

#[test]
fn silence_is_described_when_the_peer_knows_comfort_noise() {
    let with_noise = Formats { comfort_noise: Some(NOISE), ..formats(0, Codec::Pcmu) };
    let (mut bot, mut caller) = (session_with(1, with_noise.clone()), session_with(2, with_noise));
    talk(&mut bot, &mut caller, 20, &frame(3_000));
    let heard = talk(&mut bot, &mut caller, 100, &Pcm::silence(FRAME));
    assert!(heard[20..].iter().all(|p| p.kind == PlayoutKind::Noise));
    let level = crate::audio::level::rms_dbfs(&heard[50].audio);
    assert!((-70.0..-60.0).contains(&level), "{level}");
    let stats = caller.stats();
    assert_eq!((stats.lost, stats.concealed_ms), (0, 0));
    // 20 of speech, 10 of hangover, and 90 ticks with one in ten.
    assert_eq!(stats.received, 39);
    let again = talk(&mut bot, &mut caller, 20, &frame(3_000));
    assert!(again[5..].iter().all(|p| p.kind == PlayoutKind::Heard));
}

#[test]
fn a_loss_within_comfort_noise_is_not_concealed() {
    let mut bot = session(1);
    bot.receive(at(0), &datagram(2, 1, 0, 0)).unwrap();
    bot.receive(at(1), &datagram(2, 2, 160, 0)).unwrap();
    let noise = Header {
        version: 2,
        payload_type: NOISE,
        sequence_number: 3,
        timestamp: 320,
        ssrc: 2,
        ..Header::default()
    };
    let noise = Packet { header: noise, payload: Bytes::from_static(&[40]) };
    assert_eq!(bot.receive(at(2), &noise.marshal().unwrap()), Ok(Received::Noise));
    let kinds: Vec<_> = (0..100).map(|_| bot.pull().kind).collect();
    assert_eq!(kinds[..2], [PlayoutKind::Heard; 2]);
    assert!(kinds[2..].iter().all(|&k| k == PlayoutKind::Noise), "{kinds:?}");
}

#[test]
fn silence_is_faint_noise_when_the_peer_does_not() {
    let faint = Formats { silence_noise: true, ..formats(0, Codec::Pcmu) };
    let (mut bot, mut caller) = (session_with(1, faint), session(2));
    let heard = talk(&mut bot, &mut caller, 50, &Pcm::silence(FRAME));
    let level = crate::audio::level::rms_dbfs(&heard[30].audio);
    assert!((-70.0..-58.0).contains(&level), "{level}");
}

#[cfg(feature = "opus")]
#[test]
fn a_lost_opus_packet_is_recovered_and_not_concealed() {
    let of = |ssrc| session_with(ssrc, formats(111, Codec::Opus));
    let (mut bot, mut caller) = (of(1), of(2));
    let voiced = crate::rtp::test_voice(16_000);
    for (tick, frame) in voiced.samples().chunks(FRAME).enumerate() {
        let packet = send(&mut bot, &Pcm::new(frame.to_vec()));
        // Lost alone, every tenth; the next one is there in time.
        if tick % 10 != 9 {
            caller.receive(at(tick as u64), &packet).unwrap();
        }
        caller.pull();
    }
    let stats = caller.stats();
    assert_eq!(stats.lost, 9);
    assert!(stats.recovered_ms + stats.concealed_ms >= 180, "{stats:?}");
    // The encoder puts copies of what it finds worth it.
    assert!(stats.recovered_ms >= 60, "{stats:?}");
}
