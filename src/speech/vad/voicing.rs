/// Samples that are compared with earlier ones: 24 ms at 8 kHz.
const WINDOW: usize = 192;
/// The longest pitch period looked for, 16 ms (62 Hz), and the shortest, 2.5 ms (400 Hz).
const LONGEST: usize = 128;
const SHORTEST: usize = 20;

/// Whether the last sound repeats itself at the pitch of a voice. Noise does not, however loud
/// it becomes; and no speech goes on for long without a vowel.
pub(super) struct Voicing {
    recent: [f32; WINDOW + LONGEST],
    previous: f32,
}

impl Voicing {
    pub(super) fn new() -> Self {
        Self { recent: [0.0; WINDOW + LONGEST], previous: 0.0 }
    }

    /// Takes the next 16 kHz audio, of telephone bandwidth.
    pub(super) fn hear(&mut self, samples_16k: &[i16]) {
        let new = (samples_16k.len() / 2).min(WINDOW + LONGEST);
        self.recent.rotate_left(new);
        let start = WINDOW + LONGEST - new;
        for (slot, pair) in self.recent[start..].iter_mut().zip(samples_16k.chunks_exact(2)) {
            // Pre-emphasis: rumble would look like a slow pitch.
            let sample = f32::from(pair[0]);
            *slot = sample - 0.7 * self.previous;
            self.previous = sample;
        }
    }

    /// The highest normalised correlation with the sound one pitch period before: about 0.9 in
    /// vowels, below 0.3 in noise.
    pub(super) fn periodicity(&self) -> f32 {
        let now = &self.recent[LONGEST..];
        let energy: f32 = now.iter().map(|s| s * s).sum();
        let correlation = |lag: usize| {
            let before = &self.recent[LONGEST - lag..][..WINDOW];
            let (mut product, mut earlier) = (0.0, 0.0);
            for (a, b) in now.iter().zip(before) {
                product += a * b;
                earlier += b * b;
            }
            product / (energy * earlier).sqrt().max(1.0)
        };
        (SHORTEST..=LONGEST).map(correlation).fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periodicity_of(sample: impl FnMut(usize) -> f32) -> f32 {
        let samples: Vec<i16> = (0..1_024).map(sample).map(|s| s as i16).collect();
        let mut voicing = Voicing::new();
        samples.chunks(256).for_each(|block| voicing.hear(block));
        voicing.periodicity()
    }

    #[test]
    fn a_train_of_pulses_is_periodic() {
        for period in [50, 132, 250] {
            let train = |i: usize| 8_000.0 * 0.8f32.powi((i % period) as i32);
            let periodicity = periodicity_of(train);
            assert!(periodicity > 0.85, "{period}: {periodicity}");
        }
    }

    #[test]
    fn noise_and_silence_are_not() {
        let mut seed = 5u32;
        let noise = periodicity_of(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 16) as f32 - 32_768.0) / 4.0
        });
        assert!(noise < 0.4, "{noise}");
        assert_eq!(periodicity_of(|_| 0.0), 0.0);
    }
}
