/// More than this ahead is not loss but another sequence (RFC 3550, appendix A.1).
const MAX_DROPOUT: i64 = 3_000;
/// More than this behind is not reordering but another sequence.
const MAX_MISORDER: i64 = 100;

/// The sequence numbers of one source: loss, duplicates, wrap-around, restarts.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// Extended (not wrapping) numbers of the first and the highest packet.
    first: i64,
    highest: i64,
    received: u64,
    /// Bit `i` is set when packet `highest - i` came.
    recent: u128,
    /// Losses before a restart.
    lost_before: u64,
    /// The number that proves a restart.
    restart_at: Option<u16>,
    /// What the last report said, for the fraction lost since.
    reported: (i64, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Fresh,
    Duplicate,
    /// Far from what is expected; the next one decides whether the sequence restarted.
    Jumped,
    /// The second packet of a sequence that restarted.
    Restarted,
}

impl Sequence {
    /// A source whose first packet is `seq`; that packet counts as received.
    pub(super) fn new(seq: u16) -> Self {
        let first = i64::from(seq);
        Self {
            first,
            highest: first,
            received: 1,
            recent: 1,
            lost_before: 0,
            restart_at: None,
            reported: (0, 0),
        }
    }

    /// Takes the number of the next packet.
    pub(super) fn receive(&mut self, seq: u16) -> Order {
        let ahead = i64::from(seq.wrapping_sub(self.highest as u16) as i16);
        if !(-MAX_MISORDER..=MAX_DROPOUT).contains(&ahead) {
            if self.restart_at != Some(seq) {
                self.restart_at = Some(seq.wrapping_add(1));
                return Order::Jumped;
            }
            // Two in a row: the sender started anew, with the packet before this one.
            *self = Self { lost_before: self.lost(), ..Self::new(seq) };
            return Order::Restarted;
        }
        self.restart_at = None;
        if ahead > 0 {
            self.recent = self.recent.checked_shl(ahead as u32).unwrap_or(0) | 1;
            self.highest += ahead;
        } else {
            let bit = 1 << -ahead;
            if self.recent & bit != 0 {
                return Order::Duplicate;
            }
            self.recent |= bit;
            self.first = self.first.min(self.highest + ahead);
        }
        self.received += 1;
        Order::Fresh
    }

    /// Packets that did not come, so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost_before + (self.expected() as u64).saturating_sub(self.received)
    }

    /// The highest number with its wrap-arounds, as RTCP reports it.
    pub(super) fn extended_highest(&self) -> u32 {
        self.highest as u32
    }

    /// The fraction lost since the last call, in 1/256.
    pub(super) fn fraction_lost(&mut self) -> u8 {
        let now = (self.expected(), self.received);
        let (expected, received) = (now.0 - self.reported.0, now.1 - self.reported.1);
        self.reported = now;
        let lost = (expected - received as i64).max(0);
        (lost * 256).checked_div(expected).map_or(0, |f| f.min(255) as u8)
    }

    fn expected(&self) -> i64 {
        self.highest - self.first + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: impl IntoIterator<Item = u16>) -> (Sequence, Vec<Order>) {
        let mut numbers = numbers.into_iter();
        let mut sequence = Sequence::new(numbers.next().unwrap());
        let orders = numbers.map(|n| sequence.receive(n)).collect();
        (sequence, orders)
    }

    #[test]
    fn a_complete_sequence_loses_nothing_across_the_wrap() {
        let (sequence, orders) = after((0..200_u16).map(|i| 65_500_u16.wrapping_add(i)));
        assert!(orders.iter().all(|&o| o == Order::Fresh));
        assert_eq!(sequence.lost(), 0);
        assert_eq!(sequence.extended_highest(), 65_500 + 199);
    }

    #[test]
    fn missing_numbers_are_lost_until_they_come() {
        assert_eq!(after([10, 11, 14]).0.lost(), 2);
        assert_eq!(after([10, 11, 14, 13, 12]).0.lost(), 0);
        assert_eq!(after([10, 9, 8]).0.lost(), 0);
    }

    #[test]
    fn a_number_counts_once() {
        let (sequence, orders) = after([10, 11, 11, 10, 12]);
        assert_eq!(orders, [Order::Fresh, Order::Duplicate, Order::Duplicate, Order::Fresh]);
        assert_eq!(sequence.lost(), 0);
    }

    #[test]
    fn a_stray_number_changes_nothing() {
        let (sequence, orders) = after([10, 30_000, 11]);
        assert_eq!(orders, [Order::Jumped, Order::Fresh]);
        assert_eq!(sequence.lost(), 0);
    }

    #[test]
    fn two_in_a_row_far_away_restart_the_sequence_and_keep_the_losses() {
        let (sequence, orders) = after([10, 12, 30_000, 30_001, 30_003]);
        assert_eq!(orders, [Order::Fresh, Order::Jumped, Order::Restarted, Order::Fresh]);
        assert_eq!(sequence.lost(), 2);
    }

    #[test]
    fn the_fraction_lost_is_that_since_the_last_report() {
        let (mut sequence, _) = after([0, 1, 4, 5, 6, 7]);
        assert_eq!(sequence.fraction_lost(), 64);
        sequence.receive(8);
        assert_eq!(sequence.fraction_lost(), 0);
        assert_eq!(sequence.fraction_lost(), 0);
    }
}
