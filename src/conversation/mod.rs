//! Floor 5: turn-taking around the dialog. Pure: no I/O, no clock.
//!
//! [`Conversation::step`] takes what the rim saw (speech edges, transcripts, keys, playback
//! progress, a due deadline) and returns what the rim shall do. It decides when the caller's turn
//! is over, when a prompt is cut short, and how long silence may last; what to say is the dialog's
//! business. Every input and output can be written to a [`journal`] and replayed.

mod ahead;
mod attention;
mod contract;
mod end_of_turn;
mod engine;
mod generating;
mod invoking;
pub mod journal;
mod keys;
mod listening;
mod no_audio;
mod orders;
mod overlap;
mod partial;
mod playback;
mod stamps;
mod timing;
mod turn;
mod typing;

pub use attention::Attention;
pub use contract::{ClipId, GenerateId, Input, InvokeId, Note, Output, PromptId, UtteranceId};
pub use end_of_turn::EndOfTurn;
pub use engine::Conversation;
pub use orders::{Order, Refusal};
pub use stamps::TurnStamps;
pub use timing::Timing;
