use std::fmt;

use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::crypto::Certificate;

use super::Fingerprint;
use crate::srtp::SrtpError;

/// A certificate of ours with its private key, and the fingerprint by which peers know it.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    fingerprint: Fingerprint,
}

impl Identity {
    /// A fresh self-signed one: ECDSA on P-256.
    ///
    /// # Errors
    /// [`SrtpError::Handshake`] when the system has no randomness.
    pub fn generate() -> Result<Self, SrtpError> {
        let provider = rtc_crypto::providers::RingProvider::new();
        let failed = |problem: String| SrtpError::Handshake { problem };
        let certificate =
            Certificate::generate_self_signed(vec!["hotline".to_owned()], provider.crypto())
                .map_err(|error| failed(format!("no certificate could be made: {error}")))?;
        let leaf = certificate.certificate.first();
        let leaf = leaf.ok_or_else(|| failed("no certificate could be made".into()))?;
        let fingerprint = Fingerprint::of(leaf);
        Ok(Self { certificate, fingerprint })
    }

    /// By which peers know it: SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    /// Without the key: it must not get into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint).finish()
    }
}
