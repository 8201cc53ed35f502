//! Comfort noise (RFC 3389): what the other side's room sounds like while nobody speaks.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{Hz8k, Pcm, level::clip};

/// Reflection coefficients that are used; more are allowed but say nothing more at 8 kHz.
const MAX_ORDER: usize = 12;
/// Keeps the synthesis filter stable whatever the peer sends.
const MAX_REFLECTION: f32 = 0.98;

/// A source of noise with a level and a spectrum.
#[derive(Debug, Clone)]
pub struct ComfortNoise {
    /// Reflection coefficients and the filter's memory.
    lattice: Vec<(f32, f32)>,
    /// Amplitude of the excitation.
    gain: f32,
    random: StdRng,
}

impl ComfortNoise {
    /// White noise at `dbov`, the RMS level in dB relative to full scale, such as -65.
    pub fn white(dbov: f32) -> Self {
        Self::new(dbov, Vec::new())
    }

    /// Reads an RFC 3389 payload: a level byte and any number of reflection coefficients.
    /// `None` when it is empty.
    pub fn from_payload(payload: &[u8]) -> Option<Self> {
        let (&level, coefficients) = payload.split_first()?;
        let reflections =
            coefficients.iter().take(MAX_ORDER).map(|&n| (f32::from(n) - 127.0) / 128.0);
        let reflections = reflections.map(|k| k.clamp(-MAX_REFLECTION, MAX_REFLECTION)).collect();
        Some(Self::new(-f32::from(level & 0x7F), reflections))
    }

    /// The payload that asks the peer for white noise at `dbov` (0 to -127).
    pub fn payload(dbov: f32) -> Vec<u8> {
        vec![(-dbov).clamp(0.0, 127.0) as u8]
    }

    fn new(dbov: f32, reflections: Vec<f32>) -> Self {
        // The filter raises the power by 1 / (1 - k^2) for each coefficient k; uniform
        // excitation has a third of the power of its peak.
        let filter: f32 = reflections.iter().map(|k| 1.0 - k * k).product();
        let rms = 32_768.0 * 10_f32.powf(dbov / 20.0);
        Self {
            lattice: reflections.into_iter().map(|k| (k, 0.0)).collect(),
            gain: rms * (3.0 * filter).sqrt(),
            // The same noise each time: a call must be repeatable, and nobody can tell.
            random: StdRng::seed_from_u64(3389),
        }
    }

    /// The next `n` samples.
    pub fn next(&mut self, n: usize) -> Pcm<Hz8k> {
        Pcm::new((0..n).map(|_| clip(self.sample())).collect())
    }

    /// One step of the all-pole lattice.
    fn sample(&mut self) -> f32 {
        let mut x = self.random.random_range(-1.0_f32..1.0) * self.gain;
        for i in (0..self.lattice.len()).rev() {
            let (k, before) = self.lattice[i];
            x -= k * before;
            if let Some((_, next)) = self.lattice.get_mut(i + 1) {
                *next = before + k * x;
            }
        }
        if let Some((_, first)) = self.lattice.first_mut() {
            *first = x;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{level::rms_dbfs, test_signals::power_at};

    #[test]
    fn noise_has_the_level_that_is_asked_for() {
        for level in [30, 50, 65] {
            let mut noise = ComfortNoise::from_payload(&[level]).unwrap();
            let measured = rms_dbfs(&noise.next(16_000));
            assert!((measured + f32::from(level)).abs() < 0.5, "{measured} for -{level}");
        }
        assert_eq!(ComfortNoise::payload(-65.0), [65]);
    }

    #[test]
    fn a_reflection_coefficient_colours_the_noise_but_not_its_level() {
        // A negative first coefficient means that neighbouring samples are alike: low-pass.
        let mut noise = ComfortNoise::from_payload(&[40, 127 - 90, 127 + 20]).unwrap();
        let heard = noise.next(32_000);
        assert!((rms_dbfs(&heard) + 40.0).abs() < 1.0, "{}", rms_dbfs(&heard));
        let band = |from: u32| -> f64 {
            (0..20).map(|i| power_at(&heard, f64::from(from) + f64::from(i) * 37.0)).sum()
        };
        assert!(band(200) > 8.0 * band(3_000));
    }

    #[test]
    fn the_same_payload_gives_the_same_noise() {
        let make = || ComfortNoise::from_payload(&[50, 100, 140]).unwrap().next(320);
        assert_eq!(make(), make());
    }

    proptest::proptest! {
        #[test]
        fn any_payload_is_stable(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            if let Some(mut noise) = ComfortNoise::from_payload(&payload) {
                let _ = noise.next(4_000);
                proptest::prop_assert!(noise.lattice.iter().all(|(_, memory)| memory.is_finite()));
            }
        }
    }
}
