//! Reading what the peer described.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{
    Attribute, Connection, Media, Session,
    attributes::{Rtcp, RtpMap},
};

use super::{Direction, Negotiated, SdpError, Security, security::is_rtp};
use crate::audio::Law;

/// Parses a description.
pub(super) fn parse(text: &str) -> Result<Session, SdpError> {
    Session::parse(text.as_bytes()).map_err(|e| SdpError::Syntax { problem: e.to_string() })
}

/// Finds the first audio stream that we can take part in. Returns its place among the `m=` lines
/// and what is agreed if we take it; without any, the error tells why the first did not fit.
pub(super) fn choose(session: &Session, security: &Security) -> Result<Chosen, SdpError> {
    let mut reason = None;
    let active = |m: &Media| m.media.eq_ignore_ascii_case("audio") && m.port != 0;
    for (i, media) in session.medias.iter().enumerate().filter(|(_, m)| active(m)) {
        match negotiate(session, media, security) {
            Ok((crypto_tag, negotiated)) => {
                return Ok(Chosen { stream: i, crypto_tag, negotiated });
            }
            Err(error) => reason = reason.or(Some(error)),
        }
    }
    Err(reason.unwrap_or(SdpError::NoAudio))
}

/// The stream that suits us.
pub(super) struct Chosen {
    /// Its place among the streams.
    pub(super) stream: usize,
    /// The tag of its `a=crypto` line that we take.
    pub(super) crypto_tag: Option<u32>,
    pub(super) negotiated: Negotiated,
}

fn negotiate(
    session: &Session,
    media: &Media,
    security: &Security,
) -> Result<(Option<u32>, Negotiated), SdpError> {
    if !is_rtp(&media.proto) {
        return Err(SdpError::Transport { offered: media.proto.clone() });
    }
    let formats = formats(media);
    let (payload_type, law) =
        formats.iter().find_map(|f| Some((f.payload_type, f.law()?))).ok_or_else(|| {
            SdpError::NoCommonCodec { offered: formats.iter().map(Format::describe).collect() }
        })?;
    let ip = address(session, media)?;
    let remote = SocketAddr::new(ip, media.port);
    let (crypto_tag, srtp) = security.agree(media)?.unzip();
    let offered = direction(session, media);
    // RFC 2543 hold: the peer wants nothing, and RFC 3264 section 8.4 still allows it.
    let offered = Direction::new(offered.sends(), offered.receives() && !ip.is_unspecified());
    let negotiated = Negotiated {
        remote,
        rtcp: rtcp(media, remote),
        law,
        payload_type,
        events: formats.iter().find(|f| f.is_events()).map(|f| f.payload_type),
        direction: offered.reversed(),
        ptime_ms: ptime(media),
        srtp,
    };
    Ok((crypto_tag, negotiated))
}

/// One payload type of an `m=` line.
struct Format {
    payload_type: u8,
    map: Option<RtpMap>,
}

impl Format {
    fn is(&self, name: &str) -> bool {
        self.map.as_ref().is_some_and(|m| {
            m.encoding_name.eq_ignore_ascii_case(name)
                && m.clock_rate == 8_000
                && m.encoding_params.as_deref().is_none_or(|channels| channels == "1")
        })
    }

    fn law(&self) -> Option<Law> {
        let laws = [Law::Mu, Law::A];
        match self.map {
            Some(_) => laws.into_iter().find(|law| self.is(law.name())),
            // The static payload types need no map (RFC 3551).
            None => laws.into_iter().find(|law| self.payload_type == law.payload_type()),
        }
    }

    fn is_events(&self) -> bool {
        self.is("telephone-event")
    }

    fn describe(&self) -> String {
        match &self.map {
            Some(m) => format!("{}/{}", m.encoding_name, m.clock_rate),
            None => format!("payload type {}", self.payload_type),
        }
    }
}

/// The payload types in the peer's order of preference.
fn formats(media: &Media) -> Vec<Format> {
    let maps: Vec<RtpMap> = media.attributes_typed().filter_map(Result::ok).collect();
    media
        .fmt
        .split_ascii_whitespace()
        .filter_map(|f| f.parse().ok().filter(|&pt: &u8| pt < 128))
        .map(|pt| Format {
            payload_type: pt,
            map: maps.iter().find(|m| m.payload_type == pt).cloned(),
        })
        .collect()
}

fn address(session: &Session, media: &Media) -> Result<IpAddr, SdpError> {
    let connection: &Connection = media
        .connections
        .first()
        .or(session.connection.as_ref())
        .ok_or_else(|| SdpError::Address { problem: "there is no c= line".into() })?;
    let ip = connection.try_address().map_err(|e| SdpError::Address { problem: e.to_string() })?.ip;
    if ip.is_multicast() {
        return Err(SdpError::Address { problem: format!("{ip} is a multicast address") });
    }
    Ok(ip)
}

/// The media's own direction, else the session's, else both ways.
fn direction(session: &Session, media: &Media) -> Direction {
    let find = |attributes: &[Attribute]| {
        attributes.iter().find_map(|a| Direction::from_attribute(&a.attribute))
    };
    find(&media.attributes).or_else(|| find(&session.attributes)).unwrap_or_default()
}

/// RFC 5761, RFC 3605, else the next port (RFC 3550, section 11).
fn rtcp(media: &Media, rtp: SocketAddr) -> SocketAddr {
    if media.has_attribute("rtcp-mux") {
        return rtp;
    }
    match media.get_first_attribute_typed::<Rtcp>() {
        Some(Ok(rtcp)) if rtcp.port != 0 => {
            let ip = rtcp.connection_address.as_deref().and_then(|a| a.parse().ok());
            SocketAddr::new(ip.unwrap_or(rtp.ip()), rtcp.port)
        }
        _ => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
    }
}

fn ptime(media: &Media) -> u32 {
    let value = media.get_first_attribute_value("ptime").flatten();
    // Some peers write a fraction.
    let ms = value.and_then(|v| v.trim().parse::<f32>().ok()).unwrap_or(20.0);
    ms.clamp(10.0, 60.0) as u32
}
