use sdp_types::{Media, MediaType, Origin, Session, Time, attributes::RtpMap};

use super::{Direction, LocalMedia, Negotiated, SdpError, media};
use crate::audio::Law;

/// The payload type that we offer for telephone events.
const EVENTS: u8 = 101;

/// Our offer, both for calls that we make and for an INVITE that brings none: PCMU, PCMA and
/// telephone events, packets of 20 ms.
pub fn offer(local: &LocalMedia) -> String {
    let mut media = Media::new(MediaType::Audio, local.port, local.security.transport(), "");
    let codecs = [Law::Mu, Law::A].map(|law| (law.payload_type(), law));
    describe(&mut media, &codecs, Some(EVENTS), Direction::SendRecv);
    for line in local.security.lines() {
        media.add_attribute_with_value("crypto", line.to_string());
    }
    let mut session = session(local);
    session.add_media(media);
    session.to_string()
}

/// Reads the answer to [`offer`], which `local` made.
///
/// # Errors
/// [`SdpError`] when the answer cannot be read or does not accept our audio;
/// [`SdpError::NoAudio`] when it refuses it.
pub fn accept(answer: &str, local: &LocalMedia) -> Result<Negotiated, SdpError> {
    let answer = media::parse(answer)?;
    Ok(media::choose(&answer, &local.security)?.negotiated)
}

/// A description without streams.
pub(super) fn session(local: &LocalMedia) -> Session {
    let mut origin =
        Origin::with_ip_addr(local.session_id.to_string(), local.version, local.address);
    origin.set_username("hotline");
    let mut session = Session::new(origin, "-");
    session.set_connection(local.address);
    session.add_time(Time::new(0, 0));
    session
}

/// Fills in the formats and attributes of a stream.
pub(super) fn describe(
    media: &mut Media,
    codecs: &[(u8, Law)],
    events: Option<u8>,
    direction: Direction,
) {
    let types = codecs.iter().map(|c| c.0).chain(events);
    media.fmt = types.map(|pt| pt.to_string()).collect::<Vec<_>>().join(" ");
    for &(payload_type, law) in codecs {
        media.add_attribute(RtpMap::new(payload_type, law.name(), 8_000));
    }
    if let Some(events) = events {
        media.add_attribute(RtpMap::new(events, "telephone-event", 8_000));
        media.add_attribute_with_value("fmtp", format!("{events} 0-15"));
    }
    media.add_attribute_with_value("ptime", "20");
    media.add_attribute_from_str(direction.attribute());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::net::SocketAddr;

    use super::*;
    use crate::sdp::{Security, answer};

    fn side(host: u8, port: u16) -> LocalMedia {
        LocalMedia {
            address: [192, 0, 2, host].into(),
            port,
            session_id: 5,
            version: 2,
            security: Security::default(),
        }
    }

    #[test]
    fn our_offer_names_two_codecs_and_events() {
        assert_eq!(
            offer(&side(1, 4_000)),
            "v=0\r\no=hotline 5 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n\
             a=sendrecv\r\n"
        );
    }

    #[test]
    fn our_own_answer_to_our_own_offer_is_accepted() {
        let (text, theirs) = answer(&offer(&side(1, 4_000)), &side(2, 6_000)).unwrap();
        let ours = accept(&text, &side(1, 4_000)).unwrap();
        assert_eq!(theirs.remote, "192.0.2.1:4000".parse::<SocketAddr>().unwrap());
        assert_eq!(ours.remote, "192.0.2.2:6000".parse::<SocketAddr>().unwrap());
        assert_eq!((ours.law, ours.events), (theirs.law, theirs.events));
    }

    #[test]
    fn an_answer_that_refuses_the_audio_is_an_error() {
        let refused = offer(&side(1, 4_000)).replace("m=audio 4000", "m=audio 0");
        assert_eq!(accept(&refused, &side(1, 4_000)), Err(SdpError::NoAudio));
    }

    #[test]
    fn an_answer_that_only_listens_means_that_we_only_send() {
        let text = offer(&side(1, 4_000)).replace("sendrecv", "recvonly");
        assert_eq!(accept(&text, &side(1, 4_000)).unwrap().direction, Direction::SendOnly);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = accept(&text, &side(1, 4_000));
        }
    }
}
