use std::{io, net::SocketAddr, path::PathBuf};

/// Why the API is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The address.
    #[error("api.listen {address} cannot be listened on: {problem}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        problem: io::Error,
    },
    /// A file that the configuration names.
    #[error("api.{option} {path}: {source}")]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Some of what TLS needs.
    #[error("api.certificate and api.key belong together, and api.client_ca needs both")]
    HalfTls,
    /// TLS.
    #[error(
        "the TLS of api.listen cannot be set up: {0}: check api.certificate, api.key and api.client_ca"
    )]
    Tls(String),
    /// The description of the services.
    #[error("the reflection service cannot be made: {0}")]
    Reflection(String),
}
