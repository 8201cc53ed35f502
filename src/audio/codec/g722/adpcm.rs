//! The adaptive quantisers and predictors of ITU-T G.722, one for each half of the band. Names in
//! capitals are the blocks of the Recommendation, whose 16-bit arithmetic this repeats to the bit.

/// One half of the band, as coder and decoder know it alike.
#[derive(Debug, Clone)]
struct Band {
    /// The prediction, and the part of it that the zeros make.
    estimate: i32,
    from_zeros: i32,
    /// The scale factor's logarithm, and the factor.
    log: i32,
    scale: i32,
    /// Coefficients of poles and zeros.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// Latest first: reconstructed signals, partially reconstructed ones, quantised differences.
    signals: [i32; 2],
    partial: [i32; 2],
    differences: [i32; 6],
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            estimate: 0,
            from_zeros: 0,
            log: 0,
            scale,
            poles: [0; 2],
            zeros: [0; 6],
            signals: [0; 2],
            partial: [0; 2],
            differences: [0; 6],
        }
    }

    /// A code's quantised difference: `multiplier` of it in units of the scale factor.
    fn difference(&self, multiplier: i32) -> i32 {
        (self.scale * multiplier) >> 15
    }

    /// LOGSCL, SCALEL and their likes for the upper half, whose scale factor has two bits more.
    fn rescale(&mut self, step: i32, most: i32, bits: i32) {
        self.log = (((self.log * 127) >> 7) + step).clamp(0, most);
        let mantissa = EXP2[(self.log >> 6) as usize & 31];
        let shift = bits - (self.log >> 11);
        self.scale = if shift < 0 { mantissa << -shift } else { mantissa >> shift } << 2;
    }

    /// Adapts the predictor to the quantised difference of this sample and predicts the next.
    fn adapt(&mut self, difference: i32) {
        // RECONS, PARREC
        let signal = saturate(self.estimate + difference);
        let partial = saturate(self.from_zeros + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);
        // DELAYA
        self.signals = [signal, self.signals[0]];
        self.partial = [partial, self.partial[0]];
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        // FILTEP, FILTEZ, PREDIC
        let filter = |coefficients: &[i32], past: &[i32]| {
            let products = coefficients.iter().zip(past).map(|(c, x)| (c * saturate(x * 2)) >> 15);
            saturate(products.sum())
        };
        self.from_zeros = filter(&self.zeros, &self.differences);
        self.estimate = saturate(filter(&self.poles, &self.signals) + self.from_zeros);
    }

    /// UPPOL2, UPPOL1
    fn adapt_poles(&mut self, partial: i32) {
        let [same1, same2] = self.partial.map(|past| (past < 0) == (partial < 0));
        let [pole1, pole2] = self.poles;
        let four = saturate(pole1 * 4);
        let turned = if same1 { -four } else { four }.min(32_767);
        let second = (turned >> 7) + signed(same2, 128) + ((pole2 * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let first = saturate(signed(same1, 192) + ((pole1 * 32_640) >> 15));
        let limit = 15_360 - second;
        self.poles = [first.clamp(-limit, limit), second];
    }

    /// UPZERO
    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(self.differences) {
            let same = (past < 0) == (difference < 0);
            *zero = saturate(signed(same, step) + ((*zero * 32_640) >> 15));
        }
    }
}

/// The lower half, 0 to 4 kHz: six bits a sample, of which the predictor sees four.
#[derive(Debug, Clone)]
pub(super) struct Lower(Band);

impl Lower {
    pub(super) fn new() -> Self {
        Self(Band::new(32))
    }

    /// SUBTRA, QUANTL
    pub(super) fn encode(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.0.estimate);
        let size = if error < 0 { -(error + 1) } else { error };
        let scale = self.0.scale;
        let beyond = DECISIONS.iter().take_while(|level| size >= (**level * scale) >> 12).count();
        let interval = beyond as u8 + 1;
        let code = match (error < 0, interval) {
            (false, _) => 62 - interval,
            (true, 1 | 2) => 64 - interval,
            (true, _) => 34 - interval,
        };
        self.follow(code);
        code
    }

    /// INVQBL, RECONS, LIMIT
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let difference = self.0.difference(SIX_BITS[usize::from(code & 63)]);
        let sample = self.0.estimate + difference;
        self.follow(code & 63);
        sample.clamp(-16_384, 16_383)
    }

    fn follow(&mut self, code: u8) {
        let four = usize::from(code >> 2);
        let difference = self.0.difference(FOUR_BITS[four]);
        self.0.rescale(LOWER_STEPS[four], 18_432, 8);
        self.0.adapt(difference);
    }
}

/// The upper half, 4 to 8 kHz: two bits a sample.
#[derive(Debug, Clone)]
pub(super) struct Upper(Band);

impl Upper {
    pub(super) fn new() -> Self {
        Self(Band::new(8))
    }

    /// SUBTRA, QUANTH
    pub(super) fn encode(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.0.estimate);
        let size = if error < 0 { -(error + 1) } else { error };
        let large = size >= (564 * self.0.scale) >> 12;
        let code = u8::from(!large) | if error < 0 { 0 } else { 2 };
        self.follow(code);
        code
    }

    /// INVQAH, RECONS, LIMIT
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let before = self.0.estimate;
        let difference = self.follow(code & 3);
        (before + difference).clamp(-16_384, 16_383)
    }

    fn follow(&mut self, code: u8) -> i32 {
        let difference = self.0.difference(TWO_BITS[usize::from(code)]);
        self.0.rescale(if code & 1 == 0 { 798 } else { -214 }, 22_528, 10);
        self.0.adapt(difference);
        difference
    }
}

fn saturate(x: i32) -> i32 {
    x.clamp(i16::MIN.into(), i16::MAX.into())
}

fn signed(positive: bool, x: i32) -> i32 {
    if positive { x } else { -x }
}

/// Q6: where the intervals of the lower half's quantiser end, all but the last.
const DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// QM4: what the upper four of the lower half's six bits mean.
const FOUR_BITS: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// WL by way of RL42: how the lower half's scale factor goes on after each of them.
const LOWER_STEPS: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// QM6: what six bits mean.
const SIX_BITS: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// QM2: what the upper half's two bits mean.
const TWO_BITS: [i32; 4] = [-7408, -1616, 7408, 1616];

/// ILB: powers of two from 1 to 2, times 2,048.
const EXP2: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
