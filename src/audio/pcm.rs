use std::{marker::PhantomData, time::Duration};

/// A sample rate, known at compile time.
pub trait Rate: Clone + Copy + Send + Sync + 'static {
    /// Samples per second.
    const HZ: u32;
}

/// 8 kHz: G.711, the telephone network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hz8k;
/// 16 kHz: speech recognition and voice-activity models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hz16k;
/// 24 kHz: speech synthesis models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hz24k;

impl Rate for Hz8k {
    const HZ: u32 = 8_000;
}
impl Rate for Hz16k {
    const HZ: u32 = 16_000;
}
impl Rate for Hz24k {
    const HZ: u32 = 24_000;
}

/// Mono 16-bit linear audio at the rate `R`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm<R: Rate> {
    samples: Vec<i16>,
    rate: PhantomData<R>,
}

impl<R: Rate> Pcm<R> {
    /// Wraps samples that are already at the rate `R`.
    pub fn new(samples: Vec<i16>) -> Self {
        Self { samples, rate: PhantomData }
    }

    /// `len` samples of digital silence.
    pub fn silence(len: usize) -> Self {
        Self::new(vec![0; len])
    }

    /// Converts model output in `-1.0..=1.0`; louder samples are clipped.
    pub fn from_f32(samples: &[f32]) -> Self {
        Self::new(samples.iter().map(|s| (s.clamp(-1.0, 1.0) * 32_767.0).round() as i16).collect())
    }

    /// The samples as `-1.0..1.0`, as models want them.
    pub fn to_f32(&self) -> Vec<f32> {
        self.samples.iter().map(|&s| f32::from(s) / 32_768.0).collect()
    }

    /// The samples.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// The samples, for changing in place.
    pub fn samples_mut(&mut self) -> &mut [i16] {
        &mut self.samples
    }

    /// Gives the samples away.
    pub fn into_samples(self) -> Vec<i16> {
        self.samples
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Adds `more` at the end.
    pub fn extend(&mut self, more: &Self) {
        self.samples.extend_from_slice(&more.samples);
    }

    /// How long it sounds.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.samples.len() as u64 * 1_000_000_000 / u64::from(R::HZ))
    }
}
