use super::{Hz8k, Pcm};

/// A second of tone, four of silence (ITU-T E.180; China and most of Europe).
const ON: usize = 8_000;
const PERIOD: usize = 40_000;
/// 425 Hz repeats after so many samples, in which it swings so often.
const CYCLE: usize = 320;
const SWINGS: f32 = 17.0;
/// About -15 dBm0.
const PEAK: f32 = 5_600.0;
/// The tone begins and ends softly, so that it does not click.
const RAMP: usize = 40;

/// The tone that tells a caller that it rings at the other end.
#[derive(Debug, Clone, Default)]
pub struct Ringback {
    at: usize,
}

impl Ringback {
    /// The next `len` samples.
    pub fn next(&mut self, len: usize) -> Pcm<Hz8k> {
        let samples = (self.at..self.at + len).map(|at| sample(at % PERIOD)).collect();
        self.at = (self.at + len) % PERIOD;
        Pcm::new(samples)
    }
}

fn sample(at: usize) -> i16 {
    if at >= ON {
        return 0;
    }
    let gain = at.min(ON - at).min(RAMP) as f32 / RAMP as f32;
    let phase = (at % CYCLE) as f32 / CYCLE as f32 * SWINGS;
    (PEAK * gain * (phase * std::f32::consts::TAU).sin()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sounds_for_a_second_in_five() {
        let mut tone = Ringback::default();
        let loud = |pcm: &Pcm<Hz8k>| pcm.samples().iter().any(|s| s.abs() > 5_000);
        let seconds: Vec<bool> = (0..10).map(|_| loud(&tone.next(8_000))).collect();
        let cycle = [true, false, false, false, false];
        assert_eq!(seconds, [cycle, cycle].concat());
    }

    #[test]
    fn it_swings_425_times_a_second() {
        let tone = Ringback::default().next(8_000);
        let rises = tone.samples().windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
        assert!((423..=426).contains(&rises), "{rises}");
    }
}
