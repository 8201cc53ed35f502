use std::collections::VecDeque;

use super::level::level_db;
use crate::audio::{Hz8k, Pcm};

/// Delays that are looked at: 0 to 400 ms in frames of 20 ms.
const DELAYS: usize = 21;
/// Quieter frames of the bot leave no echo that could be taken for speech; dB.
const BOT_AUDIBLE_DB: f32 = -42.0;
/// Until so many audible frames of the bot have been compared, an echo this much quieter is assumed.
const UNKNOWN: u32 = 50;
const UNKNOWN_LOSS_DB: f32 = 20.0;
/// Frames over which a path is averaged: 3 s of the bot's speech.
const MEMORY: u32 = 150;
/// The loss of a path that is there is steady: its standard deviation is below this; dB.
const STEADY_DB: f32 = 4.5;
/// What is so much louder than the echo is the caller, of whom nothing is to be learnt; dB.
const CALLER_DB: f32 = 8.0;

/// Where the bot's own voice comes back from the caller's phone, and how loud: speech that is no louder
/// is not the caller's.
///
/// The level of an echo follows the level of what was sent, at one delay and with one loss. Of all
/// delays up to 400 ms, that with the steadiest loss is the path, if it is steady at all. Only levels are
/// compared, so a path may distort and need not keep its phase.
#[derive(Debug, Clone)]
pub struct EchoGate {
    /// Levels of what was sent, latest first; dB.
    sent: VecDeque<f32>,
    paths: [Path; DELAYS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Path {
    frames: u32,
    loss: f32,
    variance: f32,
}

impl Default for EchoGate {
    fn default() -> Self {
        Self { sent: VecDeque::from(vec![-100.0; DELAYS + 1]), paths: [Path::default(); DELAYS] }
    }
}

impl EchoGate {
    /// The bot's next 20 ms, as sent.
    pub fn sent(&mut self, frame: &Pcm<Hz8k>) {
        self.sent.pop_back();
        self.sent.push_front(level_db(frame.samples()));
    }

    /// The caller's next 20 ms: how loud the echo in it may be, in dB relative to full scale; -100
    /// without any.
    pub fn heard(&mut self, frame: &Pcm<Hz8k>) -> f32 {
        let level = level_db(frame.samples());
        let expected = self.expected();
        if level < expected + CALLER_DB || self.path().is_none() {
            for (path, &sent) in self.paths.iter_mut().zip(&self.sent) {
                if sent > BOT_AUDIBLE_DB {
                    path.compare(sent - level);
                }
            }
        }
        expected
    }

    /// The delay of the echo in frames of 20 ms, and its loss in dB, once there certainly is one.
    pub fn path(&self) -> Option<(usize, f32)> {
        let known = self.paths.iter().enumerate().filter(|(_, path)| path.frames >= UNKNOWN);
        let (delay, path) = known.min_by(|a, b| a.1.variance.total_cmp(&b.1.variance))?;
        (path.variance < STEADY_DB * STEADY_DB).then_some((delay, path.loss))
    }

    fn expected(&self) -> f32 {
        let loudest = |from: usize, to: usize| {
            self.sent.range(from..=to).fold(-100f32, |loudest, level| loudest.max(*level))
        };
        match self.path() {
            Some((delay, loss)) => loudest(delay.saturating_sub(1), delay + 1) - loss,
            None if self.paths[0].frames < UNKNOWN => loudest(0, DELAYS) - UNKNOWN_LOSS_DB,
            None => -100.0,
        }
    }
}

impl Path {
    fn compare(&mut self, loss: f32) {
        self.frames = (self.frames + 1).min(MEMORY);
        let part = 1.0 / self.frames as f32;
        let apart = loss - self.loss;
        self.loss += part * apart;
        self.variance += part * (apart * (loss - self.loss) - self.variance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Syllables: 20 ms frames whose loudness goes up and down, different for each `seed`.
    fn speech(frames: usize, peak: f32, seed: u32) -> Vec<Pcm<Hz8k>> {
        let mut noise = seed;
        let mut random = move || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let mut loud = 0.0f32;
        let frame = |i: usize| {
            if i.is_multiple_of(7) {
                loud = random().abs();
            }
            let peak = peak * loud * (1.0 + (i as f32).sin()) / 2.0;
            Pcm::new((0..160).map(|_| (peak * random()) as i16).collect())
        };
        (0..frames).map(frame).collect()
    }

    fn scaled(frame: &Pcm<Hz8k>, db: f32) -> Vec<f32> {
        frame.samples().iter().map(|s| f32::from(*s) * 10f32.powf(db / 20.0)).collect()
    }

    /// The bot's `speech` and its echo `db` lower, `delay` frames later, with faint noise.
    fn hear_echo(gate: &mut EchoGate, speech: &[Pcm<Hz8k>], delay: usize, db: f32) {
        hear_both(gate, speech, &[], delay, db);
    }

    /// The same with a caller in it.
    fn hear_both(
        gate: &mut EchoGate,
        speech: &[Pcm<Hz8k>],
        caller: &[Pcm<Hz8k>],
        delay: usize,
        db: f32,
    ) {
        let mut caller = caller.iter();
        for (i, frame) in speech.iter().enumerate() {
            let echo = match i.checked_sub(delay) {
                Some(earlier) => scaled(&speech[earlier], db),
                None => vec![0.0; 160],
            };
            gate.sent(frame);
            let caller = caller.next().map_or(vec![0; 160], |frame| frame.samples().to_vec());
            let noise = |n: usize| (n % 13) as f32 - 6.0;
            let heard = echo.iter().zip(caller).enumerate();
            let heard = heard.map(|(n, (echo, s))| (echo + f32::from(s) + noise(n)) as i16);
            gate.heard(&Pcm::new(heard.collect()));
        }
    }

    #[test]
    fn an_echo_is_found_with_its_delay_and_loss() {
        for (delay, db) in [(1, -20.0), (6, -20.0), (15, -12.0), (3, -26.0)] {
            let mut gate = EchoGate::default();
            hear_echo(&mut gate, &speech(200, 12_000.0, 1), delay, db);
            let (found, loss) = gate.path().expect("an echo");
            assert_eq!(found, delay);
            assert!((loss + db).abs() < 2.0, "{db} dB, found {loss}");
        }
    }

    #[test]
    fn a_quiet_line_has_none() {
        let mut gate = EchoGate::default();
        hear_echo(&mut gate, &speech(300, 12_000.0, 1), 0, -100.0);
        assert_eq!(gate.path(), None);
        assert_eq!(gate.heard(&Pcm::silence(160)), -100.0);
    }

    #[test]
    fn a_caller_who_talks_all_the_time_is_no_echo() {
        let mut gate = EchoGate::default();
        hear_both(&mut gate, &speech(300, 12_000.0, 1), &speech(300, 9_000.0, 77), 0, -100.0);
        assert_eq!(gate.path(), None);
    }

    #[test]
    fn a_caller_over_the_echo_does_not_hide_it() {
        let mut gate = EchoGate::default();
        let (bot, caller) = (speech(400, 12_000.0, 1), speech(400, 9_000.0, 77));
        hear_echo(&mut gate, &bot[..200], 5, -20.0);
        hear_both(&mut gate, &bot[200..], &caller[200..], 5, -20.0);
        assert_eq!(gate.path().map(|(delay, _)| delay), Some(5));
    }
}
