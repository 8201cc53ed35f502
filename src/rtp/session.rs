use bytes::Bytes;
use rtc_rtp::{header::Header, packet::Packet};
use rtc_shared::marshal::{Marshal, Unmarshal};

use super::{
    FRAME, MAX_PAYLOAD, RtpError, RtpStats,
    events::{self, Digit, EventReceiver},
    jitter::{JitterBuffer, Playout, Put},
    rtcp::{self, NtpTime, Reporter, Sent},
    sequence::{Order, Sequence},
};
use crate::audio::{CallTime, Hz8k, Law, Pcm, g711};

/// Comfort noise (RFC 3389): the peer is silent.
const COMFORT_NOISE: u8 = 13;

/// What a session needs to know. Draw the three first values at random (RFC 3550, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpConfig {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// Sequence number of our first packet.
    pub first_seq: u16,
    /// Timestamp of our first packet.
    pub first_timestamp: u32,
    /// The negotiated codec.
    pub law: Law,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of telephone events, when negotiated.
    pub events_payload_type: Option<u8>,
}

/// One RTP session with one peer, sans I/O: datagrams in and out, 20 ms frames out and in.
///
/// Reads packets of any length up to 200 ms, PCMU and PCMA alike (by their static payload types
/// even if the other one was negotiated), and telephone events. Another source takes over with
/// its second packet in a row, so that a stray packet does no harm.
#[derive(Debug)]
pub struct RtpSession {
    config: RtpConfig,
    next_seq: u16,
    next_timestamp: u32,
    /// The next packet is the first after silence.
    marker: bool,
    sent: Sent,
    remote: Option<Remote>,
    /// Source and next sequence number of a packet from elsewhere.
    candidate: Option<(u32, u16)>,
    jitter: JitterBuffer,
    events: EventReceiver,
    reporter: Reporter,
    stats: RtpStats,
    lost_before: u64,
}

#[derive(Debug)]
struct Remote {
    ssrc: u32,
    sequence: Sequence,
}

/// What a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Audio, to be [pulled](RtpSession::pull).
    Audio,
    /// About a key; see [`RtpSession::next_digit`].
    Event,
    /// A control packet on the same port (RFC 5761).
    Rtcp,
    /// Well-formed, but nothing to play.
    Ignored(IgnoreReason),
}

/// Why a packet was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoreReason {
    /// This payload type was not negotiated.
    PayloadType(u8),
    /// Nothing in it that can be used.
    Empty,
    /// Comfort noise: the peer says that it is silent.
    ComfortNoise,
    /// It came before.
    Duplicate,
    /// Its time to be played has passed.
    Late,
    /// From a source that has not yet taken over.
    OtherSource,
    /// With our own source identifier: our packets come back.
    OwnSource,
    /// Far from the expected sequence number; the next packet decides.
    SequenceJump,
    /// Far from the expected timestamp; the next packet decides.
    TimestampJump,
}

impl RtpSession {
    /// A session that has neither sent nor received.
    pub fn new(config: RtpConfig) -> Self {
        Self {
            next_seq: config.first_seq,
            next_timestamp: config.first_timestamp,
            marker: true,
            sent: Sent::default(),
            remote: None,
            candidate: None,
            jitter: JitterBuffer::new(),
            events: EventReceiver::default(),
            reporter: Reporter::new(config.ssrc),
            stats: RtpStats::default(),
            lost_before: 0,
            config,
        }
    }

    /// Takes a datagram that arrived `at`, RTP or RTCP.
    ///
    /// # Errors
    /// [`RtpError`] when it is neither; the session is unharmed.
    pub fn receive(&mut self, at: CallTime, datagram: &[u8]) -> Result<Received, RtpError> {
        if rtcp::is_rtcp(datagram) {
            self.receive_rtcp(at, datagram)?;
            return Ok(Received::Rtcp);
        }
        let packet = parse(datagram)?;
        let received = self.receive_packet(at, packet);
        match received {
            Received::Ignored(IgnoreReason::Duplicate) => self.stats.duplicates += 1,
            Received::Ignored(IgnoreReason::Late) => self.stats.late += 1,
            Received::Ignored(IgnoreReason::ComfortNoise) => {}
            Received::Ignored(_) => self.stats.ignored += 1,
            Received::Audio | Received::Event | Received::Rtcp => {}
        }
        Ok(received)
    }

    /// Takes a control packet that arrived `at`.
    ///
    /// # Errors
    /// [`RtpError`] when it is malformed; the session is unharmed.
    pub fn receive_rtcp(&mut self, at: CallTime, datagram: &[u8]) -> Result<(), RtpError> {
        self.reporter.receive(at, datagram, self.remote.as_ref().map(|r| r.ssrc))
    }

    /// What the caller said in the next 20 ms; to be called exactly once a tick.
    pub fn pull(&mut self) -> Playout {
        self.jitter.pull()
    }

    /// The next key that the caller pressed.
    pub fn next_digit(&mut self) -> Option<Digit> {
        self.events.next_digit()
    }

    /// Makes the packet for one frame, which lasts 20 ms.
    pub fn send(&mut self, frame: &Pcm<Hz8k>) -> Vec<u8> {
        let payload = g711::encode(self.config.law, frame);
        let marker = std::mem::take(&mut self.marker);
        let packet = self.packet(self.config.payload_type, marker, self.next_timestamp, payload);
        self.next_timestamp = self.next_timestamp.wrapping_add(frame.len() as u32);
        packet
    }

    /// Lets 20 ms pass without sending; the packet after it is marked as the first after silence.
    pub fn skip(&mut self) {
        self.next_timestamp = self.next_timestamp.wrapping_add(FRAME as u32);
        self.marker = true;
    }

    /// Makes the packets of a key press that is held for `ticks` ticks of 20 ms (RFC 4733), one
    /// to be sent each tick in place of audio; the last one, the end, three times at once.
    /// Empty when events were not negotiated or `key` has none.
    pub fn send_key(&mut self, key: char, ticks: u16) -> Vec<Vec<u8>> {
        let Some(payload_type) = self.config.events_payload_type else { return Vec::new() };
        let start = self.next_timestamp;
        let ticks = ticks.clamp(1, u16::MAX / FRAME as u16);
        let mut packets = Vec::new();
        for tick in 1..=ticks {
            let end = tick == ticks;
            let duration = tick * FRAME as u16;
            let Some(payload) = events::payload(key, duration, end) else { return packets };
            for _ in 0..if end { 3 } else { 1 } {
                packets.push(self.packet(payload_type, packets.is_empty(), start, payload.into()));
            }
            self.skip();
        }
        packets
    }

    /// The control packet to send now, if one is due: a report every 5 s. `wall` is the time of
    /// day at `now`.
    pub fn rtcp_due(&mut self, now: CallTime, wall: NtpTime) -> Option<Vec<u8>> {
        if !self.reporter.is_due(now) {
            return None;
        }
        Some(self.report(now, wall, false))
    }

    /// The control packet that ends the session (BYE).
    pub fn bye(&mut self, now: CallTime, wall: NtpTime) -> Vec<u8> {
        self.report(now, wall, true)
    }

    /// Whether the peer has said BYE.
    pub fn peer_left(&self) -> bool {
        self.reporter.peer_left()
    }

    /// What has happened so far.
    pub fn stats(&self) -> RtpStats {
        let lost = self.remote.as_ref().map_or(0, |r| r.sequence.lost());
        RtpStats {
            sent: u64::from(self.sent.packets),
            lost: self.lost_before + lost,
            concealed_ms: self.jitter.concealed() / 8,
            jitter_ms: self.jitter.jitter() / 8.0,
            rtt_ms: self.reporter.rtt_ms(),
            peer_lost: self.reporter.peer_lost(),
            peer_jitter_ms: self.reporter.peer_jitter_ms(),
            ..self.stats.clone()
        }
    }

    fn receive_packet(&mut self, at: CallTime, packet: Packet) -> Received {
        let Packet { header, payload } = packet;
        match self.place(&header) {
            Order::Fresh => {}
            Order::Restarted => self.restart(),
            Order::Duplicate => return Received::Ignored(IgnoreReason::Duplicate),
            Order::Jumped => {
                let other = self.remote.as_ref().is_some_and(|r| r.ssrc != header.ssrc);
                return Received::Ignored(match header.ssrc {
                    ssrc if ssrc == self.config.ssrc => IgnoreReason::OwnSource,
                    _ if other => IgnoreReason::OtherSource,
                    _ => IgnoreReason::SequenceJump,
                });
            }
        }
        self.stats.received += 1;
        if Some(header.payload_type) == self.config.events_payload_type {
            return match self.events.receive(at, header.timestamp, header.marker, &payload) {
                true => Received::Event,
                false => Received::Ignored(IgnoreReason::Empty),
            };
        }
        let Some(law) = self.law(header.payload_type) else {
            return Received::Ignored(match header.payload_type {
                COMFORT_NOISE => IgnoreReason::ComfortNoise,
                other => IgnoreReason::PayloadType(other),
            });
        };
        if payload.is_empty() {
            return Received::Ignored(IgnoreReason::Empty);
        }
        match self.jitter.put(at, header.timestamp, g711::decode(law, &payload)) {
            Put::Stored => Received::Audio,
            Put::Late => Received::Ignored(IgnoreReason::Late),
            Put::Jumped => Received::Ignored(IgnoreReason::TimestampJump),
        }
    }

    /// Finds the packet's place in the stream of the source that we listen to, which it may
    /// become.
    fn place(&mut self, header: &Header) -> Order {
        let (ssrc, seq) = (header.ssrc, header.sequence_number);
        if ssrc == self.config.ssrc {
            return Order::Jumped;
        }
        match &mut self.remote {
            Some(remote) if remote.ssrc == ssrc => {
                self.candidate = None;
                remote.sequence.receive(seq)
            }
            Some(remote) if self.candidate == Some((ssrc, seq)) => {
                self.lost_before += remote.sequence.lost();
                *remote = Remote { ssrc, sequence: Sequence::new(seq) };
                self.candidate = None;
                Order::Restarted
            }
            Some(_) => {
                self.candidate = Some((ssrc, seq.wrapping_add(1)));
                Order::Jumped
            }
            None => {
                self.remote = Some(Remote { ssrc, sequence: Sequence::new(seq) });
                Order::Fresh
            }
        }
    }

    /// Another stream begins.
    fn restart(&mut self) {
        self.jitter.restart();
        self.events.restart();
        self.reporter.restart();
    }

    fn law(&self, payload_type: u8) -> Option<Law> {
        if payload_type == self.config.payload_type {
            return Some(self.config.law);
        }
        [Law::Mu, Law::A].into_iter().find(|law| law.payload_type() == payload_type)
    }

    #[expect(clippy::expect_used, reason = "fails only for a buffer shorter than it asked for")]
    fn packet(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: Vec<u8>,
    ) -> Vec<u8> {
        let header = Header {
            version: 2,
            marker,
            payload_type,
            sequence_number: self.next_seq,
            timestamp,
            ssrc: self.config.ssrc,
            ..Header::default()
        };
        self.next_seq = self.next_seq.wrapping_add(1);
        self.sent.count(payload.len());
        let packet = Packet { header, payload: Bytes::from(payload) };
        packet.marshal().expect("the buffer has the packet's size").to_vec()
    }

    fn report(&mut self, now: CallTime, wall: NtpTime, bye: bool) -> Vec<u8> {
        let jitter = self.jitter.jitter() as u32;
        let source = self.remote.as_mut().map(|r| rtcp::reception(r.ssrc, &mut r.sequence, jitter));
        self.sent.timestamp = self.next_timestamp;
        self.reporter.report(now, wall, &self.sent, source, bye)
    }
}

fn parse(datagram: &[u8]) -> Result<Packet, RtpError> {
    let len = datagram.len();
    let version = datagram.first().map_or(0, |b| b >> 6);
    if version != 2 {
        return Err(RtpError::Version { version, len });
    }
    let packet = Packet::unmarshal(&mut &*datagram).map_err(|e| RtpError::Malformed {
        protocol: "RTP",
        len,
        problem: e.to_string(),
    })?;
    match packet.payload.len() {
        len if len > MAX_PAYLOAD => Err(RtpError::Oversized { len }),
        _ => Ok(packet),
    }
}

#[cfg(test)]
mod tests;
