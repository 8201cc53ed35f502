//! Synthesiser output made fit for the telephone: level, ends, rate.

use std::ops::Range;

use crate::audio::{Hz8k, Hz24k, Pcm, Rate, convert, level};

/// Level of active speech, in dBFS RMS: what telephone networks are engineered for, near enough.
const SPEECH_DBFS: f32 = -20.0;
/// Loudest sample after levelling.
const PEAK_DBFS: f32 = -1.0;
/// Windows this far below the loudest are pauses, not speech.
const PAUSE_DB: f32 = 20.0;
/// Silence left at each end.
const EDGE_MS: u32 = 10;
/// A unit's ends are cut where they fall this far below its loudest part: the breath after a
/// single syllable would be heard as a gap.
const UNIT_EDGE_DB: f32 = 30.0;
/// Below this there is no sound at all.
const SILENCE_DBFS: f32 = -60.0;
const UNIT_FADE_MS: u32 = 12;
/// Resolution of the search for a syllable's end.
const FRAME_MS: u32 = 5;
/// A syllable takes at least this long and at most that long, in frames.
const SYLLABLE: Range<usize> = 28..84;
/// The closed lips before the carrier's b are at least this far below the syllable's vowel ...
const CLOSURE_DB: f32 = 14.0;
/// ... and the quietest moment within so many frames on both sides.
const CLOSURE_REACH: usize = 8;

/// A phrase at 8 kHz, at the common level plus `gain_db`, with at most 10 ms of silence at its ends.
pub(super) fn phrase(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    let mut phrase = level::trim_silence(&levelled(audio, gain_db), EDGE_MS);
    level::fade_in(&mut phrase, 3);
    level::fade_out(&mut phrase, EDGE_MS);
    phrase
}

/// A unit to be joined with others: as [`phrase`], but cut close.
pub(super) fn unit(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    let mut unit = levelled(&cut_close(audio), gain_db);
    level::fade_in(&mut unit, 3);
    level::fade_out(&mut unit, UNIT_FADE_MS);
    unit
}

/// The first syllable of `audio` as a unit: what comes before the lips close for the b that
/// begins the carrier after it.
pub(super) fn first_syllable(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    let window = window::<Hz24k>(FRAME_MS);
    let levels = levels(audio, window);
    let start = first_above(&levels, loudest(&levels) - UNIT_EDGE_DB);
    let smooth: Vec<f32> =
        levels.windows(3).map(|w| w.iter().sum::<f32>() / w.len() as f32).collect();
    let smooth = smooth.get(start..).unwrap_or_default();
    let end = (start + closure(smooth)) * window;
    let head = audio.samples()[..end.min(audio.len())].to_vec();
    unit(&Pcm::new(head), gain_db)
}

/// Frame of the first closure after the onset at frame 0; the quietest frame if none is clear.
fn closure(levels: &[f32]) -> usize {
    let around = |i: usize| {
        let end = (i + CLOSURE_REACH + 1).min(levels.len());
        &levels[i.saturating_sub(CLOSURE_REACH)..end]
    };
    let is_closure = |&i: &usize| {
        levels[i] <= loudest(&levels[..i]) - CLOSURE_DB
            && around(i).iter().all(|&db| levels[i] <= db)
    };
    let range = SYLLABLE.start.min(levels.len())..SYLLABLE.end.min(levels.len());
    range
        .clone()
        .find(is_closure)
        .or_else(|| range.min_by(|&a, &b| levels[a].total_cmp(&levels[b])))
        .unwrap_or(levels.len())
}

fn cut_close(audio: &Pcm<Hz24k>) -> Pcm<Hz24k> {
    let window = window::<Hz24k>(FRAME_MS);
    let levels = levels(audio, window);
    let floor = (loudest(&levels) - UNIT_EDGE_DB).max(SILENCE_DBFS);
    let Some(last) = levels.iter().rposition(|&db| db > floor) else { return Pcm::silence(0) };
    let start = first_above(&levels, floor) * window;
    let end = ((last + 1) * window).min(audio.len());
    Pcm::new(audio.samples()[start..end].to_vec())
}

fn first_above(levels: &[f32], floor: f32) -> usize {
    levels.iter().position(|&db| db > floor).unwrap_or(0)
}

fn levelled(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    let mut audio: Pcm<Hz8k> = convert(audio);
    let peak = audio.samples().iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
    if peak > 0 {
        let peak_dbfs = 20.0 * (f32::from(peak) / 32_768.0).log10();
        let wanted = SPEECH_DBFS + gain_db - active_dbfs(&audio);
        level::gain(&mut audio, wanted.min(PEAK_DBFS - peak_dbfs));
    }
    audio
}

/// RMS level of the windows in which there is speech.
fn active_dbfs(audio: &Pcm<Hz8k>) -> f32 {
    let levels = levels(audio, window::<Hz8k>(20));
    let floor = loudest(&levels) - PAUSE_DB;
    let active: Vec<f32> =
        levels.into_iter().filter(|&db| db > floor).map(|db| 10_f32.powf(db / 10.0)).collect();
    10.0 * (active.iter().sum::<f32>() / active.len().max(1) as f32).max(1e-10).log10()
}

fn levels<R: Rate>(audio: &Pcm<R>, window: usize) -> Vec<f32> {
    audio.samples().chunks(window).map(|w| level::rms_dbfs(&Pcm::<R>::new(w.to_vec()))).collect()
}

fn loudest(levels: &[f32]) -> f32 {
    levels.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

fn window<R: Rate>(ms: u32) -> usize {
    (ms * R::HZ / 1_000) as usize
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Half a second of silence, `ms` of a 400 Hz tone, half a second of silence.
    fn padded_tone(amplitude: f32, ms: usize) -> Pcm<Hz24k> {
        let tone = (0..ms * 24).map(|i| amplitude * (TAU * 400.0 * i as f32 / 24_000.0).sin());
        let silence = || std::iter::repeat_n(0.0, 12_000);
        Pcm::from_f32(&silence().chain(tone).chain(silence()).collect::<Vec<_>>())
    }

    #[test]
    fn silence_at_the_ends_is_cut() {
        let len = phrase(&padded_tone(0.5, 1_000), 0.0).len();
        assert!((8_000..=8_320).contains(&len), "{len}");
        let len = unit(&padded_tone(0.5, 400), 0.0).len();
        assert!((3_160..=3_320).contains(&len), "{len}");
    }

    #[test]
    fn loud_and_quiet_speech_come_out_equally_loud() {
        for amplitude in [0.02, 0.1, 0.9] {
            let db = active_dbfs(&phrase(&padded_tone(amplitude, 1_000), 0.0));
            assert!((db - SPEECH_DBFS).abs() < 0.7, "{amplitude}: {db} dBFS");
        }
    }

    #[test]
    fn gain_is_added_but_never_clips() {
        let db = active_dbfs(&phrase(&padded_tone(0.3, 1_000), 6.0));
        assert!((db - SPEECH_DBFS - 6.0).abs() < 0.7, "{db} dBFS");
        let loudest = phrase(&padded_tone(0.3, 1_000), 60.0);
        assert!(loudest.samples().iter().all(|s| s.unsigned_abs() < 32_000));
    }

    #[test]
    fn the_first_syllable_ends_where_the_lips_close() {
        let mut two = padded_tone(0.5, 300).into_samples();
        two.truncate(12_000 + 300 * 24);
        two.extend(std::iter::repeat_n(0, 50 * 24));
        two.extend(padded_tone(0.5, 300).into_samples().split_off(12_000));
        let len = first_syllable(&Pcm::new(two), 0.0).len();
        assert!((2_300..=2_500).contains(&len), "{len}");
    }

    #[test]
    fn silence_stays_silence() {
        assert!(first_syllable(&Pcm::silence(24_000), 0.0).is_empty());
        assert!(first_syllable(&Pcm::silence(0), 0.0).is_empty());
        assert!(phrase(&Pcm::silence(24_000), 0.0).is_empty());
        assert!(unit(&Pcm::silence(0), 0.0).is_empty());
    }
}
