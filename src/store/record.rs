use std::{collections::BTreeMap, path::PathBuf};

use time::OffsetDateTime;

use super::CallEvent;
pub use crate::dialog::CallDirection;

/// The tenant of everything that names no other.
pub const DEFAULT_TENANT: &str = "default";

/// What is known of a call when it begins.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Unique id of the call.
    pub id: String,
    /// Whose call it is; [`DEFAULT_TENANT`] where nobody else is named.
    pub tenant: String,
    /// Who called whom.
    pub direction: CallDirection,
    /// The caller's number, in full.
    pub caller: String,
    /// The number that was called, in full.
    pub called: String,
    /// The SIP Call-ID, when the call came by SIP.
    pub sip_call_id: Option<String>,
    /// Name of the dialplan.
    pub dialplan: String,
    /// Its version.
    pub dialplan_version: String,
    /// Hash of its text, so that it is known exactly what ran.
    pub dialplan_hash: String,
    /// When the INVITE came or went; kept to the millisecond.
    pub started_at: OffsetDateTime,
}

/// What is known of a call when it is over.
#[derive(Debug, Clone)]
pub struct CallEnd {
    /// When it ended; kept to the millisecond.
    pub ended_at: OffsetDateTime,
    /// Milliseconds from the start to the answer; `None` when it was not answered.
    pub answered_ms: Option<u64>,
    /// Milliseconds from the answer to the end.
    pub duration_ms: u64,
    /// Who or what ended it, such as `caller_hung_up`.
    pub end_reason: String,
    /// The outcome as the dialplan names it, such as `resolved`.
    pub disposition: Option<String>,
    /// Slots collected.
    pub slots: BTreeMap<String, String>,
    /// Turns taken by the caller.
    pub turns: u32,
    /// RTP statistics, in the form that the call gives them.
    pub rtp: serde_json::Value,
    /// The recording.
    pub recording: Option<PathBuf>,
    /// The journal that the call can be replayed from.
    pub journal: Option<PathBuf>,
}

/// Which calls to list. The default is the latest fifty.
#[derive(Debug, Clone)]
pub struct CallFilter {
    /// Only calls of this tenant; without it, of all: for whoever owns the machine.
    pub tenant: Option<String>,
    /// At most this many.
    pub limit: u32,
    /// Only calls that started then or later.
    pub since: Option<OffsetDateTime>,
    /// Only calls that started earlier.
    pub before: Option<OffsetDateTime>,
    /// Only calls with this disposition.
    pub disposition: Option<String>,
}

impl Default for CallFilter {
    fn default() -> Self {
        Self { tenant: None, limit: 50, since: None, before: None, disposition: None }
    }
}

/// One line of a list of calls. What the end of the call tells is empty while it lasts.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSummary {
    /// Unique id of the call.
    pub id: String,
    /// Whose call it is.
    pub tenant: String,
    /// Who called whom.
    pub direction: CallDirection,
    /// The caller's number, in full: show it [`super::masked`].
    pub caller: String,
    /// The number that was called, in full.
    pub called: String,
    /// Name of the dialplan.
    pub dialplan: String,
    /// Its version.
    pub dialplan_version: String,
    /// When the INVITE came or went.
    pub started_at: OffsetDateTime,
    /// When it ended; `None` while it lasts, and when a crash ended it.
    pub ended_at: Option<OffsetDateTime>,
    /// Milliseconds from the start to the answer.
    pub answered_ms: Option<u64>,
    /// Milliseconds from the answer to the end.
    pub duration_ms: u64,
    /// Who or what ended it; `None` while it lasts, `interrupted` when a crash ended it.
    pub end_reason: Option<String>,
    /// The outcome as the dialplan names it.
    pub disposition: Option<String>,
    /// Turns taken by the caller.
    pub turns: u32,
}

/// All that is known of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// What a list shows of it.
    pub summary: CallSummary,
    /// The SIP Call-ID.
    pub sip_call_id: Option<String>,
    /// Hash of the dialplan's text.
    pub dialplan_hash: String,
    /// Slots collected.
    pub slots: BTreeMap<String, String>,
    /// RTP statistics.
    pub rtp: serde_json::Value,
    /// The recording.
    pub recording: Option<PathBuf>,
    /// The journal.
    pub journal: Option<PathBuf>,
    /// What happened, in order.
    pub events: Vec<CallEvent>,
}
