//! Reading what the peer described.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, Session, attributes::Rtcp};

use super::{
    Direction, LocalMedia, Negotiated, SdpError,
    formats::{self, Formats},
    security::is_rtp,
};

/// Parses a description.
pub(super) fn parse(text: &str) -> Result<Session, SdpError> {
    Session::parse(text.as_bytes()).map_err(|e| SdpError::Syntax { problem: e.to_string() })
}

/// Finds the first audio stream that we can take part in. Returns its place among the `m=` lines
/// and what is agreed if we take it; without any, the error tells why the first did not fit.
pub(super) fn choose(session: &Session, local: &LocalMedia) -> Result<Chosen, SdpError> {
    let mut reason = None;
    let active = |m: &Media| m.media.eq_ignore_ascii_case("audio") && m.port != 0;
    for (i, media) in session.medias.iter().enumerate().filter(|(_, m)| active(m)) {
        match negotiate(session, media, local) {
            Ok((crypto_tag, formats, negotiated)) => {
                return Ok(Chosen { stream: i, crypto_tag, formats, negotiated });
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
    /// What both have of its formats.
    pub(super) formats: Formats,
    pub(super) negotiated: Negotiated,
}

fn negotiate(
    session: &Session,
    media: &Media,
    local: &LocalMedia,
) -> Result<(Option<u32>, Formats, Negotiated), SdpError> {
    if !is_rtp(&media.proto) {
        return Err(SdpError::Transport { offered: media.proto.clone() });
    }
    let common = Formats::common(media, &local.capabilities);
    let &send = common.codecs.first().ok_or_else(|| SdpError::NoCommonCodec {
        offered: formats::names(media),
        wanted: local.capabilities.names(),
    })?;
    let ip = address(session, media)?;
    let remote = SocketAddr::new(ip, media.port);
    let (crypto_tag, srtp) = local.security.agree(session, media)?.unzip();
    let offered = direction(session, media);
    // RFC 2543 hold: the peer wants nothing, and RFC 3264 section 8.4 still allows it.
    let offered = Direction::new(offered.sends(), offered.receives() && !ip.is_unspecified());
    let negotiated = Negotiated {
        remote,
        rtcp: rtcp(media, remote),
        send,
        receive: common.codecs.clone(),
        send_events: common.events_for(send.1),
        receive_events: common.events.clone(),
        // Comfort noise shares the clock of what it stands for.
        comfort_noise: common.noise.filter(|_| send.1.clock_rate() == 8_000),
        direction: offered.reversed(),
        ptime_ms: ptime(media),
        srtp,
    };
    Ok((crypto_tag.flatten(), common, negotiated))
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

/// What the peer wants in a packet, and no more than it can take.
fn ptime(media: &Media) -> u32 {
    // Some peers write a fraction.
    let value = |name| {
        let value = media.get_first_attribute_value(name).flatten();
        value.and_then(|v| v.trim().parse::<f32>().ok())
    };
    let wanted = value("ptime").unwrap_or(20.0).min(value("maxptime").unwrap_or(60.0));
    wanted.clamp(10.0, 60.0) as u32
}
