/// Quieter lines than this are treated as if they were this loud: digital silence between words
/// would otherwise make a breath stand out. dB relative to full scale.
const QUIETEST_DB: f32 = -62.0;
/// No telephone line is noisier than this while somebody can be understood.
const LOUDEST_DB: f32 = -30.0;

/// The level of a block, in dB relative to a full-scale square wave; -100 for digital silence.
pub(super) fn level_db(samples: &[i16]) -> f32 {
    let energy: f32 = samples.iter().map(|&s| f32::from(s).powi(2)).sum();
    let mean = energy / samples.len().max(1) as f32 / 32_768f32.powi(2);
    10.0 * (mean + 1e-10).log10()
}

/// The level of the line when nobody speaks: falls at once, rises slowly, and hardly at all
/// while the network hears speech.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoiseFloor {
    db: f32,
    smooth: f32,
}

impl NoiseFloor {
    pub(super) fn new() -> Self {
        Self { db: QUIETEST_DB, smooth: QUIETEST_DB }
    }

    /// Takes the level of the next 16 ms and the network's score of it.
    pub(super) fn hear(&mut self, level: f32, score: f32) {
        // dB per 16 ms block: about 20 dB/s in noise, 1 dB/s in speech.
        let rise = if score < 0.4 { 0.32 } else { 0.016 };
        self.smooth += 0.3 * (level - self.smooth);
        let next = if self.smooth < self.db {
            self.db + 0.3 * (self.smooth - self.db)
        } else {
            (self.db + rise).min(self.smooth)
        };
        self.db = next.clamp(QUIETEST_DB, LOUDEST_DB);
    }

    /// Where the floor is now.
    pub(super) fn db(&self) -> f32 {
        self.db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_wave_is_zero_db() {
        assert!(level_db(&[-32_768; 128]).abs() < 0.01);
        assert_eq!(level_db(&[0; 128]), -100.0);
    }

    #[test]
    fn the_floor_follows_steady_noise_within_two_seconds() {
        let mut floor = NoiseFloor::new();
        (0..125).for_each(|_| floor.hear(-45.0, 0.2));
        assert!((floor.db() + 45.0).abs() < 1.0, "{}", floor.db());
    }

    #[test]
    fn ten_seconds_of_speech_do_not_lift_it_to_the_speech() {
        let mut floor = NoiseFloor::new();
        (0..625).for_each(|_| floor.hear(-20.0, 0.8));
        assert!(floor.db() < -45.0, "{}", floor.db());
    }
}
