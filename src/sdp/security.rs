//! Whether and how a stream is protected: SRTP with keys in SDP (SDES, RFC 4568) or from a DTLS
//! handshake beside the media (RFC 5763, RFC 8842).

mod dtls;
#[cfg(test)]
mod tests;

use sdp_types::{Media, Session, TransportProto};

pub use dtls::{Dtls, DtlsTerms};

use super::SdpError;
use crate::srtp::{CryptoAttribute, MasterKey};

/// What we do about protection, and our keys for it. The default is plain RTP only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Our keys for SDES, one for each suite that we have, best first. They must be fresh for each
    /// call.
    pub keys: Vec<MasterKey>,
    /// What we have for DTLS-SRTP.
    pub dtls: Option<Dtls>,
    /// Whether a stream without protection is refused.
    pub required: bool,
}

/// How both sides of a stream come by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keying {
    /// They stand in the SDP.
    Sdes(SrtpKeys),
    /// They are the fruit of a handshake.
    Dtls(DtlsTerms),
}

/// The keys of both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// With which we send.
    pub ours: MasterKey,
    /// With which the peer sends.
    pub theirs: MasterKey,
}

/// An agreement, and the tag of the `a=crypto` line that it is made on.
pub(super) type Agreed = (Option<u32>, Keying);

impl Security {
    /// What `media` of `session`, an offer or an answer to ours, and we agree on; `None` for plain
    /// RTP.
    pub(super) fn agree(
        &self,
        session: &Session,
        media: &Media,
    ) -> Result<Option<Agreed>, SdpError> {
        let must = is_secure(&media.proto);
        let refused = |problem: String| Err(SdpError::Security { problem });
        if self.keys.is_empty() && self.dtls.is_none() {
            return match must {
                true => refused(format!("{} is offered, and SRTP is off here", media.proto)),
                false => Ok(None),
            };
        }
        let mut problems = Vec::new();
        if !is_dtls(&media.proto)
            && let Some((tag, keys)) = self.keys_in(media, &mut problems)
        {
            return Ok(Some((Some(tag), Keying::Sdes(keys))));
        }
        if let Some(dtls) = &self.dtls
            && let Some(terms) = dtls.terms(session, media, &mut problems)
        {
            return Ok(Some((None, Keying::Dtls(terms))));
        }
        match (must || self.required, problems.is_empty()) {
            (true, true) => refused(format!("there is no {}, and SRTP is required", self.wanted())),
            (true, false) => refused(problems.join("; ")),
            (false, _) => Ok(None),
        }
    }

    fn keys_in(&self, media: &Media, problems: &mut Vec<String>) -> Option<(u32, SrtpKeys)> {
        for value in media.get_attribute_values("crypto").flatten() {
            match CryptoAttribute::parse(value) {
                Ok(line) => {
                    let ours = self.keys.iter().find(|key| key.suite() == line.key.suite());
                    if let Some(ours) = ours {
                        let keys = SrtpKeys { ours: ours.clone(), theirs: line.key };
                        return Some((line.tag, keys));
                    }
                }
                Err(error) => problems.push(error.to_string()),
            }
        }
        None
    }

    fn wanted(&self) -> &'static str {
        match (self.keys.is_empty(), &self.dtls) {
            (false, None) => "a=crypto line",
            (true, _) => "a=fingerprint line",
            (false, Some(_)) => "a=crypto or a=fingerprint line",
        }
    }

    fn offers_dtls(&self) -> Option<&Dtls> {
        self.dtls.as_ref().filter(|dtls| dtls.offered)
    }

    /// The transport of our offers: protection that is not required is offered beside plain RTP
    /// (RFC 8643).
    pub(super) fn transport(&self) -> TransportProto {
        match (self.required, self.offers_dtls()) {
            (false, _) => TransportProto::RtpAvp,
            (true, None) => TransportProto::RtpSavp,
            (true, Some(_)) => TransportProto::UdpTlsRtpSavp,
        }
    }

    /// Adds to our offer what protection needs.
    pub(super) fn describe(&self, media: &mut Media) {
        if let Some(dtls) = self.offers_dtls() {
            dtls::describe(media, &dtls.identity, "actpass");
            // One handshake for both.
            media.add_attribute_from_str("rtcp-mux");
            return;
        }
        for (tag, key) in (1..).zip(&self.keys) {
            let line = CryptoAttribute { tag, key: key.clone() };
            media.add_attribute_with_value("crypto", line.to_string());
        }
    }
}

const PLAIN: [&str; 2] = ["RTP/AVP", "RTP/AVPF"];
const SECURE: [&str; 2] = ["RTP/SAVP", "RTP/SAVPF"];
const DTLS: [&str; 2] = ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"];

/// Whether streams over `proto` can be ours: RTP by the profiles for audio, with feedback or
/// without.
pub(super) fn is_rtp(proto: &str) -> bool {
    is_in(&PLAIN, proto) || is_secure(proto)
}

fn is_secure(proto: &str) -> bool {
    is_in(&SECURE, proto) || is_dtls(proto)
}

fn is_dtls(proto: &str) -> bool {
    is_in(&DTLS, proto)
}

fn is_in(profiles: &[&str], proto: &str) -> bool {
    profiles.iter().any(|profile| profile.eq_ignore_ascii_case(proto))
}
