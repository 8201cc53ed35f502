use crate::audio::Codec;

/// Which payload type means what, as negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// Payload type and codec that we send.
    pub send: (u8, Codec),
    /// Audio in a packet that we send, in ms, 10 to 60; see [`Codec::packet_len`].
    pub ptime_ms: u32,
    /// Payload types that the peer may send, at any time.
    pub receive: Vec<(u8, Codec)>,
    /// Payload type of the telephone events that we send, on the clock of the codec.
    pub send_events: Option<u8>,
    /// Payload types of telephone events that the peer may send, with their clock rates in Hz.
    pub receive_events: Vec<(u8, u32)>,
    /// Payload type of comfort noise (RFC 3389): while we are silent, send that.
    pub comfort_noise: Option<u8>,
    /// Without `comfort_noise`: while we are silent, send faint noise, not digital silence, which
    /// sounds like a dead line.
    pub silence_noise: bool,
}

impl Formats {
    /// One codec in both directions in packets of 20 ms, without events and comfort noise.
    pub fn only(payload_type: u8, codec: Codec) -> Self {
        Self {
            send: (payload_type, codec),
            ptime_ms: 20,
            receive: vec![(payload_type, codec)],
            send_events: None,
            receive_events: Vec::new(),
            comfort_noise: None,
            silence_noise: false,
        }
    }

    /// The codec of a received payload type. Static types are known without being negotiated.
    pub(super) fn codec(&self, payload_type: u8) -> Option<Codec> {
        let negotiated = self.receive.iter().find(|(pt, _)| *pt == payload_type).map(|f| f.1);
        negotiated.or_else(|| {
            Codec::ALL.iter().copied().find(|c| c.static_payload_type() == Some(payload_type))
        })
    }

    /// The clock rate of telephone events with this payload type.
    pub(super) fn events_clock(&self, payload_type: u8) -> Option<u32> {
        self.receive_events.iter().find(|(pt, _)| *pt == payload_type).map(|f| f.1)
    }
}
