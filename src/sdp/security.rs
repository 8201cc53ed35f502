//! Whether and how a stream is protected: SRTP with keys in SDP (SDES, RFC 4568).

use sdp_types::{Media, TransportProto};

use super::SdpError;
use crate::srtp::{CryptoAttribute, MasterKey};

/// What we do about protection, and our keys for it. The default is plain RTP only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Our keys, one for each suite that we have, best first; none for plain RTP only. They must be
    /// fresh for each call.
    pub keys: Vec<MasterKey>,
    /// Whether a stream without protection is refused.
    pub required: bool,
}

/// The keys of both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// With which we send.
    pub ours: MasterKey,
    /// With which the peer sends.
    pub theirs: MasterKey,
}

impl Security {
    /// What `media`, an offer or an answer to ours, and we agree on: the tag of the line and the
    /// keys, or `None` for plain RTP.
    pub(super) fn agree(&self, media: &Media) -> Result<Option<(u32, SrtpKeys)>, SdpError> {
        let must = is_secure(&media.proto);
        let refused = |problem: String| Err(SdpError::Security { problem });
        if self.keys.is_empty() {
            return match must {
                true => refused(format!("{} is offered, and SRTP is off here", media.proto)),
                false => Ok(None),
            };
        }
        let mut problems = Vec::new();
        for value in media.get_attribute_values("crypto").flatten() {
            match CryptoAttribute::parse(value) {
                Ok(line) => {
                    let ours = self.keys.iter().find(|key| key.suite() == line.key.suite());
                    if let Some(ours) = ours {
                        let keys = SrtpKeys { ours: ours.clone(), theirs: line.key };
                        return Ok(Some((line.tag, keys)));
                    }
                }
                Err(error) => problems.push(error.to_string()),
            }
        }
        match (must || self.required, problems.is_empty()) {
            (true, true) => refused("there is no a=crypto line, and SRTP is required".into()),
            (true, false) => refused(problems.join("; ")),
            (false, _) => Ok(None),
        }
    }

    /// The transport of our offers: protection that is not required is offered beside plain RTP.
    pub(super) fn transport(&self) -> TransportProto {
        if self.required { TransportProto::RtpSavp } else { TransportProto::RtpAvp }
    }

    /// The `a=crypto` lines of our offers.
    pub(super) fn lines(&self) -> impl Iterator<Item = CryptoAttribute> {
        (1..).zip(&self.keys).map(|(tag, key)| CryptoAttribute { tag, key: key.clone() })
    }
}

/// Whether streams over `proto` can be ours: RTP by the profiles for audio, with feedback or
/// without.
pub(super) fn is_rtp(proto: &str) -> bool {
    ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"].iter().any(|p| p.eq_ignore_ascii_case(proto))
}

fn is_secure(proto: &str) -> bool {
    ["RTP/SAVP", "RTP/SAVPF"].iter().any(|p| p.eq_ignore_ascii_case(proto))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Capabilities;
    use crate::{
        sdp::{LocalMedia, Negotiated, accept, answer, offer},
        srtp::Suite,
    };

    fn security(seed: u8, suites: &[Suite], required: bool) -> Security {
        let random = [seed; MasterKey::MOST_BYTES];
        let keys = suites.iter().map(|suite| MasterKey::from_random(*suite, &random)).collect();
        Security { keys, required }
    }

    fn side(host: u8, security: Security) -> LocalMedia {
        let address = [192, 0, 2, host].into();
        let capabilities = Capabilities::default();
        LocalMedia { address, port: 4_000, session_id: 5, version: 1, security, capabilities }
    }

    /// Both sides' view of a call that the first offers.
    fn call(caller: Security, callee: Security) -> Result<(Negotiated, Negotiated), SdpError> {
        let (caller, callee) = (side(1, caller), side(2, callee));
        let (text, theirs) = answer(&offer(&caller), &callee)?;
        Ok((accept(&text, &caller)?, theirs))
    }

    #[test]
    fn two_sides_that_have_srtp_use_the_best_suite_of_both() {
        for required in [false, true] {
            let caller = security(1, &Suite::ALL, required);
            let callee = security(2, &[Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm], required);
            let (ours, theirs) = call(caller, callee).unwrap();
            let (ours, theirs) = (ours.srtp.unwrap(), theirs.srtp.unwrap());
            assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours));
            assert_eq!(ours.ours.suite(), Suite::AeadAes128Gcm);
        }
    }

    #[test]
    fn optional_protection_gives_way_and_required_does_not() {
        let plain = Security::default;
        let optional = || security(1, &Suite::ALL, false);
        let required = || security(1, &Suite::ALL, true);
        assert_eq!(call(optional(), plain()).unwrap().0.srtp, None);
        assert_eq!(call(plain(), optional()).unwrap().1.srtp, None);
        let error = call(plain(), required()).unwrap_err().to_string();
        assert!(error.contains("no a=crypto line, and SRTP is required"), "{error}");
        let error = call(required(), plain()).unwrap_err().to_string();
        assert!(error.contains("RTP/SAVP is offered, and SRTP is off here"), "{error}");
    }

    #[test]
    fn the_answer_repeats_the_tag_and_the_transport() {
        let caller =
            side(1, security(1, &[Suite::AeadAes256Gcm, Suite::AesCm128HmacSha1_32], true));
        let callee = side(2, security(2, &[Suite::AesCm128HmacSha1_32], false));
        let (text, _) = answer(&offer(&caller), &callee).unwrap();
        assert!(text.contains("m=audio 4000 RTP/SAVP 0"), "{text}");
        assert!(text.contains("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:"), "{text}");
    }

    #[test]
    fn an_answer_without_the_protection_we_need_is_refused() {
        let caller = side(1, security(1, &Suite::ALL, true));
        let (text, _) =
            answer(&offer(&side(3, Security::default())), &side(2, Security::default())).unwrap();
        assert!(matches!(accept(&text, &caller), Err(SdpError::Security { .. })));
    }

    #[test]
    fn lines_that_we_cannot_use_are_passed_over() {
        let caller = side(1, security(1, &[Suite::AesCm128HmacSha1_80], true));
        let offer = offer(&caller)
            .replace("a=crypto:1", "a=crypto:7 F8_128_HMAC_SHA1_80 inline:x\r\na=crypto:9");
        let (text, negotiated) = answer(&offer, &side(2, security(2, &Suite::ALL, true))).unwrap();
        assert!(text.contains("a=crypto:9 AES_CM_128_HMAC_SHA1_80"), "{text}");
        assert!(negotiated.srtp.is_some());
    }
}
