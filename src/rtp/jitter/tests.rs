use proptest::prelude::*;

use super::*;
use crate::audio::Hz8k;

mod network;

/// A packet on its way: when it arrives, in ms, and which 20 ms of the stream it carries.
type Arrival = (u64, u32);

/// The stream's audio: every 20 ms has a level of its own.
fn audio(number: u32) -> Pcm<Hz8k> {
    Pcm::new(vec![level(number); FRAME])
}

fn level(number: u32) -> i16 {
    100 + number as i16
}

/// Puts in audio that needs no decoding.
fn put(buffer: &mut JitterBuffer, at: CallTime, timestamp: u32, audio: Pcm<Hz8k>) -> Put {
    buffer.place(at, timestamp, 1, audio.len(), Content::Plain(audio.into_samples()))
}

/// Plays `ticks` ticks; a packet that arrives at a tick is in time for it.
fn play(first_timestamp: u32, arrivals: &[Arrival], ticks: u64) -> (JitterBuffer, Vec<Playout>) {
    let mut arrivals = arrivals.to_vec();
    arrivals.sort_by_key(|a| a.0);
    let mut arrivals = arrivals.into_iter().peekable();
    let mut buffer = JitterBuffer::new();
    let played = (0..ticks).map(|tick| {
        while let Some((ms, number)) = arrivals.next_if(|a| a.0 <= tick * 20) {
            let timestamp = first_timestamp.wrapping_add(number * FRAME as u32);
            put(&mut buffer, CallTime::from_ms(ms), timestamp, audio(number));
        }
        buffer.pull()
    });
    let played = played.collect();
    (buffer, played)
}

/// Which packets were played undamaged, in order.
fn heard(played: &[Playout]) -> Vec<u32> {
    let whole = |p: &&Playout| p.audio.samples().iter().all(|&s| s == p.audio.samples()[0]);
    let heard = played.iter().filter(|p| p.kind == PlayoutKind::Heard).filter(whole);
    heard.map(|p| (p.audio.samples()[0] - 100) as u32).collect()
}

fn count(played: &[Playout], kind: PlayoutKind) -> usize {
    played.iter().filter(|p| p.kind == kind).count()
}

/// Packets one each 20 ms, `delay(number)` ms late.
fn stream(len: u32, delay: impl Fn(u32) -> u64) -> Vec<Arrival> {
    (0..len).map(|n| (u64::from(n) * 20 + delay(n), n)).collect()
}

#[test]
fn a_steady_stream_is_played_whole_with_a_tick_in_hand() {
    let (_, played) = play(5_000, &stream(50, |_| 7), 53);
    assert_eq!(heard(&played), (0..50).collect::<Vec<_>>());
    assert_eq!(count(&played, PlayoutKind::Concealed), 1, "only when the stream has ended");
    let first = played.iter().position(|p| p.kind == PlayoutKind::Heard);
    assert_eq!(first, Some(2), "the first packet waits for the second");
}

#[test]
fn how_long_a_packet_waits_for_its_turn_is_known() {
    let (steady, _) = play(0, &stream(50, |_| 7), 51);
    assert_eq!(steady.ahead(), 160, "one tick, as the first one did");
    let (late, _) = play(0, &stream(50, |n| if n == 49 { 27 } else { 7 }), 52);
    assert_eq!(late.ahead(), 0);
}

#[test]
fn timestamps_wrap() {
    let (_, played) = play(u32::MAX - 3_000, &stream(50, |_| 7), 52);
    assert_eq!(heard(&played), (0..50).collect::<Vec<_>>());
}

#[test]
fn packets_out_of_order_are_played_in_order() {
    let swapped = stream(50, |n| if n % 5 == 2 { 27 } else { 7 });
    let (_, played) = play(0, &swapped, 52);
    assert_eq!(heard(&played), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_lost_packet_is_concealed_and_the_rest_stays_in_place() {
    let mut arrivals = stream(50, |_| 7);
    arrivals.remove(20);
    let (buffer, played) = play(0, &arrivals, 52);
    assert_eq!(played[22].kind, PlayoutKind::Concealed);
    assert_eq!(heard(&played).last(), Some(&49));
    assert_eq!(count(&played, PlayoutKind::Heard), 49);
    assert_eq!(buffer.concealed(), 160);
}

#[test]
fn jitter_raises_the_delay_until_nothing_comes_late() {
    // Up to 60 ms late, in an irregular but fixed pattern.
    let jittery = stream(400, |n| u64::from(n * 37 % 61));
    let (_, played) = play(0, &jittery, 404);
    let settled = &played[100..400];
    assert!(count(settled, PlayoutKind::Concealed) <= 3, "{settled:?}");
}

#[test]
fn the_delay_falls_again_when_the_network_calms_down() {
    let calming = stream(600, |n| if n < 200 { u64::from(n * 37 % 61) } else { 0 });
    let (_, played) = play(0, &calming, 600);
    // The packet that arrives at the last tick is the 599th.
    let newest = *heard(&played).last().unwrap();
    assert!(newest >= 596, "{newest}");
}

#[test]
fn a_stall_of_the_network_loses_nothing() {
    // Packets 100 to 104 all come when 105 does.
    let stalled =
        stream(200, |n| if (100..105).contains(&n) { u64::from(105 - n) * 20 } else { 0 });
    let (_, played) = play(0, &stalled, 210);
    let heard = heard(&played);
    // The first one after the gap is blended with what was made up.
    assert!((101..=150).all(|n| heard.contains(&n)), "{heard:?}");
}

#[test]
fn a_gap_becomes_silence_and_the_next_talk_spurt_is_whole() {
    let mut arrivals = stream(200, |_| 3);
    arrivals.retain(|a| !(50..150).contains(&a.1));
    let (_, played) = play(0, &arrivals, 205);
    assert!(played[60..150].iter().all(|p| p.kind == PlayoutKind::Silence));
    assert!(played[60..150].iter().all(|p| p.audio.samples().iter().all(|&s| s == 0)));
    assert!((151..200).all(|n| heard(&played).contains(&n)));
}

#[test]
fn a_jump_of_the_timestamps_is_believed_when_the_next_packet_confirms_it() {
    let mut buffer = JitterBuffer::new();
    for n in 0..10 {
        put(&mut buffer, CallTime::from_ms(n * 20), n as u32 * 160, audio(1));
        buffer.pull();
    }
    let far = 1_000_000;
    assert_eq!(put(&mut buffer, CallTime::from_ms(200), far, audio(2)), Put::Jumped);
    assert_eq!(put(&mut buffer, CallTime::from_ms(200), 1_600, audio(1)), Put::Stored);
    assert_eq!(put(&mut buffer, CallTime::from_ms(220), far + 160, audio(2)), Put::Jumped);
    assert_eq!(put(&mut buffer, CallTime::from_ms(240), far + 320, audio(2)), Put::Stored);
    assert_eq!(put(&mut buffer, CallTime::from_ms(260), far + 480, audio(3)), Put::Stored);
    buffer.pull();
    assert_eq!(buffer.pull().audio, audio(3));
}

#[test]
fn packets_of_any_length_are_cut_into_ticks() {
    for len in [80, 160, 240, 320, 480] {
        let mut buffer = JitterBuffer::new();
        let mut sent = 0;
        let mut played = Vec::new();
        for tick in 0..100_u64 {
            while sent + len <= tick * 160 {
                let samples = (sent..sent + len).map(|i| 100 + (i / 40) as i16).collect();
                put(&mut buffer, CallTime(tick * 160), sent as u32, Pcm::new(samples));
                sent += len;
            }
            played.push(buffer.pull());
        }
        let started = played.iter().position(|p| p.kind == PlayoutKind::Heard).unwrap();
        let whole = played[started..].iter().flat_map(|p| p.audio.samples());
        let expected = (0..).map(|i| 100 + i / 40);
        assert!(whole.zip(expected).all(|(&a, b)| a == b), "packets of {len}");
    }
}

#[test]
fn a_flood_at_the_start_does_not_become_delay() {
    let flood: Vec<Arrival> = (0..40)
        .map(|n| (0, n))
        .chain(stream(100, |_| 800).into_iter().map(|(ms, n)| (ms, n + 40)))
        .collect();
    let (_, played) = play(0, &flood, 60);
    let first = heard(&played)[0];
    assert!(first >= 35, "{first}");
}

proptest! {
    #[test]
    fn whatever_arrives_a_tick_is_a_tick(
        packets in proptest::collection::vec(
            (0_u64..400, prop_oneof![any::<u32>(), 0_u32..20_000], 1_usize..500, 0_usize..3),
            0..200,
        )
    ) {
        let mut buffer = JitterBuffer::new();
        let mut at = CallTime::ZERO;
        for (gap, timestamp, len, pulls) in packets {
            at.0 += gap;
            put(&mut buffer, at, timestamp, Pcm::new(vec![1_000; len]));
            for _ in 0..pulls {
                prop_assert_eq!(buffer.pull().audio.len(), FRAME);
            }
        }
        // Only a second of stream is ever kept, however it is cut.
        prop_assert!(buffer.packets.len() <= 2 * JUMP as usize);
    }

    #[test]
    fn loss_and_jitter_never_reorder_or_repeat(
        fate in proptest::collection::vec((0_u64..150, 0_u8..10), 100..200)
    ) {
        let arrivals: Vec<Arrival> = fate
            .iter()
            .enumerate()
            .filter(|(_, (_, luck))| *luck > 0)
            .map(|(n, (delay, _))| (n as u64 * 20 + delay, n as u32))
            .collect();
        let (_, played) = play(77, &arrivals, fate.len() as u64 + 20);
        let heard = heard(&played);
        prop_assert!(heard.is_sorted_by(|a, b| a < b), "{:?}", heard);
    }
}
