//! DTLS-SRTP (RFC 5763, RFC 5764): keys for a stream from a DTLS handshake on its own ports. The
//! peer's certificate is not signed by anybody; its fingerprint comes with the SDP.
//!
//! Wraps `rtc-dtls`, which is sans-IO: datagrams and times are passed in. What it leaves to its user
//! is here: the check of the fingerprint, a bound on what strangers can make it keep, and flights
//! that go out again when the peer repeats its own.

mod fingerprint;
mod handshake;
mod identity;

pub use fingerprint::Fingerprint;
pub use handshake::Handshake;
pub use identity::Identity;

/// A side's part in the handshake (`a=setup`, RFC 4145).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// It begins: the DTLS client.
    Active,
    /// It waits for the peer: the DTLS server.
    Passive,
}

/// Whether a datagram on a port of RTP is DTLS (RFC 7983).
#[must_use]
pub fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}

#[cfg(test)]
mod tests;

/// A moment for tests to count from; which one does not matter.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "only as something to count from")]
fn beginning() -> std::time::Instant {
    std::time::Instant::now()
}
