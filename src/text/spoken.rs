use std::fmt;

use serde::{Deserialize, Serialize};

use super::ReadAs;

/// A language that Hotline hears and speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    En,
    /// Mandarin Chinese, written in simplified characters.
    Zh,
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::En => "en",
            Self::Zh => "zh",
        })
    }
}

/// One reading of what a caller said, as a recogniser returned it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// The words, not normalised.
    pub text: String,
    /// How sure the recogniser is, `0.0..=1.0`; `1.0` from engines that do not say.
    pub confidence: f32,
}

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Words known when the dialplan loads; rendered ahead and cached.
    Words(String),
    /// A value known only in the call.
    Value {
        /// The value as written.
        value: String,
        /// How to read it.
        read_as: ReadAs,
    },
    /// Silence, in milliseconds.
    Pause(u32),
    /// How all that follows is said, until the next one.
    Style(Style),
    /// A recording of these words, by its content; they are spoken where it cannot be had.
    Recorded {
        /// SHA-256 of the file, in lower-case hex.
        recording: String,
        /// What is said in it.
        words: String,
    },
}

/// How a part of a prompt is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Style {
    /// Speed in percent of the usual.
    pub rate_percent: u16,
    /// Change of level in dB.
    pub gain_db: i8,
}

impl Style {
    /// As the voice speaks of itself.
    pub const USUAL: Self = Self { rate_percent: 100, gain_db: 0 };
}

/// What the bot says in one go, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Phrase {
    /// Language of the words and of how values are read.
    pub lang: Lang,
    /// The parts in speaking order.
    pub pieces: Vec<Piece>,
}

impl fmt::Display for Phrase {
    /// The phrase as a reader expects it in a transcript: values as written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) | Piece::Recorded { words, .. } => f.write_str(words)?,
                Piece::Pause(_) | Piece::Style(_) => {}
                Piece::Value { value, .. } => f.write_str(value)?,
            }
        }
        Ok(())
    }
}
