//! Pressed keys become one entry.

use crate::{audio::CallTime, dialog::KeyRules};

/// Keys of one entry so far.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyEntry {
    pressed: String,
    last: CallTime,
}

impl KeyEntry {
    /// Takes a key; returns the whole entry when it completes it.
    pub(super) fn press(&mut self, now: CallTime, key: char, rules: &KeyRules) -> Option<String> {
        self.last = now;
        if rules.terminator == Some(key) {
            return self.take();
        }
        self.pressed.push(key);
        if self.pressed.chars().count() >= usize::from(rules.max.max(1)) {
            self.take()
        } else {
            None
        }
    }

    /// When the entry counts as complete without another key.
    pub(super) fn deadline(&self, rules: &KeyRules) -> Option<CallTime> {
        (!self.pressed.is_empty()).then(|| self.last + rules.inter_digit)
    }

    /// When the last key was pressed.
    pub(super) fn last(&self) -> CallTime {
        self.last
    }

    /// Ends the entry; `None` when there is no key in it.
    pub(super) fn take(&mut self) -> Option<String> {
        (!self.pressed.is_empty()).then(|| std::mem::take(&mut self.pressed))
    }

    /// Whether no key has been pressed.
    pub(super) fn is_empty(&self) -> bool {
        self.pressed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rules(max: u8) -> KeyRules {
        KeyRules { max, terminator: Some('#'), inter_digit: Duration::from_secs(3) }
    }

    #[test]
    fn a_menu_key_completes_at_once() {
        assert_eq!(KeyEntry::default().press(CallTime(0), '1', &rules(1)).as_deref(), Some("1"));
    }

    #[test]
    fn a_number_completes_at_its_length_or_at_the_terminator() {
        let mut entry = KeyEntry::default();
        assert_eq!(entry.press(CallTime(0), '4', &rules(3)), None);
        assert_eq!(entry.press(CallTime(0), '2', &rules(3)), None);
        assert_eq!(entry.press(CallTime(0), '#', &rules(3)).as_deref(), Some("42"));
        assert!(entry.is_empty());
    }

    #[test]
    fn a_lone_terminator_is_nothing() {
        assert_eq!(KeyEntry::default().press(CallTime(0), '#', &rules(3)), None);
    }

    #[test]
    fn a_long_gap_completes_the_entry() {
        let mut entry = KeyEntry::default();
        entry.press(CallTime::from_ms(1_000), '4', &rules(6));
        assert_eq!(entry.deadline(&rules(6)), Some(CallTime::from_ms(4_000)));
    }
}
