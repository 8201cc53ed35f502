//! Trying media out: over our own ports, and in a real call.

mod loopback;
mod placed;

pub use loopback::{Loopback, loopback};
pub use placed::{Placed, place};

use std::f64::consts::TAU;

use crate::audio::{Hz8k, Pcm};

/// The tone that telephone lines are tested with (ITU-T O.6): 1,020 Hz at -10 dBm0, for so many
/// samples.
pub fn test_tone(len: usize) -> Pcm<Hz8k> {
    /// 0 dBm0 is 3.14 dB below a full-scale sine.
    const AMPLITUDE: f64 = 32_767.0 * 0.220_3;
    let sample = |n: usize| (AMPLITUDE * (TAU * 1_020.0 * n as f64 / 8_000.0).sin()) as i16;
    Pcm::new((0..len).map(sample).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level::rms_dbfs;

    #[test]
    fn the_tone_has_the_level_of_a_telephone_line_under_test() {
        // -10 dBm0 is -13.14 dB of a full-scale sine, whose RMS is -3.01 dBFS.
        let level = rms_dbfs(&test_tone(8_000));
        assert!((level + 16.15).abs() < 0.1, "{level}");
    }
}
