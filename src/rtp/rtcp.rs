use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rtc_rtcp::{
    goodbye::Goodbye,
    packet::{self, Packet},
    receiver_report::ReceiverReport,
    reception_report::ReceptionReport,
    sender_report::SenderReport,
    source_description::{
        SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
    },
};

use super::{RtpError, sequence::Sequence};
use crate::audio::CallTime;

/// Between two reports on average (RFC 3550, section 6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// Divides the interval, for what timer reconsideration would add in a large session
/// (RFC 3550, section 6.3.1).
const COMPENSATION: f64 = 1.218_28;
/// Our own reports that a peer's may still refer to.
const REMEMBERED: usize = 8;
/// The most that the 24-bit field for the total loss can say.
const MAX_LOST: u64 = 0x7F_FFFF;

/// A time of day as NTP counts it: seconds since 1900 in 32.32 fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970.
    pub fn from_unix(since_epoch: Duration) -> Self {
        /// From 1900 to 1970.
        const OFFSET: u64 = 2_208_988_800;
        let seconds = since_epoch.as_secs().wrapping_add(OFFSET);
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }

    /// The middle 32 bits, by which reports refer to a sender report.
    fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What we have sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    pub(super) packets: u32,
    octets: u32,
    /// The timestamp of the next packet.
    pub(super) timestamp: u32,
}

impl Sent {
    /// Counts a packet with a payload of `octets`.
    pub(super) fn count(&mut self, octets: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
    }
}

/// Writes our reports and reads the peer's.
#[derive(Debug)]
pub(super) struct Reporter {
    ssrc: u32,
    due: Option<CallTime>,
    random: StdRng,
    /// Our sender reports: the middle of their NTP time, and when they were made.
    ours: VecDeque<(u32, CallTime)>,
    /// The peer's last sender report, likewise.
    theirs: Option<(u32, CallTime)>,
    rtt: Option<Duration>,
    /// The peer's last report about us.
    about_us: Option<ReceptionReport>,
    /// The peer's reports, whatever they are about.
    heard: u32,
    peer_left: bool,
}

impl Reporter {
    pub(super) fn new(ssrc: u32, seed: u64) -> Self {
        Self {
            ssrc,
            due: None,
            random: StdRng::seed_from_u64(seed),
            ours: VecDeque::with_capacity(REMEMBERED),
            theirs: None,
            rtt: None,
            about_us: None,
            heard: 0,
            peer_left: false,
        }
    }

    /// Whether it is time for a report. The first is due after half the interval.
    pub(super) fn is_due(&mut self, now: CallTime) -> bool {
        if self.due.is_none() {
            self.due = Some(now + self.interval() / 2);
        }
        self.due.is_some_and(|due| now >= due)
    }

    /// Half to one and a half times the interval, so that sessions that began together do not
    /// report together.
    fn interval(&mut self) -> Duration {
        INTERVAL.mul_f64(self.random.random_range(0.5..1.5) / COMPENSATION)
    }

    /// Writes a compound packet: what we sent, how we receive `source`, and our name.
    pub(super) fn report(
        &mut self,
        now: CallTime,
        wall: NtpTime,
        sent: &Sent,
        source: Option<ReceptionReport>,
        bye: bool,
    ) -> Vec<u8> {
        self.due = Some(now + self.interval());
        let reports = source.map(|source| self.refer(source, now)).into_iter().collect();
        let report: Box<dyn Packet> = if sent.packets == 0 {
            Box::new(ReceiverReport { ssrc: self.ssrc, reports, ..Default::default() })
        } else {
            if self.ours.len() == REMEMBERED {
                self.ours.pop_front();
            }
            self.ours.push_back((wall.middle(), now));
            Box::new(SenderReport {
                ssrc: self.ssrc,
                ntp_time: wall.0,
                rtp_time: sent.timestamp,
                packet_count: sent.packets,
                octet_count: sent.octets,
                reports,
                ..Default::default()
            })
        };
        let mut compound = vec![report, self.name()];
        if bye {
            compound.push(Box::new(Goodbye { sources: vec![self.ssrc], ..Default::default() }));
        }
        marshal(&compound)
    }

    /// Reads a compound packet of the peer, whose audio has the identifier `remote`.
    pub(super) fn receive(
        &mut self,
        at: CallTime,
        mut datagram: &[u8],
        remote: Option<u32>,
    ) -> Result<(), RtpError> {
        let len = datagram.len();
        let packets = packet::unmarshal(&mut datagram).map_err(|e| RtpError::Malformed {
            protocol: "RTCP",
            len,
            problem: e.to_string(),
        })?;
        let own = self.ssrc;
        let is_peer = |ssrc: u32| ssrc != own && remote.is_none_or(|r| r == ssrc);
        for packet in packets {
            let any = packet.as_any();
            if let Some(sr) = any.downcast_ref::<SenderReport>().filter(|sr| is_peer(sr.ssrc)) {
                self.theirs = Some((NtpTime(sr.ntp_time).middle(), at));
                self.heard_about_us(at, &sr.reports);
            } else if let Some(rr) = any.downcast_ref::<ReceiverReport>() {
                self.heard_about_us(at, &rr.reports);
            } else if let Some(bye) = any.downcast_ref::<Goodbye>() {
                self.peer_left |= bye.sources.iter().any(|&s| Some(s) == remote);
            }
        }
        Ok(())
    }

    /// Another source sends now; our reports must not refer to the one before.
    pub(super) fn restart(&mut self) {
        self.theirs = None;
    }

    pub(super) fn peer_left(&self) -> bool {
        self.peer_left
    }

    pub(super) fn rtt_ms(&self) -> Option<f64> {
        self.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0)
    }

    pub(super) fn heard(&self) -> u32 {
        self.heard
    }

    pub(super) fn peer_lost(&self) -> Option<u32> {
        self.about_us.as_ref().map(|r| r.total_lost)
    }

    /// In ms; the peer counts in units of the clock that we send with, in Hz.
    pub(super) fn peer_jitter(&self, clock_rate: f64) -> Option<f64> {
        self.about_us.as_ref().map(|r| f64::from(r.jitter) * 1_000.0 / clock_rate)
    }

    fn heard_about_us(&mut self, at: CallTime, reports: &[ReceptionReport]) {
        self.heard = self.heard.saturating_add(1);
        let Some(report) = reports.iter().find(|r| r.ssrc == self.ssrc) else { return };
        // Round trip: since our report was made, less the time that the peer kept it.
        let ours = self.ours.iter().rev().find(|(middle, _)| *middle == report.last_sender_report);
        if let Some(&(_, made)) = ours {
            let kept = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
            self.rtt = at.since(made).checked_sub(kept).or(self.rtt);
        }
        self.about_us = Some(report.clone());
    }

    /// Adds to a reception report which sender report of the peer we saw last.
    fn refer(&self, report: ReceptionReport, now: CallTime) -> ReceptionReport {
        let Some((last_sender_report, at)) = self.theirs else { return report };
        let delay = (now.since(at).as_secs_f64() * 65_536.0) as u32;
        ReceptionReport { last_sender_report, delay, ..report }
    }

    /// The canonical name, without anything personal (RFC 7022).
    fn name(&self) -> Box<dyn Packet> {
        let item = SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: Bytes::from(format!("{:08x}@hotline", self.ssrc)),
        };
        let chunk = SourceDescriptionChunk { source: self.ssrc, items: vec![item] };
        Box::new(SourceDescription { chunks: vec![chunk] })
    }
}

/// How we receive the source `ssrc`; `jitter` is in samples.
pub(super) fn reception(ssrc: u32, sequence: &mut Sequence, jitter: u32) -> ReceptionReport {
    ReceptionReport {
        ssrc,
        fraction_lost: sequence.fraction_lost(),
        total_lost: sequence.lost().min(MAX_LOST) as u32,
        last_sequence_number: sequence.extended_highest(),
        jitter,
        ..Default::default()
    }
}

/// Whether a datagram on a shared port is RTCP (RFC 5761, section 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[expect(clippy::expect_used, reason = "fails only for counts and totals beyond their fields")]
fn marshal(compound: &[Box<dyn Packet>]) -> Vec<u8> {
    packet::marshal(compound).expect("one report, one name and one source fit").to_vec()
}
