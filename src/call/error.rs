//! Why a call came to nothing.

use super::{ArchiveError, PortError};
use crate::{
    conversation::journal::JournalError,
    sdp::SdpError,
    sip::{Reason, Rejection, SipError},
    srtp::SrtpError,
    store::StoreError,
};

/// A call that came to nothing, or whose record could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The session could not be agreed on; the caller got 488 or 400.
    #[error("session refused: {0}")]
    Session(#[from] SdpError),
    /// No port; the caller got 503.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The media could not be protected as agreed.
    #[error(transparent)]
    Protection(#[from] SrtpError),
    /// A media socket cannot be used.
    #[error("a media socket cannot be used: {0}")]
    Socket(std::io::Error),
    /// Signalling failed.
    #[error(transparent)]
    Signalling(#[from] SipError),
    /// The call's files.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The callee refused.
    #[error("the call was refused: {code} {reason}{}", in_brackets(cause.as_ref()))]
    Refused {
        /// SIP status code.
        code: u16,
        /// Its reason phrase.
        reason: String,
        /// Its Reason header, which may tell the cause of the network behind a gateway.
        cause: Option<Reason>,
    },
    /// The callee rang and rang.
    #[error("no answer within {seconds} s: is a SIP service running there?")]
    NoAnswer {
        /// How long it was given.
        seconds: u64,
    },
    /// Signalling broke.
    #[error("the call broke: {why}")]
    Broken {
        /// What broke.
        why: String,
    },
    /// The caller was gone before the call began.
    #[error("the caller was gone before the call began")]
    Gone,
}

fn in_brackets(cause: Option<&Reason>) -> String {
    cause.map(|cause| format!(" ({cause})")).unwrap_or_default()
}

/// What the caller is told when the call cannot be answered.
pub(super) fn rejection(error: &CallError) -> Rejection {
    let code = match error {
        CallError::Session(SdpError::NoCommonCodec { .. } | SdpError::Security { .. }) => 488,
        CallError::Session(_) => 400,
        CallError::Port(_) | CallError::Archive(_) | CallError::Store(_) => 503,
        _ => 500,
    };
    Rejection { reason: Some(error.to_string()), ..Rejection::code(code) }
}
