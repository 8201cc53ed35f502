//! Floor 1: written and spoken language, Chinese and English. No I/O, no clock.
//!
//! Two directions meet here. What the recogniser wrote is folded until equal meanings look equal
//! ([`simplify`], [`normalize`], [`toneless`], [`fuzzy`]); what the bot is to say is written out
//! until a synthesiser can pronounce it ([`verbalize`], [`spell_out`], [`sentences`], [`clauses`]).

mod fold;
mod pinyin;
mod read;
mod read_as;
mod script;
mod sentence_stream;
mod sentences;
mod simplify;
mod spoken;

pub use fold::{is_hanzi, normalize};
pub use pinyin::{fuzzy, toneless};
pub use read::{Example, examples, spell_out, verbalize};
pub use read_as::ReadAs;
pub use script::language_of;
pub use sentence_stream::{SentenceStream, plain};
pub use sentences::{clauses, sentences};
pub use simplify::simplify;
pub use spoken::{Hypothesis, Lang, Phrase, Piece, Style};
