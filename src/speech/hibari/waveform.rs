//! From the network's spectra to a waveform.
//!
//! For each 12.5 ms frame, the spectrum is a train of glottal pulses through a filter, plus
//! shaped noise, plus a part with its own phase:
//! `exp(harmonic) e^(iπ tanh(angle)) STFT(pulses) + exp(noise) Z + exp(rest) e^(i phase)`,
//! turned into samples by an inverse short-time Fourier transform.

use std::{
    f32::consts::{PI, TAU},
    sync::Arc,
};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

const FFT: usize = 1200;
const HOP: usize = 300;
const RATE: f64 = 24_000.0;
/// Frequency bins of a spectrum.
pub(super) const BINS: usize = FFT / 2 + 1;

/// Below this pitch a frame has no voice, in Hz.
const LOWEST_PITCH: f32 = 40.0;
/// Pulses have harmonics up to this frequency, in Hz.
const HIGHEST_HARMONIC: f32 = 11_000.0;

/// What the network predicts: for each bin in turn, one value per frame.
pub(super) struct Spectra {
    /// Log magnitude of the harmonic filter.
    pub(super) harmonic: Vec<f32>,
    /// Phase of the harmonic filter, before its squashing.
    pub(super) angle: Vec<f32>,
    /// Log magnitude of the noise.
    pub(super) noise: Vec<f32>,
    /// Log magnitude of the part with its own phase.
    pub(super) rest: Vec<f32>,
    /// That phase, in radians.
    pub(super) phase: Vec<f32>,
    /// Pitch in Hz; one value per frame.
    pub(super) pitch: Vec<f32>,
}

/// Makes waveforms at 24 kHz; the transforms are planned once.
pub(super) struct Vocoder {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
}

impl Vocoder {
    /// Plans the transforms.
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let hann = |n| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / FFT as f64).cos();
        Self {
            forward: planner.plan_fft_forward(FFT),
            inverse: planner.plan_fft_inverse(FFT),
            window: (0..FFT).map(|n| hann(n) as f32).collect(),
        }
    }

    /// The waveform, [`HOP`] samples a frame, in `-1.0..=1.0` but for rare peaks.
    ///
    /// `noise` gives independent standard normal samples.
    ///
    /// # Errors
    /// What is wrong with the shape of `spectra`.
    pub(super) fn render(
        &self,
        spectra: &Spectra,
        mut noise: impl FnMut() -> f32,
    ) -> Result<Vec<f32>, String> {
        let frames = spectra.check()?;
        if frames == 0 {
            return Ok(Vec::new());
        }
        let source = reflect_padded(&pulses(&spectra.pitch));
        let mut samples = vec![0.0_f32; (frames - 1) * HOP + FFT];
        let mut energy = vec![0.0_f32; samples.len()];
        let mut time = self.forward.make_input_vec();
        let mut spectrum = self.forward.make_output_vec();
        for frame in 0..frames {
            let at = frame * HOP..frame * HOP + FFT;
            for ((time, source), window) in
                time.iter_mut().zip(&source[at.clone()]).zip(&self.window)
            {
                // A harmonic of amplitude one then has magnitude one in the spectrum.
                *time = source * window / (FFT / 4) as f32;
            }
            self.forward.process(&mut time, &mut spectrum).map_err(|error| error.to_string())?;
            spectra.shape(frame, &mut spectrum, &mut noise);
            self.inverse.process(&mut spectrum, &mut time).map_err(|error| error.to_string())?;
            let overlap = samples[at.clone()].iter_mut().zip(&mut energy[at]);
            for (((sample, energy), time), window) in overlap.zip(&time).zip(&self.window) {
                *sample += time * window / FFT as f32;
                *energy += window * window;
            }
        }
        let whole = FFT / 2..FFT / 2 + frames * HOP;
        let normalized = samples[whole.clone()].iter().zip(&energy[whole]);
        Ok(normalized.map(|(sample, energy)| sample / energy.max(1e-11)).collect())
    }
}

impl Spectra {
    /// The number of frames.
    fn check(&self) -> Result<usize, String> {
        let frames = self.pitch.len();
        let parts = [&self.harmonic, &self.angle, &self.noise, &self.rest, &self.phase];
        match parts.iter().find(|part| part.len() != frames * BINS) {
            Some(part) => Err(format!("{} values for {frames} frames of {BINS} bins", part.len())),
            None => Ok(frames),
        }
    }

    /// Filters the pulses' `spectrum` at `frame` and adds the other parts.
    fn shape(&self, frame: usize, spectrum: &mut [Complex32], noise: &mut impl FnMut() -> f32) {
        let frames = self.pitch.len();
        for (bin, value) in spectrum.iter_mut().enumerate() {
            let at = bin * frames + frame;
            let filter =
                Complex32::from_polar(magnitude(self.harmonic[at]), PI * self.angle[at].tanh());
            let hiss = Complex32::new(noise(), noise()) * magnitude(self.noise[at]);
            let rest = Complex32::from_polar(magnitude(self.rest[at]), self.phase[at]);
            *value = *value * filter + hiss + rest;
        }
        // The spectrum of a real signal is real at both ends.
        for end in [0, BINS - 1] {
            spectrum[end].im = 0.0;
        }
    }
}

fn magnitude(log: f32) -> f32 {
    log.min(7.0).exp()
}

/// A pulse train that follows `pitch`, with every harmonic at amplitude one and no aliasing:
/// `Σ cos(ht) = sin((H + ½)t) / (2 sin(t/2)) - ½` for `h` in `1..=H`.
fn pulses(pitch: &[f32]) -> Vec<f32> {
    let mut turns = 0.0_f64;
    let pulse = |pitch: f32| {
        let clamped = pitch.max(LOWEST_PITCH);
        turns = (turns + f64::from(clamped) / RATE).fract();
        if pitch <= LOWEST_PITCH {
            return 0.0;
        }
        let t = turns as f32 * TAU;
        let harmonics = (HIGHEST_HARMONIC / clamped).floor() + 0.5;
        let below = 2.0 * (t / 2.0).sin();
        // At the pulse itself the quotient is 0/0, with this limit.
        let quotient = if below.abs() <= 2e-3 { harmonics } else { (harmonics * t).sin() / below };
        quotient - 0.5
    };
    (0..pitch.len() * HOP).map(|sample| pitch_at(pitch, sample)).map(pulse).collect()
}

/// Interpolates linearly between the middles of the frames.
fn pitch_at(pitch: &[f32], sample: usize) -> f32 {
    let last = pitch.len() - 1;
    let position = (sample as f32 % HOP as f32 + 0.5) / HOP as f32 - 0.5;
    let frame = sample / HOP;
    let neighbour = if position < 0.0 { frame.saturating_sub(1) } else { (frame + 1).min(last) };
    pitch[frame] * (1.0 - position.abs()) + pitch[neighbour] * position.abs()
}

/// `samples` with half a window of their mirror image at both ends.
fn reflect_padded(samples: &[f32]) -> Vec<f32> {
    let pad = FFT / 2;
    let period = 2 * (samples.len() - 1);
    let mirrored = |n: usize| {
        // Far enough right that the left padding is not below zero.
        let n = (n + period * pad - pad) % period;
        samples[n.min(period - n)]
    };
    (0..samples.len() + 2 * pad).map(mirrored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_come_at_the_pitch() {
        let train = pulses(&[100.0; 80]);
        let peaks: Vec<usize> = (0..train.len()).filter(|&n| train[n] > 100.0).collect();
        assert_eq!(peaks.len(), 100, "one second at 100 Hz");
        assert!(peaks.windows(2).all(|pair| (239..=241).contains(&(pair[1] - pair[0]))));
    }

    #[test]
    fn frames_without_pitch_are_silent() {
        assert!(pulses(&[0.0; 4]).iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn pitch_glides_between_frames() {
        assert_eq!(pitch_at(&[100.0, 200.0], 0), 100.0);
        assert!((pitch_at(&[100.0, 200.0], 300) - 150.0).abs() < 1.0);
        assert_eq!(pitch_at(&[100.0, 200.0], 599), 200.0);
    }

    #[test]
    fn padding_mirrors_without_the_edge() {
        let samples: Vec<f32> = (0..700).map(|n| n as f32).collect();
        let padded = reflect_padded(&samples);
        assert_eq!(padded.len(), 1900);
        assert_eq!([padded[0], padded[599], padded[600], padded[601]], [600.0, 1.0, 0.0, 1.0]);
        assert_eq!([padded[1299], padded[1300]], [699.0, 698.0]);
    }

    #[test]
    fn an_open_filter_gives_the_pulses_back() {
        let frames = 40;
        let flat = |value| vec![value; frames * BINS];
        let spectra = Spectra {
            harmonic: flat(((FFT / 4) as f32).ln()),
            angle: flat(0.0),
            noise: flat(-50.0),
            rest: flat(-50.0),
            phase: flat(0.0),
            pitch: vec![120.0; frames],
        };
        let rendered = Vocoder::new().render(&spectra, || 0.0).unwrap();
        let expected = pulses(&spectra.pitch);
        assert_eq!(rendered.len(), frames * HOP);
        for (a, b) in rendered.iter().zip(&expected).skip(600).take(frames * HOP - 1200) {
            assert!((a - b).abs() < 0.01, "{a} {b}");
        }
    }

    #[test]
    fn spectra_of_the_wrong_shape_are_refused() {
        let spectra = Spectra {
            harmonic: vec![0.0; 3],
            angle: Vec::new(),
            noise: Vec::new(),
            rest: Vec::new(),
            phase: Vec::new(),
            pitch: vec![100.0],
        };
        let error = Vocoder::new().render(&spectra, || 0.0).unwrap_err();
        assert_eq!(error, "3 values for 1 frames of 601 bins");
    }
}
