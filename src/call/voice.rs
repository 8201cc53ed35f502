//! How a turn of the caller sounds.

use super::player::FRAME;
use crate::{
    audio::{Hz8k, Pcm, level},
    dialog::Voice,
};

/// Frames below this level are pauses, dBFS; and frames so far below the loudest.
const PAUSE_DBFS: f32 = -50.0;
const BELOW_LOUDEST_DB: f32 = 25.0;

/// Level and length of the speech in `audio`; `None` when there is none.
pub(super) fn measure(audio: &Pcm<Hz8k>) -> Option<Voice> {
    let frames = audio.samples().chunks_exact(FRAME);
    let levels: Vec<f32> =
        frames.map(|frame| level::rms_dbfs(&Pcm::<Hz8k>::new(frame.to_vec()))).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let least = PAUSE_DBFS.max(loudest - BELOW_LOUDEST_DB);
    let speech: Vec<f32> = levels.into_iter().filter(|level| *level >= least).collect();
    if speech.is_empty() {
        return None;
    }
    let power: f32 = speech.iter().map(|level| 10_f32.powf(level / 10.0)).sum();
    let level = 10.0 * (power / speech.len() as f32).log10();
    let speech_ms = u32::try_from(speech.len() * 20).unwrap_or(u32::MAX);
    Some(Voice { level_cb: (level * 10.0).round() as i16, speech_ms, interrupts: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let mut audio = Pcm::new(vec![3_276; 8_000]);
        audio.extend(&Pcm::silence(16_000));
        let voice = measure(&audio).unwrap();
        assert_eq!((voice.level_cb, voice.speech_ms), (-200, 1_000));
        assert_eq!(measure(&Pcm::silence(8_000)), None);
        assert_eq!(measure(&Pcm::silence(0)), None);
    }
}
