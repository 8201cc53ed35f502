//! Floor 2: RTP and RTCP (RFC 3550) as pure state machines. No sockets, no clock.
//!
//! The owner of the sockets passes each datagram to [`RtpSession::receive`] and, once every
//! 20 ms, [pulls](RtpSession::pull) what the caller said and [sends](RtpSession::send) what the
//! bot says.

mod events;
mod formats;
mod jitter;
mod keys;
mod mos;
mod rtcp;
mod sender;
mod sequence;
mod session;
mod stats;

pub use events::Digit;
pub use formats::Formats;
pub use jitter::{Playout, PlayoutKind};
pub use keys::{KeyMerger, KeySource};
pub use rtcp::{NtpTime, is_rtcp};
pub use session::{IgnoreReason, Received, RtpConfig, RtpSession};
pub use stats::RtpStats;

/// What can go wrong in this room: datagrams that are neither RTP nor RTCP. They are to be counted
/// and dropped; the session is unharmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpError {
    /// Not version 2 of RTP: something else sends to this port.
    #[error("datagram of {len} bytes has RTP version {version}, not 2")]
    Version {
        /// The version it claims.
        version: u8,
        /// Its length in bytes.
        len: usize,
    },
    /// Cut short, or with lengths inside that do not fit.
    #[error("datagram of {len} bytes is not {protocol}: {problem}")]
    Malformed {
        /// `RTP` or `RTCP`.
        protocol: &'static str,
        /// Its length in bytes.
        len: usize,
        /// What the parser says.
        problem: String,
    },
    /// More audio than any sender puts into one packet.
    #[error("RTP payload of {len} bytes is longer than {} ms of G.711", MAX_PAYLOAD / 8)]
    Oversized {
        /// Its length in bytes.
        len: usize,
    },
}

/// Samples in one tick of 20 ms.
const FRAME: usize = 160;
/// Longest audio payload: 200 ms, the most RFC 3551 wants a receiver to accept.
const MAX_PAYLOAD: usize = 1_600;

/// Something like a voiced vowel with a gliding pitch, for tests.
#[cfg(test)]
fn test_voice(len: usize) -> crate::audio::Pcm<crate::audio::Hz8k> {
    let x = |i: usize| {
        let t = i as f64 / 8_000.0;
        let phase = 2.0 * std::f64::consts::PI * (120.0 * t + 3.0 * (5.0 * t).sin());
        (1..12).map(|h| (phase * f64::from(h)).sin() / f64::from(h)).sum::<f64>() * 4_000.0
    };
    crate::audio::Pcm::new((0..len).map(|i| x(i) as i16).collect())
}
