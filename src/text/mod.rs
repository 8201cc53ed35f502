//! Floor 1: written and spoken language, Chinese and English. No I/O, no clock.

mod spoken;

pub use spoken::{Hypothesis, Lang, Phrase, Piece, ReadAs};
