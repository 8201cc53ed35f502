//! DTLS-SRTP in SDP: `a=fingerprint` (RFC 8122) and `a=setup` (RFC 4145, RFC 8842).

use std::sync::Arc;

use sdp_types::{Attribute, Media, Session};

use crate::srtp::{DtlsRole, Fingerprint, Identity};

/// Our side of DTLS-SRTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtls {
    /// Our certificate.
    pub identity: Arc<Identity>,
    /// Whether our offers want it, instead of naming [`Security::keys`](super::Security::keys). Answers take what is
    /// offered.
    pub offered: bool,
    /// Our part in the handshake that the call has had already: it stays (RFC 8842, section 5.3).
    pub role: Option<DtlsRole>,
}

/// What a handshake needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsTerms {
    /// Our certificate.
    pub identity: Arc<Identity>,
    /// Our part.
    pub role: DtlsRole,
    /// Of the peer's certificate: it must have one of them.
    pub fingerprints: Vec<Fingerprint>,
}

impl Dtls {
    /// What we agree on with the peer; `None` when it does not want a handshake, or not one that
    /// can be: `problems` then says why.
    pub(super) fn terms(
        &self,
        session: &Session,
        media: &Media,
        problems: &mut Vec<String>,
    ) -> Option<DtlsTerms> {
        let mut fingerprints = Vec::new();
        for value in either(session, media, "fingerprint") {
            match Fingerprint::parse(value) {
                Ok(fingerprint) => fingerprints.push(fingerprint),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if fingerprints.is_empty() {
            return None;
        }
        let setup = either(session, media, "setup").into_iter().next().unwrap_or_default();
        let role = match setup.to_ascii_lowercase().as_str() {
            "active" => DtlsRole::Passive,
            "passive" => DtlsRole::Active,
            // RFC 8842 section 5.3 recommends the active part to whoever may choose.
            "actpass" => self.role.unwrap_or(DtlsRole::Active),
            _ => {
                let wanted = "it must be active, passive or actpass";
                problems.push(format!("a=fingerprint comes with a=setup:{setup:?}; {wanted}"));
                return None;
            }
        };
        Some(DtlsTerms { identity: Arc::clone(&self.identity), role, fingerprints })
    }
}

impl DtlsTerms {
    /// Adds our side to an answer.
    pub(in crate::sdp) fn describe(&self, media: &mut Media) {
        let setup = match self.role {
            DtlsRole::Active => "active",
            DtlsRole::Passive => "passive",
        };
        describe(media, &self.identity, setup);
    }
}

/// Adds our certificate's fingerprint and our part, `setup` as in RFC 4145.
pub(super) fn describe(media: &mut Media, identity: &Identity, setup: &str) {
    media.add_attribute_with_value("fingerprint", identity.fingerprint().to_string());
    media.add_attribute_with_value("setup", setup);
}

/// The values of an attribute of the media, else of the session.
fn either<'a>(session: &'a Session, media: &'a Media, name: &str) -> Vec<&'a str> {
    let values = |attributes: &'a [Attribute]| -> Vec<&'a str> {
        let named = attributes.iter().filter(|a| a.attribute.eq_ignore_ascii_case(name));
        named.filter_map(|a| a.value.as_deref()).map(str::trim).collect()
    };
    let own = values(&media.attributes);
    if own.is_empty() { values(&session.attributes) } else { own }
}
