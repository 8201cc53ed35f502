//! Speech made slower or faster without a change of pitch.

use std::f32::consts::TAU;

use super::{Pcm, Rate};

/// Length of the pieces that are laid over each other: two periods of a deep voice.
const PIECE_MS: u32 = 30;
/// How far from its place a piece may be taken so that it fits the one before: one such period.
const SEARCH_MS: u32 = 10;

/// `audio` at `rate_percent` of its speed (held between 50 and 200), by overlapping pieces that fit
/// each other best: WSOLA (Verhelst and Roelands, 1993). The length is exactly that of the rate.
pub(super) fn stretch<R: Rate>(audio: &Pcm<R>, rate_percent: u16) -> Pcm<R> {
    let rate = u64::from(rate_percent.clamp(50, 200));
    if rate == 100 || audio.is_empty() {
        return audio.clone();
    }
    let half = (PIECE_MS * R::HZ / 2_000) as usize;
    let search = (SEARCH_MS * R::HZ / 1_000) as usize;
    let total = (audio.len() as u64 * 100 / rate) as usize;
    let source = Source::new(audio, half + search);
    let mut out = vec![0.0_f32; total + 2 * half];
    // Each piece but the first is chosen to follow on from where the one before would go.
    let mut from = 0_isize;
    for start in (0..total).step_by(half) {
        if start > 0 {
            let place = (start as u64 * rate / 100) as isize;
            from = source.best_fit(place, from + half as isize, half, search as isize);
        }
        for (i, sample) in out[start..start + 2 * half].iter_mut().enumerate() {
            // The first piece rises at once: nothing comes before it.
            let rising = start == 0 && i < half;
            let weight =
                if rising { 1.0 } else { 0.5 - 0.5 * (TAU * i as f32 / (2 * half) as f32).cos() };
            *sample += weight * source.at(from + i as isize);
        }
    }
    out.truncate(total);
    Pcm::from_f32(&out)
}

/// Samples with silence around them.
struct Source {
    samples: Vec<f32>,
    before: isize,
}

impl Source {
    fn new<R: Rate>(audio: &Pcm<R>, around: usize) -> Self {
        let mut samples = vec![0.0; around];
        samples.extend(audio.to_f32());
        samples.resize(samples.len() + 4 * around, 0.0);
        Self { samples, before: around as isize }
    }

    fn at(&self, index: isize) -> f32 {
        let index = usize::try_from(index + self.before).ok();
        index.and_then(|index| self.samples.get(index)).copied().unwrap_or(0.0)
    }

    fn window(&self, from: isize, len: usize) -> &[f32] {
        let from = usize::try_from(from + self.before).unwrap_or(0).min(self.samples.len());
        &self.samples[from..(from + len).min(self.samples.len())]
    }

    /// The position within `search` of `place` that sounds most like what stands at `like`.
    fn best_fit(&self, place: isize, like: isize, len: usize, search: isize) -> isize {
        let wanted = self.window(like, len);
        let fit = |offset: &isize| {
            let there = self.window(place + offset, len);
            let (mut dot, mut energy) = (0.0_f32, 1e-9_f32);
            for (a, b) in wanted.iter().zip(there) {
                dot += a * b;
                energy += b * b;
            }
            dot / energy.sqrt()
        };
        // The nearest of equals: silence stays where it is.
        let offsets = (0..=search).flat_map(|d| [d, -d]);
        let mut best = (0, f32::NEG_INFINITY);
        for offset in offsets {
            let fits = fit(&offset);
            if fits > best.1 {
                best = (offset, fits);
            }
        }
        place + best.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::{Hz8k, level};

    fn tone(hz: f32, len: usize) -> Pcm<Hz8k> {
        Pcm::from_f32(
            &(0..len).map(|i| 0.3 * (TAU * hz * i as f32 / 8_000.0).sin()).collect::<Vec<_>>(),
        )
    }

    /// Upward zero crossings a second, which is the pitch of a tone.
    fn pitch(audio: &Pcm<Hz8k>) -> f32 {
        let samples = &audio.samples()[400..audio.len() - 400];
        let crossings = samples.windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
        crossings as f32 * 8_000.0 / samples.len() as f32
    }

    #[test]
    fn a_slower_tone_is_longer_and_has_the_same_pitch_and_level() {
        for (rate, hz) in [(80, 110.0), (80, 233.0), (70, 170.0), (125, 200.0)] {
            let (audio, said) = (tone(hz, 16_000), stretch(&tone(hz, 16_000), rate));
            assert_eq!(said.len(), 1_600_000 / usize::from(rate));
            assert!((pitch(&said) - hz).abs() < 2.0, "{rate}%: {} Hz", pitch(&said));
            let louder = level::rms_dbfs(&said) - level::rms_dbfs(&audio);
            assert!(louder.abs() < 0.3, "{rate}%: {louder} dB");
        }
    }

    #[test]
    fn silence_stays_where_it_is_in_proportion() {
        let audio = Pcm::new([tone(200.0, 8_000).into_samples(), vec![0; 8_000]].concat());
        let said = stretch::<Hz8k>(&audio, 80);
        assert!(level::rms_dbfs(&Pcm::<Hz8k>::new(said.samples()[11_000..].to_vec())) < -90.0);
        assert!(level::rms_dbfs(&Pcm::<Hz8k>::new(said.samples()[..9_000].to_vec())) > -16.0);
    }

    proptest! {
        #[test]
        fn any_audio_at_any_rate_has_the_length_it_should(
            samples in prop::collection::vec(any::<i16>(), 0..1_500),
            rate in any::<u16>(),
        ) {
            let len = samples.len() as u64;
            let said = stretch::<Hz8k>(&Pcm::new(samples), rate);
            let rate = u64::from(rate.clamp(50, 200));
            prop_assert_eq!(said.len() as u64, len * 100 / rate);
        }
    }
}
