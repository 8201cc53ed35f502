//! SRTP on a call's sockets: the policy, and the stream in whatever state it is.

mod keyed;

use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use crate::{
    rtp,
    sdp::{Dtls, Keying, Negotiated, Security, SrtpKeys},
    srtp::{Identity, MasterKey, SecureStream, SrtpError, Suite},
};
use keyed::Keyed;

/// Whether calls are protected by SRTP. Answers take keys in SDP (SDES) and handshakes (DTLS-SRTP),
/// whichever is offered; the policy says what must be there, and what our own offers want.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SrtpPolicy {
    /// Plain RTP only; offers of SRTP alone are refused with 488.
    Off,
    /// SRTP with peers that have it. Our own offers are plain RTP with keys beside it.
    #[default]
    Optional,
    /// SRTP or no call: other offers are refused with 488. Our own offers have keys in SDP.
    Required,
    /// SRTP with peers that have it. Our own offers are plain RTP with DTLS-SRTP beside it
    /// (RFC 8643).
    DtlsOptional,
    /// DTLS-SRTP or no call: other offers, also those of keys in SDP, are refused with 488.
    Dtls,
}

impl SrtpPolicy {
    /// All of them, with their names in configurations.
    pub const ALL: [(&str, Self); 5] = [
        ("off", Self::Off),
        ("optional", Self::Optional),
        ("required", Self::Required),
        ("dtls-optional", Self::DtlsOptional),
        ("dtls", Self::Dtls),
    ];

    /// What to offer and answer in one call, with fresh keys.
    #[must_use]
    pub fn security(self) -> Security {
        let fresh = |suite| MasterKey::from_random(suite, &rand::random());
        let keys = match self {
            Self::Off | Self::Dtls => Vec::new(),
            Self::Optional | Self::Required | Self::DtlsOptional => {
                Suite::ALL.into_iter().map(fresh).collect()
            }
        };
        let offered = matches!(self, Self::Dtls | Self::DtlsOptional);
        let dtls = || Some(Dtls { identity: identity()?, offered, role: None });
        let dtls = if self == Self::Off { None } else { dtls() };
        Security { keys, dtls, required: matches!(self, Self::Required | Self::Dtls) }
    }
}

/// The certificate of this process, made when it is first needed.
fn identity() -> Option<Arc<Identity>> {
    static IDENTITY: LazyLock<Option<Arc<Identity>>> = LazyLock::new(|| {
        let made = Identity::generate();
        made.inspect_err(|error| tracing::error!(%error, "there will be no DTLS-SRTP"))
            .ok()
            .map(Arc::new)
    });
    IDENTITY.clone()
}

/// Which of a call's two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Rtp,
    Rtcp,
}

/// A call's packets on their way to and from the sockets: protected, or as they are.
#[derive(Debug)]
pub(super) enum Protection {
    Plain,
    Sdes(SrtpKeys, Box<SecureStream>),
    Dtls(Box<Keyed>),
}

impl Protection {
    pub(super) fn new(peer: &Negotiated, now: Instant) -> Result<Self, SrtpError> {
        Ok(match &peer.srtp {
            None => Self::Plain,
            Some(Keying::Sdes(keys)) => {
                let stream = SecureStream::new(&keys.ours, &keys.theirs)?;
                Self::Sdes(keys.clone(), Box::new(stream))
            }
            Some(Keying::Dtls(terms)) => {
                let shared = peer.rtcp == peer.remote;
                Self::Dtls(Box::new(Keyed::new(terms.clone(), shared, now)?))
            }
        })
    }

    /// Follows a session change. Keys that stay keep their packet counters.
    pub(super) fn renew(&mut self, peer: &Negotiated, now: Instant) -> Result<(), SrtpError> {
        match (&mut *self, &peer.srtp) {
            (Self::Sdes(old, stream), Some(Keying::Sdes(new))) if old.ours == new.ours => {
                if old.theirs != new.theirs {
                    stream.set_theirs(&new.theirs)?;
                    old.theirs = new.theirs.clone();
                }
            }
            (Self::Dtls(keyed), Some(Keying::Dtls(terms))) if keyed.terms() == terms => {}
            _ => *self = Self::new(peer, now)?,
        }
        Ok(())
    }

    /// What to send for `packet`, RTP; `None` when it cannot be protected and must not go out.
    pub(super) fn seal(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Plain => Some(packet),
            Self::Sdes(_, stream) => stream.protect(&packet).ok(),
            Self::Dtls(keyed) => keyed.stream(Port::Rtp)?.protect(&packet).ok(),
        }
    }

    /// As [`seal`](Self::seal), for RTCP.
    pub(super) fn seal_rtcp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Plain => Some(packet),
            Self::Sdes(_, stream) => stream.protect_rtcp(&packet).ok(),
            Self::Dtls(keyed) => keyed.stream(Port::Rtcp)?.protect_rtcp(&packet).ok(),
        }
    }

    /// What is inside the first `len` bytes of `buffer`, a datagram that `port` received, put in
    /// their place: its length, or `None` for one that is forged or replayed.
    pub(super) fn open(&mut self, port: Port, buffer: &mut [u8], len: usize) -> Option<usize> {
        let stream = match self {
            Self::Plain => return Some(len),
            Self::Sdes(_, stream) => stream,
            Self::Dtls(keyed) => keyed.stream(port)?,
        };
        let sealed = buffer.get(..len)?;
        let opened = if rtp::is_rtcp(sealed) {
            stream.unprotect_rtcp(sealed)
        } else {
            stream.unprotect(sealed)
        };
        let opened = opened.ok()?;
        buffer.get_mut(..opened.len())?.copy_from_slice(&opened);
        Some(opened.len())
    }

    /// Takes a datagram of a handshake that `port` received; false when it is not part of ours.
    pub(super) fn take_handshake(&mut self, port: Port, datagram: &[u8], now: Instant) -> bool {
        match self {
            Self::Plain | Self::Sdes(..) => false,
            Self::Dtls(keyed) => keyed.receive(port, datagram, now),
        }
    }

    /// What handshakes have to send now, for whatever time has passed.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(Port, Vec<u8>)> {
        match self {
            Self::Plain | Self::Sdes(..) => Vec::new(),
            Self::Dtls(keyed) => keyed.due(now),
        }
    }

    /// Gives the peer the whole time for its handshake from now on.
    pub(super) fn wait_from(&mut self, now: Instant) {
        if let Self::Dtls(keyed) = self {
            keyed.wait_from(now);
        }
    }

    /// Whether audio can go both ways.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Plain | Self::Sdes(..) => true,
            Self::Dtls(keyed) => keyed.is_ready(),
        }
    }

    /// Why audio never will.
    pub(super) fn failure(&self, now: Instant) -> Option<SrtpError> {
        match self {
            Self::Plain | Self::Sdes(..) => None,
            Self::Dtls(keyed) => keyed.failure(now),
        }
    }
}
