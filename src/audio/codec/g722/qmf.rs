//! The filters that halve the band and join the halves again (ITU-T G.722, TRANSMIT and RECEIVE
//! QMF).

const TAPS: usize = 24;
/// Every second of the 24 symmetric coefficients.
const COEFFICIENTS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// The last 24 samples, pair by pair.
#[derive(Debug, Clone)]
pub(super) struct Qmf([i32; TAPS]);

impl Qmf {
    pub(super) fn new() -> Self {
        Self([0; TAPS])
    }

    /// The lower and the upper half of two samples at 16 kHz.
    pub(super) fn split(&mut self, pair: [i16; 2]) -> (i32, i32) {
        let (even, odd) = self.filter(pair.map(i32::from));
        ((even + odd) >> 14, (even - odd) >> 14)
    }

    /// Two samples at 16 kHz of the lower and the upper half.
    pub(super) fn join(&mut self, lower: i32, upper: i32) -> [i16; 2] {
        let (even, odd) = self.filter([lower + upper, lower - upper]);
        let sample = |sum: i32| (sum >> 11).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        [sample(even), sample(odd)]
    }

    fn filter(&mut self, pair: [i32; 2]) -> (i32, i32) {
        self.0.copy_within(2.., 0);
        self.0[TAPS - 2..].copy_from_slice(&pair);
        let pairs = || self.0.chunks_exact(2);
        let even = pairs().zip(COEFFICIENTS.iter().rev()).map(|(pair, c)| pair[1] * c).sum();
        let odd = pairs().zip(&COEFFICIENTS).map(|(pair, c)| pair[0] * c).sum();
        (even, odd)
    }
}
