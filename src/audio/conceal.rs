use super::{Hz8k, Pcm, level::clip};

/// Longest and shortest pitch period, in samples at 8 kHz: 66 to 200 Hz.
const PITCH_MAX: usize = 120;
const PITCH_MIN: usize = 40;
/// Three of the longest periods and the quarter of one that smooths their joint.
const HISTORY: usize = 3 * PITCH_MAX + PITCH_MAX / 4;
/// Audio that the pitch is estimated from: 20 ms.
const CORRELATED: usize = 160;
/// 10 ms, the step in which repetition gets more varied and fainter.
const STEP: usize = 80;
/// Nothing is left after 60 ms.
const FADED: usize = 6 * STEP;

/// Packet loss concealment in the manner of ITU-T G.711 Appendix I: the last pitch period is
/// repeated (from 10 ms on the last two, from 20 ms on three), fading to silence over 60 ms.
///
/// Unlike the Appendix it adds no delay: where it bridges the start of a gap by changing the
/// audio before it, this removes the step there with a short ramp.
#[derive(Debug, Clone)]
pub struct Concealer {
    /// The last audio that was heard or made up; while a gap lasts, the audio before it.
    history: Vec<f32>,
    /// Where the oldest of it is; while a gap lasts, at the beginning.
    oldest: usize,
    gap: Option<Gap>,
}

/// A gap being filled.
#[derive(Debug, Clone)]
struct Gap {
    /// Pitch period in samples.
    pitch: usize,
    /// Samples made up so far.
    len: usize,
    /// What was made up, to become history when the gap ends.
    made: Vec<f32>,
}

impl Concealer {
    /// A concealer that has heard silence so far.
    pub fn new() -> Self {
        Self { history: vec![0.0; HISTORY], oldest: 0, gap: None }
    }

    /// Takes the next audio that did arrive, of any length. After a gap its beginning is
    /// cross-faded in place with the continuation of what was made up.
    pub fn good(&mut self, frame: &mut Pcm<Hz8k>) {
        if let Some(mut gap) = self.gap.take() {
            self.fade_back(&mut gap, frame);
            self.remember(gap.made.into_iter());
        }
        self.remember(frame.samples().iter().map(|&s| f32::from(s)));
    }

    /// Makes up the next `n` samples in place of audio that did not arrive.
    pub fn lost(&mut self, n: usize) -> Pcm<Hz8k> {
        if self.gap.is_none() && self.is_silent() {
            // Nothing to repeat, and nothing that the next audio must be blended with.
            return Pcm::silence(n);
        }
        let mut gap = self.gap.take().unwrap_or_else(|| {
            self.history.rotate_left(self.oldest);
            self.oldest = 0;
            Gap { pitch: pitch_period(&self.history), len: 0, made: Vec::new() }
        });
        let audio: Vec<f32> = (0..n).map(|i| self.made_up(&gap, gap.len + i)).collect();
        gap.len += n;
        gap.made.extend(&audio);
        let excess = gap.made.len().saturating_sub(HISTORY);
        gap.made.drain(..excess);
        self.gap = Some(gap);
        Pcm::new(audio.into_iter().map(clip).collect())
    }

    /// Whether [`lost`](Self::lost) has nothing but silence to return: nothing was heard, or the
    /// gap has lasted too long.
    pub fn is_silent(&self) -> bool {
        self.gap.as_ref().is_some_and(|gap| gap.len >= FADED)
            || self.history.iter().all(|&x| x == 0.0)
    }

    /// The overlap is a quarter period and 4 ms for each 10 ms of gap, at most 10 ms.
    fn fade_back(&self, gap: &mut Gap, frame: &mut Pcm<Hz8k>) {
        let overlap = (gap.pitch / 4 + gap.len / STEP * 32).min(STEP).min(frame.len());
        for (i, sample) in frame.samples_mut()[..overlap].iter_mut().enumerate() {
            let weight = (i + 1) as f32 / (overlap + 1) as f32;
            let continued = self.made_up(gap, gap.len + i);
            *sample = clip(f32::from(*sample) * weight + continued * (1.0 - weight));
        }
    }

    /// Sample `at` of the gap.
    fn made_up(&self, gap: &Gap, at: usize) -> f32 {
        if at >= FADED {
            return 0.0;
        }
        let quarter = gap.pitch / 4;
        let periods = (at / STEP + 1).min(3);
        let mut x = self.repeated(gap.pitch, periods, at);
        let into_step = at % STEP;
        if (1..3).contains(&(at / STEP)) && into_step < quarter {
            let weight = (into_step + 1) as f32 / (quarter + 1) as f32;
            x = x * weight + self.repeated(gap.pitch, periods - 1, at) * (1.0 - weight);
        }
        if at < quarter {
            // The step between the end of the history and the period that is repeated.
            let step = self.history[HISTORY - 1] - self.history[HISTORY - 1 - gap.pitch];
            x += step * (1.0 - (at + 1) as f32 / (quarter + 1) as f32);
        }
        let faded = at.saturating_sub(STEP) as f32 / (FADED - STEP) as f32;
        x * (1.0 - faded)
    }

    /// Sample `at` of the last `periods` periods, repeated without end. The last quarter period
    /// before each repetition is blended with what came before the first.
    fn repeated(&self, pitch: usize, periods: usize, at: usize) -> f32 {
        let len = pitch * periods;
        let start = HISTORY - len;
        let quarter = pitch / 4;
        let i = at % len;
        let x = self.history[start + i];
        match (i + quarter).checked_sub(len) {
            None => x,
            Some(j) => {
                let weight = (j + 1) as f32 / (quarter + 1) as f32;
                x * (1.0 - weight) + self.history[start - quarter + j] * weight
            }
        }
    }

    /// Puts `audio` in the place of the oldest. It is done for every frame, so nothing is moved.
    fn remember(&mut self, audio: impl ExactSizeIterator<Item = f32>) {
        let len = audio.len();
        let mut audio = audio.skip(len.saturating_sub(HISTORY));
        let (newer, older) = self.history.split_at_mut(self.oldest);
        for (place, sample) in older.iter_mut().zip(&mut audio) {
            *place = sample;
        }
        for (place, sample) in newer.iter_mut().zip(&mut audio) {
            *place = sample;
        }
        self.oldest = (self.oldest + len.min(HISTORY)) % HISTORY;
    }
}

impl Default for Concealer {
    fn default() -> Self {
        Self::new()
    }
}

/// The lag at which the end of `history` resembles itself most (normalised cross-correlation).
fn pitch_period(history: &[f32]) -> usize {
    let recent = &history[HISTORY - CORRELATED..];
    let likeness = |lag: usize| {
        let earlier = &history[HISTORY - CORRELATED - lag..HISTORY - lag];
        let product: f32 = recent.iter().zip(earlier).map(|(a, b)| a * b).sum();
        let energy: f32 = earlier.iter().map(|x| x * x).sum();
        product / energy.max(CORRELATED as f32).sqrt()
    };
    (PITCH_MIN..=PITCH_MAX)
        .map(|lag| (lag, likeness(lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(PITCH_MAX, |(lag, _)| lag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::test_signals::{power_at, voiced};

    const FRAME: usize = 160;

    /// Plays `source`, losing the frames that `is_lost` names, and returns what is heard.
    fn play(source: &Pcm<Hz8k>, is_lost: impl Fn(usize) -> bool) -> Pcm<Hz8k> {
        let mut concealer = Concealer::new();
        let mut heard = Pcm::silence(0);
        for (i, frame) in source.samples().chunks(FRAME).enumerate() {
            if is_lost(i) {
                heard.extend(&concealer.lost(frame.len()));
            } else {
                let mut frame = Pcm::new(frame.to_vec());
                concealer.good(&mut frame);
                heard.extend(&frame);
            }
        }
        heard
    }

    /// Signal-to-noise ratio in dB.
    fn snr(clean: &[i16], heard: &[i16]) -> f64 {
        let signal: f64 = clean.iter().map(|&s| f64::from(s).powi(2)).sum();
        let noise: f64 =
            clean.iter().zip(heard).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
        10.0 * (signal / noise.max(1.0)).log10()
    }

    /// How far the levels in bands of the telephone range are apart, in dB; below -78 dBFS all
    /// is silence.
    fn spectral_distance(a: &[i16], b: &[i16]) -> f64 {
        let bands = || (1..=16).map(|i| f64::from(i) * 200.0);
        let level =
            |x: &[i16], hz| 10.0 * power_at(&Pcm::<Hz8k>::new(x.to_vec()), hz).max(1.0).log10();
        bands().map(|hz| (level(a, hz) - level(b, hz)).abs()).sum::<f64>() / 16.0
    }

    fn largest_step(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn without_loss_nothing_changes() {
        let source = voiced(3_200);
        assert_eq!(play(&source, |_| false), source);
    }

    #[test]
    fn lost_frames_of_a_vowel_are_closer_to_it_than_silence_is() {
        let source = voiced(16_000);
        let lost = |i: usize| i > 3 && i.is_multiple_of(7);
        let heard = play(&source, lost);
        let ratios: Vec<f64> = (0..100)
            .filter(|&i| lost(i))
            .map(|i| i * FRAME..(i + 1) * FRAME)
            .map(|at| snr(&source.samples()[at.clone()], &heard.samples()[at]))
            .collect();
        // Silence has 0 dB; the pitch of this vowel glides.
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        assert!(mean > 5.0, "{mean:.1} dB of {ratios:.1?}");
        assert!(ratios.iter().all(|&r| r > 0.0), "{ratios:.1?}");
    }

    #[test]
    fn lost_frames_of_human_speech_sound_more_like_it_than_silence_does() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/speech");
        let Ok(files) = std::fs::read_dir(folder) else {
            println!("skipped: there is no speech in {folder}");
            return;
        };
        let (mut concealed, mut silent, mut lost) = (0.0, 0.0, 0);
        for path in files.map(|f| f.unwrap().path()) {
            let Ok(source) = crate::audio::read_8k(&path) else { continue };
            let heard = play(&source, |i| i % 10 == 9);
            let frames = source.samples().chunks(FRAME).zip(heard.samples().chunks(FRAME));
            for (clean, heard) in frames.skip(9).step_by(10) {
                concealed += spectral_distance(clean, heard);
                silent += spectral_distance(clean, &[0; FRAME][..clean.len()]);
                lost += 1;
            }
        }
        let (concealed, silent) = (concealed / f64::from(lost), silent / f64::from(lost));
        println!("{lost} lost frames: {concealed:.1} dB off, silence {silent:.1} dB");
        assert!(concealed < silent / 2.0, "{concealed:.1} dB against {silent:.1} dB");
    }

    #[test]
    fn a_long_gap_is_silent_after_60_ms() {
        let heard = play(&voiced(3_200), |i| i >= 8);
        let gap = &heard.samples()[8 * FRAME..];
        assert!(gap[..FRAME].iter().any(|&s| s.abs() > 1_000));
        assert!(gap[FADED..].iter().all(|&s| s == 0));
    }

    #[test]
    fn neither_end_of_a_gap_clicks() {
        let source = voiced(8_000);
        for length in 1..=5 {
            let heard = play(&source, |i| (20..20 + length).contains(&i));
            let (clean, heard) = (largest_step(source.samples()), largest_step(heard.samples()));
            assert!(heard <= clean * 5 / 4, "{length} frames: {heard} against {clean}");
        }
    }

    #[test]
    fn silence_conceals_as_silence() {
        assert!(Concealer::new().lost(500).samples().iter().all(|&s| s == 0));
    }

    #[test]
    fn loud_noise_and_odd_lengths_are_no_trouble() {
        let mut concealer = Concealer::new();
        for n in [1, 0, 3, 481, 160] {
            let square = (0..n).map(|i| if i / 13 % 2 == 0 { i16::MAX } else { i16::MIN });
            concealer.good(&mut Pcm::new(square.collect()));
            assert_eq!(concealer.lost(n + 1).len(), n + 1);
        }
    }
}
