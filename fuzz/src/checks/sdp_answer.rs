//! Answers of strangers to our offer: what is agreed is among what we offered, and what we write
//! ourselves we can read.

use super::input::local_media;
use crate::sdp::{Keying, accept, answer, offer};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (ours, theirs) = (local_media(data.len() as u8), local_media(7));
    if let Ok(agreed) = accept(text, &ours) {
        let codecs = &ours.capabilities.codecs;
        assert!(codecs.contains(&agreed.send.1) && agreed.send.0 < 128, "{agreed:?}");
        assert!(agreed.receive.iter().all(|(_, codec)| codecs.contains(codec)), "{agreed:?}");
        assert!(agreed.receive.iter().any(|(_, codec)| *codec == agreed.send.1), "{agreed:?}");
        assert!((10..=60).contains(&agreed.ptime_ms));
        if ours.security.required {
            assert!(agreed.srtp.is_some(), "SRTP was required");
        }
        match &agreed.srtp {
            None => {}
            Some(Keying::Sdes(keys)) => {
                assert!(ours.security.keys.contains(&keys.ours));
                assert_eq!(keys.ours.suite(), keys.theirs.suite());
            }
            Some(Keying::Dtls(terms)) => assert!(!terms.fingerprints.is_empty()),
        }
    }
    // Our own offer, with lines of the input in it, is answered, and the answer accepted.
    let lines = text.lines().filter(|line| line.starts_with("a=x-")).take(8);
    let own: String = offer(&ours) + &lines.map(|line| format!("{line}\r\n")).collect::<String>();
    if let Ok((answered, view)) = answer(&own, &theirs) {
        let agreed = accept(&answered, &ours).expect("our own answer is acceptable");
        assert_eq!(agreed.send, view.send);
        assert_eq!(agreed.srtp.is_some(), view.srtp.is_some());
    }
}
