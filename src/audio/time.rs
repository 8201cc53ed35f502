use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Hz8k, Rate};

/// A moment of a call, counted in samples of its 8 kHz media clock since the call was answered.
///
/// This is the only time below the rim: recordings, transcripts, timers and journals all use it,
/// so a replayed call sees exactly the moments of the live one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CallTime(pub u64);

impl CallTime {
    /// The moment the call was answered.
    pub const ZERO: Self = Self(0);

    /// The moment `ms` milliseconds after the answer.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * (Hz8k::HZ as u64) / 1_000)
    }

    /// Milliseconds since the answer, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 * 1_000 / (Hz8k::HZ as u64)
    }

    /// Samples of the 8 kHz media clock since the answer.
    pub const fn samples(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0) * 125)
    }
}

impl Add<Duration> for CallTime {
    type Output = Self;

    fn add(self, d: Duration) -> Self {
        Self(self.0 + samples_in(d))
    }
}

impl Sub<Duration> for CallTime {
    type Output = Self;

    /// Saturates at the answer.
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(samples_in(d)))
    }
}

impl fmt::Display for CallTime {
    /// Seconds with milliseconds, as in `12.340 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_ms();
        write!(f, "{}.{:03} s", ms / 1_000, ms % 1_000)
    }
}

/// Whole samples of the media clock in `d`; one lasts 125 us.
fn samples_in(d: Duration) -> u64 {
    (d.as_micros() / 125) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_samples_and_durations_agree() {
        let t = CallTime::from_ms(12_340);
        assert_eq!(t.samples(), 98_720);
        assert_eq!(t.as_ms(), 12_340);
        assert_eq!(t.to_string(), "12.340 s");
        assert_eq!(t.since(CallTime::from_ms(12_000)), Duration::from_millis(340));
        assert_eq!(CallTime::ZERO + Duration::from_millis(12_340), t);
    }

    #[test]
    fn nothing_is_before_the_answer() {
        let t = CallTime::from_ms(20);
        assert_eq!(t - Duration::from_secs(1), CallTime::ZERO);
        assert_eq!(CallTime::ZERO.since(t), Duration::ZERO);
    }
}
