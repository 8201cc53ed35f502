use time::OffsetDateTime;

use crate::audio::CallTime;

/// Something that happened in a call, for its record. The stage stamps of a turn have the kind `turn`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// When, on the call's media clock; 0 before the answer.
    pub at: CallTime,
    /// When; kept to the millisecond.
    pub time: OffsetDateTime,
    /// What kind of thing, such as `turn` or `node`: `docs/events.md` lists them.
    pub kind: String,
    /// Its details.
    pub data: serde_json::Value,
}

impl CallEvent {
    /// Something that happens now.
    pub fn now(at: CallTime, kind: impl Into<String>, data: serde_json::Value) -> Self {
        Self { at, time: OffsetDateTime::now_utc(), kind: kind.into(), data }
    }
}

/// An entry of the log of all calls' events.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the log: rises in the order of commits, with gaps. Go on after the last one seen.
    pub cursor: u64,
    /// Whose call it is.
    pub tenant: String,
    /// The call's id.
    pub call: String,
    /// Counts within the call, from 0.
    pub seq: u32,
    /// What happened.
    pub what: CallEvent,
}

impl Event {
    /// `tenant/call/seq`: names the event for ever, however often it is delivered.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.tenant, self.call, self.seq)
    }
}
