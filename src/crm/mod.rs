//! Floor 6: the CRM, over gRPC. `proto/hotline/v1/crm.proto` says what it has to implement.

mod client;
mod config;

use std::{io, path::PathBuf};

pub use client::Crm;
pub use config::CrmConfig;

pub use crate::proto;

/// Why a CRM cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrmError {
    /// The address.
    #[error(
        "crm.url `{url}`: {problem}: write it like http://127.0.0.1:50051 or https://crm.example.net"
    )]
    Url {
        /// As it is configured.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// A file that it names.
    #[error("crm.{option} {path}: {source}")]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The token.
    #[error("crm.token_file {path}: a token is one line of printable ASCII without spaces")]
    Token {
        /// The file.
        path: PathBuf,
    },
    /// TLS.
    #[error("the TLS of crm.url cannot be set up: {0}: check crm.ca, crm.certificate and crm.key")]
    Tls(String),
}
