//! Floor 1: SRTP (RFC 3711, RFC 7714) as a pure transformation of packets, and its keys: as SDP
//! carries them (SDES, RFC 4568), or from a DTLS handshake (RFC 5764). No sockets, no clock: keys,
//! datagrams and times are passed in. Only handshakes draw random numbers by themselves.

mod attribute;
mod dtls;
mod stream;
mod suite;

pub use attribute::CryptoAttribute;
pub use dtls::{DtlsRole, Fingerprint, Handshake, Identity, is_dtls};
pub use stream::SecureStream;
pub use suite::{MasterKey, Suite};

/// What can go wrong in this room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// A packet that was not made with our key, was changed, or came twice. To be counted and dropped.
    #[error("{protocol} packet of {len} bytes refused: {problem}")]
    Refused {
        /// `SRTP` or `SRTCP`.
        protocol: &'static str,
        /// Its length in bytes.
        len: usize,
        /// What the check says.
        problem: String,
    },
    /// The suite cannot be used on this machine.
    #[error("{} cannot be used: {problem}", suite.name())]
    Suite {
        /// The suite.
        suite: Suite,
        /// What the library says.
        problem: String,
    },
    /// A DTLS handshake that comes to nothing.
    #[error("the DTLS handshake failed: {problem}")]
    Handshake {
        /// Why.
        problem: String,
    },
    /// An `a=fingerprint` line that we cannot use.
    #[error("a=fingerprint {problem}")]
    Fingerprint {
        /// What is wrong with it.
        problem: String,
    },
    /// An `a=crypto` line that we cannot use.
    #[error("a=crypto:{tag} {problem}")]
    Attribute {
        /// Its tag, or what stands in its place.
        tag: String,
        /// What is wrong with it.
        problem: String,
    },
}
