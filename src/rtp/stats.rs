use serde::Serialize;

/// What happened to a call's media, for the call record.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RtpStats {
    /// Packets sent.
    pub sent: u64,
    /// Packets received, without duplicates.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came too late to be played.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Datagrams that were not ours to play: another source, payload type or stretch of time.
    pub ignored: u64,
    /// Audio made up in place of packets, in ms.
    pub concealed_ms: u64,
    /// Audio recovered from the copies in later packets (forward error correction), in ms.
    pub recovered_ms: u64,
    /// Interarrival jitter in ms (RFC 3550, section 6.4.1).
    pub jitter_ms: f64,
    /// Round-trip time in ms, from the peer's last report; `None` without one.
    pub rtt_ms: Option<f64>,
    /// Reports of the peer's that came (RTCP). One that has none of our packets reports, but not of
    /// us: [`peer_lost`](Self::peer_lost) is then `None`.
    pub peer_reports: u32,
    /// Packets of ours that the peer reports as lost; `None` without a report.
    pub peer_lost: Option<u32>,
    /// Jitter of our packets that the peer reports, in ms; `None` without a report.
    pub peer_jitter_ms: Option<f64>,
    /// How the caller sounded here, 1 to 4.5 (mean opinion score), estimated from delay and
    /// concealment by the E-model (ITU-T G.107); `None` when nothing was heard.
    pub mos: Option<f64>,
    /// How we sounded at the peer, from its reports; `None` without one.
    pub peer_mos: Option<f64>,
}
