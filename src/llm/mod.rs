//! Floor 6: language models behind any server that speaks the chat completions protocol of OpenAI, streamed.

mod answer;
mod client;
mod config;
mod connection;
mod events;
mod request;

use std::{io, path::PathBuf};

pub use answer::Parts;
pub use client::{Answer, Llm};
pub use config::LlmConfig;
pub use events::EventStream;

/// Why a language model cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The address.
    #[error(
        "llm.{name}.url `{url}`: {problem}: write it like http://127.0.0.1:8080/v1 or https://api.example.net/v1"
    )]
    Url {
        /// The model's name in the configuration.
        name: String,
        /// As it is configured.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// A file that it names.
    #[error("llm.{name}.{option} {path}: {source}")]
    File {
        /// The model's name in the configuration.
        name: String,
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key.
    #[error("llm.{name}.key_file {path}: a key is one line of printable ASCII without spaces")]
    Key {
        /// The model's name in the configuration.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// TLS.
    #[error("the TLS of llm.{name}.url cannot be set up: {problem}: check llm.{name}.ca")]
    Tls {
        /// The model's name in the configuration.
        name: String,
        /// What is wrong.
        problem: String,
    },
}
