//! Whisper's mel filterbank: Slaney's scale, area-normalised, as librosa makes it.

/// Half the sample rate.
const TOP_HZ: f64 = 8_000.0;
const FFT: usize = 400;
/// Frequency bins of the power spectrum, 0 Hz to half the sample rate.
pub(super) const BINS: usize = FFT / 2 + 1;

/// `bands` filters of [`BINS`] weights each, row-major.
pub(super) fn filterbank(bands: usize) -> Vec<f32> {
    let step = mel(TOP_HZ) / (bands + 1) as f64;
    let mut edges: Vec<f64> = (0..=bands).map(|n| hertz(n as f64 * step)).collect();
    // Exactly, so that the highest bin weighs zero however exp() rounds here.
    edges.push(TOP_HZ);
    let bin_hz = TOP_HZ / (BINS - 1) as f64;
    edges
        .array_windows()
        .flat_map(|&[low, centre, high]| {
            (0..BINS).map(move |bin| {
                let hz = bin as f64 * bin_hz;
                let rising = -(low - hz) / (centre - low);
                let falling = (high - hz) / (high - centre);
                let weight = rising.min(falling);
                // Not max(): which zero it gives is left open, and the file's digest would be too.
                let weight = if weight < 0.0 { 0.0 } else { weight };
                (weight * (2.0 / (high - low))) as f32
            })
        })
        .collect()
}

/// Linear below 1 kHz, logarithmic above.
fn mel(hz: f64) -> f64 {
    if hz >= 1000.0 { 15.0 + (hz / 1000.0).ln() / log_step() } else { hz / (200.0 / 3.0) }
}

fn hertz(mel: f64) -> f64 {
    if mel >= 15.0 { 1000.0 * (log_step() * (mel - 15.0)).exp() } else { mel * 200.0 / 3.0 }
}

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mel_and_hertz_are_inverse() {
        for hz in [0.0, 440.0, 999.0, 1000.0, 4321.0, 8000.0] {
            assert!((hertz(mel(hz)) - hz).abs() < 1e-9, "{hz}");
        }
    }

    #[test]
    fn each_filter_has_unit_area() {
        // Wide bands only: the narrow low ones fall between bins.
        let filters = filterbank(20);
        for band in filters.chunks(BINS).skip(10) {
            let area: f32 = band.iter().sum::<f32>() * 40.0;
            assert!((area - 1.0).abs() < 0.02, "{area}");
        }
    }

    #[test]
    fn the_first_weights_are_librosas() {
        // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)[:2, :3]
        let filters = filterbank(80);
        assert_eq!(filters[0].to_bits(), (-0.0f32).to_bits());
        assert_eq!(filters[..3], [0.0, 0.024_862_595, 0.0]);
        assert_eq!(filters[BINS..BINS + 3], [0.0, 0.001_990_822, 0.022_871_772]);
    }
}
