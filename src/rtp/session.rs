use std::time::Duration;

use rtc_rtp::{header::Header, packet::Packet};
use rtc_shared::marshal::Unmarshal;

use super::{
    Formats, MAX_PAYLOAD, RtpError, RtpStats,
    events::{Digit, EventReceiver},
    jitter::{JitterBuffer, Playout, Put},
    mos::mos,
    rtcp::{self, NtpTime, Reporter},
    sender::Sender,
    sequence::{Order, Sequence},
};
use crate::audio::{CallTime, ComfortNoise, Hz8k, Pcm};

/// Comfort noise (RFC 3389): the peer is silent.
const COMFORT_NOISE: u8 = 13;

/// What is heard while a key is down and no audio comes.
const EVENT_NOISE_DBOV: f32 = -70.0;

/// What a session needs to know. Draw the first four values at random (RFC 3550, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpConfig {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// Sequence number of our first packet.
    pub first_seq: u16,
    /// Timestamp of our first packet.
    pub first_timestamp: u32,
    /// Varies the intervals of our reports (RFC 3550, section 6.3.1).
    pub seed: u64,
    /// What was negotiated.
    pub formats: Formats,
}

/// One RTP session with one peer, sans I/O: datagrams in and out, 20 ms frames out and in.
///
/// Reads packets of any length up to 200 ms in any of the negotiated codecs, and in those with
/// static payload types even if they were not; telephone events; comfort noise. Another source
/// takes over with its second packet in a row, so that a stray packet does no harm.
#[derive(Debug)]
pub struct RtpSession {
    formats: Formats,
    sender: Sender,
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
    /// Comfort noise: the peer is silent, and this is how it sounds.
    Noise,
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
    /// The codec cannot have made this.
    Malformed,
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
        let RtpConfig { ssrc, first_seq, first_timestamp, seed, formats } = config;
        Self {
            sender: Sender::new(ssrc, first_seq, first_timestamp, formats.clone()),
            formats,
            remote: None,
            candidate: None,
            jitter: JitterBuffer::new(),
            events: EventReceiver::default(),
            reporter: Reporter::new(ssrc, seed),
            stats: RtpStats::default(),
            lost_before: 0,
        }
    }

    /// Other formats were negotiated; the streams go on. Packets of the old ones that are still
    /// under way are played.
    pub fn renegotiate(&mut self, formats: Formats) {
        self.sender.change(formats.clone());
        self.formats = formats;
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
            Received::Ignored(_) => self.stats.ignored += 1,
            Received::Audio | Received::Event | Received::Noise | Received::Rtcp => {}
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

    /// How long the latest packet waits in the jitter buffer, from the next [`pull`](Self::pull) to its
    /// own.
    pub fn ahead(&self) -> Duration {
        CallTime(self.jitter.ahead()).since(CallTime::ZERO)
    }

    /// The next key that the caller pressed.
    pub fn next_digit(&mut self) -> Option<Digit> {
        self.events.next_digit()
    }

    /// The packets to send in this tick of 20 ms, in which we say `frame`: none while a packet of
    /// more than one tick fills up. A [pressed](Self::press) key takes the place of the frame.
    pub fn send(&mut self, frame: &Pcm<Hz8k>) -> Vec<Vec<u8>> {
        self.sender.tick(frame)
    }

    /// Lets 20 ms pass without sending; the packet after it is marked as the first after silence.
    pub fn skip(&mut self) {
        self.sender.skip();
    }

    /// Queues a key to be held for `ticks` ticks of 20 ms (RFC 4733): [`send`](Self::send) then
    /// sends its events, one a tick, in place of the frames, with 80 ms of rest before the next.
    /// Returns false when events were not negotiated or `key` has none.
    pub fn press(&mut self, key: char, ticks: u16) -> bool {
        self.sender.press(key, ticks)
    }

    /// Whether [`rtcp_due`](Self::rtcp_due) has something to send.
    pub fn is_rtcp_due(&mut self, now: CallTime) -> bool {
        self.reporter.is_due(now)
    }

    /// The control packet to send now, if one is due: a report every 2 to 6 s. `wall` is the time of
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
        let sent = f64::from(self.sender.sent.packets.max(1));
        let peer_loss = self.reporter.peer_lost().map(|lost| f64::from(lost) / sent);
        let codec = self.formats.send.1;
        RtpStats {
            mos: self.jitter.loss().map(|loss| mos(codec, self.delay_ms(), loss)),
            peer_mos: peer_loss.map(|loss| mos(codec, self.delay_ms(), loss)),
            sent: u64::from(self.sender.sent.packets),
            lost: self.lost_before + lost,
            concealed_ms: self.jitter.concealed() / 8,
            recovered_ms: self.jitter.recovered() / 8,
            jitter_ms: self.jitter.jitter() / 8.0,
            rtt_ms: self.reporter.rtt_ms(),
            peer_reports: self.reporter.heard(),
            peer_lost: self.reporter.peer_lost(),
            peer_jitter_ms: self.reporter.peer_jitter(f64::from(self.formats.send.1.clock_rate())),
            ..self.stats.clone()
        }
    }

    /// From mouth to ear: half the round trip, one packet, the jitter buffer.
    fn delay_ms(&self) -> f64 {
        let network = self.reporter.rtt_ms().unwrap_or(0.0) / 2.0;
        network + f64::from(self.formats.ptime_ms) + self.jitter.delay_ms()
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
                    ssrc if ssrc == self.sender.ssrc() => IgnoreReason::OwnSource,
                    _ if other => IgnoreReason::OtherSource,
                    _ => IgnoreReason::SequenceJump,
                });
            }
        }
        self.stats.received += 1;
        if let Some(clock) = self.formats.events_clock(header.payload_type) {
            if f64::from(clock) == 8_000.0 * self.jitter.clock_scale() {
                // Events come in place of audio: what is missing then is not lost.
                self.jitter.put_noise(header.timestamp, ComfortNoise::white(EVENT_NOISE_DBOV));
            }
            let timestamp = (clock, header.timestamp);
            return match self.events.receive(at, timestamp, header.marker, &payload) {
                true => Received::Event,
                false => Received::Ignored(IgnoreReason::Empty),
            };
        }
        if payload.is_empty() {
            return Received::Ignored(IgnoreReason::Empty);
        }
        if header.payload_type == self.formats.comfort_noise.unwrap_or(COMFORT_NOISE) {
            let noise = ComfortNoise::from_payload(&payload);
            return match noise.map(|noise| self.jitter.put_noise(header.timestamp, noise)) {
                Some(Put::Jumped) => Received::Ignored(IgnoreReason::TimestampJump),
                _ => Received::Noise,
            };
        }
        let Some(codec) = self.formats.codec(header.payload_type) else {
            return Received::Ignored(IgnoreReason::PayloadType(header.payload_type));
        };
        match self.jitter.put(at, header.timestamp, codec, payload) {
            Put::Stored => Received::Audio,
            Put::Late => Received::Ignored(IgnoreReason::Late),
            Put::Jumped => Received::Ignored(IgnoreReason::TimestampJump),
            Put::Malformed => Received::Ignored(IgnoreReason::Malformed),
        }
    }

    /// Finds the packet's place in the stream of the source that we listen to, which it may
    /// become.
    fn place(&mut self, header: &Header) -> Order {
        let (ssrc, seq) = (header.ssrc, header.sequence_number);
        if ssrc == self.sender.ssrc() {
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

    fn report(&mut self, now: CallTime, wall: NtpTime, bye: bool) -> Vec<u8> {
        // In units of the clock of what is received (RFC 3550, section 6.4.1).
        let jitter = self.jitter.jitter() * self.jitter.clock_scale();
        let source =
            self.remote.as_mut().map(|r| rtcp::reception(r.ssrc, &mut r.sequence, jitter as u32));
        self.sender.sent.timestamp = self.sender.timestamp();
        self.reporter.report(now, wall, &self.sender.sent, source, bye)
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
