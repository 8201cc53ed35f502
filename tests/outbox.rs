//! Events reach their sinks whatever happens to the sinks: none is lost, those of a call come in order.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod receiver_support;
mod store_support;

use std::{collections::BTreeMap, time::Duration};

use hotline::{
    audio::CallTime,
    crm::{Crm, CrmConfig},
    delivery::{Metrics, Outbox, Rules, SinkConfig, WebhookConfig},
    store::{CallDirection, CallEnd, CallEvent, DEFAULT_TENANT, NewCall, Store},
};
use receiver_support::{Receiver, grpc_sink};
use serde_json::json;
use store_support::Home;
use time::OffsetDateTime;

on_both!(
    a_webhook_gets_every_event_of_a_call_in_order_and_signed,
    events_wait_for_a_receiver_that_is_away,
    what_a_receiver_refuses_is_kept_and_can_be_tried_again,
    an_event_that_fails_holds_its_call_and_no_other,
    a_service_that_starts_again_goes_on_where_it_was,
    a_sink_may_have_everything_again,
    a_crm_gets_events_over_grpc,
    of_two_services_one_delivers,
);

async fn call(store: &Store, id: &str, turns: u64) {
    store
        .begin_call(NewCall {
            id: id.to_owned(),
            tenant: DEFAULT_TENANT.to_owned(),
            direction: CallDirection::Inbound,
            caller: "4155550134".to_owned(),
            called: "1000".to_owned(),
            sip_call_id: None,
            dialplan: "desk".to_owned(),
            dialplan_version: "1".to_owned(),
            dialplan_hash: "00".to_owned(),
            started_at: OffsetDateTime::now_utc(),
        })
        .await
        .unwrap();
    for n in 0..turns {
        let turn = CallEvent::now(CallTime::from_ms(n), "turn", json!({ "n": n }));
        store.append_events(id, &[turn]).await.unwrap();
    }
    let end = CallEnd {
        ended_at: OffsetDateTime::now_utc(),
        answered_ms: Some(20),
        duration_ms: 3_000,
        end_reason: "bot_hangup".to_owned(),
        disposition: Some("resolved".to_owned()),
        slots: BTreeMap::new(),
        turns: turns as u32,
        rtp: json!(null),
        recording: None,
        journal: None,
    };
    store.finish_call(id, end, &[]).await.unwrap();
}

/// Delivers to `receiver` as long as the result is kept.
async fn deliver(home: &Home, store: &Store, receiver: &Receiver, tries: u32) -> Outbox {
    let secret_file = home.dir.path().join("secret");
    std::fs::write(&secret_file, receiver_support::SECRET).unwrap();
    let config = WebhookConfig {
        name: "test".to_owned(),
        url: receiver.url(),
        secret_file,
        kinds: Vec::new(),
        tenant: DEFAULT_TENANT.to_owned(),
        timeout_s: 5,
        tries,
    };
    let sinks = vec![SinkConfig::webhook(&config).unwrap()];
    Outbox::start(store, "default", sinks, &Metrics::default()).await.unwrap()
}

const SINK: &str = "webhook:test";

async fn a_webhook_gets_every_event_of_a_call_in_order_and_signed(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    let _outbox = deliver(&home, &store, &receiver, 12).await;
    call(&store, "c1", 3).await;
    let got = receiver.wait_for(5).await;
    let kinds: Vec<_> = got.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["call.started", "turn", "turn", "turn", "call.ended"]);
    assert_eq!(got[0]["data"]["caller"], "4155550134");
    assert_eq!(got[4]["idempotency_key"], "default/c1/4");
    assert_eq!(receiver.badly_signed(), 0);
}

async fn events_wait_for_a_receiver_that_is_away(home: Home) {
    let (store, mut receiver) = (home.open().await, Receiver::start().await);
    let _outbox = deliver(&home, &store, &receiver, 2).await;
    receiver.stop();
    for n in 0..4 {
        call(&store, &format!("c{n}"), 2).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let state = store.sink_state(SINK).await.unwrap();
    assert_eq!((state.behind, state.dead), (16, 0), "being away costs no tries: {state:?}");
    receiver.resume().await;
    receiver.wait_for(16).await;
    receiver.assert_each_call_is_in_order();
}

async fn what_a_receiver_refuses_is_kept_and_can_be_tried_again(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    receiver.answer("turn", 422);
    let _outbox = deliver(&home, &store, &receiver, 12).await;
    call(&store, "c1", 1).await;
    let got = receiver.wait_for(2).await;
    assert_eq!(got[1]["kind"], "call.ended", "what comes after it is not held up");
    receiver_support::until(async || store.sink_state(SINK).await.unwrap().dead == 1).await;
    let dead = store.deliveries(SINK, 10).await.unwrap();
    assert!(dead[0].dead && dead[0].problem.contains("422"), "{dead:?}");
    receiver.answer("turn", 200);
    assert_eq!(store.retry_deliveries(SINK, None).await.unwrap(), 1);
    assert_eq!(receiver.wait_for(3).await[2]["kind"], "turn");
    receiver_support::until(async || store.deliveries(SINK, 10).await.unwrap().is_empty()).await;
}

async fn an_event_that_fails_holds_its_call_and_no_other(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    receiver.fail_once("default/c1/1");
    let _outbox = deliver(&home, &store, &receiver, 12).await;
    call(&store, "c1", 3).await;
    call(&store, "c2", 3).await;
    let got = receiver.wait_for(10).await;
    receiver.assert_each_call_is_in_order();
    let last_of_c2 = got.iter().position(|e| e["idempotency_key"] == "default/c2/4").unwrap();
    let again = got.iter().position(|e| e["idempotency_key"] == "default/c1/1").unwrap();
    assert!(last_of_c2 < again, "c2 did not wait for c1: {got:?}");
}

async fn a_service_that_starts_again_goes_on_where_it_was(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    receiver.slow_down(Duration::from_millis(15));
    for round in 0..4 {
        // Cut off in the middle of what it does.
        let outbox = deliver(&home, &store, &receiver, 12).await;
        call(&store, &format!("c{round}"), 20).await;
        drop(outbox);
    }
    let _outbox = deliver(&home, &store, &receiver, 12).await;
    receiver_support::until(async || store.sink_state(SINK).await.unwrap().behind == 0).await;
    receiver.assert_each_call_is_in_order();
    assert_eq!(receiver.distinct(), 4 * 22, "none is missing, and none came with other content");
}

async fn a_sink_may_have_everything_again(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    let _outbox = deliver(&home, &store, &receiver, 12).await;
    call(&store, "c1", 2).await;
    receiver.wait_for(4).await;
    receiver_support::until(async || store.sink_state(SINK).await.unwrap().behind == 0).await;
    store.replay(SINK, 3).await.unwrap();
    let got = receiver.wait_for(6).await;
    assert_eq!(got[4], got[2], "the same again");
    assert_eq!(receiver.distinct(), 4);
    assert!(store.replay("webhook:other", 1).await.is_err());
}

async fn a_crm_gets_events_over_grpc(home: Home) {
    let (url, mut events, _server) = grpc_sink().await;
    let store = home.open().await;
    let crm = Crm::new(&CrmConfig { url: Some(url), ..CrmConfig::default() }).unwrap();
    let rules = Rules {
        name: "crm".to_owned(),
        tenant: DEFAULT_TENANT.to_owned(),
        kinds: vec!["call.*".to_owned()],
        tries: 3,
        timeout: Duration::from_secs(5),
    };
    let sinks = vec![SinkConfig::crm(crm, rules)];
    let _outbox = Outbox::start(&store, "default", sinks, &Metrics::default()).await.unwrap();
    call(&store, "c1", 3).await;
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let got =
            tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap();
        assert_eq!(got.idempotency_key, format!("default/c1/{}", got.event.as_ref().unwrap().seq));
        kinds.push(got.event.unwrap().kind);
    }
    assert_eq!(kinds, ["call.started", "call.ended"], "other kinds were not asked for");
}

async fn of_two_services_one_delivers(home: Home) {
    let (store, receiver) = (home.open().await, Receiver::start().await);
    let _first = deliver(&home, &store, &receiver, 12).await;
    call(&store, "c1", 2).await;
    receiver.wait_for(4).await;
    let until = OffsetDateTime::now_utc() + Duration::from_secs(60);
    assert!(!store.lease_sink(SINK, "another", until).await.unwrap());
    assert!(store.lease_sink(SINK, "default", until).await.unwrap());
}
