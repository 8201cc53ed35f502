use std::fmt;

use rtc_srtp::protection_profile::ProtectionProfile;

/// A cipher and its authentication, by the names of RFC 4568 and RFC 7714.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`: what every SRTP implementation has.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`: the same with shorter tags.
    AesCm128HmacSha1_32,
    /// `AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `AEAD_AES_256_GCM`.
    AeadAes256Gcm,
}

impl Suite {
    /// All of them, best first: the order of our offers.
    pub const ALL: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// Its name in SDP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of that name, in any case of letters.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of master key and master salt together.
    #[must_use]
    pub fn key_len(self) -> usize {
        let profile = self.profile();
        profile.key_len() + profile.salt_len()
    }

    /// Bytes of the master key alone.
    pub(super) fn master_len(self) -> usize {
        self.profile().key_len()
    }

    pub(super) fn profile(self) -> ProtectionProfile {
        match self {
            Self::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
            Self::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Self::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        }
    }
}

/// The key of one direction: a suite with its master key and master salt.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    bytes: Vec<u8>,
}

impl MasterKey {
    /// Most bytes that a suite needs.
    pub const MOST_BYTES: usize = 46;

    /// A key from the first bytes of `random`, which must be unpredictable.
    #[must_use]
    pub fn from_random(suite: Suite, random: &[u8; Self::MOST_BYTES]) -> Self {
        Self { suite, bytes: random[..suite.key_len()].to_vec() }
    }

    /// A key from master key and salt one after the other; `None` when they do not have the
    /// suite's length.
    #[must_use]
    pub fn new(suite: Suite, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == suite.key_len()).then_some(Self { suite, bytes })
    }

    /// Its suite.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Master key and master salt.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.suite.profile().key_len())
    }
}

impl fmt::Debug for MasterKey {
    /// Without the key: it must not get into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}
