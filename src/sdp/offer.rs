use sdp_types::{Media, MediaType, Origin, Session, Time};

use super::{
    Direction, LocalMedia, Negotiated, SdpError,
    formats::Formats,
    media::{self, Chosen},
};

/// Our offer, both for calls that we make and for an INVITE that brings none: our codecs in our
/// order, comfort noise and telephone events, packets of 20 ms.
pub fn offer(local: &LocalMedia) -> String {
    offer_as(local, Direction::SendRecv)
}

/// The same with a direction: [`Direction::SendOnly`] puts the peer on hold (RFC 3264, section 8.4).
pub fn offer_as(local: &LocalMedia, direction: Direction) -> String {
    let mut media = Media::new(MediaType::Audio, local.port, local.security.transport(), "");
    describe(&mut media, &Formats::ours(&local.capabilities), direction);
    local.security.describe(&mut media);
    let mut session = session(local);
    session.add_media(media);
    session.to_string()
}

/// Reads the answer to the [`offer`] that `local` made. We send with the payload types of the
/// answer and receive with our own, which may differ (RFC 3264, section 5.1), or the answer's.
///
/// # Errors
/// [`SdpError`] when the answer cannot be read or does not accept our audio;
/// [`SdpError::NoAudio`] when it refuses it.
pub fn accept(answer: &str, local: &LocalMedia) -> Result<Negotiated, SdpError> {
    let session = media::parse(answer)?;
    let Chosen { formats: theirs, mut negotiated, .. } = media::choose(&session, local)?;
    let ours = Formats::ours(&local.capabilities);
    let accepted = |codec| theirs.codecs.iter().any(|c| c.1 == codec);
    negotiated.receive = ours.codecs.into_iter().filter(|c| accepted(c.1)).collect();
    negotiated.receive_events = ours.events;
    let known = |pt: u8, n: &Negotiated| {
        n.receive.iter().any(|c| c.0 == pt) || n.receive_events.iter().any(|e| e.0 == pt)
    };
    for codec in theirs.codecs {
        if !known(codec.0, &negotiated) {
            negotiated.receive.push(codec);
        }
    }
    for events in theirs.events {
        if !known(events.0, &negotiated) {
            negotiated.receive_events.push(events);
        }
    }
    Ok(negotiated)
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
pub(super) fn describe(media: &mut Media, formats: &Formats, direction: Direction) {
    formats.describe(media);
    media.add_attribute_with_value("ptime", "20");
    media.add_attribute_from_str(direction.attribute());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::net::SocketAddr;

    use super::*;
    use crate::{
        audio::Codec,
        sdp::{Capabilities, Security, answer},
    };

    fn side(host: u8, port: u16) -> LocalMedia {
        LocalMedia {
            address: [192, 0, 2, host].into(),
            port,
            session_id: 5,
            version: 2,
            security: Security::default(),
            capabilities: Capabilities::default(),
        }
    }

    #[cfg(feature = "opus")]
    #[test]
    fn our_offer_names_our_codecs_noise_and_events() {
        assert_eq!(
            offer(&side(1, 4_000)),
            "v=0\r\no=hotline 5 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 0 8 9 111 13 101 102\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 useinbandfec=1;maxplaybackrate=8000;sprop-maxcapturerate=8000\r\n\
             a=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
             a=rtpmap:102 telephone-event/48000\r\na=fmtp:102 0-15\r\na=ptime:20\r\n\
             a=sendrecv\r\n"
        );
    }

    #[test]
    fn the_configuration_orders_and_limits_our_offer() {
        let mut local = side(1, 4_000);
        local.capabilities =
            Capabilities { codecs: vec![Codec::Pcma, Codec::G722], comfort_noise: false };
        let text = offer(&local);
        assert!(text.contains("m=audio 4000 RTP/AVP 8 9 101\r\n"), "{text}");
    }

    #[test]
    fn our_own_answer_to_our_own_offer_is_accepted() {
        let (text, theirs) = answer(&offer(&side(1, 4_000)), &side(2, 6_000)).unwrap();
        let ours = accept(&text, &side(1, 4_000)).unwrap();
        assert_eq!(theirs.remote, "192.0.2.1:4000".parse::<SocketAddr>().unwrap());
        assert_eq!(ours.remote, "192.0.2.2:6000".parse::<SocketAddr>().unwrap());
        assert_eq!((ours.send, ours.send_events), (theirs.send, theirs.send_events));
        assert_eq!(ours.receive, theirs.receive);
    }

    #[cfg(feature = "opus")]
    #[test]
    fn payload_types_may_differ_by_direction() {
        let text = offer(&side(1, 4_000))
            .replace("RTP/AVP 0 8 9 111 13 101 102", "RTP/AVP 96 0 97")
            .replace("rtpmap:111", "rtpmap:96")
            .replace("rtpmap:102", "rtpmap:97");
        let negotiated = accept(&text, &side(1, 4_000)).unwrap();
        assert_eq!((negotiated.send, negotiated.send_events), ((96, Codec::Opus), Some(97)));
        let receive = [(0, Codec::Pcmu), (111, Codec::Opus), (96, Codec::Opus)];
        assert_eq!(negotiated.receive, receive);
        assert_eq!(negotiated.receive_events, [(101, 8_000), (102, 48_000), (97, 48_000)]);
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
