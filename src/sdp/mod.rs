//! Floor 2: SDP offer/answer (RFC 3264) for one audio stream. No I/O.

mod answer;
mod direction;
mod formats;
mod media;
mod offer;
mod security;

use std::net::{IpAddr, SocketAddr};

pub use answer::answer;
pub use direction::Direction;
pub use offer::{accept, offer, offer_as};
pub use security::{Dtls, DtlsTerms, Keying, Security, SrtpKeys};

use crate::audio::Codec;

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
    /// What we can do.
    pub capabilities: Capabilities,
}

/// What we offer, and limit our answers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Our codecs in the order in which we offer them. An answer keeps the offer's order.
    pub codecs: Vec<Codec>,
    /// Whether silence may be described instead of sent (RFC 3389).
    pub comfort_noise: bool,
}

impl Default for Capabilities {
    /// All codecs of this build, G.711 first, and comfort noise.
    fn default() -> Self {
        Self { codecs: Codec::ALL.to_vec(), comfort_noise: true }
    }
}

impl Capabilities {
    fn names(&self) -> String {
        self.codecs.iter().map(|codec| codec.name()).collect::<Vec<_>>().join(", ")
    }
}

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where to send RTP. The address is unspecified (`0.0.0.0`) while the peer holds the call in
    /// the manner of RFC 2543; [`direction`](Self::direction) then says not to send.
    pub remote: SocketAddr,
    /// Where to send RTCP; equal to `remote` when both share a port (RFC 5761).
    pub rtcp: SocketAddr,
    /// Payload type and codec that we send.
    pub send: (u8, Codec),
    /// Payload types and codecs that the peer may send, at any time.
    pub receive: Vec<(u8, Codec)>,
    /// The payload type of telephone events that we send (RFC 4733), on the clock of the codec.
    pub send_events: Option<u8>,
    /// Payload types of telephone events that the peer may send, with their clock rates in Hz.
    pub receive_events: Vec<(u8, u32)>,
    /// The payload type of comfort noise (RFC 3389), when both sides have it.
    pub comfort_noise: Option<u8>,
    /// Who sends, seen from our side.
    pub direction: Direction,
    /// Audio that the peer wants in a packet, in ms, 10 to 60.
    pub ptime_ms: u32,
    /// Where the keys come from, when the stream is protected.
    pub srtp: Option<Keying>,
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
    #[error(
        "SDP has audio only over {offered}; the peer must offer RTP/AVP, RTP/SAVP or UDP/TLS/RTP/SAVP"
    )]
    Transport {
        /// The `proto` field.
        offered: String,
    },
    /// No agreement on the stream's protection.
    #[error("SDP cannot be answered: {problem}")]
    Security {
        /// What is missing, or wrong with each `a=crypto` and `a=fingerprint` line.
        problem: String,
    },
    /// None of the codecs is ours.
    #[error("no common codec: offered {}; one of {wanted} is needed (rtp.codecs)", offered.join(", "))]
    NoCommonCodec {
        /// Encoding names with clock rates, or bare payload types without `a=rtpmap`.
        offered: Vec<String>,
        /// The names of ours.
        wanted: String,
    },
    /// No address that RTP can be sent to.
    #[error("SDP has no usable connection address: {problem}; c= must be a unicast IP address")]
    Address {
        /// What is wrong with the `c=` line.
        problem: String,
    },
}
