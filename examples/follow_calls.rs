//! Follows the events of a service, and hangs up every call that lasts longer than it may: a client in Rust.
//!
//! `cargo run --example follow_calls -- http://127.0.0.1:50061 TOKEN_FILE SECONDS`
#![allow(clippy::print_stdout, reason = "an example")]

use std::{collections::HashMap, time::Duration};

use hotline::proto::{
    CallsHangUpRequest, EventsSubscribeRequest, calls_client::CallsClient,
    events_client::EventsClient, events_subscribe_response::Content,
};
use tonic::{Request, metadata::AsciiMetadataValue, transport::Endpoint};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: follow_calls URL TOKEN_FILE SECONDS";
    let url = arguments.next().ok_or(usage)?;
    let token = std::fs::read_to_string(arguments.next().ok_or(usage)?)?;
    let longest = Duration::from_secs(arguments.next().ok_or(usage)?.parse()?);
    let authorization: AsciiMetadataValue = format!("Bearer {}", token.trim()).parse()?;

    let channel = Endpoint::from_shared(url)?.connect().await?;
    let mut request = Request::new(EventsSubscribeRequest {
        kinds: vec!["call.*".to_owned()],
        ..EventsSubscribeRequest::default()
    });
    request.metadata_mut().insert("authorization", authorization.clone());
    let mut events = EventsClient::new(channel.clone()).subscribe(request).await?.into_inner();

    let mut watched = HashMap::new();
    while let Some(message) = events.message().await? {
        let Some(Content::Event(event)) = message.content else { continue };
        println!("{} {} {}", message.cursor, event.call_id, event.kind);
        match event.kind.as_str() {
            "call.answered" => {
                let (mut calls, authorization) =
                    (CallsClient::new(channel.clone()), authorization.clone());
                let call_id = event.call_id.clone();
                let watch = tokio::spawn(async move {
                    tokio::time::sleep(longest).await;
                    let mut request = Request::new(CallsHangUpRequest {
                        disposition: "too_long".to_owned(),
                        // The same for every attempt at ending this call.
                        idempotency_key: format!("too_long/{call_id}"),
                        call_id,
                    });
                    request.metadata_mut().insert("authorization", authorization);
                    if let Err(status) = calls.hang_up(request).await {
                        println!("{}: {}", status.code(), status.message());
                    }
                });
                watched.insert(event.call_id, watch);
            }
            "call.ended" => {
                if let Some(watch) = watched.remove(&event.call_id) {
                    watch.abort();
                }
            }
            _ => {}
        }
    }
    Ok(())
}
