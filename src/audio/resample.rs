use std::marker::PhantomData;

use rubato::{
    Fft, FixedSync, Resampler as _,
    audioadapter::{Adapter, AdapterMut},
    audioadapter_buffers::direct,
};

use super::{Pcm, Rate};

/// Samples (of the lower rate) that the one-shot filter spans: 32 ms at 8 kHz.
const ONE_SHOT_SPAN: usize = 256;

/// Converts a whole recording to another rate, band-limited, without delay. The result has
/// exactly `len * B / A` samples, rounded up.
pub fn convert<A: Rate, B: Rate>(pcm: &Pcm<A>) -> Pcm<B> {
    if A::HZ == B::HZ {
        return Pcm::new(pcm.samples().to_vec());
    }
    Pcm::from_f32(&convert_hz(&pcm.to_f32(), A::HZ, B::HZ))
}

/// [`convert`] between rates that are known only at run time.
pub(super) fn convert_hz(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to || samples.is_empty() {
        return samples.to_vec();
    }
    let block = ONE_SHOT_SPAN * (from as usize).div_ceil(from.min(to) as usize);
    let mut fft = new_fft(from, to, block);
    let mut out = vec![0.0; fft.process_all_needed_output_len(samples.len())];
    let produced = with_adapters(samples, &mut out, |input, output| {
        let (_, produced) = fft.process_all_into_buffer(input, output, samples.len(), None)?;
        Ok(produced)
    });
    out.truncate(produced);
    out
}

/// Converts a stream from rate `A` to rate `B`, band-limited, with a constant delay of 5 ms.
///
/// It works in blocks of 10 ms: for frames of 10 or 20 ms, each [`push`](Self::push) returns
/// exactly as much time as it was given.
pub struct Resampler<A: Rate, B: Rate> {
    fft: Fft<f32>,
    /// Samples that do not fill a block yet.
    pending: Vec<f32>,
    rates: PhantomData<(A, B)>,
}

impl<A: Rate, B: Rate> Resampler<A, B> {
    /// A resampler that has heard silence so far.
    pub fn new() -> Self {
        let block = A::HZ as usize / 100;
        Self { fft: new_fft(A::HZ, B::HZ, block), pending: Vec::new(), rates: PhantomData }
    }

    /// How late the output is, in samples of the rate `B`.
    pub fn delay(&self) -> usize {
        if A::HZ == B::HZ { 0 } else { self.fft.output_delay() }
    }

    /// Takes the next audio, of any length, and returns what is ready.
    pub fn push(&mut self, pcm: &Pcm<A>) -> Pcm<B> {
        if A::HZ == B::HZ {
            return Pcm::new(pcm.samples().to_vec());
        }
        self.pending.extend(pcm.to_f32());
        let (block_in, block_out) = (self.fft.input_frames_next(), self.fft.output_frames_next());
        let blocks = self.pending.len() / block_in;
        let mut out = vec![0.0; blocks * block_out];
        let ready = self.pending.chunks_exact(block_in).zip(out.chunks_exact_mut(block_out));
        for (input, output) in ready {
            with_adapters(input, output, |input, output| {
                let (_, produced) = self.fft.process_into_buffer(input, output, None)?;
                Ok(produced)
            });
        }
        self.pending.drain(..blocks * block_in);
        Pcm::from_f32(&out)
    }
}

impl<A: Rate, B: Rate> Default for Resampler<A, B> {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::expect_used, reason = "fails only for a rate or a block of zero")]
fn new_fft(from: u32, to: u32, block: usize) -> Fft<f32> {
    let (from, to) = (from as usize, to as usize);
    Fft::new(from, to, block, 1, FixedSync::Both).expect("rates and block are not zero")
}

/// Shows two mono slices to rubato and returns the number of samples that `work` produced.
#[expect(clippy::expect_used, reason = "fails only for a buffer that is too short; ours are not")]
fn with_adapters(
    input: &[f32],
    output: &mut [f32],
    work: impl FnOnce(&dyn Adapter<f32>, &mut dyn AdapterMut<f32>) -> rubato::ResampleResult<usize>,
) -> usize {
    let frames = output.len();
    let channels = [input];
    let input = direct::SequentialSliceOfSlices::new(&channels, 1, input.len());
    let mut channels = [output];
    let output = direct::SequentialSliceOfSlices::new_mut(&mut channels, 1, frames);
    work(&input.expect("one channel"), &mut output.expect("one channel")).expect("room enough")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{
        Hz8k, Hz16k, Hz24k,
        test_signals::{power_at, tone},
    };

    fn db(ratio: f64) -> f64 {
        10.0 * ratio.log10()
    }

    #[test]
    fn lengths_are_exact() {
        for n in [0, 1, 7, 159, 160, 161, 8_000, 12_345] {
            let pcm = Pcm::<Hz8k>::silence(n);
            assert_eq!(convert::<_, Hz16k>(&pcm).len(), 2 * n);
            assert_eq!(convert::<_, Hz24k>(&pcm).len(), 3 * n);
            assert_eq!(convert::<_, Hz8k>(&Pcm::<Hz24k>::silence(n)).len(), n.div_ceil(3));
        }
    }

    #[test]
    fn a_tone_keeps_its_level_and_phase() {
        let up = convert::<Hz8k, Hz16k>(&tone(1_000.0, 10_000.0, 4_000));
        let expected = tone::<Hz16k>(1_000.0, 10_000.0, 8_000);
        let worst = (400..7_600)
            .map(|i| (i32::from(up.samples()[i]) - i32::from(expected.samples()[i])).abs())
            .max();
        assert!(worst <= Some(10), "{worst:?}");
    }

    #[test]
    fn what_telephony_cannot_carry_does_not_fold_back() {
        // 5 kHz would appear at 3 kHz.
        let down = convert::<Hz24k, Hz8k>(&tone(5_000.0, 10_000.0, 24_000));
        let reference = power_at(&tone::<Hz8k>(3_000.0, 10_000.0, 8_000), 3_000.0);
        assert!(db(power_at(&down, 3_000.0) / reference) < -60.0);
    }

    #[test]
    fn no_image_appears_above_the_telephone_band() {
        // An unfiltered 3.4 kHz tone has its image at 4.6 kHz.
        let up = convert::<Hz8k, Hz16k>(&tone(3_400.0, 10_000.0, 8_000));
        assert!(db(power_at(&up, 4_600.0) / power_at(&up, 3_400.0)) < -60.0);
    }

    #[test]
    fn the_stream_returns_as_much_time_as_it_was_given() {
        let mut stream = Resampler::<Hz8k, Hz16k>::new();
        for frame in tone::<Hz8k>(300.0, 5_000.0, 1_600).samples().chunks(160) {
            assert_eq!(stream.push(&Pcm::new(frame.to_vec())).len(), 320);
        }
    }

    #[test]
    fn the_stream_is_a_delayed_copy_however_it_is_cut() {
        let source = tone::<Hz8k>(1_000.0, 10_000.0, 1_600);
        let mut stream = Resampler::<Hz8k, Hz16k>::new();
        let mut whole = Pcm::silence(0);
        for piece in source.samples().chunks(37) {
            whole.extend(&stream.push(&Pcm::new(piece.to_vec())));
        }
        let at_once = Resampler::<Hz8k, Hz16k>::new().push(&source);
        assert_eq!(whole.samples(), &at_once.samples()[..whole.len()]);

        let expected = tone::<Hz16k>(1_000.0, 10_000.0, 3_200);
        let delay = stream.delay();
        assert_eq!(delay, 80);
        let worst = (200..3_000)
            .map(|i| i32::from(at_once.samples()[i + delay]) - i32::from(expected.samples()[i]))
            .map(i32::abs)
            .max();
        assert!(worst <= Some(30), "{worst:?}");
    }

    #[test]
    fn the_stream_passes_the_telephone_band() {
        for hz in [300.0, 1_000.0, 2_000.0, 3_000.0] {
            let out = Resampler::<Hz8k, Hz16k>::new().push(&tone(hz, 10_000.0, 8_000));
            let steady = Pcm::<Hz16k>::new(out.samples()[1_600..].to_vec());
            let reference = power_at(&tone::<Hz16k>(hz, 10_000.0, steady.len()), hz);
            let loss = db(power_at(&steady, hz) / reference);
            assert!(loss.abs() < 1.0, "{hz} Hz: {loss} dB");
        }
    }
}
