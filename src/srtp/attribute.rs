use base64::{Engine, engine::general_purpose::STANDARD};

use super::{MasterKey, SrtpError, Suite};

/// The value of an `a=crypto` line: `TAG SUITE inline:KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoAttribute {
    /// Number of the line within its stream; an answer repeats that of the line it accepts.
    pub tag: u32,
    /// The key with which whoever wrote the line sends.
    pub key: MasterKey,
}

impl CryptoAttribute {
    /// Reads what follows `a=crypto:`.
    ///
    /// # Errors
    /// [`SrtpError::Attribute`] for a suite or a parameter that we do not have (a master key
    /// identifier, several keys, parts left unprotected) and for a key of the wrong length. Such a
    /// line is to be passed over: another may suit.
    pub fn parse(value: &str) -> Result<Self, SrtpError> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields.next().unwrap_or_default();
        let wrong = |problem: String| SrtpError::Attribute { tag: tag.to_owned(), problem };
        let number = tag
            .parse()
            .ok()
            .filter(|_| tag.len() <= 9)
            .ok_or_else(|| wrong("has a tag that is no number".into()))?;
        let suite = fields.next().unwrap_or_default();
        let suite =
            Suite::by_name(suite).ok_or_else(|| wrong(format!("has the suite {suite:?}")))?;
        let key = fields.next().unwrap_or_default();
        let key = inline(suite, key).map_err(wrong)?;
        // Session parameters: only those that leave everything protected as we do it.
        let harmless = |p: &str| p.starts_with("WSH=") || p == "KDR=0" || p.starts_with('-');
        if let Some(parameter) = fields.find(|p| !harmless(p)) {
            return Err(wrong(format!("has the parameter {parameter:?}")));
        }
        Ok(Self { tag: number, key })
    }
}

impl std::fmt::Display for CryptoAttribute {
    /// With the key: only for SDP.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = STANDARD.encode(self.key.bytes());
        write!(f, "{} {} inline:{key}", self.tag, self.key.suite().name())
    }
}

/// The key of `inline:KEY[|LIFETIME][|MKI:LENGTH]`.
fn inline(suite: Suite, text: &str) -> Result<MasterKey, String> {
    let (method, rest) = text.split_once(':').unwrap_or((text, ""));
    if !method.eq_ignore_ascii_case("inline") {
        return Err(format!("has the key method {method:?}, not inline"));
    }
    if rest.contains(';') {
        return Err("has several keys".into());
    }
    let mut parts = rest.split('|');
    let key = parts.next().unwrap_or_default();
    // A lifetime is a number; calls end long before 2^31 packets.
    if let Some(identifier) = parts.find(|part| part.contains(':')) {
        return Err(format!("has the master key identifier {identifier:?}"));
    }
    let bytes = STANDARD.decode(key).map_err(|_| "has a key that is not base64".to_owned())?;
    let len = bytes.len();
    MasterKey::new(suite, bytes).ok_or_else(|| {
        format!("has a key of {len} bytes where {} takes {}", suite.name(), suite.key_len())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn refusal(value: &str) -> String {
        CryptoAttribute::parse(value).unwrap_err().to_string()
    }

    #[test]
    fn the_line_of_rfc_4568_is_read() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20 FEC_ORDER=FEC_SRTP");
        assert!(refusal(&line).contains("FEC_ORDER"), "{}", refusal(&line));
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31");
        let read = CryptoAttribute::parse(&line).unwrap();
        assert_eq!((read.tag, read.key.suite()), (1, Suite::AesCm128HmacSha1_80));
        assert_eq!(read.to_string(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
    }

    #[test]
    fn what_we_cannot_do_is_named() {
        for (line, problem) in [
            (format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"), "suite \"F8_128_HMAC_SHA1_80\""),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"), "identifier \"1:4\""),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"), "several keys"),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"), "UNENCRYPTED"),
            (
                format!("1 AEAD_AES_256_GCM inline:{KEY}"),
                "30 bytes where AEAD_AES_256_GCM takes 44",
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:???".into(), "not base64"),
            ("x AES_CM_128_HMAC_SHA1_80".into(), "no number"),
        ] {
            assert!(refusal(&line).contains(problem), "{line}: {}", refusal(&line));
        }
    }

    #[test]
    fn a_key_is_not_shown_to_a_log() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let shown = format!("{:?}", CryptoAttribute::parse(&line).unwrap());
        assert!(!shown.contains("WVN") && !shown.contains("89, 83"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,120}") {
            let _ = CryptoAttribute::parse(&line);
        }

        #[test]
        fn what_is_written_is_read(bytes in any::<[u8; 32]>(), tag in 0_u32..1_000, at in 0_usize..4) {
            let mut random = [0; MasterKey::MOST_BYTES];
            random[..32].copy_from_slice(&bytes);
            let key = MasterKey::from_random(Suite::ALL[at], &random);
            let written = CryptoAttribute { tag, key };
            prop_assert_eq!(CryptoAttribute::parse(&written.to_string()), Ok(written));
        }
    }
}
