//! Payload types: what we offer, what a peer described, and what both have in common.

use sdp_types::{Media, attributes::RtpMap};

use super::Capabilities;
use crate::audio::Codec;

/// The static payload type of comfort noise (RFC 3389).
const COMFORT_NOISE: u8 = 13;
/// The payload types that we offer for telephone events and the first for codecs without a
/// static one.
const EVENTS_8K: u8 = 101;
const EVENTS_48K: u8 = 102;
const DYNAMIC: u8 = 111;

/// The formats of one `m=` line, in order of preference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Formats {
    pub(super) codecs: Vec<(u8, Codec)>,
    /// Telephone events with their clock rates in Hz.
    pub(super) events: Vec<(u8, u32)>,
    pub(super) noise: Option<u8>,
}

impl Formats {
    /// What we offer.
    pub(super) fn ours(capabilities: &Capabilities) -> Self {
        let codecs = &capabilities.codecs;
        let dynamic = |c: &Codec| c.static_payload_type().unwrap_or(DYNAMIC);
        let has_clock = |hz| codecs.iter().any(|c| c.clock_rate() == hz);
        let events = [(EVENTS_8K, 8_000), (EVENTS_48K, 48_000)];
        Self {
            codecs: codecs.iter().map(|c| (dynamic(c), *c)).collect(),
            events: events.into_iter().filter(|(_, hz)| has_clock(*hz)).collect(),
            noise: (capabilities.comfort_noise && has_clock(8_000)).then_some(COMFORT_NOISE),
        }
    }

    /// What a peer described that we can do, in its order and with its payload types.
    pub(super) fn common(media: &Media, capabilities: &Capabilities) -> Self {
        let formats = read(media);
        let codec = |f: &Format| f.codec().filter(|c| capabilities.codecs.contains(c));
        let codecs: Vec<_> =
            formats.iter().filter_map(|f| Some((f.payload_type, codec(f)?))).collect();
        let has_clock = |hz| codecs.iter().any(|(_, c)| c.clock_rate() == hz);
        let events = formats.iter().filter_map(|f| Some((f.payload_type, f.events_clock()?)));
        let noise = formats.iter().find(|f| f.is_noise()).map(|f| f.payload_type);
        Self {
            // Some phones offer Opus with events at 8 kHz alone, and send them.
            events: events.filter(|(_, hz)| *hz == 8_000 || has_clock(*hz)).collect(),
            noise: noise.filter(|_| capabilities.comfort_noise && has_clock(8_000)),
            codecs,
        }
    }

    /// The payload type of events on the clock of `codec`.
    pub(super) fn events_for(&self, codec: Codec) -> Option<u8> {
        self.events.iter().find(|(_, hz)| *hz == codec.clock_rate()).map(|e| e.0)
    }

    /// Writes the payload types and their maps.
    pub(super) fn describe(&self, media: &mut Media) {
        let types = self.codecs.iter().map(|c| c.0).chain(self.noise);
        let types = types.chain(self.events.iter().map(|e| e.0));
        media.fmt = types.map(|pt| pt.to_string()).collect::<Vec<_>>().join(" ");
        for &(payload_type, codec) in &self.codecs {
            let mut map = RtpMap::new(payload_type, codec.name(), codec.clock_rate());
            if let Some((channels, parameters)) = parameters(codec) {
                map.encoding_params = Some(channels.into());
                media.add_attribute(map);
                media.add_attribute_with_value("fmtp", format!("{payload_type} {parameters}"));
            } else {
                media.add_attribute(map);
            }
        }
        if let Some(noise) = self.noise {
            media.add_attribute(RtpMap::new(noise, "CN", 8_000));
        }
        for &(payload_type, hz) in &self.events {
            media.add_attribute(RtpMap::new(payload_type, "telephone-event", hz));
            media.add_attribute_with_value("fmtp", format!("{payload_type} 0-15"));
        }
    }
}

/// Encoding names with clock rates, or bare payload types without `a=rtpmap`.
pub(super) fn names(media: &Media) -> Vec<String> {
    read(media)
        .iter()
        .map(|f| match &f.map {
            Some(m) => format!("{}/{}", m.encoding_name, m.clock_rate),
            None => format!("payload type {}", f.payload_type),
        })
        .collect()
}

/// Channels and `a=fmtp` parameters of codecs that have any. Opus always says two channels
/// (RFC 7587, section 7), and we neither make nor play more than 8 kHz audio.
fn parameters(codec: Codec) -> Option<(&'static str, &'static str)> {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => None,
        #[cfg(feature = "opus")]
        Codec::Opus => Some(("2", "useinbandfec=1;maxplaybackrate=8000;sprop-maxcapturerate=8000")),
    }
}

/// One payload type of an `m=` line.
struct Format {
    payload_type: u8,
    map: Option<RtpMap>,
}

impl Format {
    fn codec(&self) -> Option<Codec> {
        let mut all = Codec::ALL.iter().copied();
        match &self.map {
            Some(map) => all.find(|codec| {
                let channels = parameters(*codec).map_or("1", |p| p.0);
                map.encoding_name.eq_ignore_ascii_case(codec.name())
                    && map.clock_rate == codec.clock_rate()
                    && map.encoding_params.as_deref().is_none_or(|given| given == channels)
            }),
            // The static payload types need no map (RFC 3551).
            None => all.find(|codec| codec.static_payload_type() == Some(self.payload_type)),
        }
    }

    fn events_clock(&self) -> Option<u32> {
        let map = self.map.as_ref()?;
        map.encoding_name.eq_ignore_ascii_case("telephone-event").then_some(map.clock_rate)
    }

    fn is_noise(&self) -> bool {
        match &self.map {
            Some(map) => map.encoding_name.eq_ignore_ascii_case("CN") && map.clock_rate == 8_000,
            None => self.payload_type == COMFORT_NOISE,
        }
    }
}

/// The payload types in the peer's order of preference.
fn read(media: &Media) -> Vec<Format> {
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
