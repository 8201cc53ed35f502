use std::fmt;

use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::srtp::SrtpError;

/// The hash of a certificate, as SDP names it (`a=fingerprint`, RFC 8122).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: Hash,
    digest: Vec<u8>,
}

/// The hash functions that may still be used. RFC 8122 wants SHA-256 of everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn of(self, certificate: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(certificate).to_vec(),
            Self::Sha384 => Sha384::digest(certificate).to_vec(),
            Self::Sha512 => Sha512::digest(certificate).to_vec(),
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl Fingerprint {
    /// The SHA-256 of a certificate (DER).
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self { hash: Hash::Sha256, digest: Hash::Sha256.of(certificate) }
    }

    /// Reads what follows `a=fingerprint:`.
    ///
    /// # Errors
    /// [`SrtpError::Fingerprint`] for a hash that is not SHA-256, 384 or 512, and for a digest that
    /// is not as long as that hash's.
    pub fn parse(value: &str) -> Result<Self, SrtpError> {
        let wrong = |problem: String| SrtpError::Fingerprint { problem };
        let mut fields = value.split_ascii_whitespace();
        let name = fields.next().unwrap_or_default();
        let hash = Hash::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name));
        let hash = hash.ok_or_else(|| wrong(format!("has the hash {name:?}")))?;
        let digits = fields.next().unwrap_or_default();
        let byte = |pair: &str| u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2);
        let digest: Option<Vec<u8>> = digits.split(':').map(byte).collect();
        match digest {
            Some(digest) if digest.len() == hash.len() => Ok(Self { hash, digest }),
            Some(digest) => Err(wrong(format!(
                "has {} bytes where {} has {}",
                digest.len(),
                hash.name(),
                hash.len()
            ))),
            None => Err(wrong("is not written as bytes in hexadecimal with colons".into())),
        }
    }

    /// Whether it is that of this certificate (DER).
    #[must_use]
    pub fn matches(&self, certificate: &[u8]) -> bool {
        self.hash.of(certificate) == self.digest
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (i, byte) in self.digest.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_certificate_is_known_by_its_fingerprint() {
        let written = Fingerprint::of(b"a certificate").to_string();
        let read = Fingerprint::parse(&written.to_lowercase()).unwrap();
        assert!(read.matches(b"a certificate") && !read.matches(b"another"));
        assert!(written.starts_with("sha-256 ") && written.len() == 8 + 32 * 3 - 1, "{written}");
    }

    #[test]
    fn what_is_weak_or_cut_is_refused_with_the_reason() {
        for (value, problem) in [
            ("sha-1 01:02", "hash \"sha-1\""),
            ("sha-256 01:02", "2 bytes where sha-256 has 32"),
            ("sha-256 1:2", "hexadecimal"),
            ("sha-512", "hexadecimal"),
            ("", "hash \"\""),
        ] {
            let error = Fingerprint::parse(value).unwrap_err().to_string();
            assert!(error.contains(problem), "{value}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "(sha-(256|384|512) )?\\PC{0,120}") {
            let _ = Fingerprint::parse(&value);
        }

        #[test]
        fn what_is_written_is_read(certificate in prop::collection::vec(any::<u8>(), 0..50)) {
            let written = Fingerprint::of(&certificate);
            prop_assert_eq!(Fingerprint::parse(&written.to_string()), Ok(written));
        }
    }
}
