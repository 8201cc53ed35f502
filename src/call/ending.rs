//! Why a call ended, and its record from then on.

use std::{collections::BTreeMap, path::Path};

use time::OffsetDateTime;

use super::{CallError, Setup, live::Happening, task::Over};
use crate::{rtp::RtpStats, sip::HangUpCause, store::CallEnd};

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The dialog came to its end.
    BotHangup,
    /// The caller was handed over to somebody else.
    Transferred,
    /// The caller hung up.
    CallerHangup,
    /// Whom we called hung up.
    CalleeHangup,
    /// Whom we called did not answer; the disposition says what came of it.
    NotConnected,
    /// The caller gave up before the answer.
    Cancelled,
    /// Nothing came from the caller's phone for `limits.media_timeout_s`.
    NoAudio,
    /// Somebody who drives the call ended it.
    Ordered,
    /// The media could not be protected as agreed: no DTLS handshake, or one of somebody else.
    Unprotected,
    /// The call reached `limits.max_duration`.
    MaxDuration,
    /// The service was stopped and did not wait any longer.
    Shutdown,
    /// Signalling broke.
    Failed,
}

impl EndReason {
    /// As it stands in the call record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BotHangup => "bot_hangup",
            Self::Transferred => "transferred",
            Self::CallerHangup => "caller_hangup",
            Self::CalleeHangup => "callee_hangup",
            Self::NotConnected => "not_connected",
            Self::Cancelled => "cancelled",
            Self::NoAudio => "no_audio",
            Self::Ordered => "operator_hangup",
            Self::Unprotected => "unprotected",
            Self::MaxDuration => "max_duration",
            Self::Shutdown => "shutdown",
            Self::Failed => "failed",
        }
    }

    pub(super) fn cause(self) -> HangUpCause {
        match self {
            Self::BotHangup
            | Self::Transferred
            | Self::CallerHangup
            | Self::CalleeHangup
            | Self::NotConnected
            | Self::Cancelled
            | Self::Ordered => HangUpCause::Normal,
            Self::NoAudio => HangUpCause::MediaTimeout,
            Self::Unprotected => HangUpCause::Unprotected,
            Self::MaxDuration => HangUpCause::MaxDuration,
            Self::Shutdown => HangUpCause::Shutdown,
            Self::Failed => HangUpCause::Failure,
        }
    }
}

/// The media of a call in the terms of the P-RTP-Stat header: packets sent, received and lost,
/// jitter and, when it is known, the time one way, in ms.
pub(super) fn statistics(stats: &RtpStats) -> String {
    let RtpStats { sent, received, lost, jitter_ms, rtt_ms, .. } = stats;
    let mut text = format!("PS={sent},PR={received},PL={lost},JI={jitter_ms:.0}");
    if let Some(rtt) = rtt_ms {
        text.push_str(&format!(",LA={:.0}", rtt / 2.0));
    }
    text
}

/// The record of a call that never came to speech. `answered_ms` is when it was answered, if it
/// was.
pub(super) fn never_spoken(reason: EndReason, answered_ms: Option<u64>) -> CallEnd {
    CallEnd {
        ended_at: OffsetDateTime::now_utc(),
        answered_ms,
        duration_ms: 0,
        end_reason: reason.as_str().to_owned(),
        disposition: None,
        slots: BTreeMap::new(),
        turns: 0,
        rtp: serde_json::Value::Null,
        recording: None,
        journal: None,
    }
}

/// Brings the call's outcome into the store.
pub(super) async fn close(over: Over, rang_ms: u64, setup: &Setup) -> Result<String, CallError> {
    let Over { archive, record, reason, slots, at, stats } = over;
    let (recording, journal) =
        (archive.recording().map(Path::to_owned), archive.journal().to_owned());
    let written = archive.finish().await;
    setup.live.metrics().ended(reason.as_str(), at, stats.mos);
    let watched = record.watched();
    let (events, outcome, turns) = record.close();
    let disposition = outcome.as_ref().map(|outcome| outcome.disposition.clone());
    let end = CallEnd {
        ended_at: OffsetDateTime::now_utc(),
        answered_ms: Some(rang_ms),
        duration_ms: at.as_ms(),
        end_reason: reason.as_str().to_owned(),
        disposition: disposition.clone(),
        slots: outcome.map_or(slots, |outcome| outcome.slots),
        turns,
        rtp: serde_json::to_value(&stats).unwrap_or_default(),
        recording,
        journal: Some(journal),
    };
    setup.store.finish_call(&setup.id, end, &events).await?;
    let disposition = disposition.unwrap_or_else(|| reason.as_str().to_owned());
    watched.tell(Happening::ended(&disposition, reason.as_str()));
    written?;
    Ok(disposition)
}
