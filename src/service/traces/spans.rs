//! A call as a trace: the call, its turns and their stages, and what the CRM was asked. Made of times and names alone: what was
//! said and who called is in no span.

use serde_json::Value;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::otlp::{KeyValue, Span, SpanStatus, number, text};
use crate::{
    audio::CallTime,
    store::{CallEvent, CallRecord},
};

/// What a turn goes through: from a stamp to a stamp.
const STAGES: [(&str, &str, &str); 6] = [
    ("vad", "speech_end", "pause_noticed"),
    ("recognition", "pause_noticed", "text_ready"),
    ("pause", "text_ready", "decided"),
    ("dialog", "decided", "dialog_done"),
    ("audio", "dialog_done", "audio_ready"),
    ("send", "audio_ready", "first_audio"),
];

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const ERROR: i32 = 2;

/// The spans of a call that is over.
pub(super) fn spans(record: &CallRecord) -> Vec<Span> {
    let call = &record.summary;
    let answered = call.started_at + ms(call.answered_ms.unwrap_or_default());
    let end = call.ended_at.unwrap_or(answered + ms(call.duration_ms));
    let mut trace = Trace { id: hash(&call.id), answered, spans: Vec::new() };
    let attributes = vec![
        text("hotline.call_id", &call.id),
        text("hotline.tenant", &call.tenant),
        text("hotline.direction", call.direction.as_str()),
        text("hotline.dialplan", &call.dialplan),
        text("hotline.dialplan_version", &call.dialplan_version),
        text("hotline.end_reason", call.end_reason.clone().unwrap_or_default()),
        text("hotline.disposition", call.disposition.clone().unwrap_or_default()),
        number("hotline.turns", call.turns.into()),
    ];
    let root = trace.add(None, "call", SERVER, (call.started_at, end), attributes);
    let mut asked: Option<(String, CallTime)> = None;
    for event in &record.events {
        match event.kind.as_str() {
            "turn" => trace.turn(&root, event),
            "invoke" => asked = tool(event).map(|tool| (tool, event.at)),
            "invoked" | "invoke_failed" => {
                if let Some((tool, since)) = asked.take() {
                    let failed = event.kind == "invoke_failed";
                    trace.invocation(&root, &tool, (since, event.at), failed);
                }
            }
            _ => {}
        }
    }
    trace.spans
}

struct Trace {
    id: [u8; 32],
    answered: OffsetDateTime,
    spans: Vec<Span>,
}

impl Trace {
    fn turn(&mut self, call: &[u8], event: &CallEvent) {
        let stamp = |name: &str| event.data[name].as_u64().map(CallTime);
        let (Some(from), Some(to)) = (stamp("speech_end"), stamp("first_audio")) else { return };
        let times = (self.at(from), self.at(to));
        let mut attributes = vec![number("hotline.turn", event.data["turn"].as_u64().unwrap_or(0))];
        attributes.extend(event.data["why"].as_str().map(|why| text("hotline.end_of_turn", why)));
        let turn = self.add(Some(call), "turn", INTERNAL, times, attributes);
        for (name, from, to) in STAGES {
            if let (Some(from), Some(to)) = (stamp(from), stamp(to)) {
                let times = (self.at(from), self.at(to.max(from)));
                self.add(Some(&turn), name, INTERNAL, times, Vec::new());
            }
        }
    }

    fn invocation(
        &mut self,
        call: &[u8],
        tool: &str,
        (from, to): (CallTime, CallTime),
        failed: bool,
    ) {
        let (times, attributes) = ((self.at(from), self.at(to)), vec![text("hotline.tool", tool)]);
        self.add(Some(call), "crm", CLIENT, times, attributes);
        if let Some(span) = self.spans.last_mut().filter(|_| failed) {
            span.status = Some(SpanStatus { code: ERROR });
        }
    }

    /// Adds a span and returns its id.
    fn add(
        &mut self,
        parent: Option<&[u8]>,
        name: &str,
        kind: i32,
        (from, to): (OffsetDateTime, OffsetDateTime),
        attributes: Vec<KeyValue>,
    ) -> Vec<u8> {
        let mut hasher = Sha256::new_with_prefix(self.id);
        hasher.update(self.spans.len().to_be_bytes());
        let span_id = hasher.finalize()[..8].to_vec();
        self.spans.push(Span {
            trace_id: self.id[..16].to_vec(),
            span_id: span_id.clone(),
            parent_span_id: parent.unwrap_or_default().to_vec(),
            name: name.to_owned(),
            kind,
            start_time_unix_nano: nanos(from),
            end_time_unix_nano: nanos(to),
            attributes,
            status: None,
        });
        span_id
    }

    fn at(&self, at: CallTime) -> OffsetDateTime {
        self.answered + ms(at.as_ms())
    }
}

/// The name of the tool that an event is about.
fn tool(event: &CallEvent) -> Option<String> {
    event.data.get("tool").and_then(Value::as_str).map(str::to_owned)
}

fn hash(call: &str) -> [u8; 32] {
    Sha256::digest(format!("hotline call {call}")).into()
}

fn ms(ms: u64) -> Duration {
    Duration::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn nanos(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos()).unwrap_or(0)
}
