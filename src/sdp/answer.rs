use sdp_types::{Media, MediaType, TransportProto};

use super::{
    Keying, LocalMedia, Negotiated, SdpError,
    media::{self, Chosen},
    offer::describe,
};
use crate::srtp::CryptoAttribute;

/// Answers an offer (RFC 3264, section 6): one audio stream with the codecs that both have, in
/// the peer's order and with its payload types, every other stream refused. Returns the answer's
/// text.
///
/// # Errors
/// [`SdpError`] when the offer cannot be read or no stream of it suits us.
pub fn answer(offer: &str, local: &LocalMedia) -> Result<(String, Negotiated), SdpError> {
    let offer = media::parse(offer)?;
    let chosen = media::choose(&offer, local)?;
    let mut session = super::offer::session(local);
    // The answer's t= line must equal the offer's.
    if !offer.times.is_empty() {
        session.times.clone_from(&offer.times);
    }
    for (i, offered) in offer.medias.iter().enumerate() {
        session.add_media(if i == chosen.stream {
            accepted(offered, local, &chosen)
        } else {
            refused(offered)
        });
    }
    Ok((session.to_string(), chosen.negotiated))
}

fn accepted(offered: &Media, local: &LocalMedia, chosen: &Chosen) -> Media {
    let negotiated = &chosen.negotiated;
    let mut media = Media::new(MediaType::Audio, local.port, TransportProto::RtpAvp, "");
    media.media.clone_from(&offered.media);
    media.proto.clone_from(&offered.proto);
    describe(&mut media, &chosen.formats, negotiated.direction);
    match (&negotiated.srtp, chosen.crypto_tag) {
        (Some(Keying::Sdes(keys)), Some(tag)) => {
            let line = CryptoAttribute { tag, key: keys.ours.clone() };
            media.add_attribute_with_value("crypto", line.to_string());
        }
        (Some(Keying::Dtls(terms)), _) => terms.describe(&mut media),
        _ => {}
    }
    if offered.has_attribute("rtcp-mux") {
        media.add_attribute_from_str("rtcp-mux");
    }
    media
}

/// The stream as offered, with port 0.
fn refused(offered: &Media) -> Media {
    let mut media = Media::new(MediaType::Audio, 0, TransportProto::RtpAvp, offered.fmt.as_str());
    media.media.clone_from(&offered.media);
    media.proto.clone_from(&offered.proto);
    media
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::net::SocketAddr;

    use super::*;
    use crate::{
        audio::Codec,
        sdp::{Capabilities, Direction, Security},
    };

    fn local() -> LocalMedia {
        LocalMedia {
            address: [192, 0, 2, 9].into(),
            port: 40_000,
            session_id: 77,
            version: 1,
            security: Security::default(),
            capabilities: Capabilities::default(),
        }
    }

    /// An offer from 198.51.100.7 with these lines after the session's own.
    fn offer(lines: &[&str]) -> String {
        let head = ["v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0"];
        head.iter().chain(lines).map(|line| format!("{line}\r\n")).collect()
    }

    fn agree(lines: &[&str]) -> (String, Negotiated) {
        answer(&offer(lines), &local()).unwrap()
    }

    fn refusal(lines: &[&str]) -> SdpError {
        answer(&offer(lines), &local()).unwrap_err()
    }

    #[test]
    fn the_peers_codecs_are_taken_in_its_order_with_its_events() {
        let (text, negotiated) = agree(&[
            "m=audio 5000 RTP/AVP 18 8 0 101",
            "a=rtpmap:18 G729/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=ptime:30",
        ]);
        assert_eq!(
            negotiated,
            Negotiated {
                remote: "198.51.100.7:5000".parse().unwrap(),
                rtcp: "198.51.100.7:5001".parse().unwrap(),
                send: (8, Codec::Pcma),
                receive: vec![(8, Codec::Pcma), (0, Codec::Pcmu)],
                send_events: Some(101),
                receive_events: vec![(101, 8_000)],
                comfort_noise: None,
                direction: Direction::SendRecv,
                ptime_ms: 30,
                srtp: None,
            }
        );
        assert_eq!(
            text,
            "v=0\r\no=hotline 77 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
             m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n\
             a=sendrecv\r\n"
        );
    }

    #[test]
    fn dynamic_payload_types_keep_the_offers_numbers() {
        let (text, negotiated) = agree(&[
            "m=audio 5000 RTP/AVP 96 97 98",
            "a=rtpmap:96 speex/8000",
            "a=rtpmap:97 pcmu/8000/1",
            "a=rtpmap:98 telephone-event/8000",
        ]);
        assert_eq!(negotiated.send, (97, Codec::Pcmu));
        assert_eq!(negotiated.send_events, Some(98));
        assert!(text.contains("m=audio 40000 RTP/AVP 97 98\r\na=rtpmap:97 PCMU/8000"), "{text}");
    }

    #[cfg(feature = "opus")]
    #[test]
    fn each_codec_has_the_events_of_its_own_clock() {
        let lines = [
            "m=audio 5000 RTP/AVP 96 9 13 97 98",
            "a=rtpmap:96 opus/48000/2",
            "a=rtpmap:97 telephone-event/8000",
            "a=rtpmap:98 telephone-event/48000",
        ];
        let (text, negotiated) = agree(&lines);
        assert_eq!((negotiated.send, negotiated.send_events), ((96, Codec::Opus), Some(98)));
        assert_eq!(negotiated.receive, [(96, Codec::Opus), (9, Codec::G722)]);
        assert_eq!(negotiated.receive_events, [(97, 8_000), (98, 48_000)]);
        assert_eq!(negotiated.comfort_noise, None, "it has the clock of G.722");
        assert!(text.contains("m=audio 40000 RTP/AVP 96 9 13 97 98\r\n"), "{text}");
        let first_g722 = agree(&["m=audio 5000 RTP/AVP 9 13"]).1;
        assert_eq!((first_g722.send, first_g722.comfort_noise), ((9, Codec::G722), Some(13)));
    }

    #[cfg(feature = "opus")]
    #[test]
    fn events_at_8_khz_are_received_beside_opus() {
        let lines = [
            "m=audio 5000 RTP/AVP 96 101",
            "a=rtpmap:96 opus/48000/2",
            "a=rtpmap:101 telephone-event/8000",
        ];
        let negotiated = agree(&lines).1;
        assert_eq!((negotiated.send_events, negotiated.receive_events), (None, vec![(101, 8_000)]));
    }

    #[test]
    fn the_configuration_limits_the_answer() {
        let capabilities = Capabilities { codecs: vec![Codec::Pcma], comfort_noise: false };
        let local = LocalMedia { capabilities, ..local() };
        let (text, _) = answer(&offer(&["m=audio 5000 RTP/AVP 0 9 8 13"]), &local).unwrap();
        assert!(text.contains("m=audio 40000 RTP/AVP 8\r\n"), "{text}");
    }

    #[test]
    fn packets_are_as_long_as_the_peer_wants_and_can_take() {
        for (lines, ptime) in [
            (&["a=ptime:30", "a=maxptime:60"][..], 30),
            (&["a=ptime:60", "a=maxptime:40"], 40),
            (&["a=maxptime:10"], 10),
            (&["a=ptime:1000"], 60),
            (&["a=ptime:20.0"], 20),
            (&["a=ptime:x"], 20),
        ] {
            let lines: Vec<_> = ["m=audio 5000 RTP/AVP 0"].iter().chain(lines).copied().collect();
            assert_eq!(agree(&lines).1.ptime_ms, ptime, "{lines:?}");
        }
    }

    #[test]
    fn events_at_another_clock_rate_are_left_out() {
        let lines = ["m=audio 5000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/48000"];
        let (text, negotiated) = agree(&lines);
        assert_eq!(negotiated.send_events, None);
        assert!(text.contains("m=audio 40000 RTP/AVP 0\r\n"), "{text}");
    }

    #[test]
    fn every_other_stream_is_refused_in_its_place() {
        let (text, negotiated) = agree(&[
            "m=video 6000 RTP/AVP 31 32",
            "m=audio 0 RTP/AVP 0",
            "m=audio 6100 RTP/SAVP 0",
            "m=audio 5000 RTP/AVP 0",
            "m=application 6200 UDP/BFCP *",
        ]);
        assert_eq!(negotiated.remote.port(), 5_000);
        let medias: Vec<_> = text.lines().filter(|l| l.starts_with("m=")).collect();
        assert_eq!(
            medias,
            [
                "m=video 0 RTP/AVP 31 32",
                "m=audio 0 RTP/AVP 0",
                "m=audio 0 RTP/SAVP 0",
                "m=audio 40000 RTP/AVP 0",
                "m=application 0 UDP/BFCP *",
            ]
        );
    }

    #[test]
    fn the_streams_kind_is_repeated_as_the_peer_writes_it() {
        let (text, _) = agree(&["m=Audio 5000 RTP/AVP 0"]);
        assert!(text.contains("m=Audio 40000 RTP/AVP 0\r\n"), "{text}");
    }

    #[test]
    fn the_direction_is_mirrored() {
        for (offered, ours) in [
            ("sendrecv", Direction::SendRecv),
            ("sendonly", Direction::RecvOnly),
            ("recvonly", Direction::SendOnly),
            ("inactive", Direction::Inactive),
        ] {
            let (text, negotiated) = agree(&["m=audio 5000 RTP/AVP 0", &format!("a={offered}")]);
            assert_eq!(negotiated.direction, ours);
            assert!(text.ends_with(&format!("a={ours}\r\n")), "{text}");
            let session_level = agree(&[&format!("a={offered}"), "m=audio 5000 RTP/AVP 0"]).1;
            assert_eq!(session_level.direction, ours);
        }
    }

    #[test]
    fn the_null_address_means_hold() {
        let lines = ["m=audio 5000 RTP/AVP 0", "c=IN IP4 0.0.0.0"];
        assert_eq!(agree(&lines).1.direction, Direction::RecvOnly);
    }

    #[test]
    fn the_medias_address_wins_and_may_be_ipv6() {
        let lines = ["m=audio 5000 RTP/AVP 0", "c=IN IP6 2001:db8::7"];
        assert_eq!(agree(&lines).1.remote, "[2001:db8::7]:5000".parse::<SocketAddr>().unwrap());
        let v6 = LocalMedia { address: "2001:db8::9".parse().unwrap(), ..local() };
        let text = answer(&offer(&lines), &v6).unwrap().0;
        assert!(text.contains("c=IN IP6 2001:db8::9\r\n"), "{text}");
    }

    #[test]
    fn rtcp_is_where_the_peer_says() {
        for (attribute, rtcp) in [
            ("a=rtcp:7001", "198.51.100.7:7001"),
            ("a=rtcp:7001 IN IP4 203.0.113.1", "203.0.113.1:7001"),
            ("a=rtcp:nonsense", "198.51.100.7:5001"),
            ("a=rtcp-mux", "198.51.100.7:5000"),
        ] {
            let (text, negotiated) = agree(&["m=audio 5000 RTP/AVP 0", attribute]);
            assert_eq!(negotiated.rtcp, rtcp.parse::<SocketAddr>().unwrap(), "{attribute}");
            assert_eq!(text.contains("a=rtcp-mux"), attribute == "a=rtcp-mux");
        }
    }

    #[test]
    fn an_offer_without_a_codec_of_ours_names_what_was_offered() {
        let lines = ["m=audio 5000 RTP/AVP 18 96", "a=rtpmap:96 speex/16000"];
        let offered = vec!["payload type 18".into(), "speex/16000".into()];
        let wanted = Capabilities::default().names();
        assert_eq!(refusal(&lines), SdpError::NoCommonCodec { offered, wanted });
    }

    #[test]
    fn a_static_payload_type_that_is_remapped_is_not_g711() {
        let lines = ["m=audio 5000 RTP/AVP 0", "a=rtpmap:0 L16/8000"];
        assert!(matches!(refusal(&lines), SdpError::NoCommonCodec { .. }));
    }

    #[test]
    fn unusable_offers_say_why() {
        assert_eq!(refusal(&["m=video 5000 RTP/AVP 31"]), SdpError::NoAudio);
        assert_eq!(refusal(&["m=audio 0 RTP/AVP 0"]), SdpError::NoAudio);
        assert_eq!(
            refusal(&["m=audio 5000 TCP/RTP/AVP 0"]),
            SdpError::Transport { offered: "TCP/RTP/AVP".into() }
        );
        for c in ["c=IN IP4 media.example.com", "c=IN IP4 224.2.1.1/127"] {
            assert!(matches!(refusal(&["m=audio 5000 RTP/AVP 0", c]), SdpError::Address { .. }));
        }
        let garbage = answer("INVITE sip:x SIP/2.0", &local()).unwrap_err();
        assert!(matches!(garbage, SdpError::Syntax { .. }), "{garbage:?}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = answer(&text, &local());
        }

        #[test]
        fn no_lines_panic(
            lines in proptest::collection::vec("[mcat]=[ -~]{0,40}", 0..8),
            media in "m=audio [0-9]{1,6}(/[0-9]{1,6})? RTP/AVP( [0-9]{1,4}){0,4}",
            attribute in "a=(rtpmap|fmtp|rtcp|ptime|maxptime|sendonly):?[ -~]{0,20}",
        ) {
            let lines: Vec<&str> =
                [media.as_str(), attribute.as_str()].into_iter().chain(lines.iter().map(|l| l.as_str())).collect();
            if let Ok((text, negotiated)) = answer(&offer(&lines), &local()) {
                prop_assert!(negotiated.send.0 < 128);
                prop_assert!(media::parse(&text).is_ok());
            }
        }
    }
}
