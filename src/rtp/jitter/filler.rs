use std::collections::BTreeMap;

use super::{FRAME, PlayoutKind, stock::Stock};
use crate::audio::{ComfortNoise, Concealer, Hz8k, Pcm};

/// A codec's own concealment is used this long, 60 ms; then what it made fades out.
const CODEC_CONCEALS: usize = 3 * FRAME;
/// Changes of the comfort noise that may wait for their time.
const MAX_NOISES: usize = 16;

/// What is heard where no packet is: comfort noise, the codec's own concealment, ours, silence.
#[derive(Debug, Default)]
pub(super) struct Filler {
    concealer: Concealer,
    /// Samples that the codec itself has made up since the last packet.
    codec_concealed: usize,
    /// The peer is silent, and this is what it sounds like.
    noise: Option<ComfortNoise>,
    /// Comfort noise to begin later.
    noises: BTreeMap<i64, ComfortNoise>,
}

impl Filler {
    /// Another stream begins. What was made up for the end of this one fades on.
    pub(super) fn restart(&mut self) {
        self.noise = None;
        self.noises.clear();
    }

    /// The peer is silent from `start` on, or from now on.
    pub(super) fn put_noise(&mut self, start: Option<i64>, noise: ComfortNoise) {
        match start {
            None => self.noise = Some(noise),
            Some(start) if self.noises.len() < MAX_NOISES => {
                self.noises.insert(start, noise);
            }
            Some(_) => {}
        }
    }

    /// Takes audio that did arrive, blending its beginning with what was made up before.
    pub(super) fn heard(&mut self, piece: &mut Pcm<Hz8k>) {
        self.noise = None;
        self.codec_concealed = 0;
        self.concealer.good(piece);
    }

    /// What is played next does not follow what was played last: blend over the joint.
    pub(super) fn joint(&mut self) {
        self.concealer.lost(0);
    }

    /// Begins the comfort noise whose time has come before `end`.
    pub(super) fn begin_noise(&mut self, end: i64) {
        if let Some((_, noise)) = self.noises.range(..end).next_back() {
            self.noise = Some(noise.clone());
        }
        self.drop_before(end);
    }

    /// Forgets noise that should have begun before `at`.
    pub(super) fn drop_before(&mut self, at: i64) {
        if self.noises.is_empty() {
            return;
        }
        self.noises = self.noises.split_off(&at);
    }

    /// `n` samples in place of what is not there.
    pub(super) fn fill(&mut self, n: usize, packets: &mut Stock) -> (Pcm<Hz8k>, PlayoutKind) {
        if let Some(noise) = &mut self.noise {
            let mut audio = noise.next(n);
            self.concealer.good(&mut audio);
            return (audio, PlayoutKind::Noise);
        }
        if self.concealer.is_silent() {
            return (self.concealer.lost(n), PlayoutKind::Silence);
        }
        if self.codec_concealed < CODEC_CONCEALS
            && let Some(mut audio) = packets.conceal(n)
        {
            self.codec_concealed += n;
            self.concealer.good(&mut audio);
            return (audio, PlayoutKind::Concealed);
        }
        (self.concealer.lost(n), PlayoutKind::Concealed)
    }
}
