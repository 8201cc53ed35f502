//! Prompt audio: rendered ahead, cached by content, values spliced from units.
//!
//! A voice is a TOML file ([`VoiceConfig`]). [`Prompts`] renders what a dialplan says before the
//! first call and keeps it ([`PromptCache`]); in a call it joins the rendered words with values:
//! in Chinese from units rendered ahead (三 百 元), in English by speaking the sentence anew.

mod assemble;
mod cache;
mod config;
mod finish;
#[cfg(test)]
mod fixture;
mod lru;
mod manner;
mod part;
mod recordings;
mod render;
mod script;
mod stretches;
mod voice;

pub use cache::{CacheLimits, PromptCache};
pub use config::{EngineKind, VoiceConfig, VoiceError, load_voice};
pub use render::Prompts;
pub use stretches::Stretch;
