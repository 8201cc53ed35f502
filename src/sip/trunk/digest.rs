//! Digest authentication as a server (RFC 3261 section 22, RFC 8760).

use std::{collections::HashMap, net::IpAddr, sync::Mutex, time::Duration};

use rsipstack::sip::{
    DigestGenerator, Header, Method,
    headers::{auth::AuthQop, typed::Authorization},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::sip::{Credentials, lock::lock};

/// A nonce is good for so long: time for the answer to a challenge, with retransmissions.
const NONCE_LIFE: Duration = Duration::from_secs(60);
/// Nonces whose use is remembered; beyond that, all answers are stale for a moment.
const REMEMBERED: usize = 4_096;
/// What the protected space is called.
const REALM: &str = "hotline";

/// What an Authorization header is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It proves that the caller knows the password.
    Good,
    /// It does, with a nonce that is too old or was used before: ask again.
    Stale,
    /// It does not.
    Bad,
}

/// Challenges callers, and judges their answers. Nothing is kept for a challenge: nonces carry
/// their own time, and a proof of where they come from.
pub(super) struct Challenger {
    secret: [u8; 32],
    epoch: Instant,
    /// Nonces that proved something, with their time in ms and the highest count used.
    used: Mutex<HashMap<String, (u64, u32)>>,
}

impl Challenger {
    /// `secret` is random.
    pub(super) fn new(secret: [u8; 32], now: Instant) -> Self {
        Self { secret, epoch: now, used: Mutex::default() }
    }

    /// WWW-Authenticate headers for a caller at `ip`: SHA-256, and MD5 for those who know no
    /// better.
    pub(super) fn challenge(&self, ip: IpAddr, now: Instant, stale: bool) -> Vec<Header> {
        let nonce = self.nonce(ip, self.ms(now));
        let stale = if stale { ", stale=true" } else { "" };
        let header = |algorithm: &str| {
            let value = format!(
                r#"Digest realm="{REALM}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{stale}"#
            );
            Header::WwwAuthenticate(value.into())
        };
        vec![header("SHA-256"), header("MD5")]
    }

    /// Judges `header`, the value of Authorization, of a request by `method`.
    pub(super) fn judge(
        &self,
        header: &str,
        method: Method,
        credentials: &Credentials,
        ip: IpAddr,
        now: Instant,
    ) -> Proof {
        // The stack knows the algorithm as SHA256.
        let header = header.replace("SHA-256", "SHA256");
        let Ok(auth) = Authorization::parse(&header) else { return Proof::Bad };
        if auth.realm != REALM || auth.username != credentials.username {
            return Proof::Bad;
        }
        let expected = DigestGenerator::from(&auth, &credentials.password, &method).compute();
        if !same(expected.as_bytes(), auth.response.to_ascii_lowercase().as_bytes()) {
            return Proof::Bad;
        }
        let Some(made) = self.made(&auth.nonce, ip) else { return Proof::Stale };
        let now = self.ms(now);
        if now.saturating_sub(made) > NONCE_LIFE.as_millis() as u64 {
            return Proof::Stale;
        }
        let count = match auth.qop {
            Some(AuthQop::Auth { nc, .. }) => u32::from(nc),
            // Without a count, a nonce is good once.
            _ => 1,
        };
        self.first_use(&auth.nonce, made, count, now)
    }

    fn first_use(&self, nonce: &str, made: u64, count: u32, now: u64) -> Proof {
        let mut used = lock(&self.used);
        if used.len() >= REMEMBERED {
            used.retain(|_, (made, _)| now.saturating_sub(*made) <= NONCE_LIFE.as_millis() as u64);
            if used.len() >= REMEMBERED {
                return Proof::Stale;
            }
        }
        let (_, highest) = used.entry(nonce.to_owned()).or_insert((made, 0));
        if count <= *highest {
            return Proof::Stale;
        }
        *highest = count;
        Proof::Good
    }

    /// The time, in hexadecimal, and a proof that we wrote it for that address.
    fn nonce(&self, ip: IpAddr, ms: u64) -> String {
        let proof = Sha256::new()
            .chain_update(self.secret)
            .chain_update(ms.to_be_bytes())
            .chain_update(ip.to_string())
            .finalize();
        let proof: String = proof.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{ms:016x}{proof}")
    }

    /// When we made that nonce for `ip`; `None` when we did not.
    fn made(&self, nonce: &str, ip: IpAddr) -> Option<u64> {
        let made = u64::from_str_radix(nonce.get(..16)?, 16).ok()?;
        same(self.nonce(ip, made).as_bytes(), nonce.as_bytes()).then_some(made)
    }

    fn ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_millis() as u64
    }
}

/// Compares in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn credentials() -> Credentials {
        Credentials { username: "pbx".to_owned(), password: "secret".to_owned() }
    }

    fn challenger(now: Instant) -> Challenger {
        Challenger::new([7; 32], now)
    }

    /// What a phone answers a challenge with.
    fn answer(challenger: &Challenger, now: Instant, password: &str, nc: u32) -> String {
        let nonce = challenger.nonce(IP, challenger.ms(now));
        let unsigned = format!(
            r#"Digest username="pbx", realm="{REALM}", nonce="{nonce}", uri="sip:1000@h", response="-", algorithm=MD5, cnonce="c", qop=auth, nc={nc:08x}"#
        );
        let auth = Authorization::parse(&unsigned).unwrap();
        let response = DigestGenerator::from(&auth, password, &Method::Invite).compute();
        unsigned.replace(r#"response="-""#, &format!(r#"response="{response}""#))
    }

    fn judge(challenger: &Challenger, answer: &str, now: Instant) -> Proof {
        challenger.judge(answer, Method::Invite, &credentials(), IP, now)
    }

    #[test]
    fn who_knows_the_password_gets_in_once_for_each_count() {
        let now = Instant::now();
        let challenger = challenger(now);
        let first = answer(&challenger, now, "secret", 1);
        assert_eq!(judge(&challenger, &first, now), Proof::Good);
        assert_eq!(judge(&challenger, &first, now), Proof::Stale, "replayed");
        let second = answer(&challenger, now, "secret", 2);
        assert_eq!(judge(&challenger, &second, now), Proof::Good);
    }

    #[test]
    fn a_wrong_password_or_another_method_does_not() {
        let now = Instant::now();
        let challenger = challenger(now);
        assert_eq!(judge(&challenger, &answer(&challenger, now, "guess", 1), now), Proof::Bad);
        let good = answer(&challenger, now, "secret", 1);
        let other = challenger.judge(&good, Method::Bye, &credentials(), IP, now);
        assert_eq!(other, Proof::Bad);
        assert_eq!(judge(&challenger, "Digest nonsense", now), Proof::Bad);
    }

    #[test]
    fn an_old_nonce_or_one_for_another_address_is_stale() {
        let now = Instant::now();
        let challenger = challenger(now);
        let good = answer(&challenger, now, "secret", 1);
        assert_eq!(judge(&challenger, &good, now + Duration::from_secs(61)), Proof::Stale);
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        let there = challenger.judge(&good, Method::Invite, &credentials(), elsewhere, now);
        assert_eq!(there, Proof::Stale);
    }

    #[test]
    fn a_challenge_names_both_algorithms() {
        let now = Instant::now();
        let headers = challenger(now).challenge(IP, now, true);
        let texts: Vec<String> = headers.iter().map(ToString::to_string).collect();
        assert!(texts[0].contains("algorithm=SHA-256") && texts[0].contains("stale=true"));
        assert!(texts[1].contains("algorithm=MD5"), "{texts:?}");
    }
}
