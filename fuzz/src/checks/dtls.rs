//! Handshakes with strangers on the ports of the media: no datagram makes them fail loudly, and none
//! but the named peer's gives a stream.

use std::time::{Duration, Instant};

use super::input::{Input, identity};
use crate::srtp::{DtlsRole, Fingerprint, Handshake};

/// Checks one input: datagrams, and how long after each other they come.
pub fn check(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte().unwrap_or(0);
    let role = if choice & 1 == 0 { DtlsRole::Active } else { DtlsRole::Passive };
    let named = vec![identity().fingerprint().clone()];
    let mut now = start();
    let mut ours = Handshake::new(&identity(), role, named, now).expect("our certificate is good");
    let mut sent = 0;
    while let (Some(later), Some(bytes)) = (input.byte(), input.bytes()) {
        now += Duration::from_millis(u64::from(later) * 10);
        ours.tick(now);
        // Half of them are records of a handshake as to their header.
        let header = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, later, 0, bytes.len() as u8];
        let datagram = if later & 1 == 0 { bytes.to_vec() } else { [&header, bytes].concat() };
        let came = ours.receive(now, &datagram).expect("nobody has shown a certificate");
        assert!(came.is_none(), "a stranger has a stream");
        while let Some(answer) = ours.transmit() {
            assert!(!answer.is_empty() && answer.len() <= 2_048);
            sent += 1;
        }
    }
    assert!(sent <= 16 * (data.len() + 1), "{sent} datagrams for {} bytes", data.len());
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(fingerprint) = Fingerprint::parse(text)
    {
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Ok(fingerprint));
    }
}

#[expect(clippy::disallowed_methods, reason = "any moment will do to count from")]
fn start() -> Instant {
    Instant::now()
}
