//! Prompts become 20 ms frames.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    audio::{Hz8k, Pcm},
    conversation::{Input, PromptId},
};

/// Samples in a frame: 20 ms at 8 kHz.
pub(super) const FRAME: usize = 160;
/// Silence between two prompts of one turn.
const GAP: usize = 1_200;
/// Length of the fade when a prompt is cut short, so that it does not click.
const FADE: usize = 80;

/// The queue of prompts being played.
#[derive(Debug, Default)]
pub(super) struct Player {
    queue: VecDeque<Item>,
    fade: Vec<i16>,
}

#[derive(Debug)]
struct Item {
    prompt: PromptId,
    audio: Option<Arc<Pcm<Hz8k>>>,
    sent: usize,
    gap: usize,
}

impl Player {
    /// Queues a prompt whose audio is still being made.
    pub(super) fn enqueue(&mut self, prompt: PromptId) {
        let gap = if self.queue.is_empty() { 0 } else { GAP };
        self.queue.push_back(Item { prompt, audio: None, sent: 0, gap });
    }

    /// The prompt's audio is there; empty audio ends the prompt at once.
    pub(super) fn ready(&mut self, prompt: PromptId, audio: Arc<Pcm<Hz8k>>) {
        if let Some(item) = self.queue.iter_mut().find(|item| item.prompt == prompt) {
            item.audio = Some(audio);
        }
    }

    /// The next frame to send, and what happened to prompts in it.
    pub(super) fn frame(&mut self, events: &mut Vec<Input>) -> Pcm<Hz8k> {
        let mut frame = std::mem::take(&mut self.fade);
        while frame.len() < FRAME {
            let Some(item) = self.queue.front_mut() else { break };
            let Some(audio) = &item.audio else { break };
            let quiet = item.gap.min(FRAME - frame.len());
            item.gap -= quiet;
            frame.resize(frame.len() + quiet, 0);
            let rest = &audio.samples()[item.sent..];
            let take = rest.len().min(FRAME - frame.len());
            if item.sent == 0 && take > 0 {
                events.push(Input::PlaybackStarted { prompt: item.prompt });
            }
            frame.extend_from_slice(&rest[..take]);
            item.sent += take;
            if item.sent == audio.len() {
                events.push(item.ended());
                self.queue.pop_front();
            }
        }
        frame.resize(FRAME, 0);
        Pcm::new(frame)
    }

    /// Forgets everything queued; the sounding prompt fades out within the next frame.
    pub(super) fn stop(&mut self) -> Vec<Input> {
        if let Some(Item { audio: Some(audio), sent, .. }) = self.queue.front() {
            let rest = &audio.samples()[*sent..];
            let tail = rest.iter().take(FADE).enumerate();
            self.fade = tail
                .map(|(i, s)| (i32::from(*s) * (FADE - i) as i32 / FADE as i32) as i16)
                .collect();
        }
        self.queue.drain(..).map(|item| item.ended()).collect()
    }
}

impl Item {
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
        player.ready(PromptId(1), prompt(200));
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
        let last = player.frame(&mut events);
        assert_eq!(last.samples().iter().filter(|s| **s != 0).count(), 40);
        assert_eq!(
            events,
            [
                Input::PlaybackStarted { prompt: PromptId(1) },
                Input::PlaybackEnded { prompt: PromptId(1), played: 200, total: 200 }
            ]
        );
    }

    #[test]
    fn a_prompt_that_is_not_ready_holds_the_queue_in_silence() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.enqueue(PromptId(2));
        player.ready(PromptId(2), prompt(200));
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 0));
        assert!(events.is_empty());
    }

    #[test]
    fn a_stopped_prompt_reports_what_was_sent_and_fades() {
        let (mut player, mut events) = (Player::default(), Vec::new());
        player.enqueue(PromptId(1));
        player.enqueue(PromptId(2));
        player.ready(PromptId(1), prompt(1_600));
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
}
