use std::collections::VecDeque;

use super::{FRAME, Formats, events, rtcp::Sent};
use crate::audio::{ComfortNoise, Hz8k, Pcm, codec::Encoder};

/// Level of the noise that we make or ask for while we are silent, in dBov: the hiss of a quiet
/// line, far below any speech detector.
const NOISE_DBOV: f32 = -65.0;
/// Ticks of silence before we say so; the pauses within speech are shorter.
const HANGOVER: u32 = 10;
/// Ticks between two descriptions of our silence, so that NATs and media timeouts stay calm.
const NOISE_EVERY: u32 = 10;
/// Ticks without sound after each key; telephone networks ask for 40 ms at least.
const KEY_PAUSE: u16 = 4;
/// How often the end of a key is sent (RFC 4733, section 2.5.1.4).
const ENDS: u16 = 3;
/// Keys that wait to be sent.
const MAX_KEYS: usize = 64;
/// Bytes of a header without contributing sources or extensions (RFC 3550, section 5.1).
const HEADER: usize = 12;

/// What we send: frames and keys in, packets out, one tick after the other.
#[derive(Debug)]
pub(super) struct Sender {
    ssrc: u32,
    formats: Formats,
    encoder: Encoder,
    next_seq: u16,
    /// In units of the codec's clock; of the first sample in `pending`.
    next_timestamp: u32,
    /// Samples that do not fill a packet yet.
    pending: Vec<i16>,
    /// The next packet is the first after silence.
    marker: bool,
    /// Ticks of digital silence so far.
    silent: u32,
    noise: Option<ComfortNoise>,
    keys: VecDeque<(char, u16)>,
    key: Option<Press>,
    pub(super) sent: Sent,
}

/// The key being sent.
#[derive(Debug, Clone, Copy)]
struct Press {
    key: char,
    /// Timestamp of the press.
    start: u32,
    /// Ticks that it lasts, and ticks done.
    ticks: u16,
    done: u16,
}

impl Sender {
    pub(super) fn new(ssrc: u32, seq: u16, timestamp: u32, formats: Formats) -> Self {
        Self {
            ssrc,
            encoder: Encoder::new(formats.send.1),
            next_seq: seq,
            next_timestamp: timestamp,
            pending: Vec::new(),
            marker: true,
            silent: 0,
            noise: formats.silence_noise.then(|| ComfortNoise::white(NOISE_DBOV)),
            keys: VecDeque::new(),
            key: None,
            sent: Sent::default(),
            formats,
        }
    }

    /// Goes on with other formats, within the same stream of packets.
    pub(super) fn change(&mut self, formats: Formats) {
        if self.formats.send.1 != formats.send.1 {
            self.pending.clear();
            self.encoder = Encoder::new(formats.send.1);
            self.marker = true;
        }
        self.noise = formats.silence_noise.then(|| ComfortNoise::white(NOISE_DBOV));
        self.formats = formats;
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of now.
    pub(super) fn timestamp(&self) -> u32 {
        self.next_timestamp.wrapping_add(self.units(self.pending.len()))
    }

    /// The packets to send in this tick.
    pub(super) fn tick(&mut self, frame: &Pcm<Hz8k>) -> Vec<Vec<u8>> {
        if let Some(packets) = self.key_tick() {
            return packets;
        }
        if frame.samples().iter().any(|&s| s != 0) {
            self.silent = 0;
            return self.audio(frame);
        }
        self.silent = self.silent.saturating_add(1);
        match (self.formats.comfort_noise, &mut self.noise) {
            (Some(payload_type), _) if self.silent > HANGOVER => {
                self.describe_silence(payload_type)
            }
            (_, Some(noise)) => {
                let noise = noise.next(frame.len());
                self.audio(&noise)
            }
            _ => self.audio(frame),
        }
    }

    /// Lets a tick pass without sending; the packet after it is marked as the first after silence.
    pub(super) fn skip(&mut self) {
        self.pending.clear();
        self.next_timestamp = self.next_timestamp.wrapping_add(self.units(FRAME));
        self.marker = true;
    }

    /// Queues a key to be held for `ticks`. False when it cannot be sent.
    pub(super) fn press(&mut self, key: char, ticks: u16) -> bool {
        let possible =
            self.formats.send_events.is_some() && events::payload(key, 0, false).is_some();
        // A press must fit the 16 bits of its duration.
        let most = u16::MAX / self.units(FRAME) as u16;
        if possible && self.keys.len() < MAX_KEYS {
            self.keys.push_back((key, ticks.clamp(1, most)));
        }
        possible
    }

    /// This tick of a key, if one is being sent: its packets, in place of audio.
    fn key_tick(&mut self) -> Option<Vec<Vec<u8>>> {
        let payload_type = self.formats.send_events?;
        let mut packets = Vec::new();
        let mut press = match self.key {
            Some(press) => press,
            None => {
                let (key, ticks) = self.keys.pop_front()?;
                packets = self.flush();
                Press { key, start: self.next_timestamp, ticks, done: 0 }
            }
        };
        press.done += 1;
        let down = press.done.min(press.ticks);
        let end = press.done >= press.ticks;
        if press.done < press.ticks + ENDS {
            let duration = self.units(FRAME) as u16 * down;
            if let Some(payload) = events::payload(press.key, duration, end) {
                let first = press.done == 1;
                packets.push(self.packet(payload_type, first, press.start, &payload));
            }
        }
        self.skip();
        let over = press.done >= press.ticks + KEY_PAUSE;
        self.key = (!over).then_some(press);
        Some(packets)
    }

    /// Comfort noise (RFC 3389) instead of audio: when silence begins, and now and then.
    fn describe_silence(&mut self, payload_type: u8) -> Vec<Vec<u8>> {
        let mut packets = self.flush();
        if (self.silent - HANGOVER) % NOISE_EVERY == 1 {
            let payload = ComfortNoise::payload(NOISE_DBOV);
            packets.push(self.packet(payload_type, false, self.next_timestamp, &payload));
        }
        self.skip();
        packets
    }

    fn audio(&mut self, frame: &Pcm<Hz8k>) -> Vec<Vec<u8>> {
        let (_, codec) = self.formats.send;
        let len = codec.packet_len(self.formats.ptime_ms);
        if self.pending.is_empty() && frame.len() == len {
            return vec![self.audio_packet(frame)];
        }
        self.pending.extend(frame.samples());
        let mut packets = Vec::new();
        while self.pending.len() >= len {
            packets.push(self.pending_packet(len));
        }
        packets
    }

    /// Sends what waits for more, in whole ticks.
    fn flush(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while !self.pending.is_empty() {
            packets.push(self.pending_packet(self.pending.len().min(FRAME)));
        }
        packets
    }

    fn pending_packet(&mut self, len: usize) -> Vec<u8> {
        let audio = Pcm::new(self.pending.drain(..len).collect());
        self.audio_packet(&audio)
    }

    fn audio_packet(&mut self, audio: &Pcm<Hz8k>) -> Vec<u8> {
        let payload = self.encoder.encode(audio);
        let marker = std::mem::take(&mut self.marker);
        let packet = self.packet(self.formats.send.0, marker, self.next_timestamp, &payload);
        self.next_timestamp = self.next_timestamp.wrapping_add(self.units(audio.len()));
        packet
    }

    /// Clock units in so many samples.
    fn units(&self, samples: usize) -> u32 {
        samples as u32 * self.formats.send.1.clock_scale()
    }

    fn packet(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
    ) -> Vec<u8> {
        let mut packet = Vec::with_capacity(HEADER + payload.len());
        packet.extend([0x80, u8::from(marker) << 7 | payload_type & 0x7F]);
        packet.extend(self.next_seq.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend_from_slice(payload);
        self.next_seq = self.next_seq.wrapping_add(1);
        self.sent.count(payload.len());
        packet
    }
}
