use std::collections::VecDeque;

use crate::audio::CallTime;

/// The keys of events 0 to 15 (RFC 4733, section 3.2).
const KEYS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
/// An event that begins up to 10 s before the last one is a straggler, not a new press.
const STALE_MS: i32 = 10_000;
/// A press that goes on may be reported with a new timestamp; 20 ms of slack for its place.
const SLACK_MS: u32 = 20;
/// Keys that nobody collects are dropped beyond this many.
const MAX_PENDING: usize = 64;

/// A key that the caller pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    /// `0-9`, `*`, `#` or `A-D`.
    pub key: char,
    /// When the first packet about it arrived.
    pub at: CallTime,
}

/// Receives telephone events (RFC 4733) and tells key presses, each once and as soon as its first
/// packet arrives, whichever of its packets that is.
#[derive(Debug, Default)]
pub(super) struct EventReceiver {
    pending: VecDeque<Digit>,
    current: Option<Press>,
}

/// The latest press.
#[derive(Debug, Clone, Copy)]
struct Press {
    event: u8,
    timestamp: u32,
    duration: u16,
    ended: bool,
    /// Clock units in a millisecond.
    clock: u32,
}

impl EventReceiver {
    /// Another source sends now: its timestamps have nothing to do with those before.
    pub(super) fn restart(&mut self) {
        self.current = None;
    }

    /// Takes a packet whose clock runs at `clock_rate` Hz. Returns whether it was about a key.
    pub(super) fn receive(
        &mut self,
        at: CallTime,
        (clock_rate, timestamp): (u32, u32),
        marker: bool,
        payload: &[u8],
    ) -> bool {
        let clock = clock_rate / 1_000;
        let Some(&[event, flags, d0, d1]) = payload.first_chunk() else { return false };
        let Some(&key) = KEYS.get(usize::from(event)) else { return false };
        let duration = u16::from_be_bytes([d0, d1]);
        let ended = flags & 0x80 != 0;
        match &mut self.current {
            Some(press) if press.timestamp == timestamp && press.event == event => {
                press.duration = press.duration.max(duration);
                press.ended |= ended;
            }
            Some(press) if press.is_before(timestamp) => {}
            Some(press) if !marker && press.continues(event, timestamp) => {
                *press = Press { event, timestamp, duration, ended, clock };
            }
            _ => {
                self.current = Some(Press { event, timestamp, duration, ended, clock });
                if self.pending.len() < MAX_PENDING {
                    self.pending.push_back(Digit { key, at });
                }
            }
        }
        true
    }

    /// The next key, in the order they were pressed.
    pub(super) fn next_digit(&mut self) -> Option<Digit> {
        self.pending.pop_front()
    }
}

impl Press {
    /// Whether a packet with `timestamp` is a straggler of an earlier press.
    fn is_before(&self, timestamp: u32) -> bool {
        let stale = STALE_MS * self.clock as i32;
        (-stale..0).contains(&(timestamp.wrapping_sub(self.timestamp) as i32))
    }

    /// Whether this press, longer than the 8 s that a duration can express or reported by a
    /// sender that renews the timestamp, goes on at `timestamp` (RFC 4733, section 2.5.1.3).
    fn continues(&self, event: u8, timestamp: u32) -> bool {
        let after = timestamp.wrapping_sub(self.timestamp);
        event == self.event
            && !self.ended
            && after <= u32::from(self.duration) + SLACK_MS * self.clock
    }
}

/// One packet's payload about `key`, which has been down for `duration` clock units: what
/// [`EventReceiver`] reads. `None` when `key` has no event.
pub(super) fn payload(key: char, duration: u16, end: bool) -> Option<[u8; 4]> {
    /// Power level -10 dBm0, as telephones use.
    const VOLUME: u8 = 10;
    let event = KEYS.iter().position(|&k| k == key.to_ascii_uppercase())? as u8;
    let [d0, d1] = duration.to_be_bytes();
    Some([event, if end { 0x80 | VOLUME } else { VOLUME }, d0, d1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Packets as (timestamp, marker, key, duration, end), one each 20 ms.
    fn keys(packets: &[(u32, bool, char, u16, bool)]) -> String {
        let mut receiver = EventReceiver::default();
        for (i, &(timestamp, marker, key, duration, end)) in packets.iter().enumerate() {
            let payload = payload(key, duration, end).unwrap();
            assert!(receiver.receive(
                CallTime(i as u64 * 160),
                (8_000, timestamp),
                marker,
                &payload
            ));
        }
        std::iter::from_fn(|| receiver.next_digit()).map(|d| d.key).collect()
    }

    #[test]
    fn a_press_is_one_digit_from_its_first_packet_on() {
        let mut receiver = EventReceiver::default();
        receiver.receive(CallTime(480), (8_000, 1_000), true, &payload('5', 160, false).unwrap());
        assert_eq!(receiver.next_digit(), Some(Digit { key: '5', at: CallTime(480) }));
        receiver.receive(CallTime(640), (8_000, 1_000), false, &payload('5', 320, false).unwrap());
        for _ in 0..3 {
            receiver.receive(
                CallTime(800),
                (8_000, 1_000),
                false,
                &payload('5', 480, true).unwrap(),
            );
        }
        assert_eq!(receiver.next_digit(), None);
    }

    #[test]
    fn every_key_has_its_event() {
        let all: Vec<_> = KEYS
            .iter()
            .enumerate()
            .map(|(i, &key)| (i as u32 * 1_600, true, key, 800, true))
            .collect();
        assert_eq!(keys(&all), "0123456789*#ABCD");
        assert_eq!(payload('x', 0, false), None);
    }

    #[test]
    fn the_same_key_twice_is_two_digits_even_without_end_and_marker() {
        assert_eq!(keys(&[(1_000, true, '7', 160, false), (2_000, false, '7', 160, false)]), "77");
    }

    #[test]
    fn one_packet_that_is_already_the_end_is_enough() {
        assert_eq!(keys(&[(1_000, false, '3', 80, true)]), "3");
    }

    #[test]
    fn stragglers_of_an_earlier_press_are_not_a_digit() {
        assert_eq!(
            keys(&[
                (1_000, true, '1', 480, true),
                (3_000, true, '2', 160, false),
                (1_000, false, '1', 480, true),
                (3_000, false, '2', 480, true),
            ]),
            "12"
        );
    }

    #[test]
    fn a_press_longer_than_a_duration_can_say_is_one_digit() {
        assert_eq!(
            keys(&[
                (1_000, true, '#', 0xFFFF, false),
                (1_000 + 0xFFFF, false, '#', 800, false),
                (1_000 + 0xFFFF, false, '#', 8_000, true),
            ]),
            "#"
        );
    }

    #[test]
    fn a_sender_that_renews_the_timestamp_of_a_press_does_not_repeat_it() {
        let packets: Vec<_> = (0..10).map(|i| (1_000 + i * 160, i == 0, '4', 160, false)).collect();
        assert_eq!(keys(&packets), "4");
    }

    #[test]
    fn timestamps_wrap() {
        assert_eq!(
            keys(&[(u32::MAX - 100, true, '8', 160, true), (2_000, true, '9', 160, true)]),
            "89"
        );
    }

    #[test]
    fn a_key_of_10_ms_counts() {
        assert_eq!(keys(&[(1_000, true, '6', 80, true), (1_400, true, '6', 80, true)]), "66");
    }

    #[test]
    fn a_long_press_whose_marker_and_end_are_lost_is_one_digit() {
        let packets: Vec<_> =
            (5..250).map(|i| (1_000, false, '2', (i * 160).min(0xFFFF) as u16, false)).collect();
        assert_eq!(keys(&packets), "2");
    }

    #[test]
    fn retransmitted_ends_of_the_same_key_twice_are_two_digits() {
        let press = |at: u32| (0..4).map(move |i| (at, i == 0, '5', 400, i > 0));
        let packets: Vec<_> = press(1_000).chain(press(3_000)).collect();
        assert_eq!(keys(&packets), "55");
    }

    #[test]
    fn at_48_khz_a_press_lasts_six_times_as_many_units() {
        let mut receiver = EventReceiver::default();
        for i in 0..10 {
            let payload = payload('4', 960, false).unwrap();
            receiver.receive(CallTime::ZERO, (48_000, 1_000 + i * 1_900), i == 0, &payload);
        }
        let keys: String = std::iter::from_fn(|| receiver.next_digit()).map(|d| d.key).collect();
        assert_eq!(keys, "4");
    }

    #[test]
    fn flash_and_short_payloads_are_no_key() {
        let mut receiver = EventReceiver::default();
        assert!(!receiver.receive(CallTime::ZERO, (8_000, 1), true, &[16, 10, 0, 160]));
        assert!(!receiver.receive(CallTime::ZERO, (8_000, 2), true, &[1, 10, 0]));
        assert_eq!(receiver.next_digit(), None);
    }

    proptest! {
        #[test]
        fn a_flood_of_anything_stays_bounded(
            packets in proptest::collection::vec(
                (any::<u32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..6)),
                0..300,
            )
        ) {
            let mut receiver = EventReceiver::default();
            for (timestamp, marker, payload) in packets {
                receiver.receive(CallTime::ZERO, (8_000, timestamp), marker, &payload);
            }
            prop_assert!(receiver.pending.len() <= MAX_PENDING);
        }
    }
}
