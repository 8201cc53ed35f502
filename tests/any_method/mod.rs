//! Calls any method of the API, as its descriptor describes it.

use std::time::Duration;

use bytes::{Buf, BufMut};
use hotline::proto::DESCRIPTOR;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, Value,
};
use tokio::time::timeout;
use tonic::{
    Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use crate::api_support::{MONDAY, with_token};

/// What a CRM implements, and Hotline calls.
const OF_THE_CRM: [&str; 3] = ["Crm", "EventSink", "ScreenPop"];

/// Messages that a stream gives in a moment.
const MOMENT: Duration = Duration::from_millis(300);

/// Every method that Hotline implements, in order of their paths.
pub(crate) fn implemented() -> impl Iterator<Item = MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTOR).unwrap();
    let services = pool.services().filter(|service| !OF_THE_CRM.contains(&service.name()));
    let mut methods: Vec<MethodDescriptor> =
        services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    methods.sort_by_key(|method| format!("{}/{}", method.parent_service().name(), method.name()));
    methods.into_iter()
}

/// Calls a method with a request that makes sense; fields of the names in `about` have those values. Gives all messages of the
/// answer, of a stream those of its first moment.
pub(crate) async fn ask(
    channel: &Channel,
    method: &MethodDescriptor,
    token: Option<&str>,
    about: &[(&str, &str)],
) -> Result<Vec<u8>, Status> {
    let mut message = DynamicMessage::new(method.input());
    for field in method.input().fields() {
        let given = about.iter().find(|(name, _)| *name == field.name());
        let value = given.map(|(_, value)| Value::String((*value).to_owned()));
        if let Some(value) = value.or_else(|| sensible(&field, about)) {
            message.set_field(&field, value);
        }
    }
    let message = message.encode_to_vec();
    let request = match token {
        Some(token) => with_token(token, message),
        None => tonic::Request::new(message),
    };
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).unwrap();
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut answer = client.server_streaming(request, path, Raw).await?.into_inner();
    let mut bytes = Vec::new();
    while let Ok(message) = timeout(MOMENT, answer.message()).await {
        match message? {
            Some(message) => bytes.extend(message),
            None => break,
        }
    }
    Ok(bytes)
}

/// What a field may have.
fn sensible(field: &FieldDescriptor, about: &[(&str, &str)]) -> Option<Value> {
    let text = |text: &str| Some(Value::String(text.to_owned()));
    match (field.name(), field.kind()) {
        ("idempotency_key", _) => None,
        ("cursor" | "after", _) => Some(Value::U64(0)),
        ("to" | "by", _) => text("sip:1000@127.0.0.1:9"),
        ("keys", _) => text("1"),
        ("text" | "utterance" | "should_be" | "reason" | "reference" | "value", _) => text("word"),
        ("disposition", _) if field.parent_message().name() == "DispositionsCorrectRequest" => {
            text("corrected")
        }
        ("announcement", _) => text("closing.wav"),
        ("side" | "role", _) => Some(Value::EnumNumber(1)),
        ("source", Kind::Message(source)) => {
            // Simulate takes a name or a source.
            let named = about.iter().any(|(name, _)| *name == "name");
            let simulates = field.parent_message().name() == "DialplansSimulateRequest";
            (!(named && simulates)).then(|| Value::Message(DynamicMessage::new(source)))
        }
        ("started_from", Kind::Message(moment)) => Some(at(moment, MONDAY - 1_000)),
        ("started_before", Kind::Message(moment)) => Some(at(moment, MONDAY + 86_400)),
        _ => None,
    }
}

fn at(moment: prost_reflect::MessageDescriptor, seconds: i64) -> Value {
    let mut message = DynamicMessage::new(moment);
    message.set_field_by_name("seconds", Value::I64(seconds));
    Value::Message(message)
}

/// Messages as they are on the wire.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
