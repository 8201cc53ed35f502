//! What the caller said: the latest audio, where speech is in it, and stretches cut from it.

use std::{collections::VecDeque, time::Duration};

use super::player::FRAME;
use crate::{
    audio::{CallTime, Hz8k, Pcm, level},
    conversation::Input,
    speech::vad::{EchoGate, LineNoise, SpeechDetector, SpeechEdge, VadConfig},
};

/// Audio kept while the caller speaks, in samples: longer than the longest turn with its pre-roll.
const KEPT: usize = 40 * 8_000;
/// Audio kept while the caller is silent, in samples. Speech is noticed within half a second and
/// cut with its pre-roll; the rest is for what is said over the end of a prompt that it cannot cut.
const KEPT_IN_SILENCE: usize = 4 * 8_000;
/// Silence after which no turn can still be open, in samples.
const SILENCE: u64 = 5 * 8_000;
/// What the detector hears again when it wakes, in samples.
const CATCH_UP: usize = 2 * 8_000;
/// Speech that is there from within this time of what is heard again began before it, in samples.
const AT_ONCE: u64 = 4_000;
/// The detector is awake this long before speech counts, in samples, and rests only when that is
/// so far away that waking up costs less.
const WAKE_BEFORE: usize = 8_000;
const REST_BEFORE: usize = 4 * 8_000;
/// Around the end of speech as the detector has it, where its last sound is looked for.
const LOOK_BACK: Duration = Duration::from_millis(500);
const LOOK_AHEAD: Duration = Duration::from_millis(60);
/// 5 ms, of which four are a frame; samples.
const STEP: u64 = 40;
/// Room for kept audio grows in steps of a second.
const GROWTH: usize = 8_000;

/// When speech will count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Now.
    Now,
    /// After so many samples: what begins before and lasts until then counts.
    In(usize),
    /// At no known time, and only what begins then.
    Never,
}

/// The caller's audio on the call's clock. Nothing is gated: the detector only marks. It rests
/// while speech changes nothing.
pub(super) struct Hearing {
    pub(super) kept: VecDeque<i16>,
    /// How loud the echo of the bot may be in each kept frame; dB.
    pub(super) echoes: VecDeque<f32>,
    echo: EchoGate,
    pub(super) heard: u64,
    speaking: bool,
    silent_since: u64,
    ear: Ear,
    likely: Option<CallTime>,
    /// Speech from before does not count.
    counts_from: CallTime,
}

enum Ear {
    /// Speech cannot be recognised in this call: keys alone are answers.
    Deaf,
    Awake(Box<SpeechDetector>),
    /// Since that moment, on a line that sounded like this.
    Resting(CallTime, LineNoise),
}

impl Hearing {
    pub(super) fn new() -> Self {
        Self {
            kept: VecDeque::new(),
            echoes: VecDeque::new(),
            echo: EchoGate::default(),
            heard: 0,
            speaking: false,
            silent_since: 0,
            ear: Ear::Resting(CallTime::ZERO, LineNoise::default()),
            likely: None,
            counts_from: CallTime::ZERO,
        }
    }

    /// For a call in which speech cannot be recognised: marks nothing and keeps nothing.
    pub(super) fn deaf() -> Self {
        Self { ear: Ear::Deaf, ..Self::new() }
    }

    /// Notes what the bot sent: it may come back as an echo.
    pub(super) fn sent(&mut self, frame: &Pcm<Hz8k>) {
        if !matches!(self.ear, Ear::Deaf) {
            self.echo.sent(frame);
        }
    }

    /// Takes the next 20 ms; tells where speech starts, stops, or is likely to start.
    pub(super) fn push(&mut self, frame: &Pcm<Hz8k>, wanted: Wanted) -> Option<Input> {
        if matches!(self.ear, Ear::Deaf) {
            return None;
        }
        let echo = self.echo.heard(frame);
        self.keep(frame, echo, wanted);
        let edge = match &mut self.ear {
            Ear::Deaf => None,
            Ear::Awake(detector) => detector.push_over(frame, echo),
            Ear::Resting(since, noise) if wanted.within(WAKE_BEFORE) => {
                let (since, noise) = (*since, *noise);
                self.wake(since, noise)
            }
            Ear::Resting(..) => None,
        };
        if wanted == Wanted::Never {
            self.counts_from = CallTime(self.heard);
        }
        let was_likely = self.likely.take();
        if let Ear::Awake(detector) = &self.ear {
            self.likely = detector.likely_since();
            if edge.is_some() {
                (self.speaking, self.silent_since) = (detector.is_speech(), self.heard);
            } else if detector.is_idle() && !wanted.within(REST_BEFORE) {
                self.ear = Ear::Resting(CallTime(self.heard), detector.line_noise());
            }
        }
        match edge {
            Some(SpeechEdge::Started { at }) => Some(Input::SpeechStarted { at }),
            Some(SpeechEdge::Stopped { at }) => Some(Input::SpeechStopped { at }),
            None if was_likely.is_none() => self.likely.map(|at| Input::SpeechLikely { at }),
            None => self.likely.is_none().then_some(Input::SpeechUnlikely),
        }
    }

    /// Hears the latest audio again, and more of it when somebody speaks from its beginning.
    fn wake(&mut self, rested: CallTime, noise: LineNoise) -> Option<SpeechEdge> {
        let (mut detector, mut started) = self.hear_again(CATCH_UP, noise);
        let catch_up_from = self.heard.saturating_sub(CATCH_UP as u64);
        if started.is_some_and(|at| at.samples() < catch_up_from + AT_ONCE) {
            (detector, started) = self.hear_again(KEPT, noise);
        }
        self.ear = Ear::Awake(Box::new(detector));
        // What was heard before the rest has been told.
        let at = started?.max(rested);
        (at >= self.counts_from).then_some(SpeechEdge::Started { at })
    }

    /// A detector that has heard the last so many samples; when the speech began that goes on.
    fn hear_again(&self, samples: usize, noise: LineNoise) -> (SpeechDetector, Option<CallTime>) {
        let frames = (samples / FRAME).min(self.echoes.len());
        let from = self.heard - (frames * FRAME) as u64;
        let mut detector =
            SpeechDetector::listening_from(VadConfig::default(), CallTime(from), noise);
        let mut started = None;
        let echoes = self.echoes.range(self.echoes.len() - frames..);
        for (start, echo) in (from..).step_by(FRAME).zip(echoes) {
            let frame = self.cut(CallTime(start), CallTime(start + FRAME as u64));
            match detector.push_over(&frame, *echo) {
                Some(SpeechEdge::Started { at }) => started = Some(at),
                Some(SpeechEdge::Stopped { .. }) => started = None,
                None => {}
            }
        }
        (detector, started)
    }

    /// Keeps a frame, and drops what nobody can ask for any more.
    fn keep(&mut self, frame: &Pcm<Hz8k>, echo: f32, wanted: Wanted) {
        let silent = !self.speaking && self.heard - self.silent_since > SILENCE;
        let most = match (&self.ear, wanted) {
            (Ear::Resting(..), Wanted::Never) => CATCH_UP,
            (Ear::Resting(..), _) => KEPT_IN_SILENCE,
            _ if silent => KEPT_IN_SILENCE,
            _ => KEPT,
        };
        let excess = (self.kept.len() + frame.len()).saturating_sub(most);
        self.kept.drain(..excess.min(self.kept.len()));
        if self.kept.capacity() > most + 2 * GROWTH {
            self.kept.shrink_to(most + GROWTH);
        } else if self.kept.capacity() < self.kept.len() + frame.len() {
            self.kept.reserve_exact(GROWTH.max(frame.len()));
        }
        self.kept.extend(frame.samples());
        self.echoes.push_back(echo);
        let gone = self.echoes.len().saturating_sub(self.kept.len() / FRAME);
        self.echoes.drain(..gone);
        self.heard += frame.len() as u64;
    }

    /// When the caller, who was silent from about `at` on, could last be heard.
    pub(super) fn audible_until(&self, at: CallTime) -> Option<CallTime> {
        // Looked at in the 5 ms of packets, as whoever looks at a capture does.
        let from = CallTime((at - LOOK_BACK).samples() / STEP * STEP);
        let until = level::audible_until(&self.cut(from, at + LOOK_AHEAD))? as u64;
        let oldest = self.heard - self.kept.len() as u64;
        Some(CallTime(from.samples().max(oldest) + until))
    }

    /// The audio from `from` up to `to`, as far as it is still kept.
    pub(super) fn cut(&self, from: CallTime, to: CallTime) -> Pcm<Hz8k> {
        let oldest = self.heard - self.kept.len() as u64;
        let index = |at: CallTime| (at.samples().clamp(oldest, self.heard) - oldest) as usize;
        let (from, to) = (index(from), index(to));
        Pcm::new(self.kept.range(from..to.max(from)).copied().collect())
    }
}

impl Wanted {
    fn within(self, samples: usize) -> bool {
        match self {
            Self::Now => true,
            Self::In(left) => left <= samples,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(frames: usize, wanted: Wanted) -> Hearing {
        let mut hearing = Hearing::new();
        (0..frames).for_each(|_| drop(hearing.push(&Pcm::silence(160), wanted)));
        hearing
    }

    #[test]
    fn little_is_kept_of_a_caller_who_says_nothing() {
        for (wanted, most) in [
            (Wanted::Now, KEPT_IN_SILENCE),
            (Wanted::In(KEPT), KEPT_IN_SILENCE),
            (Wanted::Never, CATCH_UP),
        ] {
            let hearing = hear(50 * 60, wanted);
            let room = hearing.kept.capacity();
            assert!((most..=most + 2 * GROWTH).contains(&room), "{wanted:?}: {room}");
            let last = hearing.cut(CallTime(60 * 8_000 - 800), CallTime(60 * 8_000));
            assert_eq!(last.len(), 800);
        }
    }

    #[test]
    fn a_call_without_recognition_keeps_nothing_and_says_nothing() {
        let mut hearing = Hearing::deaf();
        assert_eq!(edges(&mut hearing, 100..200, |_| Wanted::Now), []);
        assert_eq!(hearing.kept.capacity(), 0);
    }

    #[test]
    fn the_last_sound_before_a_silence_is_found() {
        let mut hearing = Hearing::new();
        edges(&mut hearing, 100..200, |_| Wanted::Now);
        assert_eq!(hearing.audible_until(CallTime::from_ms(16_000)), None);
        let mut hearing = Hearing::new();
        for frame in 0..100 {
            let loud = if frame < 50 { 3_000 } else { 3 };
            hearing.push(&Pcm::new(vec![loud; 160]), Wanted::Now);
        }
        for at in [960, 1_000, 1_090, 1_400] {
            let within_5_ms = CallTime(CallTime::from_ms(at).samples() + 17);
            let until = hearing.audible_until(within_5_ms);
            assert_eq!(until, Some(CallTime::from_ms(1_000)), "{at}");
        }
    }

    #[test]
    fn a_stretch_is_cut_to_the_sample() {
        let mut hearing = Hearing::new();
        for frame in 0..10i16 {
            hearing.push(&Pcm::new((0..160).map(|i| frame * 160 + i).collect()), Wanted::Now);
        }
        let cut = hearing.cut(CallTime(150), CallTime(170));
        assert_eq!(cut.samples(), (150..170).collect::<Vec<i16>>());
    }

    #[test]
    fn what_is_gone_or_not_yet_heard_is_left_out() {
        let hearing = hear(KEPT / 160 + 5, Wanted::Now);
        let oldest = (KEPT + 5 * 160 - KEPT_IN_SILENCE) as u64;
        assert_eq!(hearing.cut(CallTime(0), CallTime(oldest + 100)).len(), 100);
        assert_eq!(hearing.cut(CallTime(0), CallTime(u64::MAX)).len(), KEPT_IN_SILENCE);
        assert!(hearing.cut(CallTime(900), CallTime(100)).is_empty());
    }

    /// Feeds faint noise, with a buzz like a voice in the frames `voiced`, for 16 s; all edges.
    fn edges(
        hearing: &mut Hearing,
        voiced: std::ops::Range<usize>,
        wanted: impl Fn(usize) -> Wanted,
    ) -> Vec<Input> {
        let buzz =
            |i: usize| 6_000.0 * 0.8f32.powi((i % 66) as i32) * (1.2 + (i as f32 / 400.0).sin());
        let frames = (0..800).map(|frame| match voiced.contains(&frame) {
            true => (frame * 160..(frame + 1) * 160).map(|i| buzz(i) as i16).collect(),
            false => (0..160).map(|i| (i * 7_919 % 13) as i16 - 6).collect(),
        });
        let heard = frames.enumerate().filter_map(|(i, f)| hearing.push(&Pcm::new(f), wanted(i)));
        let likely =
            |input: &Input| matches!(input, Input::SpeechLikely { .. } | Input::SpeechUnlikely);
        heard.filter(|input| !likely(input)).collect()
    }

    /// A prompt that speech may not cut is played up to this frame; then the caller is listened to.
    const PROMPT: usize = 600;

    fn over_a_prompt(frame: usize) -> Wanted {
        match PROMPT.checked_sub(frame) {
            None | Some(0) => Wanted::Now,
            Some(left) => Wanted::In(left * 160),
        }
    }

    fn apart(a: &[Input], b: &[Input]) -> Vec<u64> {
        let at = |input: &Input| match input {
            Input::SpeechStarted { at } | Input::SpeechStopped { at } => at.as_ms(),
            other => panic!("{other:?}"),
        };
        assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
        a.iter().zip(b).map(|(a, b)| at(a).abs_diff(at(b))).collect()
    }

    #[test]
    fn speech_that_lasts_to_the_end_of_a_prompt_is_dated_as_if_always_listened_to() {
        // From before the detector wakes; from before what it hears again at first; from after.
        for from in [520, 450, 580] {
            let always = edges(&mut Hearing::new(), from..660, |_| Wanted::Now);
            let rested = edges(&mut Hearing::new(), from..660, over_a_prompt);
            assert_eq!(always.len(), 2, "{from}: {always:?}");
            assert!(apart(&always, &rested).iter().all(|ms| *ms <= 20), "{always:?} {rested:?}");
        }
    }

    #[test]
    fn the_echo_of_a_prompt_that_was_not_listened_to_is_no_speech() {
        let mut hearing = Hearing::new();
        let voice =
            |i: usize| 9_000.0 * 0.8f32.powi((i % 66) as i32) * (1.2 + (i as f32 / 900.0).sin());
        let bot: Vec<i16> = (0..700 * FRAME).map(|i| voice(i) as i16).collect();
        for frame in 3..700 {
            let echo =
                bot[(frame - 3) * FRAME..][..FRAME].iter().map(|sample| sample / 10).collect();
            let edge = hearing.push(&Pcm::new(echo), over_a_prompt(frame));
            assert!(!matches!(edge, Some(Input::SpeechStarted { .. })), "{frame}");
            hearing.sent(&Pcm::new(bot[frame * FRAME..][..FRAME].to_vec()));
        }
    }

    #[test]
    fn speech_that_is_over_before_it_counts_is_not_told() {
        assert_eq!(edges(&mut Hearing::new(), 300..400, over_a_prompt), []);
        assert_eq!(edges(&mut Hearing::new(), 480..540, over_a_prompt), []);
    }

    #[test]
    fn speech_that_was_told_is_heard_to_its_end() {
        let wanted = |frame| if frame < 330 { Wanted::Now } else { Wanted::In(KEPT) };
        let told = edges(&mut Hearing::new(), 300..400, wanted);
        assert!(matches!(told[..], [_, Input::SpeechStopped { .. }]), "{told:?}");
    }

    #[test]
    fn speech_that_began_when_none_counted_is_not_told() {
        let wanted = |frame| if frame < 350 { Wanted::Never } else { Wanted::Now };
        let told = edges(&mut Hearing::new(), 300..400, wanted);
        assert!(matches!(told[..], [Input::SpeechStopped { .. }]), "{told:?}");
        let told = edges(&mut Hearing::new(), 355..400, wanted);
        assert!(matches!(told[..], [Input::SpeechStarted { .. }, _]), "{told:?}");
    }

    #[test]
    fn the_detector_rests_during_a_long_prompt_and_is_awake_before_its_end() {
        let mut hearing = Hearing::new();
        for frame in 0..PROMPT {
            hearing.push(&Pcm::silence(160), over_a_prompt(frame));
            let awake = matches!(hearing.ear, Ear::Awake(_));
            assert_eq!(awake, frame >= PROMPT - 50, "{frame}");
        }
    }
}
