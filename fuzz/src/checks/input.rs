//! From bytes to things.

use std::sync::{Arc, LazyLock};

use crate::{
    audio::Codec,
    rtp::Formats,
    sdp::{Capabilities, Dtls, LocalMedia, Security},
    srtp::{Identity, MasterKey, Suite},
};

/// Takes an input apart: single bytes, and strings of bytes with their length before them.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte; `None` at the end.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// A length of one byte and so many bytes, or what is left of them.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.byte()?).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(bytes)
    }
}

/// Some formats that a call may agree on; `choice` says which.
pub fn formats(choice: u8) -> Formats {
    let codec = Codec::ALL[usize::from(choice % 4) % Codec::ALL.len()];
    let payload_type = codec.static_payload_type().unwrap_or(111);
    Formats {
        ptime_ms: [20, 10, 30, 60][usize::from(choice >> 2 & 3)],
        send_events: Some(101),
        receive_events: vec![(101, codec.clock_rate())],
        comfort_noise: (choice & 16 != 0 && codec.clock_rate() == 8_000).then_some(13),
        silence_noise: choice & 16 != 0,
        ..Formats::only(payload_type, codec)
    }
}

/// The keys of telephone events 0 to 15.
pub fn event_key(event: u8) -> char {
    char::from(b"0123456789*#ABCD"[usize::from(event % 16)])
}

/// Our certificate.
pub fn identity() -> Arc<Identity> {
    static IDENTITY: LazyLock<Arc<Identity>> =
        LazyLock::new(|| Arc::new(Identity::generate().expect("there is randomness")));
    Arc::clone(&IDENTITY)
}

/// Our side of a negotiation; `choice` says with which protection.
pub fn local_media(choice: u8) -> LocalMedia {
    let key = |suite| MasterKey::from_random(suite, &[choice; MasterKey::MOST_BYTES]);
    let keys = if choice & 1 == 0 { Vec::new() } else { Suite::ALL.map(key).to_vec() };
    let certificate = || Dtls { identity: identity(), offered: choice & 8 != 0, role: None };
    let dtls = (choice & 4 != 0).then(certificate);
    let required = choice & 2 != 0 && (dtls.is_some() || !keys.is_empty());
    LocalMedia {
        address: [192, 0, 2, 9].into(),
        port: 40_000,
        session_id: 1,
        version: 1,
        security: Security { required, keys, dtls },
        capabilities: Capabilities::default(),
    }
}
