//! Synthesiser output made fit for the telephone: level, ends, rate.

use std::mem;

use crate::{
    audio::{Hz8k, Hz24k, Pcm, Rate, convert, level},
    speech::SpokenWords,
};

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
/// Resolution of the search for an end.
const FRAME_MS: u32 = 5;

/// A phrase at 8 kHz, at the common level plus `gain_db`, with at most 10 ms of silence at its ends.
pub(super) fn phrase(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    let mut phrase = level::trim_silence(&levelled(audio, gain_db), EDGE_MS);
    level::fade_in(&mut phrase, 3);
    level::fade_out(&mut phrase, EDGE_MS);
    phrase
}

/// A recorded prompt, made as loud as the voice, with at most 10 ms of silence at its ends.
pub(super) fn recorded(audio: Pcm<Hz8k>, gain_db: f32) -> Pcm<Hz8k> {
    let mut audio = level::trim_silence(&to_level(audio, gain_db), EDGE_MS);
    level::fade_in(&mut audio, 3);
    level::fade_out(&mut audio, EDGE_MS);
    audio
}

/// The words of one utterance apart, to be joined with others: at the common level as a whole plus
/// `gain_db`, with `margin_ms` more at each end than they take, for the joint. Those that `last`
/// marks are followed by a pause, which is cut off, as is what comes before the first and after them.
pub(super) fn words(
    spoken: &SpokenWords,
    last: &[bool],
    margin_ms: u32,
    gain_db: f32,
) -> Vec<Pcm<Hz8k>> {
    let audio = levelled(&spoken.audio, gain_db);
    let floor =
        (loudest(&levels(&audio, window::<Hz8k>(FRAME_MS))) - UNIT_EDGE_DB).max(SILENCE_DBFS);
    let margin = window::<Hz8k>(margin_ms);
    let scale = (Hz24k::HZ / Hz8k::HZ) as usize;
    let mut after_pause = true;
    spoken
        .spans
        .iter()
        .zip(last)
        .map(|(span, &last)| {
            let begins = mem::replace(&mut after_pause, last);
            let start = (span.start / scale).saturating_sub(if begins { 0 } else { margin });
            let end = (span.end / scale + if last { 0 } else { margin }).min(audio.len());
            let mut word = Pcm::new(audio.samples()[start.min(end)..end].to_vec());
            if begins {
                word = cut_front(&word, floor);
                level::fade_in(&mut word, 3);
            }
            if last {
                word = cut_back(&word, floor);
                level::fade_out(&mut word, UNIT_FADE_MS);
            }
            word
        })
        .collect()
}

fn cut_front(audio: &Pcm<Hz8k>, floor: f32) -> Pcm<Hz8k> {
    let window = window::<Hz8k>(FRAME_MS);
    let start = first_above(&levels(audio, window), floor) * window;
    Pcm::new(audio.samples()[start..].to_vec())
}

fn cut_back(audio: &Pcm<Hz8k>, floor: f32) -> Pcm<Hz8k> {
    let window = window::<Hz8k>(FRAME_MS);
    let last = levels(audio, window).iter().rposition(|&db| db > floor);
    let end = last.map_or(0, |last| (last + 1) * window).min(audio.len());
    Pcm::new(audio.samples()[..end].to_vec())
}

fn first_above(levels: &[f32], floor: f32) -> usize {
    levels.iter().position(|&db| db > floor).unwrap_or(0)
}

fn levelled(audio: &Pcm<Hz24k>, gain_db: f32) -> Pcm<Hz8k> {
    to_level(convert(audio), gain_db)
}

fn to_level(mut audio: Pcm<Hz8k>, gain_db: f32) -> Pcm<Hz8k> {
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
    use std::{f32::consts::TAU, iter};

    use super::*;

    /// Half a second of silence, `ms` of a 400 Hz tone, half a second of silence.
    fn padded_tone(amplitude: f32, ms: usize) -> Pcm<Hz24k> {
        let tone = (0..ms * 24).map(|i| amplitude * (TAU * 400.0 * i as f32 / 24_000.0).sin());
        let silence = || iter::repeat_n(0.0, 12_000);
        Pcm::from_f32(&silence().chain(tone).chain(silence()).collect::<Vec<_>>())
    }

    #[test]
    fn silence_at_the_ends_is_cut() {
        let len = phrase(&padded_tone(0.5, 1_000), 0.0).len();
        assert!((8_000..=8_320).contains(&len), "{len}");
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
    fn words_are_cut_apart_with_margins_for_the_joint_and_without_the_pauses() {
        // A word in two halves, a pause, a third.
        let audio = padded_tone(0.5, 400).into_samples().repeat(2);
        let spans = vec![0..16_800, 16_800..33_600, 33_600..audio.len()];
        let spoken = SpokenWords { audio: Pcm::new(audio), spans };
        let cut = words(&spoken, &[false, true, true], 6, 0.0);
        let ms: Vec<usize> = cut.iter().map(|word| word.len() / 8).collect();
        let expected = [206_usize, 206, 400];
        for (got, wanted) in ms.iter().zip(expected) {
            assert!(got.abs_diff(wanted) <= 10, "{ms:?} ms");
        }
    }

    #[test]
    fn silence_stays_silence() {
        assert!(phrase(&Pcm::silence(24_000), 0.0).is_empty());
        let spans = iter::once(0..24_000).collect();
        let nothing = SpokenWords { audio: Pcm::silence(24_000), spans };
        assert!(words(&nothing, &[true], 6, 0.0)[0].is_empty());
    }
}
