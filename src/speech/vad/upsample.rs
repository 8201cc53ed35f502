use std::f32::consts::PI;

/// Taps on each side of the point between two samples.
const SIDE: usize = 12;

/// Doubles the sample rate, 8 kHz to 16 kHz, one sample at a time: a half-band FIR filter
/// (windowed sinc). Every other output is an input sample; output lags by 12 input samples.
pub(crate) struct Doubler {
    history: [f32; 2 * SIDE],
    newest: usize,
    taps: [f32; 2 * SIDE],
}

impl Doubler {
    pub(crate) fn new() -> Self {
        let mut taps = [0.0; 2 * SIDE];
        for (i, tap) in taps.iter_mut().enumerate() {
            let t = i as f32 - SIDE as f32 + 0.5;
            let phase = PI * t / (SIDE as f32 + 0.5);
            let blackman = 0.42 + 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos();
            *tap = (PI * t).sin() / (PI * t) * blackman;
        }
        Self { history: [0.0; 2 * SIDE], newest: 0, taps }
    }

    /// Takes one sample and gives two.
    pub(crate) fn push(&mut self, sample: i16) -> [i16; 2] {
        self.newest = (self.newest + 1) % (2 * SIDE);
        self.history[self.newest] = f32::from(sample);
        let oldest = self.newest + 1;
        let at = |k: usize| self.history[(oldest + k) % (2 * SIDE)];
        let between: f32 = self.taps.iter().enumerate().map(|(k, tap)| tap * at(k)).sum();
        [at(SIDE - 1) as i16, between.round() as i16]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 1 kHz tone stays one, without an image at 7 kHz.
    #[test]
    fn a_tone_keeps_its_pitch_and_level() {
        let tone = |rate: f32, i: usize| 10_000.0 * (2.0 * PI * 1_000.0 * i as f32 / rate).sin();
        let mut doubler = Doubler::new();
        let out: Vec<i16> =
            (0..400).flat_map(|i| doubler.push(tone(8_000.0, i).round() as i16)).collect();
        for i in 100..700 {
            let expected = tone(16_000.0, i);
            let got = f32::from(out[i + 2 * SIDE]);
            assert!((got - expected).abs() < 40.0, "sample {i}: {got} is not {expected}");
        }
    }

    #[test]
    fn the_loudest_square_wave_clips_without_wrapping() {
        let mut doubler = Doubler::new();
        for i in 0..200 {
            let sample = if (i / 10) % 2 == 0 { i16::MAX } else { i16::MIN };
            let [first, second] = doubler.push(sample);
            assert!(i < 40 || first.signum() == second.signum() || i % 10 < 13, "{first} {second}");
        }
    }
}
