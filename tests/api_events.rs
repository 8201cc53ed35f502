//! The event stream: nothing is lost, whoever is slow waits alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod api_support;

use std::time::Duration;

use api_support::{Served, happened, monday, with_token};
use hotline::{
    proto::{
        Event, EventsSubscribeRequest, EventsSubscribeResponse, events_client::EventsClient,
        events_subscribe_response::Content,
    },
    store::Role,
};
use serde_json::json;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming, transport::Channel};

type Stream = Streaming<EventsSubscribeResponse>;

async fn subscribe(
    channel: &Channel,
    token: &str,
    request: EventsSubscribeRequest,
) -> Result<Stream, Status> {
    let mut client = EventsClient::new(channel.clone());
    client.subscribe(with_token(token, request)).await.map(tonic::Response::into_inner)
}

fn from(cursor: u64) -> EventsSubscribeRequest {
    EventsSubscribeRequest { cursor: Some(cursor), ..EventsSubscribeRequest::default() }
}

async fn next(stream: &mut Stream) -> EventsSubscribeResponse {
    let message = timeout(Duration::from_secs(20), stream.message()).await;
    message.expect("nothing comes").unwrap().expect("the stream ended")
}

async fn event(stream: &mut Stream) -> Event {
    loop {
        if let Some(Content::Event(event)) = next(stream).await.content {
            return event;
        }
    }
}

/// Numbered events of a call that is under way.
async fn happen(served: &Served, call: &str, numbers: std::ops::Range<u64>) {
    let events: Vec<_> = numbers.map(|n| happened(n, "node", json!({"node": n}))).collect();
    served.store.append_events(call, &events).await.unwrap();
}

#[tokio::test]
async fn a_subscriber_that_comes_back_gets_what_it_missed_in_order() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    served.begin("acme", "call-1", monday()).await;
    happen(&served, "call-1", 0..10).await;
    let mut stream = subscribe(&channel, &token, from(0)).await.unwrap();
    let first: Vec<Event> =
        vec![event(&mut stream).await, event(&mut stream).await, event(&mut stream).await];
    drop(stream);
    happen(&served, "call-1", 10..20).await;
    let mut stream = subscribe(&channel, &token, from(first[2].cursor)).await.unwrap();
    happen(&served, "call-1", 20..30).await;
    let mut all = first;
    while all.len() < 31 {
        all.push(event(&mut stream).await);
    }
    let seqs: Vec<u32> = all.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (0..31).collect::<Vec<u32>>());
    assert_eq!(
        (&*all[0].kind, &*all[1].kind, &*all[0].call_id),
        ("call.started", "node", "call-1")
    );
    assert!(all.windows(2).all(|pair| pair[0].cursor < pair[1].cursor));
}

#[tokio::test]
async fn the_same_cursor_gives_the_same_events_again() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    served.call("acme", "call-1").await;
    let mut both = Vec::new();
    for _ in 0..2 {
        let mut stream = subscribe(&channel, &token, from(0)).await.unwrap();
        let mut events = Vec::new();
        while events.last().is_none_or(|event: &Event| event.kind != "call.ended") {
            events.push(event(&mut stream).await);
        }
        both.push(events);
    }
    assert_eq!(both[0], both[1]);
}

#[tokio::test]
async fn without_a_cursor_a_stream_begins_now() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    served.call("acme", "before").await;
    let mut stream = subscribe(&channel, &token, EventsSubscribeRequest::default()).await.unwrap();
    served.begin("acme", "after", monday()).await;
    assert_eq!(event(&mut stream).await.call_id, "after");
}

#[tokio::test]
async fn kinds_and_calls_are_chosen() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    served.call("acme", "call-1").await;
    served.call("acme", "call-2").await;
    let kinds = vec!["call.*".to_owned(), "heard".to_owned()];
    let request = EventsSubscribeRequest { kinds, call_id: "call-2".to_owned(), ..from(0) };
    let mut stream = subscribe(&channel, &token, request).await.unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(_, kind): &(String, String)| kind != "call.ended") {
        let event = event(&mut stream).await;
        seen.push((event.call_id, event.kind));
    }
    let own = |kind: &str| ("call-2".to_owned(), kind.to_owned());
    assert_eq!(seen, [own("call.started"), own("heard"), own("call.ended")]);
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives_and_moves_its_cursor_on() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    served.call("acme", "call-1").await;
    let kinds = vec!["never".to_owned()];
    let request = EventsSubscribeRequest { kinds, heartbeat_seconds: 1, ..from(0) };
    let mut stream = subscribe(&channel, &token, request).await.unwrap();
    let message = next(&mut stream).await;
    assert!(matches!(message.content, Some(Content::Heartbeat(_))), "{message:?}");
    assert!(message.cursor >= 5, "it is beyond the events that were left out: {message:?}");
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_loses_nothing_and_holds_nobody_up() {
    const CALLS: u64 = 40;
    const EVENTS: u64 = 500;
    let served = Served::new().await;
    let token = served.token("acme", Role::Integrator).await;
    // Connections of their own: in one, the windows of the slow stream would be shared.
    let (slow, quick) = (served.channel().await, served.channel().await);
    let mut slow = subscribe(&slow, &token, from(0)).await.unwrap();
    let mut quick = subscribe(&quick, &token, from(0)).await.unwrap();
    let count = CALLS * (EVENTS + 1);
    let write = async {
        for call in 0..CALLS {
            let call = format!("call-{call}");
            served.begin("acme", &call, monday()).await;
            happen(&served, &call, 0..EVENTS).await;
        }
    };
    let read = async {
        for _ in 0..count {
            event(&mut quick).await;
        }
    };
    tokio::join!(write, read);
    let mut last = 0;
    for _ in 0..count {
        let event = event(&mut slow).await;
        assert!(event.cursor > last);
        last = event.cursor;
    }
}

#[tokio::test]
async fn operators_do_not_get_to_see_numbers() {
    let served = Served::new().await;
    let channel = served.channel().await;
    served.call("acme", "call-1").await;
    for (role, sees) in [(Role::Operator, false), (Role::Integrator, true)] {
        let token = served.token("acme", role).await;
        let kinds = vec!["heard".to_owned()];
        let request = EventsSubscribeRequest { kinds, ..from(0) };
        let mut stream = subscribe(&channel, &token, request).await.unwrap();
        let told = format!("{:?}", event(&mut stream).await);
        assert_eq!(told.contains("4417902"), sees, "{role}: {told}");
    }
}

#[tokio::test]
async fn wrong_requests_are_refused_by_field() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    for (request, field) in [
        (from(1_000_000), "cursor"),
        (EventsSubscribeRequest { heartbeat_seconds: 301, ..from(0) }, "heartbeat_seconds"),
        (EventsSubscribeRequest { kinds: vec![String::new()], ..from(0) }, "kinds"),
        (EventsSubscribeRequest { call_id: "../x".to_owned(), ..from(0) }, "call_id"),
    ] {
        let status = subscribe(&channel, &token, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
    }
}

#[tokio::test]
async fn a_tenant_has_so_many_streams_and_gets_another_when_one_ends() {
    let served = Served::with(|config| config.max_subscribers = 2).await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Integrator).await);
    let first = subscribe(&channel, &token, from(0)).await.unwrap();
    let _second = subscribe(&channel, &token, from(0)).await.unwrap();
    let status = subscribe(&channel, &token, from(0)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{}", status.message());
    drop(first);
    let again = async {
        while subscribe(&channel, &token, from(0)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), again).await.expect("the place of a stream that ended");
}
