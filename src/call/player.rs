//! Prompts become 20 ms frames.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, iter, sync::Arc};

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
    /// What of it is there, in order.
    pieces: Vec<Arc<Pcm<Hz8k>>>,
    /// Pieces that are still being made.
    to_come: usize,
    /// The piece that is being sent, and how much of it was; samples.
    piece: usize,
    within: usize,
    sent: usize,
    /// Samples that were said to be in it.
    told: usize,
    /// When its first piece was there.
    ready: CallTime,
    gap: usize,
}

impl Default for Player {
    fn default() -> Self {
        let (queue, fade) = (VecDeque::new(), Vec::new());
        Self { queue, fade, level: FULL, target: FULL, held: false, muted: false, audible: None }
    }
}

impl Player {
    /// Queues a prompt whose audio, in so many pieces, is still being made; one of none ends at once.
    pub(super) fn enqueue(&mut self, prompt: PromptId, pieces: usize) {
        let gap = if self.queue.is_empty() { 0 } else { GAP };
        self.queue.push_back(Item {
            prompt,
            pieces: Vec::with_capacity(pieces),
            to_come: pieces,
            piece: 0,
            within: 0,
            sent: 0,
            told: 0,
            ready: CallTime::ZERO,
            gap,
        });
    }

    /// The prompt's next piece is there, `now`; it may be empty.
    pub(super) fn ready(&mut self, now: CallTime, prompt: PromptId, audio: Arc<Pcm<Hz8k>>) {
        let waiting = |item: &&mut Item| item.prompt == prompt && item.to_come > 0;
        if let Some(item) = self.queue.iter_mut().find(waiting) {
            if item.pieces.is_empty() {
                item.ready = now;
            }
            item.pieces.push(audio);
            item.to_come -= 1;
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

    /// Goes on where it was held, still more quietly.
    pub(super) fn resume_ducked(&mut self) {
        self.held = false;
        self.target = DUCKED;
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
            let Some(rest) = item.rest() else { break };
            let quiet = item.gap.min(FRAME - frame.len());
            frame.resize(frame.len() + quiet, 0);
            let take = rest.len().min(FRAME - frame.len());
            if item.sent == 0 && take > 0 {
                self.audible = level::audible_from::<Hz8k>(rest).map(|from| frame.len() + from);
            }
            frame.extend_from_slice(&rest[..take]);
            item.gap -= quiet;
            item.within += take;
            item.sent += take;
            events.extend(item.news());
            if item.is_sent() {
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
        self.queue.iter().take(prompts).map(|item| item.gap + item.known() - item.sent).sum()
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
        let Some(rest) = self.queue.front().filter(|item| item.gap == 0).and_then(Item::rest)
        else {
            return Vec::new();
        };
        let tail = rest.iter().take(FADE).enumerate();
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
    /// What of the piece being sent is left, or else the next piece; nothing at the prompt's end, `None`
    /// while that which follows is being made.
    fn rest(&self) -> Option<&[i16]> {
        let begun = self.pieces.get(self.piece..)?.iter().map(|piece| piece.samples());
        let mut pieces = iter::once(self.within).chain(iter::repeat(0)).zip(begun);
        let rest =
            pieces.find_map(|(from, piece)| piece.get(from..).filter(|rest| !rest.is_empty()));
        rest.or((self.to_come == 0).then_some(&[]))
    }

    /// Samples that are known to be in it.
    fn known(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    fn is_sent(&self) -> bool {
        self.to_come == 0 && self.sent == self.known()
    }

    /// Goes to the piece that follows what was sent, and tells what is new: that it began, or that there is
    /// more of it than was told.
    fn news(&mut self) -> Option<Input> {
        while self.pieces.get(self.piece).is_some_and(|piece| self.within >= piece.len()) {
            (self.piece, self.within) = (self.piece + 1, 0);
        }
        let known = self.known();
        (self.sent > 0 && self.told != known).then(|| {
            self.told = known;
            Input::PlaybackStarted { prompt: self.prompt, total: known as u64, ready: self.ready }
        })
    }

    fn ended(&self) -> Input {
        // Of what was never made, nobody knows how much it is.
        let total = if self.to_come == 0 { self.known() } else { 0 };
        Input::PlaybackEnded { prompt: self.prompt, played: self.sent as u64, total: total as u64 }
    }
}
