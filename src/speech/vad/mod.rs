//! Voice activity: where speech starts and stops.
//!
//! Three opinions make a decision. The `earshot` network knows speech from steady noise, but
//! answers late, lets go late and is fooled by noise that begins suddenly; the level over an
//! adaptive noise floor is quick but knows no speech; a pitch tells a vowel from any noise.
//! Speech starts when all say so, at the moment the level rose, and stops when the level falls.
//! Whispering without any vowel, and music or tones at the pitch of a voice, are told wrong.

mod echo;
mod level;
#[cfg(test)]
mod tests;
mod voicing;

use std::{collections::VecDeque, time::Duration};

use crate::audio::{CallTime, Hz8k, Hz16k, Pcm, Resampler};

pub use echo::EchoGate;
use level::{NoiseFloor, level_db};
use voicing::Voicing;

/// 16 kHz samples that one step of the network covers: 16 ms.
const BLOCK: usize = 256;
/// The network answers up to this many blocks after the onset, never earlier than it.
const NETWORK_LAG: u64 = 10;
/// From this periodicity a block is a vowel's, and speech goes this long without one: 512 ms.
const VOWEL: f32 = 0.5;
const VOWELLESS: u64 = 32;
/// So many loud blocks with a vowel in them are probably speech: 48 ms.
const LIKELY: u64 = 3;
/// Dips this short do not break an onset in two.
const DIP: u64 = 2;

/// How eagerly speech is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VadConfig {
    /// The network's score from which sound is speech, `0.0..=1.0`; lower finds more.
    pub threshold: f32,
    /// Sound shorter than this is a click, not speech; ms.
    pub min_speech_ms: u32,
    /// Silence this long ends speech; ms. Some pauses within words are longer: what follows them is the
    /// same turn.
    pub hang_ms: u32,
    /// How far above the noise floor speech must start; dB.
    pub onset_snr_db: f32,
}

impl Default for VadConfig {
    fn default() -> Self {
        Self { threshold: 0.5, min_speech_ms: 64, hang_ms: 96, onset_snr_db: 9.0 }
    }
}

/// A change between silence and speech. Its moment is when the change happened, which is
/// earlier than when it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeechEdge {
    /// Speech started.
    Started {
        /// When the sound rose out of the noise.
        at: CallTime,
    },
    /// Speech stopped.
    Stopped {
        /// When the sound fell back into the noise.
        at: CallTime,
    },
}

/// How noisy a line is: what a detector has learnt of it, for the next one.
#[derive(Debug, Clone, Copy)]
pub struct LineNoise(NoiseFloor);

impl Default for LineNoise {
    /// A quiet line.
    fn default() -> Self {
        Self(NoiseFloor::new())
    }
}

/// Finds speech in the caller's audio, fed without gaps from when it begins to listen.
///
/// Pure and deterministic: the same audio, cut into frames in any way, gives the same edges.
pub struct SpeechDetector {
    config: VadConfig,
    network: Box<earshot::Detector>,
    resampler: Resampler<Hz8k, Hz16k>,
    floor: NoiseFloor,
    voicing: Voicing,
    last_vowel: Option<u64>,
    unread: Vec<i16>,
    /// Where block 0 began.
    origin: CallTime,
    block: u64,
    phase: Phase,
    last_speech: CallTime,
    edges: VecDeque<SpeechEdge>,
}

/// Blocks are counted from the first that was heard.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Silence { onset: Option<Onset> },
    Speech { last_voiced: u64 },
}

/// Sound above the noise floor that may turn out to be speech.
#[derive(Debug, Clone, Copy)]
struct Onset {
    first: u64,
    last: u64,
    loud: u64,
    first_voiced: Option<u64>,
}

impl Onset {
    fn at(first: u64) -> Self {
        Self { first, last: first, loud: 0, first_voiced: None }
    }
}

impl SpeechDetector {
    /// A detector that listens from [`CallTime::ZERO`] on.
    pub fn new(config: VadConfig) -> Self {
        Self::listening_from(config, CallTime::ZERO, LineNoise::default())
    }

    /// A detector that begins to listen at `origin`, on a line whose noise is known.
    pub fn listening_from(
        config: VadConfig,
        origin: CallTime,
        LineNoise(floor): LineNoise,
    ) -> Self {
        Self {
            config,
            network: earshot::Detector::default_boxed(),
            resampler: Resampler::new(),
            floor,
            voicing: Voicing::new(),
            last_vowel: None,
            unread: Vec::with_capacity(2 * BLOCK),
            origin,
            block: 0,
            phase: Phase::Silence { onset: None },
            last_speech: origin,
            edges: VecDeque::new(),
        }
    }

    /// Takes the caller's next audio, of any length, and reports the next change.
    ///
    /// A frame of 20 ms holds at most one change; when a longer one holds more, the others come
    /// with the next frames (which may be empty).
    pub fn push(&mut self, frame: &Pcm<Hz8k>) -> Option<SpeechEdge> {
        self.push_over(frame, -100.0)
    }

    /// The same for audio in which the bot's own voice may come back, as loud as `echo_db` relative to
    /// full scale ([`EchoGate::heard`]): only what is clearly louder is the caller's.
    pub fn push_over(&mut self, frame: &Pcm<Hz8k>, echo_db: f32) -> Option<SpeechEdge> {
        self.unread.extend_from_slice(self.resampler.push(frame).samples());
        let unread = std::mem::take(&mut self.unread);
        let mut blocks = unread.chunks_exact(BLOCK);
        for block in &mut blocks {
            self.hear(block, echo_db);
        }
        self.unread.extend_from_slice(blocks.remainder());
        self.edges.pop_front()
    }

    /// Whether the caller is speaking: a start was found and its end was not.
    pub fn is_speech(&self) -> bool {
        matches!(self.phase, Phase::Speech { .. })
    }

    /// When a sound began that is probably speech, about 60 ms after it did. A start follows soon, or
    /// none: then it was none.
    pub fn likely_since(&self) -> Option<CallTime> {
        let Phase::Silence { onset: Some(onset) } = self.phase else { return None };
        let with_vowel = self.last_vowel.is_some_and(|vowel| vowel >= onset.first);
        (onset.loud >= LIKELY && with_vowel).then(|| self.block_start(onset.first))
    }

    /// Whether nobody speaks and every change was reported.
    pub fn is_idle(&self) -> bool {
        !self.is_speech() && self.edges.is_empty()
    }

    /// What the line sounds like when nobody speaks.
    pub fn line_noise(&self) -> LineNoise {
        LineNoise(self.floor)
    }

    /// The latest moment with speech; when it began to listen, before the first.
    pub fn last_speech(&self) -> CallTime {
        self.last_speech
    }

    fn hear(&mut self, samples: &[i16], echo_db: f32) {
        let level = level_db(samples);
        let over_floor = level - self.floor.db().max(echo_db);
        self.voicing.hear(samples);
        if over_floor >= self.config.onset_snr_db && self.voicing.periodicity() >= VOWEL {
            self.last_vowel = Some(self.block);
        }
        let mut score = self.network.predict_i16(samples);
        if self.last_vowel.is_none_or(|vowel| self.block - vowel > VOWELLESS) {
            score = 0.0;
        }
        self.floor.hear(level, score);
        match self.phase {
            Phase::Silence { onset } => self.hear_silence(onset, score, over_floor),
            Phase::Speech { last_voiced } => self.hear_speech(last_voiced, score, over_floor),
        }
        self.block += 1;
    }

    fn hear_silence(&mut self, onset: Option<Onset>, score: f32, over_floor: f32) {
        let now = self.block;
        let mut onset = onset.filter(|onset| now - onset.last <= DIP + 1);
        if over_floor >= self.config.onset_snr_db {
            let onset = onset.get_or_insert(Onset::at(now));
            onset.last = now;
            onset.loud += 1;
            if score >= self.config.threshold {
                onset.first_voiced.get_or_insert(now);
            }
            if onset.loud * 16 >= u64::from(self.config.min_speech_ms)
                && let Some(voiced) = onset.first_voiced
            {
                let first = onset.first.max(voiced.saturating_sub(NETWORK_LAG));
                return self.start(first);
            }
        }
        self.phase = Phase::Silence { onset };
    }

    fn start(&mut self, first: u64) {
        self.edges.push_back(SpeechEdge::Started { at: self.block_start(first) });
        self.phase = Phase::Speech { last_voiced: self.block };
        self.last_speech = self.block_start(self.block + 1);
    }

    fn hear_speech(&mut self, last_voiced: u64, score: f32, over_floor: f32) {
        // Hysteresis on both opinions: the ends of words are quieter than their beginnings.
        let voiced =
            score >= self.config.threshold - 0.1 && over_floor >= self.config.onset_snr_db - 3.0;
        if voiced {
            self.phase = Phase::Speech { last_voiced: self.block };
            self.last_speech = self.block_start(self.block + 1);
        } else if (self.block - last_voiced) * 16 >= u64::from(self.config.hang_ms) {
            self.edges.push_back(SpeechEdge::Stopped { at: self.last_speech });
            self.phase = Phase::Silence { onset: None };
        }
    }

    /// When a block was heard: the resampler hands it over late.
    fn block_start(&self, block: u64) -> CallTime {
        let samples_16k = block * BLOCK as u64;
        let since = samples_16k.saturating_sub(self.resampler.delay() as u64) / 2;
        CallTime(self.origin.samples() + since)
    }
}

/// How much of a recording is speech, judged without its context: for telling an utterance from
/// noise, not for cutting it.
pub fn voiced_time(audio: &Pcm<Hz16k>) -> Duration {
    let mut network = earshot::Detector::default_boxed();
    let mut voicing = Voicing::new();
    let mut has_vowel = false;
    let mut scores = Vec::new();
    for block in audio.samples().chunks_exact(BLOCK) {
        voicing.hear(block);
        let score = network.predict_i16(block);
        has_vowel |= score >= 0.5 && voicing.periodicity() >= VOWEL;
        scores.push((score, level_db(block)));
    }
    let loudest = scores.iter().map(|&(_, level)| level).fold(-100.0, f32::max);
    let voiced = scores.iter().filter(|&&(score, level)| score >= 0.5 && level > loudest - 30.0);
    if has_vowel { Duration::from_millis(16 * voiced.count() as u64) } else { Duration::ZERO }
}
