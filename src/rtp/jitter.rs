use std::collections::VecDeque;

use bytes::Bytes;

pub use self::playout::{Playout, PlayoutKind};
use self::{
    filler::Filler,
    interarrival::Jitter,
    stock::{Content, Stock},
};
use super::FRAME;
use crate::audio::{CallTime, Codec, ComfortNoise, Pcm};

mod filler;
mod interarrival;
mod playout;
mod stock;

const TICK: i64 = FRAME as i64;
/// Longest wait of a packet, 200 ms.
const MAX_DELAY: i64 = 10 * TICK;
/// A timestamp further than this from what is being played is not late or early but another
/// stretch of the stream: 1 s.
const JUMP: i64 = 8_000;
/// Longest packet, 200 ms: the most that RFC 3551 wants a receiver to accept.
const MAX_PACKET: usize = 1_600;
/// Packets that decide about the delay: the last second at 20 ms.
const WINDOW: usize = 50;
/// The margin is that of the third worst packet: two stragglers a second are better concealed
/// than waited for.
const STRAGGLERS: usize = 2;
/// The adaptive jitter buffer.
///
/// Packets wait in the order of their timestamps; [`pull`](Self::pull) plays 20 ms a tick. How
/// long they wait follows two observations:
///
/// - *Jitter* (RFC 3550, section 6.4.1) sets the target, 20 ms plus three times the jitter, at
///   most 200 ms, and for the first second at least 40 ms. Playing starts, also after a pause, when that much is there.
/// - The *margin* of a packet is how long before its turn it came, negative when it came too
///   late. When the third worst margin of the last second is negative, a tick is filled without
///   playing; when it exceeds the target by a tick, a tick is left out, if possible a quiet one.
///
/// When the buffer runs dry and the next packet turns out to be exactly the one that was missing,
/// the network had stalled: playing goes back to it, and nothing is lost.
#[derive(Debug)]
pub(super) struct JitterBuffer {
    packets: Stock,
    /// RTP clock units in a sample.
    scale: i64,
    state: State,
    filler: Filler,
    margins: VecDeque<i64>,
    jitter: Jitter,
    /// Where the next packet must go on for a jump of the timestamps to be believed.
    jump: Option<i64>,
    quiet_awaited: usize,
    concealed: u64,
    /// How long before its turn the latest packet came, in samples.
    ahead: i64,
    /// Samples that came from the peer.
    heard: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Collecting what is needed to start; `ticks` have passed since the first packet.
    Filling { ticks: i64 },
    /// `next` is the timestamp to play next. The buffer has been dry for `dry` ticks, since the
    /// timestamp `dry_from`.
    Playing { next: i64, dry: i64, dry_from: i64 },
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Stored,
    Late,
    Jumped,
    Malformed,
}

impl JitterBuffer {
    pub(super) fn new() -> Self {
        Self {
            packets: Stock::default(),
            scale: 1,
            state: State::Filling { ticks: 0 },
            filler: Filler::default(),
            margins: VecDeque::with_capacity(WINDOW),
            jitter: Jitter::default(),
            jump: None,
            quiet_awaited: 0,
            concealed: 0,
            ahead: 0,
            heard: 0,
        }
    }

    /// Forgets the stream, for another one to begin. What was made up for its end fades on.
    pub(super) fn restart(&mut self) {
        self.packets.clear();
        self.state = State::Filling { ticks: 0 };
        self.margins.clear();
        self.jitter.restart();
        self.jump = None;
        self.filler.restart();
    }

    /// Interarrival jitter in samples (RFC 3550, section 6.4.1).
    pub(super) fn jitter(&self) -> f64 {
        self.jitter.mean
    }

    /// RTP clock units in a sample of what is received.
    pub(super) fn clock_scale(&self) -> f64 {
        self.scale as f64
    }

    /// The fraction of what was to be heard that was made up; `None` when nothing was heard.
    pub(super) fn loss(&self) -> Option<f64> {
        let heard = self.heard + self.concealed;
        (self.heard > 0).then(|| self.concealed as f64 / heard as f64)
    }

    /// How long packets are meant to wait, in ms.
    pub(super) fn delay_ms(&self) -> f64 {
        self.target() as f64 / 8.0
    }

    /// From the tick that follows the latest packet to that in which it is played, in samples.
    pub(super) fn ahead(&self) -> u64 {
        self.ahead as u64
    }

    /// Samples made up so far.
    pub(super) fn concealed(&self) -> u64 {
        self.concealed
    }

    /// Samples recovered from copies so far.
    pub(super) fn recovered(&self) -> u64 {
        self.packets.recovered()
    }

    /// Takes a packet, which begins at `timestamp` of the codec's clock. Duplicates must not get
    /// here.
    pub(super) fn put(
        &mut self,
        at: CallTime,
        timestamp: u32,
        codec: Codec,
        payload: Bytes,
    ) -> Put {
        let Some(len) = codec.samples(&payload).filter(|&n| n <= MAX_PACKET) else {
            return Put::Malformed;
        };
        self.place(at, timestamp, codec.clock_scale().into(), len, Content::Coded(codec, payload))
    }

    fn place(
        &mut self,
        at: CallTime,
        timestamp: u32,
        scale: i64,
        len: usize,
        content: Content,
    ) -> Put {
        if scale != self.scale {
            // Timestamps before and after a change of the clock cannot be compared.
            self.restart();
            self.scale = scale;
        }
        let start = self.unwrap(timestamp);
        let end = start + len as i64;
        if self.is_jump(start) {
            if self.jump != Some(start) {
                self.jump = Some(end);
                return Put::Jumped;
            }
            self.restart();
        }
        self.jump = None;
        self.jitter.observe(at, start);
        if let State::Playing { next, dry, dry_from } = &mut self.state {
            if *dry > 0 && start == *dry_from {
                let back = *next - start;
                *next = start;
                self.margins.iter_mut().for_each(|m| *m += back);
            }
            let margin = start - *next;
            if self.margins.len() == WINDOW {
                self.margins.pop_front();
            }
            self.margins.push_back(margin);
            self.ahead = margin.max(0);
            if end <= *next {
                return Put::Late;
            }
            *dry = 0;
        }
        self.packets.insert(start, len, content);
        Put::Stored
    }

    /// The peer is silent from `timestamp` on, with this noise, until its next packet.
    pub(super) fn put_noise(&mut self, timestamp: u32, noise: ComfortNoise) -> Put {
        let start = self.unwrap(timestamp);
        if self.is_jump(start) {
            return Put::Jumped;
        }
        let idle = self.packets.is_empty() && matches!(self.state, State::Filling { .. });
        self.filler.put_noise((!idle).then_some(start), noise);
        Put::Stored
    }

    /// Plays the next 20 ms.
    pub(super) fn pull(&mut self) -> Playout {
        if let State::Filling { ticks } = self.state {
            self.start(ticks);
        }
        let State::Playing { next, .. } = self.state else {
            return self.gap();
        };
        let next = self.adapt(next);
        match next {
            Some(next) => self.play(next),
            None => self.gap(),
        }
    }

    /// Starts to play when enough is there or has had the time to come.
    fn start(&mut self, ticks: i64) {
        let Some((first, _)) = self.packets.span() else { return };
        let target = self.target();
        // However long the packets are, one tick of the last one is enough.
        let newest = self.packets.newest().unwrap_or(first);
        if newest + TICK - first >= target || ticks * TICK >= target {
            // What came before we began to listen is not worth the delay.
            let next = first.max(newest - target);
            self.state = State::Playing { next, dry: 0, dry_from: next };
            self.packets.drop_before(next);
        } else {
            self.state = State::Filling { ticks: ticks + 1 };
        }
    }

    /// Moves the point of playing when the delay is wrong; `None` to fill this tick instead of
    /// playing.
    fn adapt(&mut self, next: i64) -> Option<i64> {
        let depth = self.packets.span().map_or(0, |(_, last)| last - next);
        if depth > MAX_DELAY + TICK {
            return Some(self.move_to(next + depth - self.target() - TICK));
        }
        let margin = self.margin();
        if margin.is_some_and(|m| m < 0) && depth + TICK <= MAX_DELAY {
            self.margins.iter_mut().for_each(|m| *m += TICK);
            return None;
        }
        let spare = self.margins.len() == WINDOW && margin >= Some(self.target() + TICK);
        if !spare || depth < 2 * TICK {
            self.quiet_awaited = 0;
            return Some(next);
        }
        self.quiet_awaited += 1;
        if self.is_quiet(next) || self.quiet_awaited > WINDOW {
            return Some(self.move_to(next + TICK));
        }
        Some(next)
    }

    /// Plays from `to` on instead, blending over the joint.
    fn move_to(&mut self, to: i64) -> i64 {
        if let State::Playing { next, .. } = self.state {
            self.margins.iter_mut().for_each(|m| *m -= to - next);
        }
        self.quiet_awaited = 0;
        self.packets.drop_before(to);
        self.filler.joint();
        to
    }

    fn play(&mut self, next: i64) -> Playout {
        let end = next + TICK;
        let mut audio = Pcm::silence(0);
        let mut first_missing = None;
        let mut kind = PlayoutKind::Heard;
        let mut at = next;
        while at < end {
            if let Some(mut piece) = self.packets.play(at, end) {
                self.filler.heard(&mut piece);
                at += piece.len() as i64;
                match audio.is_empty() {
                    true => audio = piece,
                    false => audio.extend(&piece),
                }
                continue;
            }
            let until = self.packets.mend(at, end);
            if until > at {
                first_missing = first_missing.or(Some(at));
                self.filler.begin_noise(end);
                let (made, how) = self.filler.fill((until - at) as usize, &mut self.packets);
                audio.extend(&made);
                kind = how;
                at = until;
            }
        }
        self.packets.drop_before(end);
        self.filler.drop_before(end);
        self.go_on(end, first_missing);
        match kind {
            PlayoutKind::Concealed => self.concealed += FRAME as u64,
            PlayoutKind::Heard => self.heard += FRAME as u64,
            PlayoutKind::Noise | PlayoutKind::Silence => {}
        }
        Playout { audio, kind }
    }

    /// After a tick: counts how long the buffer is dry, and starts over when it is for long.
    fn go_on(&mut self, next: i64, first_missing: Option<i64>) {
        let State::Playing { dry, dry_from, .. } = self.state else { return };
        self.state = match first_missing {
            Some(missing) if self.packets.is_empty() => {
                let dry_from = if dry == 0 { missing } else { dry_from };
                if (dry + 1) * TICK >= MAX_DELAY {
                    self.margins.clear();
                    State::Filling { ticks: 0 }
                } else {
                    State::Playing { next, dry: dry + 1, dry_from }
                }
            }
            _ => State::Playing { next, dry: 0, dry_from: next },
        };
    }

    /// A tick without playing.
    fn gap(&mut self) -> Playout {
        let (audio, kind) = self.filler.fill(FRAME, &mut self.packets);
        if kind == PlayoutKind::Concealed {
            self.concealed += FRAME as u64;
        }
        Playout { audio, kind }
    }

    fn is_quiet(&mut self, next: i64) -> bool {
        self.packets
            .piece(next, next + TICK)
            .is_some_and(|p| crate::audio::level::rms_dbfs(&p) < -45.0)
    }

    fn target(&self) -> i64 {
        // Before the jitter is known, two ticks.
        let least = if self.margins.len() < WINDOW { 2 } else { 1 };
        let jitter = (3.0 * self.jitter.mean / TICK as f64).ceil() as i64;
        (1 + jitter).clamp(least, MAX_DELAY / TICK) * TICK
    }

    fn margin(&self) -> Option<i64> {
        let mut worst = [i64::MAX; STRAGGLERS + 1];
        for &margin in &self.margins {
            if margin < worst[STRAGGLERS] {
                worst[STRAGGLERS] = margin;
                worst.sort_unstable();
            }
        }
        (self.margins.len() > STRAGGLERS).then_some(worst[STRAGGLERS])
    }

    fn is_jump(&self, start: i64) -> bool {
        match self.state {
            State::Playing { next, .. } => (start - next).abs() > JUMP,
            State::Filling { .. } => {
                self.packets.span().is_some_and(|(first, _)| (start - first).abs() > JUMP)
            }
        }
    }

    /// The place of a 32-bit timestamp on the time line of samples, which does not wrap.
    fn unwrap(&self, timestamp: u32) -> i64 {
        let near = match self.state {
            State::Playing { next, .. } => next * self.scale,
            State::Filling { .. } => {
                self.packets.span().map_or(i64::from(timestamp), |(first, _)| first * self.scale)
            }
        };
        let unwrapped = near + i64::from(timestamp.wrapping_sub(near as u32) as i32);
        unwrapped.div_euclid(self.scale)
    }
}

#[cfg(test)]
mod tests;
