//! Floor 2: SDP offer/answer (RFC 3264) for one G.711 audio stream. No I/O.

mod answer;
mod direction;
mod media;
mod offer;
mod security;

use std::net::{IpAddr, SocketAddr};

pub use answer::answer;
pub use direction::Direction;
pub use offer::{accept, offer};
pub use security::{Security, SrtpKeys};

use crate::audio::Law;

/// Where we receive media, for our own description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address that the peer reaches us at.
    pub address: IpAddr,
    /// The RTP port; RTCP is on the next one, or on the same one when the peer multiplexes.
    pub port: u16,
    /// The session's id, the same for all descriptions of a call.
    pub session_id: u64,
    /// Counts our descriptions within the call: one more for each that differs from the last.
    pub version: u64,
    /// Protection of the stream.
    pub security: Security,
}

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where to send RTP. The address is unspecified (`0.0.0.0`) while the peer holds the call in
    /// the manner of RFC 2543; [`direction`](Self::direction) then says not to send.
    pub remote: SocketAddr,
    /// Where to send RTCP; equal to `remote` when both share a port (RFC 5761).
    pub rtcp: SocketAddr,
    /// The codec.
    pub law: Law,
    /// The codec's RTP payload type, in both directions.
    pub payload_type: u8,
    /// The payload type of telephone events at 8 kHz (RFC 4733), when the peer has them.
    pub events: Option<u8>,
    /// Who sends, seen from our side.
    pub direction: Direction,
    /// Audio in a packet that the peer would like, in ms, 10 to 60. We send 20 in any case.
    pub ptime_ms: u32,
    /// The keys, when the stream is protected.
    pub srtp: Option<SrtpKeys>,
}

/// What can go wrong in this room. Each is a reason to answer `488 Not Acceptable Here`, except
/// [`SdpError::Syntax`], which is `400 Bad Request`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// Not SDP.
    #[error("SDP cannot be read: {problem}")]
    Syntax {
        /// What the parser says, with the line.
        problem: String,
    },
    /// No active audio stream.
    #[error("SDP has no active m=audio line; the peer must offer one with a port")]
    NoAudio,
    /// Audio over something other than RTP.
    #[error("SDP has audio only over {offered}; the peer must offer RTP/AVP or RTP/SAVP")]
    Transport {
        /// The `proto` field.
        offered: String,
    },
    /// No agreement on the stream's protection.
    #[error("SDP cannot be answered: {problem}")]
    Security {
        /// What is missing, or wrong with each `a=crypto` line.
        problem: String,
    },
    /// None of the codecs is G.711.
    #[error("no common codec: offered {}; PCMU or PCMA at 8000 Hz is needed", offered.join(", "))]
    NoCommonCodec {
        /// Encoding names with clock rates, or bare payload types without `a=rtpmap`.
        offered: Vec<String>,
    },
    /// No address that RTP can be sent to.
    #[error("SDP has no usable connection address: {problem}; c= must be a unicast IP address")]
    Address {
        /// What is wrong with the `c=` line.
        problem: String,
    },
}
