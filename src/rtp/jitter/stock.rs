use std::collections::BTreeMap;

use bytes::Bytes;

use crate::audio::{Codec, Hz8k, Pcm, codec::Decoder};

/// The packets that wait to be played, by their start on the 8 kHz time line, and the decoder
/// that they go through, in order, when their turn comes.
#[derive(Debug, Default)]
pub(super) struct Stock {
    packets: BTreeMap<i64, Packet>,
    decoder: Option<Decoder>,
    /// Samples that came from the copies in later packets.
    recovered: u64,
}

#[derive(Debug)]
struct Packet {
    len: i64,
    content: Content,
}

/// A packet's payload, or what became of it.
#[derive(Debug)]
pub(super) enum Content {
    Coded(Codec, Bytes),
    Plain(Vec<i16>),
}

impl Stock {
    /// Keeps a packet that lasts from `start` for `len` samples, unless one with this start is
    /// there already.
    pub(super) fn insert(&mut self, start: i64, len: usize, content: Content) {
        self.packets.entry(start).or_insert(Packet { len: len as i64, content });
    }

    /// Forgets all packets; the decoder's memory stays.
    pub(super) fn clear(&mut self) {
        self.packets.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    /// Where the audio that is there begins and ends.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let (&first, _) = self.packets.first_key_value()?;
        let (&last, packet) = self.packets.last_key_value()?;
        Some((first, last + packet.len))
    }

    /// Where the last packet begins.
    pub(super) fn newest(&self) -> Option<i64> {
        self.packets.last_key_value().map(|(&start, _)| start)
    }

    /// Samples recovered so far.
    pub(super) fn recovered(&self) -> u64 {
        self.recovered
    }

    /// As [`piece`](Self::piece), of what is not needed after `end`: a packet that is played whole is
    /// gone then.
    pub(super) fn play(&mut self, at: i64, end: i64) -> Option<Pcm<Hz8k>> {
        let whole = |(&start, packet): (&i64, &Packet)| start == at && start + packet.len <= end;
        if !self.packets.range(..=at).next_back().is_some_and(whole) {
            return self.piece(at, end);
        }
        match self.packets.remove(&at)?.content {
            Content::Coded(codec, payload) => decoder(&mut self.decoder, codec).decode(&payload),
            Content::Plain(samples) => Some(Pcm::new(samples)),
        }
        .filter(|audio| !audio.is_empty())
    }

    /// The audio there is from `at` on, up to `end`.
    pub(super) fn piece(&mut self, at: i64, end: i64) -> Option<Pcm<Hz8k>> {
        let (&start, packet) = self.packets.range_mut(..=at).next_back()?;
        if start + packet.len <= at {
            return None;
        }
        if let Content::Coded(codec, payload) = &packet.content {
            match decoder(&mut self.decoder, *codec).decode(payload) {
                Some(pcm) => packet.content = Content::Plain(pcm.into_samples()),
                None => {
                    self.packets.remove(&start);
                    return None;
                }
            }
        }
        let Content::Plain(samples) = &packet.content else { return None };
        let rest = samples.get((at - start) as usize..).filter(|rest| !rest.is_empty())?;
        Some(Pcm::new(rest[..rest.len().min((end - at) as usize)].to_vec()))
    }

    /// Nothing is there at `at`. Recovers it from the copy in the next packet, if that reaches
    /// exactly back to here, and returns `at`; otherwise returns the end, at most `end`, of what
    /// must be made up.
    pub(super) fn mend(&mut self, at: i64, end: i64) -> i64 {
        let Some((&next, Packet { content, .. })) = self.packets.range(at + 1..).next() else {
            return end;
        };
        let Content::Coded(codec, payload) = content else { return end.min(next) };
        let Some(decoder) = self.decoder.as_mut().filter(|d| d.codec() == *codec) else {
            return end.min(next);
        };
        let Some(copied) = codec.copied_before(payload) else { return end.min(next) };
        let from = next - copied as i64;
        if from > at {
            return end.min(from);
        }
        match decoder.recover((next - at) as usize, payload) {
            Some(pcm) => {
                self.recovered += pcm.len() as u64;
                let content = Content::Plain(pcm.into_samples());
                self.packets.insert(at, Packet { len: next - at, content });
                at
            }
            None => end.min(next),
        }
    }

    /// `n` samples by the codec's own concealment, if it has any.
    pub(super) fn conceal(&mut self, n: usize) -> Option<Pcm<Hz8k>> {
        self.decoder.as_mut()?.conceal(n)
    }

    /// Forgets what ends before `at`.
    pub(super) fn drop_before(&mut self, at: i64) {
        if self.packets.first_key_value().is_none_or(|(&start, _)| start >= at) {
            return;
        }
        self.packets.retain(|&start, packet| start + packet.len > at);
    }
}

/// The stream's decoder; another codec begins with a fresh one.
fn decoder(slot: &mut Option<Decoder>, codec: Codec) -> &mut Decoder {
    if slot.as_ref().is_some_and(|d| d.codec() != codec) {
        *slot = None;
    }
    slot.get_or_insert_with(|| Decoder::new(codec))
}
