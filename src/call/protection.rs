//! SRTP on a call's sockets: the policy, and the stream in whatever state it is.

use serde::{Deserialize, Serialize};

use crate::{
    rtp,
    sdp::{Security, SrtpKeys},
    srtp::{MasterKey, SecureStream, SrtpError, Suite},
};

/// Whether calls are protected by SRTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SrtpPolicy {
    /// Plain RTP only; offers of SRTP alone are refused with 488.
    Off,
    /// SRTP with peers that have it. Our own offers are plain RTP with keys beside it.
    #[default]
    Optional,
    /// SRTP or no call: other offers are refused with 488.
    Required,
}

impl SrtpPolicy {
    /// What to offer and answer in one call, with fresh keys.
    #[must_use]
    pub fn security(self) -> Security {
        let fresh = |suite| MasterKey::from_random(suite, &rand::random());
        let keys = match self {
            Self::Off => Vec::new(),
            Self::Optional | Self::Required => Suite::ALL.into_iter().map(fresh).collect(),
        };
        Security { keys, required: self == Self::Required }
    }
}

/// A call's packets on their way to and from the sockets: protected, or as they are.
#[derive(Debug)]
pub(super) struct Protection {
    agreed: Option<(SrtpKeys, SecureStream)>,
}

impl Protection {
    pub(super) fn new(keys: Option<&SrtpKeys>) -> Result<Self, SrtpError> {
        let stream =
            |keys: &SrtpKeys| Ok((keys.clone(), SecureStream::new(&keys.ours, &keys.theirs)?));
        Ok(Self { agreed: keys.map(stream).transpose()? })
    }

    /// Follows a session change. Keys that stay keep their packet counters.
    pub(super) fn renew(&mut self, keys: Option<&SrtpKeys>) -> Result<(), SrtpError> {
        match (&mut self.agreed, keys) {
            (Some((old, stream)), Some(new)) if old.ours == new.ours => {
                if old.theirs != new.theirs {
                    stream.set_theirs(&new.theirs)?;
                    old.theirs = new.theirs.clone();
                }
            }
            _ => *self = Self::new(keys)?,
        }
        Ok(())
    }

    /// What to send for `packet`, RTP; `None` when it cannot be protected and must not go out.
    pub(super) fn seal(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        match &mut self.agreed {
            None => Some(packet),
            Some((_, stream)) => stream.protect(&packet).ok(),
        }
    }

    /// As [`seal`](Self::seal), for RTCP.
    pub(super) fn seal_rtcp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        match &mut self.agreed {
            None => Some(packet),
            Some((_, stream)) => stream.protect_rtcp(&packet).ok(),
        }
    }

    /// What is inside the first `len` bytes of `buffer`, a received datagram, put in their place:
    /// its length, or `None` for one that is forged or replayed.
    pub(super) fn open(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        let Some((_, stream)) = &mut self.agreed else { return Some(len) };
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
}
