//! Offers of strangers: an answer is a subset of the offer (RFC 3264, section 6), stream by stream,
//! and never much longer than the offer.

use super::input::local_media;
use crate::sdp::{Negotiated, answer};
use sdp_types::Session;

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(offer) = std::str::from_utf8(data) else { return };
    let local = local_media(data.len() as u8);
    let Ok((text, negotiated)) = answer(offer, &local) else { return };
    assert!(text.len() <= offer.len() + 1_500, "{text}");
    let offered = Session::parse(data).expect("it was read");
    let answered = Session::parse(text.as_bytes()).expect("our answer is SDP");
    assert_eq!(answered.medias.len(), offered.medias.len(), "one stream for each offered");
    let mut accepted = 0;
    for (ours, theirs) in answered.medias.iter().zip(&offered.medias) {
        assert_eq!((&ours.media, &ours.proto), (&theirs.media, &theirs.proto));
        // A refused stream repeats the offer; payload types of ours may lose a leading zero.
        let is = |a: &str, b: &str| a == b || a.parse::<u8>().is_ok_and(|n| b.parse() == Ok(n));
        for format in ours.fmt.split_ascii_whitespace() {
            let offered = theirs.fmt.split_ascii_whitespace().any(|offered| is(format, offered));
            assert!(offered, "format {format} was not offered");
        }
        accepted += usize::from(ours.port != 0);
        assert!(ours.port == 0 || theirs.port != 0, "a stream without a port is accepted");
    }
    assert_eq!(accepted, 1, "exactly one stream is ours");
    assert_sane(&negotiated);
}

fn assert_sane(negotiated: &Negotiated) {
    assert!(negotiated.receive.contains(&negotiated.send), "{negotiated:?}");
    assert!(negotiated.receive.iter().all(|(payload_type, _)| *payload_type < 128));
    assert!((10..=60).contains(&negotiated.ptime_ms));
    assert!(!negotiated.remote.ip().is_multicast() && negotiated.remote.port() != 0);
}
