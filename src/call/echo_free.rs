//! The caller's words without the bot's, which the caller's phone sends back between them.

use super::{hearing::Hearing, player::FRAME};
use crate::audio::{CallTime, Hz8k, Pcm, level};

/// What is nothing but echo is taken down by this much; dB. Not to silence, which sounds to a
/// recogniser like the end of the line.
const DEEPEST_DB: f32 = -30.0;
/// The gain glides from one frame's to the next within this; samples.
const GLIDE: usize = 40;

impl Hearing {
    /// The audio from `from` up to `to` for a recogniser: frames that are no louder than the echo
    /// of the bot may be are taken down, those in which the caller speaks over it stay.
    pub(super) fn speech(&self, from: CallTime, to: CallTime) -> Pcm<Hz8k> {
        let mut audio = self.cut(from, to);
        let oldest = self.heard - self.kept.len() as u64;
        let first = (from.samples().clamp(oldest, self.heard) - oldest) as usize;
        let mut before = self.gain(first / FRAME);
        let (mut done, mut frame) = (0, first / FRAME);
        while done < audio.len() {
            let end = ((frame + 1) * FRAME - first).min(audio.len());
            let gain = self.gain(frame);
            glide(&mut audio.samples_mut()[done..end], before, gain);
            (before, done, frame) = (gain, end, frame + 1);
        }
        audio
    }

    /// How much of a kept frame is the caller's: its power less that of the echo.
    fn gain(&self, frame: usize) -> f32 {
        let echo = self.echoes.get(frame).copied().unwrap_or(-100.0);
        if echo <= -100.0 {
            return 1.0;
        }
        let start = (frame * FRAME).min(self.kept.len());
        let end = (start + FRAME).min(self.kept.len());
        let level =
            level::rms_dbfs(&Pcm::<Hz8k>::new(self.kept.range(start..end).copied().collect()));
        let left = 1.0 - 10_f32.powf((echo - level) / 10.0);
        left.max(0.0).sqrt().max(10_f32.powf(DEEPEST_DB / 20.0))
    }
}

fn glide(samples: &mut [i16], from: f32, to: f32) {
    if from == 1.0 && to == 1.0 {
        return;
    }
    for (i, sample) in samples.iter_mut().enumerate() {
        let part = (i as f32 / GLIDE as f32).min(1.0);
        *sample = (f32::from(*sample) * (from + part * (to - from))) as i16;
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;
    use crate::call::hearing::Wanted;

    /// 20 ms of a tone.
    fn tone(hz: f32, amplitude: f32, frame: usize) -> Vec<f32> {
        (0..FRAME)
            .map(|i| amplitude * (TAU * hz * (frame * FRAME + i) as f32 / 8_000.0).sin())
            .collect()
    }

    /// The bot hums louder and quieter all the time; its phone returns it 20 dB lower; the caller
    /// speaks from 3 to 4 s.
    fn overheard() -> Hearing {
        let mut hearing = Hearing::new();
        for frame in 0..250 {
            let bot = tone(300.0, 0.3 * (1.2 + (frame as f32 * 0.7).sin()), frame);
            let caller = if (150..200).contains(&frame) { 0.3 } else { 0.0 };
            let caller = tone(170.0, caller, frame);
            let heard: Vec<f32> = bot.iter().zip(&caller).map(|(b, c)| 0.1 * b + c).collect();
            hearing.sent(&Pcm::from_f32(&bot));
            hearing.push(&Pcm::from_f32(&heard), Wanted::Now);
        }
        hearing
    }

    fn level(hearing: &Hearing, from_ms: u64, to_ms: u64) -> (f32, f32) {
        let (from, to) = (CallTime::from_ms(from_ms), CallTime::from_ms(to_ms));
        (level::rms_dbfs(&hearing.cut(from, to)), level::rms_dbfs(&hearing.speech(from, to)))
    }

    #[test]
    fn the_bot_is_taken_down_where_the_caller_is_silent() {
        let (heard, left) = level(&overheard(), 2_000, 2_900);
        assert!(left < heard - 20.0, "{heard} dBFS became {left}");
    }

    #[test]
    fn the_caller_stays() {
        let (heard, left) = level(&overheard(), 3_100, 3_900);
        assert!((heard - left).abs() < 1.0, "{heard} dBFS became {left}");
    }

    #[test]
    fn without_an_echo_nothing_is_touched() {
        let mut hearing = Hearing::new();
        for frame in 0..100 {
            hearing.push(&Pcm::from_f32(&tone(170.0, 0.01, frame)), Wanted::Now);
        }
        let all = (CallTime(33), CallTime(10_007));
        assert_eq!(hearing.speech(all.0, all.1), hearing.cut(all.0, all.1));
    }
}
