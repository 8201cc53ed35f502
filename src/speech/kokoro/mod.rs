//! Mandarin (and English) synthesis: Kokoro-82M, and its pinyin front end.
//!
//! The front end does what misaki 0.9.4 does for Kokoro v1.0 in Chinese (misaki: MIT and
//! Apache-2.0; its syllable table comes from pinyin-to-ipa, MIT; its readings from pypinyin, MIT),
//! with a hand-checked table of call-centre words where those readings are wrong: 还款, 应还.

mod g2p;
mod latin;
mod model;
mod reading;
mod syllable;
mod voice;

pub use g2p::ZhG2p;
pub use voice::KokoroVoice;

/// Text to phonemes in Kokoro's English alphabet.
pub trait Phonemizer: Send + Sync {
    /// The phonemes of `text`; empty when nothing can be pronounced.
    fn phonemes(&self, text: &str) -> String;
}
