//! Levels, gain, silence, fades and joints.

use super::{Pcm, Rate};

/// The level of digital silence, in dBFS.
const SILENCE_DBFS: f32 = -100.0;
/// A 10 ms window quieter than this is silence, in dBFS.
const TRIM_DBFS: f32 = -50.0;

/// Loudest sample after [`raise`]: -1 dBFS.
const RAISED_PEAK: f32 = 29_200.0;

/// Sound at least this loud for 5 ms can be heard on a telephone, in dBFS.
pub const AUDIBLE_DBFS: f32 = -45.0;

/// RMS level in dB relative to full scale; -100 for digital silence. A full-scale sine is -3.
pub fn rms_dbfs<R: Rate>(pcm: &Pcm<R>) -> f32 {
    dbfs(pcm.samples())
}

/// Where the first 5 ms begin that can be heard, in samples; of samples at the rate `R`.
pub fn audible_from<R: Rate>(samples: &[i16]) -> Option<usize> {
    let window = samples_in::<R>(5);
    samples.chunks(window).position(is_audible).map(|index| index * window)
}

/// Where the last 5 ms end that can be heard, in samples.
pub fn audible_until<R: Rate>(pcm: &Pcm<R>) -> Option<usize> {
    let window = samples_in::<R>(5);
    let last = pcm.samples().chunks(window).rposition(is_audible)?;
    Some(((last + 1) * window).min(pcm.len()))
}

/// Changes the level by `db`; samples that become too loud are clipped.
pub fn gain<R: Rate>(pcm: &mut Pcm<R>, db: f32) {
    let factor = 10_f32.powf(db / 20.0);
    scale(pcm.samples_mut(), |_| factor);
}

/// Raises the level by `db`; where samples would pass -1 dBFS, the 10 ms around them are raised less.
pub fn raise<R: Rate>(pcm: &mut Pcm<R>, db: f32) {
    let block = samples_in::<R>(10);
    let factor = 10_f32.powf(db / 20.0);
    let fits = |w: &[i16]| {
        let peak = w.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        (RAISED_PEAK / f32::from(peak.max(1))).min(factor)
    };
    let gains: Vec<f32> = pcm.samples().chunks(block).map(fits).collect();
    // At the edge of two blocks the smaller gain holds; in between it glides.
    let at_edge = |edge: usize| {
        let near = edge.saturating_sub(1)..(edge + 1).min(gains.len());
        gains[near].iter().copied().fold(factor, f32::min)
    };
    scale(pcm.samples_mut(), |i| {
        let (edge, part) = (i / block, (i % block) as f32 / block as f32);
        at_edge(edge) * (1.0 - part) + at_edge(edge + 1) * part
    });
}

/// Cuts silence (below -50 dBFS) from both ends, leaving up to `keep_ms` of it on each side.
/// Audio that is silent throughout becomes empty.
pub fn trim_silence<R: Rate>(pcm: &Pcm<R>, keep_ms: u32) -> Pcm<R> {
    let window = samples_in::<R>(10);
    let loud = |w: &[i16]| dbfs(w) >= TRIM_DBFS;
    let windows = || pcm.samples().chunks(window);
    let Some(first) = windows().position(loud) else { return Pcm::silence(0) };
    let last = windows().rposition(loud).unwrap_or(first);
    let keep = samples_in::<R>(keep_ms);
    let start = (first * window).saturating_sub(keep);
    let end = ((last + 1) * window + keep).min(pcm.len());
    Pcm::new(pcm.samples()[start..end].to_vec())
}

/// Raises the first `ms` linearly from silence.
pub fn fade_in<R: Rate>(pcm: &mut Pcm<R>, ms: u32) {
    let n = samples_in::<R>(ms).min(pcm.len());
    scale(&mut pcm.samples_mut()[..n], |i| i as f32 / n as f32);
}

/// Lowers the last `ms` linearly to silence.
pub fn fade_out<R: Rate>(pcm: &mut Pcm<R>, ms: u32) {
    let n = samples_in::<R>(ms).min(pcm.len());
    let start = pcm.len() - n;
    scale(&mut pcm.samples_mut()[start..], |i| (n - 1 - i) as f32 / n as f32);
}

/// Joins `parts` in order, each overlapping the one before by `overlap_ms` (less where a part is
/// shorter) in an equal-power cross-fade, so that the level holds through the joint.
pub fn join_crossfade<R: Rate>(parts: &[Pcm<R>], overlap_ms: u32) -> Pcm<R> {
    let mut joined: Vec<i16> = Vec::with_capacity(parts.iter().map(Pcm::len).sum());
    // The overlap may not reach back into an earlier joint.
    let mut last_len = 0;
    for part in parts {
        let overlap = samples_in::<R>(overlap_ms).min(part.len()).min(last_len);
        let start = joined.len() - overlap;
        for (i, (old, &new)) in joined[start..].iter_mut().zip(part.samples()).enumerate() {
            let angle = (i as f32 + 0.5) / overlap as f32 * std::f32::consts::FRAC_PI_2;
            *old = clip(f32::from(*old) * angle.cos() + f32::from(new) * angle.sin());
        }
        joined.extend_from_slice(&part.samples()[overlap..]);
        last_len = part.len() - overlap;
    }
    Pcm::new(joined)
}

fn is_audible(samples: &[i16]) -> bool {
    dbfs(samples) > AUDIBLE_DBFS
}

fn dbfs(samples: &[i16]) -> f32 {
    if samples.is_empty() {
        return SILENCE_DBFS;
    }
    let energy: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum();
    let rms = (energy / samples.len() as f64).sqrt() / 32_768.0;
    (20.0 * rms.log10() as f32).max(SILENCE_DBFS)
}

fn scale(samples: &mut [i16], factor: impl Fn(usize) -> f32) {
    for (i, s) in samples.iter_mut().enumerate() {
        *s = clip(f32::from(*s) * factor(i));
    }
}

/// Rounds to a sample; Rust's float-to-int casts saturate.
pub(super) fn clip(x: f32) -> i16 {
    x.round() as i16
}

fn samples_in<R: Rate>(ms: u32) -> usize {
    ms as usize * R::HZ as usize / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Hz8k, test_signals::tone};

    #[test]
    fn a_full_scale_sine_is_3_db_below_full_scale() {
        assert!((rms_dbfs(&tone::<Hz8k>(1_000.0, 32_767.0, 800)) + 3.01).abs() < 0.01);
    }

    #[test]
    fn digital_silence_has_a_finite_level() {
        assert_eq!(rms_dbfs(&Pcm::<Hz8k>::silence(80)), -100.0);
        assert_eq!(rms_dbfs(&Pcm::<Hz8k>::silence(0)), -100.0);
    }

    #[test]
    fn gain_changes_the_level_by_so_many_db_and_clips() {
        let mut quiet = tone::<Hz8k>(1_000.0, 3_000.0, 800);
        let before = rms_dbfs(&quiet);
        gain(&mut quiet, 6.0);
        assert!((rms_dbfs(&quiet) - before - 6.0).abs() < 0.05);
        gain(&mut quiet, 60.0);
        assert_eq!(quiet.samples().iter().max(), Some(&i16::MAX));
    }

    #[test]
    fn trimming_keeps_the_sound_and_a_little_silence() {
        let mut pcm = Pcm::<Hz8k>::silence(1_600);
        pcm.extend(&tone(440.0, 8_000.0, 800));
        pcm.extend(&Pcm::silence(2_400));
        assert_eq!(trim_silence(&pcm, 20).len(), 160 + 800 + 160);
        assert_eq!(trim_silence(&tone::<Hz8k>(440.0, 8_000.0, 805), 20).len(), 805);
        assert!(trim_silence(&Pcm::<Hz8k>::silence(999), 20).is_empty());
    }

    #[test]
    fn what_can_be_heard_is_found_to_5_ms() {
        let mut pcm = Pcm::<Hz8k>::silence(1_615);
        pcm.extend(&tone(440.0, 3_000.0, 800));
        pcm.extend(&tone(440.0, 60.0, 800));
        assert_eq!(
            (audible_from::<Hz8k>(pcm.samples()), audible_until(&pcm)),
            (Some(1_600), Some(2_440))
        );
        assert_eq!(audible_from::<Hz8k>(&[0; 999]), None);
        assert_eq!(audible_until(&Pcm::<Hz8k>::silence(0)), None);
    }

    #[test]
    fn fades_reach_silence_at_the_ends_only() {
        let mut pcm = Pcm::<Hz8k>::new(vec![10_000; 400]);
        fade_in(&mut pcm, 10);
        fade_out(&mut pcm, 10);
        assert_eq!((pcm.samples()[0], pcm.samples()[399]), (0, 0));
        assert!(pcm.samples()[80..320].iter().all(|&s| s == 10_000));
        fade_out(&mut Pcm::<Hz8k>::silence(3), 10);
    }

    #[test]
    fn a_joint_overlaps_and_keeps_the_level() {
        let parts = [tone::<Hz8k>(440.0, 8_000.0, 800), tone(657.0, 8_000.0, 800)];
        let joined = join_crossfade(&parts, 20);
        assert_eq!(joined.len(), 1_600 - 160);
        let middle = Pcm::<Hz8k>::new(joined.samples()[640..800].to_vec());
        assert!((rms_dbfs(&middle) - rms_dbfs(&parts[0])).abs() < 1.5);
    }

    #[test]
    fn joining_parts_shorter_than_the_overlap_loses_nothing_else() {
        let short = Pcm::<Hz8k>::new(vec![100; 30]);
        let joined = join_crossfade(&[short.clone(), Pcm::silence(0), short.clone(), short], 20);
        assert!(joined.len() >= 30);
        assert!(join_crossfade::<Hz8k>(&[], 20).is_empty());
    }
}
