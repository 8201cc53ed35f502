//! A call's sockets: RTP in and out on a 20 ms grid, RTCP beside it.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::{net::UdpSocket, time::Instant};

use super::{
    CallError,
    protection::{Port, Protection},
    socket::PolledSocket,
};
use crate::{
    audio::{CallTime, DtmfDetector, Hz8k, Pcm},
    rtp::{
        Formats, KeyMerger, KeySource, NtpTime, Playout, Received, RtpConfig, RtpSession, RtpStats,
    },
    sdp::Negotiated,
    srtp::{self, SrtpError},
};

/// Larger than any UDP datagram on an Ethernet.
const DATAGRAM: usize = 2_048;
/// Datagrams read in a tick: ten times what the busiest peer sends, so that a flood cannot stop us.
const MAX_WAITING: usize = 32;
/// As many before the first that can be used: what came while we rang.
const MAX_WAITING_AT_FIRST: usize = 1_024;
/// RTCP is read once in so many ticks: nothing in it is urgent, and the kernel dates it.
const RTCP_EVERY: u32 = 10;
/// Silence from the latched address after which another may take over.
const RELATCH: Duration = Duration::from_secs(2);

/// Whether keys are also heard as tones in the audio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToneKeys {
    /// Never.
    Off,
    /// When the peer has no telephone events (RFC 4733).
    #[default]
    Auto,
    /// In every call; a key that also comes as an event or a SIP INFO counts once.
    Always,
}

impl ToneKeys {
    fn detector(self, peer: &Negotiated) -> Option<DtmfDetector> {
        let listen = match self {
            Self::Off => false,
            Self::Auto => peer.receive_events.is_empty(),
            Self::Always => true,
        };
        listen.then(DtmfDetector::new)
    }
}

/// What a call's media does beyond what is negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaOptions {
    /// Our silence is never digital silence.
    pub comfort_noise: bool,
    /// Keys as tones.
    pub tones: ToneKeys,
}

/// RTP and RTCP of one call. Symmetric (RFC 4961): once the peer's packets come from another
/// address than its SDP says, as behind a NAT, we answer to where they come from.
#[derive(Debug)]
pub(super) struct Media {
    rtp: PolledSocket,
    rtcp: PolledSocket,
    ticks: u32,
    session: RtpSession,
    protection: Protection,
    remote: SocketAddr,
    remote_rtcp: SocketAddr,
    /// RTCP goes over the sockets of RTP (RFC 5761).
    shared: bool,
    /// What the times that are passed in count from, on the session's own clock.
    base: Duration,
    waits: Duration,
    latched: bool,
    last_heard: Instant,
    sending: bool,
    hears: bool,
    options: MediaOptions,
    tones: Option<DtmfDetector>,
    heard_tones: VecDeque<char>,
    keys: KeyMerger,
}

impl Media {
    /// Media for what was negotiated, on sockets that are already bound.
    pub(super) fn new(
        rtp: UdpSocket,
        rtcp: UdpSocket,
        peer: &Negotiated,
        options: MediaOptions,
    ) -> Result<Self, CallError> {
        let session = RtpSession::new(RtpConfig {
            ssrc: rand::random(),
            first_seq: rand::random(),
            first_timestamp: rand::random(),
            seed: rand::random(),
            formats: formats(peer, options),
        });
        Ok(Self {
            rtp: PolledSocket::new(rtp).map_err(CallError::Socket)?,
            rtcp: PolledSocket::new(rtcp).map_err(CallError::Socket)?,
            ticks: 0,
            session,
            protection: Protection::new(peer, Instant::now().into_std())?,
            remote: peer.remote,
            remote_rtcp: peer.rtcp,
            shared: peer.rtcp == peer.remote,
            base: Duration::ZERO,
            waits: Duration::ZERO,
            latched: false,
            last_heard: Instant::now(),
            sending: peer.direction.sends(),
            hears: peer.direction.receives(),
            options,
            tones: options.tones.detector(peer),
            heard_tones: VecDeque::new(),
            keys: KeyMerger::default(),
        })
    }

    /// The peer changed the session: hold, resume, another address, other codecs or keys.
    pub(super) fn renegotiated(&mut self, peer: &Negotiated) -> Result<(), SrtpError> {
        self.protection.renew(peer, Instant::now().into_std())?;
        self.shared = peer.rtcp == peer.remote;
        self.session.renegotiate(formats(peer, self.options));
        if self.tones.is_none() || self.options.tones.detector(peer).is_none() {
            self.tones = self.options.tones.detector(peer);
        }
        self.sending = peer.direction.sends();
        self.hears = peer.direction.receives();
        self.last_heard = Instant::now();
        if self.remote != peer.remote {
            self.remote = peer.remote;
            self.remote_rtcp = peer.rtcp;
            self.latched = false;
        }
        Ok(())
    }

    /// From now on times count from zero again, `elapsed` after they did before: the call is
    /// answered. The silence of a caller who waited for the answer does not count.
    pub(super) fn restart(&mut self, elapsed: Duration) {
        self.base += elapsed;
        self.last_heard = Instant::now();
    }

    /// Takes what has come since the last tick; to be called once a tick, before [`Self::pull`].
    pub(super) fn take_waiting(&mut self, now: CallTime) {
        let now = now + self.base;
        let came = |waited| CallTime::ZERO + now.since(CallTime::ZERO).saturating_sub(waited);
        let mut buffer = [0; DATAGRAM];
        let most = if self.latched { MAX_WAITING } else { MAX_WAITING_AT_FIRST };
        for _ in 0..most {
            let Some(waiting) = self.rtp.receive(&mut buffer) else { break };
            self.take_rtp(came(waiting.waited), &mut buffer, waiting.len, waiting.from);
            self.waits = waiting.waited + self.session.ahead();
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(RTCP_EVERY) {
            for _ in 0..MAX_WAITING {
                let Some(waiting) = self.rtcp.receive(&mut buffer) else { break };
                self.take_rtcp(came(waiting.waited), &mut buffer, waiting.len, waiting.from);
            }
        }
        self.go_on_with_handshakes();
    }

    fn take_rtp(&mut self, at: CallTime, buffer: &mut [u8], len: usize, from: SocketAddr) {
        if self.latched && from != self.remote && self.last_heard.elapsed() < RELATCH {
            return;
        }
        if srtp::is_dtls(&buffer[..len]) {
            return self.take_handshake(Port::Rtp, &buffer[..len], from);
        }
        let Some(len) = self.protection.open(Port::Rtp, buffer, len) else { return };
        let Ok(Received::Audio | Received::Event | Received::Noise) =
            self.session.receive(at, &buffer[..len])
        else {
            return;
        };
        if from != self.remote {
            tracing::debug!(%from, sdp = %self.remote, "RTP comes from another address");
            self.follow(from);
        }
        self.latched = true;
        self.last_heard = Instant::now();
    }

    /// From now on sends to where the peer's RTP comes from.
    fn follow(&mut self, from: SocketAddr) {
        let rtcp = if self.shared { 0 } else { 1 };
        self.remote = from;
        self.remote_rtcp = SocketAddr::new(from.ip(), from.port().wrapping_add(rtcp));
    }

    fn take_rtcp(&mut self, at: CallTime, buffer: &mut [u8], len: usize, from: SocketAddr) {
        if srtp::is_dtls(&buffer[..len]) {
            return self.take_handshake(Port::Rtcp, &buffer[..len], from);
        }
        let Some(len) = self.protection.open(Port::Rtcp, buffer, len) else { return };
        // A report that does not parse is counted by the session and otherwise ignored.
        let _ = self.session.receive_rtcp(at, &buffer[..len]);
    }

    /// A part of a handshake comes from where it is to be answered to, as behind a NAT; who it is
    /// from is proved at the end.
    fn take_handshake(&mut self, port: Port, datagram: &[u8], from: SocketAddr) {
        let begun = !self.protection.is_ready();
        let now = Instant::now().into_std();
        if self.protection.take_handshake(port, datagram, now) && begun && !self.latched {
            match port {
                Port::Rtp => self.follow(from),
                Port::Rtcp => self.remote_rtcp = from,
            }
        }
    }

    fn go_on_with_handshakes(&mut self) {
        for (port, datagram) in self.protection.due(Instant::now().into_std()) {
            match port {
                Port::Rtp => self.rtp.send(&datagram, self.remote),
                Port::Rtcp => self.rtcp.send(&datagram, self.remote_rtcp),
            }
        }
    }

    /// Whether audio can go both ways: with DTLS-SRTP only after the handshake.
    pub(super) fn is_ready(&self) -> bool {
        self.protection.is_ready()
    }

    /// The call is answered: the peer has the whole time for its handshake from now on.
    pub(super) fn answered(&mut self) {
        self.protection.wait_from(Instant::now().into_std());
    }

    /// Why the media cannot be protected as agreed, once that is certain.
    pub(super) fn failure(&self) -> Option<SrtpError> {
        self.protection.failure(Instant::now().into_std())
    }

    /// The caller's next 20 ms, silent while a key sounds: it would be taken for speech, interrupt
    /// the prompt that it asked for, and could be read off the recording.
    pub(super) fn pull(&mut self) -> Playout {
        let mut playout = self.session.pull();
        if let Some(tones) = &mut self.tones {
            self.heard_tones.extend(tones.push(&playout.audio));
            if tones.is_down() {
                playout.audio.samples_mut().fill(0);
            }
        }
        playout
    }

    /// The next key that came as an RFC 4733 event or as a tone and in no other way before.
    pub(super) fn next_key(&mut self, now: CallTime) -> Option<char> {
        let now = now + self.base;
        while let Some(digit) = self.session.next_digit() {
            if self.keys.accept(now, KeySource::Event, digit.key) {
                return Some(digit.key);
            }
        }
        while let Some(key) = self.heard_tones.pop_front() {
            if self.keys.accept(now, KeySource::Tone, key) {
                return Some(key);
            }
        }
        None
    }

    /// Takes a key that came as a SIP INFO; true when it came in no other way before.
    pub(super) fn take_info_key(&mut self, now: CallTime, key: char) -> bool {
        let now = now + self.base;
        self.keys.accept(now, KeySource::Info, key)
    }

    /// Presses a key for the peer to hear, for so many ticks of 20 ms; false when it cannot be
    /// sent as an RFC 4733 event.
    pub(super) fn press(&mut self, key: char, ticks: u16) -> bool {
        self.session.press(key, ticks)
    }

    /// Sends 20 ms and, when one is due, an RTCP report.
    pub(super) fn send(&mut self, now: CallTime, frame: &Pcm<Hz8k>) {
        let now = now + self.base;
        if self.sending {
            for packet in self.session.send(frame) {
                let Some(packet) = self.protection.seal(packet) else { continue };
                self.rtp.send(&packet, self.remote);
            }
        } else {
            self.session.skip();
        }
        if self.session.is_rtcp_due(now)
            && let Some(report) = self.session.rtcp_due(now, ntp_now())
        {
            self.send_rtcp(report);
        }
    }

    fn send_rtcp(&mut self, packet: Vec<u8>) {
        let Some(packet) = self.protection.seal_rtcp(packet) else { return };
        let socket = if self.shared { &self.rtp } else { &self.rtcp };
        socket.send(&packet, self.remote_rtcp);
    }

    /// Says goodbye over RTCP and returns what the call's media was like.
    pub(super) fn finish(&mut self, now: CallTime) -> RtpStats {
        let now = now + self.base;
        let bye = self.session.bye(now, ntp_now());
        self.send_rtcp(bye);
        self.session.stats()
    }

    /// How long the latest packet waits between its arrival and being heard.
    pub(super) fn waits(&self) -> Duration {
        self.waits
    }

    /// What the media has been like so far.
    pub(super) fn stats(&self) -> RtpStats {
        self.session.stats()
    }

    /// Where the peer's RTP comes from; `None` before any came.
    pub(super) fn heard_from(&self) -> Option<SocketAddr> {
        self.latched.then_some(self.remote)
    }

    /// Whether the peer does not want to hear us: hold, in whatever form it was asked for.
    pub(super) fn held(&self) -> bool {
        !self.sending
    }

    /// Time since the peer's last RTP packet; nothing while none is to be expected.
    pub(super) fn silent_for(&self) -> Duration {
        if self.held() || !self.hears { Duration::ZERO } else { self.last_heard.elapsed() }
    }
}

fn formats(peer: &Negotiated, options: MediaOptions) -> Formats {
    Formats {
        send: peer.send,
        ptime_ms: peer.ptime_ms,
        receive: peer.receive.clone(),
        send_events: peer.send_events,
        receive_events: peer.receive_events.clone(),
        comfort_noise: peer.comfort_noise,
        silence_noise: options.comfort_noise,
    }
}

/// The wall clock, for RTCP.
fn ntp_now() -> NtpTime {
    let since_epoch = OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH;
    NtpTime::from_unix(since_epoch.unsigned_abs())
}
