use std::{collections::VecDeque, time::Duration};

use crate::audio::CallTime;

/// The same key reported by another way within this time is the same press. A SIP INFO comes up
/// to a long press after the first event, a tone after its detection.
const SAME_PRESS: Duration = Duration::from_millis(1_000);
/// Presses that may still be reported by another way.
const REMEMBERED: usize = 32;

/// How a pressed key reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// A telephone event (RFC 4733).
    Event,
    /// A SIP INFO.
    Info,
    /// A tone in the audio.
    Tone,
}

/// Counts a press once that is reported in several ways, on the call's clock.
///
/// Each report by one way is a press of its own; a report by another way belongs to the earliest
/// recent press of this key that it has not reported yet.
#[derive(Debug, Default)]
pub struct KeyMerger {
    recent: VecDeque<Press>,
}

#[derive(Debug)]
struct Press {
    key: char,
    at: CallTime,
    told: [bool; 3],
}

impl KeyMerger {
    /// Takes a report; true when it is a new press.
    pub fn accept(&mut self, at: CallTime, source: KeySource, key: char) -> bool {
        while self.recent.front().is_some_and(|p| at.since(p.at) > SAME_PRESS) {
            self.recent.pop_front();
        }
        let source = source as usize;
        let same = self.recent.iter_mut().find(|p| p.key == key && !p.told[source]);
        if let Some(press) = same {
            press.told[source] = true;
            return false;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        let mut told = [false; 3];
        told[source] = true;
        self.recent.push_back(Press { key, at, told });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{KeySource::*, *};

    /// Reports as (ms, source, key); the presses that they make.
    fn presses(reports: &[(u64, KeySource, char)]) -> String {
        let mut merger = KeyMerger::default();
        let new = |&&(ms, source, key): &&(u64, KeySource, char)| {
            merger.accept(CallTime::from_ms(ms), source, key)
        };
        reports.iter().filter(new).map(|r| r.2).collect()
    }

    #[test]
    fn one_press_by_three_ways_is_one_key() {
        assert_eq!(presses(&[(0, Event, '5'), (60, Tone, '5'), (200, Info, '5')]), "5");
    }

    #[test]
    fn two_quick_presses_by_two_ways_are_two_keys() {
        let reports = [(0, Event, '1'), (150, Info, '1'), (300, Event, '1'), (450, Info, '1')];
        assert_eq!(presses(&reports), "11");
        let late = [(0, Event, '1'), (300, Event, '1'), (350, Info, '1'), (450, Info, '1')];
        assert_eq!(presses(&late), "11");
    }

    #[test]
    fn one_way_alone_is_never_merged() {
        assert_eq!(presses(&[(0, Info, '7'), (50, Info, '7'), (100, Info, '7')]), "777");
    }

    #[test]
    fn another_key_or_a_later_time_is_another_press() {
        assert_eq!(presses(&[(0, Event, '1'), (10, Tone, '2'), (1_500, Tone, '1')]), "121");
    }

    #[test]
    fn a_tone_that_was_not_heard_merges_nothing_else() {
        let reports = [(0, Event, '4'), (300, Event, '4'), (360, Tone, '4'), (2_000, Event, '4')];
        assert_eq!(presses(&reports), "444");
    }
}
