//! Events as others read them.

use prost_types::{ListValue, Struct, Value as Wire, value::Kind};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::{crm::proto, store::Event};

/// An event as a message of `proto/hotline/v1/events.proto`. Data that are no object are its field `value`.
pub fn message(event: &Event) -> proto::Event {
    let data = match &event.what.data {
        Value::Object(fields) => structure(fields),
        Value::Null => Struct::default(),
        other => Struct { fields: [("value".to_owned(), wire(other))].into() },
    };
    proto::Event {
        cursor: event.cursor,
        tenant: event.tenant.clone(),
        call_id: event.call.clone(),
        seq: event.seq,
        time_ms: unix_ms(event),
        call_ms: event.what.at.as_ms(),
        kind: event.what.kind.clone(),
        data: Some(data),
    }
}

/// The same as JSON: what webhooks get.
pub fn json(event: &Event) -> Value {
    json!({
        "cursor": event.cursor,
        "tenant": event.tenant,
        "call_id": event.call,
        "seq": event.seq,
        "time": event.what.time.format(&Rfc3339).unwrap_or_default(),
        "time_ms": unix_ms(event),
        "call_ms": event.what.at.as_ms(),
        "kind": event.what.kind,
        "data": event.what.data,
        "idempotency_key": event.key(),
    })
}

fn unix_ms(event: &Event) -> i64 {
    // The years that OffsetDateTime covers fit.
    (event.what.time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn structure(fields: &Map<String, Value>) -> Struct {
    Struct { fields: fields.iter().map(|(name, value)| (name.clone(), wire(value))).collect() }
}

fn wire(value: &Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(yes) => Kind::BoolValue(*yes),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(values) => {
            Kind::ListValue(ListValue { values: values.iter().map(wire).collect() })
        }
        Value::Object(fields) => Kind::StructValue(structure(fields)),
    };
    Wire { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::{audio::CallTime, store::CallEvent};

    #[test]
    fn an_event_says_the_same_in_both_forms() {
        let event = Event {
            cursor: 7,
            tenant: "acme".to_owned(),
            call: "c1".to_owned(),
            seq: 3,
            what: CallEvent {
                at: CallTime::from_ms(1_500),
                time: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
                kind: "slot".to_owned(),
                data: json!({"slot": "city", "value": "上海", "list": [1, null, true]}),
            },
        };
        let (message, json) = (message(&event), json(&event));
        assert_eq!((message.cursor, message.seq, message.call_ms), (7, 3, 1_500));
        assert_eq!(message.time_ms, 1_700_000_000_000);
        let fields = message.data.unwrap().fields;
        assert_eq!(fields["value"].kind, Some(Kind::StringValue("上海".to_owned())));
        assert_eq!(json["data"]["value"], "上海");
        assert_eq!(json["idempotency_key"], "acme/c1/3");
        assert_eq!(json["time"], "2023-11-14T22:13:20Z");
    }
}
