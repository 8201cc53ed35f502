//! Floor 5: turn-taking around the dialog. Pure: no I/O, no clock.
//!
//! [`Conversation::step`] takes what the rim saw (speech edges, transcripts, keys, playback
//! progress, a due deadline) and returns what the rim shall do. It decides when the caller's turn
//! is over, when a prompt is cut short, and how long silence may last; what to say is the dialog's
//! business. Every input and output can be written to a [`journal`] and replayed.

mod contract;
mod engine;
pub mod journal;
mod keys;
mod playback;
mod timing;
mod turn;

pub use contract::{Input, Note, Output, PromptId, TurnStamps, UtteranceId};
pub use engine::Conversation;
pub use timing::Timing;
