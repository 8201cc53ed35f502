use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Lets at most so many calls begin in any one second.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: usize,
    begun: VecDeque<Instant>,
}

impl Pace {
    /// `per_second` of 0 lets none through.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: per_second as usize, begun: VecDeque::new() }
    }

    /// Counts a call that begins at `now`, or says how long it should wait.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Duration> {
        let second = Duration::from_secs(1);
        while self.begun.front().is_some_and(|at| now.duration_since(*at) >= second) {
            self.begun.pop_front();
        }
        if self.begun.len() < self.per_second {
            self.begun.push_back(now);
            return Ok(());
        }
        let oldest = self.begun.front().copied().unwrap_or(now);
        Err(second.saturating_sub(now.duration_since(oldest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_calls_than_allowed() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(2);
        assert_eq!(pace.begin(ms(0)), Ok(()));
        assert_eq!(pace.begin(ms(700)), Ok(()));
        assert_eq!(pace.begin(ms(900)), Err(Duration::from_millis(100)));
        assert_eq!(pace.begin(ms(1_000)), Ok(()));
        assert_eq!(pace.begin(ms(1_100)), Err(Duration::from_millis(600)));
        assert_eq!(pace.begin(ms(5_000)), Ok(()));
    }

    #[test]
    fn none_a_second_is_none() {
        assert!(Pace::new(0).begin(Instant::now()).is_err());
    }
}
