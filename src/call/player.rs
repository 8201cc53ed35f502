//! Prompts become 20 ms frames.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    audio::{CallTime, Hz8k, Pcm, level},
    conversation::{Input, PromptId},
};

/// Samples in a frame: 20 ms at 8 kHz.
pub(super) const FRAME: usize = 160;
/// Silence between two prompts of one turn.
const GAP: usize = 1_200;
/// Length of the fade when a prompt is cut short or its level changes, so that it does not click.
const FADE: usize = 80;
/// A ducked prompt's level, in 1/256: -12 dB.
const DUCKED: i32 = 64;
const FULL: i32 = 256;

/// The queue of prompts being played.
#[derive(Debug)]
pub(super) struct Player {
    queue: VecDeque<Item>,
    fade: Vec<i16>,
    /// The level now and the one it glides to, in 1/256.
    level: i32,
    target: i32,
    held: bool,
    /// Held as well, whatever else holds or resumes.
    muted: bool,
    /// Where in the frame, or after its beginning, the prompt is first heard that was begun last; samples.
    audible: Option<usize>,
}

#[derive(Debug)]
struct Item {
    prompt: PromptId,
    audio: Option<Arc<Pcm<Hz8k>>>,
    ready: CallTime,
    sent: usize,
    gap: usize,
}

impl Default for Player {
    fn default() -> Self {
        let (queue, fade) = (VecDeque::new(), Vec::new());
        Self { queue, fade, level: FULL, target: FULL, held: false, muted: false, audible: None }
    }
}

impl Player {
    /// Queues a prompt whose audio is still being made.
    pub(super) fn enqueue(&mut self, prompt: PromptId) {
        let gap = if self.queue.is_empty() { 0 } else { GAP };
        self.queue.push_back(Item { prompt, audio: None, ready: CallTime::ZERO, sent: 0, gap });
    }

    /// The prompt's audio is there, `now`; empty audio ends the prompt at once.
    pub(super) fn ready(&mut self, now: CallTime, prompt: PromptId, audio: Arc<Pcm<Hz8k>>) {
        if let Some(item) = self.queue.iter_mut().find(|item| item.prompt == prompt) {
            (item.audio, item.ready) = (Some(audio), now);
        }
    }

    /// Plays more quietly.
    pub(super) fn duck(&mut self) {
        self.target = DUCKED;
    }

    /// Falls silent within the next frame and keeps the place.
    pub(super) fn hold(&mut self) {
        self.fade = self.fade_out();
        self.held = true;
    }

    /// Falls silent and keeps the place, or goes on, apart from any hold.
    pub(super) fn mute(&mut self, on: bool) {
        if on && !self.held && !self.muted {
            self.fade = self.fade_out();
        }
        self.muted = on;
    }

    /// Goes on where it was held, at full level.
    pub(super) fn resume(&mut self) {
        self.held = false;
        self.target = FULL;
    }

    /// The next frame to send, and what happened to prompts in it.
    pub(super) fn frame(&mut self, events: &mut Vec<Input>) -> Pcm<Hz8k> {
        let mut frame = std::mem::take(&mut self.fade);
        let faded = frame.len();
        while frame.len() < FRAME && !self.held && !self.muted {
            let Some(item) = self.queue.front_mut() else { break };
            let Some(audio) = &item.audio else { break };
            let quiet = item.gap.min(FRAME - frame.len());
            item.gap -= quiet;
            frame.resize(frame.len() + quiet, 0);
            let rest = &audio.samples()[item.sent..];
            let take = rest.len().min(FRAME - frame.len());
            if item.sent == 0 && take > 0 {
                self.audible = level::audible_from(audio).map(|from| frame.len() + from);
                events.push(item.started());
            }
            frame.extend_from_slice(&rest[..take]);
            item.sent += take;
            if item.sent == audio.len() {
                events.push(item.ended());
                self.queue.pop_front();
            }
        }
        self.glide(&mut frame[faded..]);
        frame.resize(FRAME, 0);
        Pcm::new(frame)
    }

    /// From the beginning of the frame in which the latest prompt began to its first sound, in samples.
    pub(super) fn audible(&self) -> Option<usize> {
        self.audible
    }

    /// Samples that are certain to be sent before the next `prompts` prompts have been said.
    pub(super) fn left(&self, prompts: usize) -> usize {
        let rest = |item: &Item| item.audio.as_ref().map_or(0, |audio| audio.len() - item.sent);
        self.queue.iter().take(prompts).map(|item| item.gap + rest(item)).sum()
    }

    /// Forgets everything queued; the sounding prompt fades out within the next frame.
    pub(super) fn stop(&mut self) -> Vec<Input> {
        if !self.held && !self.muted {
            self.fade = self.fade_out();
        }
        (self.held, self.level, self.target) = (false, FULL, FULL);
        self.queue.drain(..).map(|item| item.ended()).collect()
    }

    /// What follows of the sounding prompt, falling to silence. It does not count as sent.
    fn fade_out(&self) -> Vec<i16> {
        let Some(Item { audio: Some(audio), sent, gap: 0, .. }) = self.queue.front() else {
            return Vec::new();
        };
        let tail = audio.samples()[*sent..].iter().take(FADE).enumerate();
        let steps = FADE as i32 * FULL;
        tail.map(|(i, s)| (i32::from(*s) * self.level * (FADE - i) as i32 / steps) as i16).collect()
    }

    /// Moves the level to its target within a few milliseconds and applies it.
    fn glide(&mut self, samples: &mut [i16]) {
        if self.queue.is_empty() {
            self.target = FULL;
        }
        if (self.level, self.target) == (FULL, FULL) {
            return;
        }
        let step = (FULL - DUCKED) / FADE as i32 + 1;
        for sample in samples {
            self.level += (self.target - self.level).clamp(-step, step);
            *sample = (i32::from(*sample) * self.level / FULL) as i16;
        }
    }
}

impl Item {
    fn started(&self) -> Input {
        let total = self.audio.as_ref().map_or(0, |audio| audio.len()) as u64;
        Input::PlaybackStarted { prompt: self.prompt, total, ready: self.ready }
    }

    fn ended(&self) -> Input {
        let total = self.audio.as_ref().map_or(0, |audio| audio.len());
        Input::PlaybackEnded { prompt: self.prompt, played: self.sent as u64, total: total as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(len: usize) -> Arc<Pcm<Hz8k>> {
        Arc::new(Pcm::new(vec![1_000; len]))
    }

    #[test]
    fn a_prompt_is_sent_to_its_last_sample_and_no_further() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.ready(CallTime(7), PromptId(1), prompt(200));
        assert_eq!((player.left(1), player.left(0)), (200, 0));
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
        assert_eq!(player.left(5), 40);
        let last = player.frame(&mut events);
        assert_eq!(last.samples().iter().filter(|s| **s != 0).count(), 40);
        assert_eq!(
            events,
            [
                Input::PlaybackStarted { prompt: PromptId(1), total: 200, ready: CallTime(7) },
                Input::PlaybackEnded { prompt: PromptId(1), played: 200, total: 200 }
            ]
        );
    }

    #[test]
    fn a_prompt_that_is_not_ready_holds_the_queue_in_silence() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.enqueue(PromptId(2));
        player.ready(CallTime(7), PromptId(2), prompt(200));
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 0));
        assert!(events.is_empty());
    }

    #[test]
    fn a_stopped_prompt_reports_what_was_sent_and_fades() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.enqueue(PromptId(2));
        player.ready(CallTime(7), PromptId(1), prompt(1_600));
        player.frame(&mut events);
        assert_eq!(
            player.stop(),
            [
                Input::PlaybackEnded { prompt: PromptId(1), played: 160, total: 1_600 },
                Input::PlaybackEnded { prompt: PromptId(2), played: 0, total: 0 }
            ]
        );
        let fade = player.frame(&mut events);
        assert_eq!(fade.samples()[FADE..], [0; FRAME - FADE]);
        assert!(fade.samples()[..FADE].windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn a_held_prompt_goes_on_at_the_sample_where_it_stopped() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        let ramp = Arc::new(Pcm::new((0..1_000).collect()));
        player.ready(CallTime(0), PromptId(1), ramp);
        player.frame(&mut events);
        player.hold();
        let fade = player.frame(&mut events);
        assert_eq!(fade.samples()[FADE..], [0; FRAME - FADE]);
        assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
        player.resume();
        assert_eq!(player.frame(&mut events).samples()[..3], [160, 161, 162]);
    }

    #[test]
    fn a_muted_prompt_waits_even_when_a_hold_is_over() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.ready(CallTime(0), PromptId(1), prompt(1_000));
        player.frame(&mut events);
        player.mute(true);
        player.frame(&mut events);
        player.resume();
        assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
        player.mute(false);
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
        assert_eq!(player.left(1), 1_000 - 2 * FRAME);
    }

    #[test]
    fn a_ducked_prompt_is_quieter_and_loses_nothing() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.ready(CallTime(0), PromptId(1), prompt(480));
        player.duck();
        let quiet = player.frame(&mut events);
        assert!(quiet.samples()[0] > 900 && quiet.samples()[FADE..].iter().all(|s| *s == 250));
        player.resume();
        player.frame(&mut events);
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
        let ended = Input::PlaybackEnded { prompt: PromptId(1), played: 480, total: 480 };
        assert_eq!(events.last(), Some(&ended));
    }

    #[test]
    fn the_level_is_back_after_a_ducked_prompt() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.ready(CallTime(0), PromptId(1), prompt(80));
        player.duck();
        player.frame(&mut events);
        player.frame(&mut events);
        player.enqueue(PromptId(2));
        player.ready(CallTime(0), PromptId(2), prompt(320));
        player.frame(&mut events);
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    }
}
