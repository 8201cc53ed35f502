//! What the caller said: the latest audio, where speech is in it, and stretches cut from it.

use std::collections::VecDeque;

use crate::{
    audio::{CallTime, Hz8k, Pcm},
    conversation::Input,
    speech::vad::{EchoGate, SpeechDetector, SpeechEdge, VadConfig},
};

/// Audio kept while the caller speaks, in samples: longer than the longest turn with its pre-roll.
const KEPT: usize = 40 * 8_000;
/// Audio kept while the caller is silent, in samples: enough to look back at a turn just ended.
const KEPT_IN_SILENCE: usize = 8 * 8_000;
/// Silence after which no turn can still be open, in samples.
const SILENCE: u64 = 5 * 8_000;

/// The caller's audio on the call's clock. Nothing is gated: the detector only marks.
pub(super) struct Hearing {
    kept: VecDeque<i16>,
    heard: u64,
    speaking: bool,
    silent_since: u64,
    detector: SpeechDetector,
    likely: Option<CallTime>,
    echo: EchoGate,
}

impl Hearing {
    pub(super) fn new() -> Self {
        let detector = SpeechDetector::new(VadConfig::default());
        Self {
            kept: VecDeque::new(),
            heard: 0,
            speaking: false,
            silent_since: 0,
            detector,
            likely: None,
            echo: EchoGate::default(),
        }
    }

    /// Notes what the bot sent: it may come back as an echo.
    pub(super) fn sent(&mut self, frame: &Pcm<Hz8k>) {
        self.echo.sent(frame);
    }

    /// Takes the next frame; tells where speech starts or stops.
    pub(super) fn push(&mut self, frame: &Pcm<Hz8k>) -> Option<Input> {
        self.kept.extend(frame.samples());
        self.heard += frame.len() as u64;
        let edge = self.detector.push_over(frame, self.echo.heard(frame));
        if edge.is_some() {
            self.speaking = self.detector.is_speech();
            self.silent_since = self.heard;
        }
        self.forget();
        let likely = std::mem::replace(&mut self.likely, self.detector.likely_since());
        match edge {
            Some(SpeechEdge::Started { at }) => Some(Input::SpeechStarted { at }),
            Some(SpeechEdge::Stopped { at }) => Some(Input::SpeechStopped { at }),
            None if likely.is_none() => self.likely.map(|at| Input::SpeechLikely { at }),
            None => None,
        }
    }

    /// Drops what nobody can ask for any more.
    fn forget(&mut self) {
        let silent = !self.speaking && self.heard - self.silent_since > SILENCE;
        let keep = if silent { KEPT_IN_SILENCE } else { KEPT };
        if self.kept.len() > keep {
            self.kept.drain(..self.kept.len() - keep);
            if self.kept.capacity() > 2 * keep {
                self.kept.shrink_to(keep + keep / 4);
            }
        }
    }

    /// The audio from `from` up to `to`, as far as it is still kept.
    pub(super) fn cut(&self, from: CallTime, to: CallTime) -> Pcm<Hz8k> {
        let oldest = self.heard - self.kept.len() as u64;
        let index = |at: CallTime| (at.samples().clamp(oldest, self.heard) - oldest) as usize;
        let (from, to) = (index(from), index(to));
        Pcm::new(self.kept.range(from..to.max(from)).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_kept_of_a_caller_who_says_nothing() {
        let mut hearing = Hearing::new();
        for _ in 0..50 * 60 {
            hearing.push(&Pcm::silence(160));
        }
        assert!(hearing.kept.capacity() < 2 * KEPT_IN_SILENCE, "{}", hearing.kept.capacity());
        let last = hearing.cut(CallTime(60 * 8_000 - 800), CallTime(60 * 8_000));
        assert_eq!(last.len(), 800);
    }

    #[test]
    fn a_stretch_is_cut_to_the_sample() {
        let mut hearing = Hearing::new();
        for frame in 0..10i16 {
            hearing.push(&Pcm::new((0..160).map(|i| frame * 160 + i).collect()));
        }
        let cut = hearing.cut(CallTime(150), CallTime(170));
        assert_eq!(cut.samples(), (150..170).collect::<Vec<i16>>());
    }

    #[test]
    fn what_is_gone_or_not_yet_heard_is_left_out() {
        let mut hearing = Hearing::new();
        for _ in 0..(KEPT / 160 + 5) {
            hearing.push(&Pcm::silence(160));
        }
        let oldest = (KEPT + 5 * 160 - KEPT_IN_SILENCE) as u64;
        assert_eq!(hearing.cut(CallTime(0), CallTime(oldest + 100)).len(), 100);
        assert_eq!(hearing.cut(CallTime(0), CallTime(u64::MAX)).len(), KEPT_IN_SILENCE);
        assert!(hearing.cut(CallTime(900), CallTime(100)).is_empty());
    }
}
