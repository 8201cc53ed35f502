use std::collections::{BTreeMap, VecDeque};

use super::FRAME;
use crate::audio::{CallTime, Concealer, Hz8k, Pcm};

const TICK: i64 = FRAME as i64;
/// Longest wait of a packet, 200 ms.
const MAX_DELAY: i64 = 10 * TICK;
/// A timestamp further than this from what is being played is not late or early but another
/// stretch of the stream: 1 s.
const JUMP: i64 = 8_000;
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
    packets: BTreeMap<i64, Vec<i16>>,
    state: State,
    concealer: Concealer,
    margins: VecDeque<i64>,
    jitter: Jitter,
    /// Where the next packet must go on for a jump of the timestamps to be believed.
    jump: Option<i64>,
    quiet_awaited: usize,
    concealed: u64,
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
}

/// Audio for one tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playout {
    /// Exactly 160 samples.
    pub audio: Pcm<Hz8k>,
    /// Where they come from.
    pub kind: PlayoutKind,
}

/// Where the audio of a tick comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayoutKind {
    /// From the peer.
    Heard,
    /// At least partly made up in place of packets that did not arrive in time.
    Concealed,
    /// Nothing is being received; silence.
    Silence,
}

impl JitterBuffer {
    pub(super) fn new() -> Self {
        Self {
            packets: BTreeMap::new(),
            state: State::Filling { ticks: 0 },
            concealer: Concealer::new(),
            margins: VecDeque::with_capacity(WINDOW),
            jitter: Jitter::default(),
            jump: None,
            quiet_awaited: 0,
            concealed: 0,
        }
    }

    /// Forgets the stream, for another one to begin. What was made up for its end fades on.
    pub(super) fn restart(&mut self) {
        self.packets.clear();
        self.state = State::Filling { ticks: 0 };
        self.margins.clear();
        self.jitter.last = None;
        self.jump = None;
    }

    /// Interarrival jitter in samples (RFC 3550, section 6.4.1).
    pub(super) fn jitter(&self) -> f64 {
        self.jitter.mean
    }

    /// Samples made up so far.
    pub(super) fn concealed(&self) -> u64 {
        self.concealed
    }

    /// Takes a packet's audio, which begins at `timestamp`. Duplicates must not get here.
    pub(super) fn put(&mut self, at: CallTime, timestamp: u32, audio: Pcm<Hz8k>) -> Put {
        let start = self.unwrap(timestamp);
        let end = start + audio.len() as i64;
        if self.is_jump(start) {
            if self.jump != Some(start) {
                self.jump = Some(end);
                return Put::Jumped;
            }
            self.restart();
        }
        self.jump = None;
        self.jitter.observe(at, timestamp);
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
            if end <= *next {
                return Put::Late;
            }
            *dry = 0;
        }
        self.packets.entry(start).or_insert_with(|| audio.into_samples());
        Put::Stored
    }

    /// Plays the next 20 ms.
    pub(super) fn pull(&mut self) -> Playout {
        if let State::Filling { ticks } = self.state {
            self.fill(ticks);
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
    fn fill(&mut self, ticks: i64) {
        let Some((first, _)) = self.span() else { return };
        let target = self.target();
        // However long the packets are, one tick of the last one is enough.
        let newest = self.packets.last_key_value().map_or(first, |(&start, _)| start);
        if newest + TICK - first >= target || ticks * TICK >= target {
            // What came before we began to listen is not worth the delay.
            let next = first.max(newest - target);
            self.state = State::Playing { next, dry: 0, dry_from: next };
            self.drop_before(next);
        } else {
            self.state = State::Filling { ticks: ticks + 1 };
        }
    }

    /// Moves the point of playing when the delay is wrong; `None` to fill this tick instead of
    /// playing.
    fn adapt(&mut self, next: i64) -> Option<i64> {
        let depth = self.span().map_or(0, |(_, last)| last - next);
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
        self.drop_before(to);
        self.concealer.lost(0);
        to
    }

    fn play(&mut self, next: i64) -> Playout {
        let end = next + TICK;
        let mut audio = Pcm::silence(0);
        let mut first_missing = None;
        let mut silent = false;
        let mut at = next;
        while at < end {
            if let Some(mut piece) = self.piece(at, end) {
                self.concealer.good(&mut piece);
                at += piece.len() as i64;
                audio.extend(&piece);
            } else {
                first_missing = first_missing.or(Some(at));
                let until = self.packets.range(at..end).next().map_or(end, |(&start, _)| start);
                silent = self.concealer.is_silent();
                audio.extend(&self.concealer.lost((until - at) as usize));
                at = until;
            }
        }
        self.drop_before(end);
        self.go_on(end, first_missing);
        let kind = match first_missing {
            None => PlayoutKind::Heard,
            Some(_) if silent => PlayoutKind::Silence,
            Some(_) => PlayoutKind::Concealed,
        };
        if kind == PlayoutKind::Concealed {
            self.concealed += FRAME as u64;
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
        let silent = self.concealer.is_silent();
        let audio = self.concealer.lost(FRAME);
        if silent {
            return Playout { audio, kind: PlayoutKind::Silence };
        }
        self.concealed += FRAME as u64;
        Playout { audio, kind: PlayoutKind::Concealed }
    }

    /// The audio there is from `at` on, up to `end`.
    fn piece(&self, at: i64, end: i64) -> Option<Pcm<Hz8k>> {
        let (&start, samples) = self.packets.range(..=at).next_back()?;
        let rest = samples.get((at - start) as usize..).filter(|rest| !rest.is_empty())?;
        Some(Pcm::new(rest[..rest.len().min((end - at) as usize)].to_vec()))
    }

    fn is_quiet(&self, next: i64) -> bool {
        self.piece(next, next + TICK).is_some_and(|p| crate::audio::level::rms_dbfs(&p) < -45.0)
    }

    /// Where the audio that is there begins and ends.
    fn span(&self) -> Option<(i64, i64)> {
        let (&first, _) = self.packets.first_key_value()?;
        let (&last, samples) = self.packets.last_key_value()?;
        Some((first, last + samples.len() as i64))
    }

    fn drop_before(&mut self, at: i64) {
        self.packets.retain(|&start, samples| start + samples.len() as i64 > at);
    }

    fn target(&self) -> i64 {
        // Before the jitter is known, two ticks.
        let least = if self.margins.len() < WINDOW { 2 } else { 1 };
        let jitter = (3.0 * self.jitter.mean / TICK as f64).ceil() as i64;
        (1 + jitter).clamp(least, MAX_DELAY / TICK) * TICK
    }

    fn margin(&self) -> Option<i64> {
        let mut sorted: Vec<i64> = self.margins.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(STRAGGLERS).copied()
    }

    fn is_jump(&self, start: i64) -> bool {
        match self.state {
            State::Playing { next, .. } => (start - next).abs() > JUMP,
            State::Filling { .. } => {
                self.span().is_some_and(|(first, _)| (start - first).abs() > JUMP)
            }
        }
    }

    /// Extends a 32-bit timestamp so that it does not wrap.
    fn unwrap(&self, timestamp: u32) -> i64 {
        let near = match self.state {
            State::Playing { next, .. } => next,
            State::Filling { .. } => self.span().map_or(i64::from(timestamp), |(first, _)| first),
        };
        near + i64::from(timestamp.wrapping_sub(near as u32) as i32)
    }
}

/// Interarrival jitter, RFC 3550 section 6.4.1, in samples.
#[derive(Debug, Default)]
struct Jitter {
    mean: f64,
    /// Arrival and timestamp of the last packet.
    last: Option<(CallTime, u32)>,
}

impl Jitter {
    fn observe(&mut self, at: CallTime, timestamp: u32) {
        if let Some((last_at, last_timestamp)) = self.last.replace((at, timestamp)) {
            let arrived = at.samples() as i64 - last_at.samples() as i64;
            let sent = i64::from(timestamp.wrapping_sub(last_timestamp) as i32);
            let difference = (arrived - sent).abs();
            if difference <= JUMP {
                self.mean += (difference as f64 - self.mean) / 16.0;
            }
        }
    }
}

#[cfg(test)]
mod tests;
