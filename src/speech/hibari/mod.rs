//! English synthesis: Hibari, and its text-to-phoneme front end.
//!
//! A port of Hibari 0.2.1 (Apache-2.0): the front end follows its Python `g2p` package, which
//! itself follows misaki 0.9.4 (hexgrad, Apache-2.0) with a tokeniser after spaCy's English rules
//! (MIT); the waveform follows its `dsp` module. The word lists, the tagger's weights and the
//! networks are Hibari's files, loaded from the model's folder.
//!
//! The phoneme alphabet is misaki's, so [`G2p`] also serves the English voices of Kokoro.

mod dictionary;
mod files;
mod g2p;
mod lexicon;
mod lexicon_numbers;
mod normalize;
mod numbers;
mod oov;
mod patterns;
mod readings;
mod sentences;
mod stress;
mod suffixes;
mod tagger;
mod token;
mod tokenize;
mod voice;
mod waveform;
mod words;

pub use g2p::G2p;
pub use voice::HibariVoice;

/// The model's name in `models.toml`.
const MODEL: &str = "hibari-en";
