use std::fmt;

use rtc_crypto::RTCCryptoProvider;
use rtc_srtp::{context::Context, option};

use super::{MasterKey, SrtpError};

/// Packets by which a sequence number may lag and still be told from a replay.
const WINDOW: usize = 128;
/// Senders that may come and go in one call before the oldest is forgotten.
const MOST_SOURCES: usize = 8;
const RTP_HEADER: usize = 12;
const RTCP_HEADER: usize = 8;
/// Bytes of the field that ends an SRTCP packet, before its tag; its first bit says encrypted.
const SRTCP_INDEX: usize = 4;
const ENCRYPTED: u8 = 0x80;

/// Both directions of one protected stream, RTP and RTCP.
///
/// Keeps a context for each synchronisation source that proved to have the key, so that forged
/// packets cost no memory.
pub struct SecureStream {
    outbound: Context,
    inbound: MasterKey,
    sources: Vec<(u32, Context)>,
}

impl SecureStream {
    /// A stream that sends with `ours` and receives with `theirs`.
    ///
    /// # Errors
    /// [`SrtpError::Suite`] when the suite cannot be used.
    pub fn new(ours: &MasterKey, theirs: &MasterKey) -> Result<Self, SrtpError> {
        // Also shows, before the first packet, whether their suite works.
        context(theirs)?;
        Ok(Self { outbound: context(ours)?, inbound: theirs.clone(), sources: Vec::new() })
    }

    /// From now on receives with `theirs` only.
    ///
    /// # Errors
    /// As [`new`](Self::new); nothing has changed then.
    pub fn set_theirs(&mut self, theirs: &MasterKey) -> Result<(), SrtpError> {
        context(theirs)?;
        self.inbound = theirs.clone();
        self.sources.clear();
        Ok(())
    }

    /// An RTP packet made fit to send.
    ///
    /// # Errors
    /// [`SrtpError::Refused`] when it is no RTP packet.
    pub fn protect(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let refused = refused("SRTP", packet);
        self.outbound.encrypt_rtp(packet).map(|sealed| sealed.to_vec()).map_err(refused)
    }

    /// An RTCP packet made fit to send.
    ///
    /// # Errors
    /// [`SrtpError::Refused`] when it is no RTCP packet.
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let refused = refused("SRTCP", packet);
        self.outbound.encrypt_rtcp(packet).map(|sealed| sealed.to_vec()).map_err(refused)
    }

    /// The RTP packet inside a received one.
    ///
    /// # Errors
    /// [`SrtpError::Refused`] for one that is forged, changed, cut or replayed.
    pub fn unprotect(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let Some(source) = packet.get(8..RTP_HEADER) else {
            return Err(refused("SRTP", packet)("it is too short"));
        };
        self.open(source, "SRTP", packet, Context::decrypt_rtp)
    }

    /// The RTCP packet inside a received one.
    ///
    /// # Errors
    /// As [`unprotect`](Self::unprotect).
    pub fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let Some(source) = packet.get(4..RTCP_HEADER) else {
            return Err(refused("SRTCP", packet)("it is too short"));
        };
        // The library gives back a packet that claims to be in the clear without checking its tag.
        let index = SRTCP_INDEX + self.inbound.suite().profile().rtcp_auth_tag_len();
        let flags = packet.len().checked_sub(index).and_then(|at| packet.get(at));
        if flags.is_none_or(|flags| flags & ENCRYPTED == 0) {
            return Err(refused("SRTCP", packet)("it is not encrypted"));
        }
        self.open(source, "SRTCP", packet, Context::decrypt_rtcp)
    }

    fn open<E: fmt::Display>(
        &mut self,
        source: &[u8],
        protocol: &'static str,
        packet: &[u8],
        decrypt: impl Fn(&mut Context, &[u8]) -> Result<bytes::BytesMut, E>,
    ) -> Result<Vec<u8>, SrtpError> {
        let source = source.iter().fold(0, |ssrc, byte| ssrc << 8 | u32::from(*byte));
        if let Some((_, context)) = self.sources.iter_mut().find(|(known, _)| *known == source) {
            let opened = decrypt(context, packet).map_err(refused(protocol, packet))?;
            return Ok(opened.to_vec());
        }
        let mut context = context(&self.inbound)?;
        let opened = decrypt(&mut context, packet).map_err(refused(protocol, packet))?;
        if self.sources.len() == MOST_SOURCES {
            self.sources.remove(0);
        }
        self.sources.push((source, context));
        Ok(opened.to_vec())
    }
}

impl fmt::Debug for SecureStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureStream").field("suite", &self.inbound.suite()).finish_non_exhaustive()
    }
}

fn context(key: &MasterKey) -> Result<Context, SrtpError> {
    let provider = rtc_crypto::providers::RingProvider::new();
    let (master_key, salt) = key.parts();
    Context::new(
        master_key,
        salt,
        key.suite().profile(),
        // Without these the library takes every packet as often as it comes.
        Some(option::srtp_replay_protection(WINDOW)),
        Some(option::srtcp_replay_protection(WINDOW)),
        provider.crypto(),
    )
    .map_err(|error| SrtpError::Suite { suite: key.suite(), problem: error.to_string() })
}

fn refused<E: fmt::Display>(protocol: &'static str, packet: &[u8]) -> impl Fn(E) -> SrtpError {
    let len = packet.len();
    move |problem| SrtpError::Refused { protocol, len, problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::srtp::Suite;

    fn key(suite: Suite, seed: u8) -> MasterKey {
        MasterKey::from_random(suite, &[seed; MasterKey::MOST_BYTES])
    }

    fn pair(suite: Suite) -> (SecureStream, SecureStream) {
        let (a, b) = (key(suite, 1), key(suite, 2));
        (SecureStream::new(&a, &b).unwrap(), SecureStream::new(&b, &a).unwrap())
    }

    fn rtp(seq: u16, ssrc: u32) -> Vec<u8> {
        let [high, low] = seq.to_be_bytes();
        [&[0x80, 0, high, low, 0, 0, 0, 1], &ssrc.to_be_bytes()[..], &[0x55; 160]].concat()
    }

    const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

    #[test]
    fn what_one_side_protects_the_other_opens() {
        for suite in Suite::ALL {
            let (mut a, mut b) = pair(suite);
            let sealed = a.protect(&rtp(1, 7)).unwrap();
            assert!(!sealed.windows(8).any(|w| w == [0x55; 8]), "{suite:?} is not encrypted");
            assert_eq!(b.unprotect(&sealed).unwrap(), rtp(1, 7));
            let sealed = a.protect_rtcp(&REPORT).unwrap();
            assert_eq!(b.unprotect_rtcp(&sealed).unwrap(), REPORT);
        }
    }

    #[test]
    fn a_packet_is_taken_once() {
        for suite in Suite::ALL {
            let (mut a, mut b) = pair(suite);
            let sealed: Vec<_> = (0..100).map(|seq| a.protect(&rtp(seq, 7)).unwrap()).collect();
            assert!(sealed.iter().all(|packet| b.unprotect(packet).is_ok()));
            assert!(sealed.iter().all(|packet| b.unprotect(packet).is_err()), "{suite:?}");
            let report = a.protect_rtcp(&REPORT).unwrap();
            assert!(b.unprotect_rtcp(&report).is_ok() && b.unprotect_rtcp(&report).is_err());
        }
    }

    #[test]
    fn a_changed_packet_is_refused_and_the_true_one_still_taken() {
        for suite in Suite::ALL {
            let (mut a, mut b) = pair(suite);
            let sealed = a.protect(&rtp(1, 7)).unwrap();
            for at in [1, 5, 20, sealed.len() - 1] {
                let mut forged = sealed.clone();
                forged[at] ^= 1;
                assert!(b.unprotect(&forged).is_err(), "{suite:?}, byte {at}");
            }
            assert!(b.unprotect(&sealed).is_ok());
        }
    }

    #[test]
    fn a_report_in_the_clear_is_refused() {
        for suite in Suite::ALL {
            let (_, mut b) = pair(suite);
            let forged = [&REPORT[..], &[0; 30]].concat();
            assert!(b.unprotect_rtcp(&forged).is_err(), "{suite:?}");
        }
    }

    #[test]
    fn packets_may_come_late_and_out_of_order_within_the_window() {
        let (mut a, mut b) = pair(Suite::AesCm128HmacSha1_80);
        let sealed: Vec<_> = (0..100).map(|seq| a.protect(&rtp(seq, 7)).unwrap()).collect();
        assert!(sealed.iter().rev().all(|packet| b.unprotect(packet).is_ok()));
    }

    #[test]
    fn the_sequence_number_may_wrap() {
        for suite in Suite::ALL {
            let (mut a, mut b) = pair(suite);
            for at in 0_u32..400 {
                let packet = rtp(65_300_u32.wrapping_add(at) as u16, 7);
                let sealed = a.protect(&packet).unwrap();
                assert_eq!(b.unprotect(&sealed).as_deref(), Ok(&packet[..]), "{suite:?} {at}");
            }
        }
    }

    #[test]
    fn forged_sources_take_no_memory() {
        let (mut a, mut b) = pair(Suite::AesCm128HmacSha1_80);
        let sealed = a.protect(&rtp(1, 7)).unwrap();
        for forged in 0_u32..1_000 {
            let mut packet = sealed.clone();
            packet[8..12].copy_from_slice(&(forged + 100).to_be_bytes());
            assert!(b.unprotect(&packet).is_err());
        }
        assert!(b.sources.is_empty());
        assert!(b.unprotect(&sealed).is_ok());
    }

    proptest! {
        #[test]
        fn no_datagram_makes_it_panic(
            datagram in prop::collection::vec(any::<u8>(), 0..80), at in 0_usize..4,
        ) {
            let (_, mut b) = pair(Suite::ALL[at]);
            prop_assert!(b.unprotect(&datagram).is_err());
            prop_assert!(b.unprotect_rtcp(&datagram).is_err());
            let _ = b.protect(&datagram);
            let _ = b.protect_rtcp(&datagram);
        }
    }
}
