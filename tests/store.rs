//! What the store keeps, in both kinds of database, and what it says when it cannot.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod store_support;

use hotline::{
    audio::CallTime,
    store::{
        CallDirection, CallEnd, CallEvent, CallFilter, DEFAULT_TENANT, NewCall, Store, StoreError,
        masked,
    },
};
use serde_json::json;
use store_support::Home;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};

const START: OffsetDateTime = datetime!(2026-03-01 08:30:00.125 UTC);

fn new_call(id: &str) -> NewCall {
    NewCall {
        id: id.to_owned(),
        tenant: DEFAULT_TENANT.to_owned(),
        direction: CallDirection::Inbound,
        caller: "+8613812345678".to_owned(),
        called: "4001".to_owned(),
        sip_call_id: Some("abc@host".to_owned()),
        dialplan: "bank".to_owned(),
        dialplan_version: "3".to_owned(),
        dialplan_hash: "5f2b".to_owned(),
        started_at: START,
    }
}

fn end() -> CallEnd {
    CallEnd {
        ended_at: START + Duration::seconds(42),
        answered_ms: Some(180),
        duration_ms: 41_820,
        end_reason: "caller_hung_up".to_owned(),
        disposition: Some("resolved".to_owned()),
        slots: [("card".to_owned(), "****1234".to_owned())].into(),
        turns: 4,
        rtp: json!({ "received": 2_091, "lost": 3 }),
        recording: Some("rec/a.wav".into()),
        journal: None,
    }
}

fn event(ms: u64, kind: &str) -> CallEvent {
    CallEvent {
        at: CallTime::from_ms(ms),
        time: START + Duration::milliseconds(ms as i64),
        kind: kind.to_owned(),
        data: json!({ "text": "你好 \"quoted\"", "ms": ms }),
    }
}

on_both!(
    a_finished_call_reads_back_as_it_was_written,
    calls_are_listed_latest_first_and_filtered,
    a_call_is_found_by_the_beginning_of_its_id,
    a_call_begins_once_and_ends_once,
    calls_left_open_by_a_crash_are_marked_at_the_next_start,
    looking_at_a_store_in_use_marks_nothing,
    many_calls_can_end_at_the_same_time,
    tenants_do_not_see_each_others_calls,
);

/// Events as they were appended, without those that every call has.
fn appended(events: &[CallEvent]) -> Vec<CallEvent> {
    let own = |kind: &str| kind.contains('.');
    events.iter().filter(|event| !own(&event.kind)).cloned().collect()
}

async fn a_finished_call_reads_back_as_it_was_written(home: Home) {
    let store = home.open().await;
    store.begin_call(new_call("c1")).await.unwrap();
    store.append_events("c1", &[event(0, "node"), event(900, "turn")]).await.unwrap();
    store.finish_call("c1", end(), &[event(41_000, "turn")]).await.unwrap();

    let call = store.call("c1").await.unwrap().unwrap();
    assert_eq!(call.summary.caller, "+8613812345678");
    assert_eq!(call.summary.started_at, START);
    assert_eq!(call.summary.ended_at, Some(START + Duration::seconds(42)));
    assert_eq!(call.summary.duration_ms, 41_820);
    assert_eq!(call.summary.disposition.as_deref(), Some("resolved"));
    assert_eq!(call.slots["card"], "****1234");
    assert_eq!(call.rtp, json!({ "received": 2_091, "lost": 3 }));
    assert_eq!(call.recording.as_deref(), Some("rec/a.wav".as_ref()));
    assert_eq!(
        appended(&call.events),
        [event(0, "node"), event(900, "turn"), event(41_000, "turn")]
    );
}

async fn calls_are_listed_latest_first_and_filtered(home: Home) {
    let store = home.open().await;
    for (i, id) in ["a", "b", "c"].iter().enumerate() {
        let started_at = START + Duration::minutes(i as i64);
        store.begin_call(NewCall { started_at, ..new_call(id) }).await.unwrap();
    }
    store.finish_call("b", end(), &[]).await.unwrap();
    let ids = async |filter: CallFilter| -> Vec<String> {
        store.calls(&filter).await.unwrap().into_iter().map(|c| c.id).collect()
    };
    assert_eq!(ids(CallFilter::default()).await, ["c", "b", "a"]);
    assert_eq!(ids(CallFilter { limit: 1, ..Default::default() }).await, ["c"]);
    let since = Some(START + Duration::minutes(1));
    assert_eq!(ids(CallFilter { since, ..Default::default() }).await, ["c", "b"]);
    assert_eq!(ids(CallFilter { before: since, ..Default::default() }).await, ["a"]);
    let disposition = Some("resolved".to_owned());
    assert_eq!(ids(CallFilter { disposition, ..Default::default() }).await, ["b"]);
}

async fn a_call_is_found_by_the_beginning_of_its_id(home: Home) {
    let store = home.open().await;
    for id in ["3f2a-1", "3f2b-2", "3f"] {
        store.begin_call(new_call(id)).await.unwrap();
    }
    let found = async |p: &str| store.call(p).await.map(|c| c.map(|c| c.summary.id));
    assert_eq!(found("3f2a").await.unwrap().as_deref(), Some("3f2a-1"));
    assert_eq!(found("3f").await.unwrap().as_deref(), Some("3f"), "a whole id wins");
    assert_eq!(found("x").await.unwrap(), None);
    assert_eq!(found("3f2%").await.unwrap(), None, "no wildcards");
    let error = found("3f2").await.unwrap_err().to_string();
    assert!(error.contains("3f2a-1") && error.contains("3f2b-2"), "{error}");
}

async fn a_call_begins_once_and_ends_once(home: Home) {
    let store = home.open().await;
    store.begin_call(new_call("c1")).await.unwrap();
    assert!(matches!(store.begin_call(new_call("c1")).await, Err(StoreError::Exists { .. })));
    store.finish_call("c1", end(), &[]).await.unwrap();
    let again = store.finish_call("c1", end(), &[event(1, "turn")]).await;
    assert!(matches!(again, Err(StoreError::NotUnderWay { .. })));
    assert!(
        store.call("c1").await.unwrap().unwrap().events.iter().all(|e| e.kind != "turn"),
        "nothing was added"
    );
    let unknown = store.append_events("c9", &[event(1, "turn")]).await;
    assert!(matches!(unknown, Err(StoreError::NotUnderWay { .. })));
}

async fn calls_left_open_by_a_crash_are_marked_at_the_next_start(home: Home) {
    let crashed = home.open().await;
    crashed.begin_call(new_call("open")).await.unwrap();
    crashed.append_events("open", &[event(5, "turn")]).await.unwrap();
    crashed.begin_call(new_call("done")).await.unwrap();
    crashed.finish_call("done", end(), &[]).await.unwrap();
    crashed.close().await;

    let store = home.open().await;
    let open = store.call("open").await.unwrap().unwrap();
    assert_eq!(open.summary.end_reason.as_deref(), Some("interrupted"));
    assert_eq!(appended(&open.events).len(), 1, "what was appended is kept");
    assert_eq!(open.events.last().unwrap().kind, "call.ended");
    assert_eq!(open.events.last().unwrap().data["end_reason"], "interrupted");
    let done = store.call("done").await.unwrap().unwrap();
    assert_eq!(done.summary.end_reason.as_deref(), Some("caller_hung_up"));
}

async fn looking_at_a_store_in_use_marks_nothing(home: Home) {
    let server = home.open().await;
    server.begin_call(new_call("live")).await.unwrap();
    let viewer = home.look().await;
    assert_eq!(viewer.call("live").await.unwrap().unwrap().summary.end_reason, None);
    server.finish_call("live", end(), &[]).await.unwrap();
}

async fn many_calls_can_end_at_the_same_time(home: Home) {
    let store = home.open().await;
    let calls = (0..40).map(|i| {
        let store = store.clone();
        tokio::spawn(async move {
            let id = format!("call-{i}");
            store.begin_call(new_call(&id)).await?;
            store.append_events(&id, &[event(1, "turn")]).await?;
            store.finish_call(&id, end(), &[event(2, "turn")]).await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let listed = store.calls(&CallFilter { limit: 100, ..Default::default() }).await.unwrap();
    assert_eq!(listed.iter().filter(|c| c.disposition.is_some()).count(), 40);
}

async fn tenants_do_not_see_each_others_calls(home: Home) {
    let store = home.open().await;
    for tenant in ["acme", "bank"] {
        let id = format!("call-of-{tenant}");
        store.begin_call(NewCall { tenant: tenant.to_owned(), ..new_call(&id) }).await.unwrap();
    }
    let filter = CallFilter { tenant: Some("acme".to_owned()), ..CallFilter::default() };
    let listed = store.calls(&filter).await.unwrap();
    assert_eq!(listed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["call-of-acme"]);
    assert!(store.call_of("acme", "call-of-bank").await.unwrap().is_none());
    assert!(store.call_of("acme", "call-of-").await.unwrap().is_some(), "the only one of its own");
    let events = store.events_after(Some("bank"), 0, 10).await.unwrap();
    assert!(!events.is_empty() && events.iter().all(|e| e.tenant == "bank"), "{events:?}");
}

#[tokio::test]
async fn another_kind_of_file_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "this is no database, but long enough to be looked at ".repeat(40))
        .unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
}

#[tokio::test]
async fn a_file_from_a_newer_build_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("calls.db");
    Store::open(&path).await.unwrap().close().await;
    let raw = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
                 execution_time) VALUES (9999, 'future', 1, x'00', 0)";
    sqlx::query(newer).execute(&raw).await.unwrap();
    raw.close().await;
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_directory_is_named_with_the_remedy() {
    let dir = TempDir::new().unwrap();
    let error = Store::open(dir.path().join("missing/calls.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("create its directory"), "{error}");
}

#[test]
fn numbers_are_shown_masked() {
    assert_eq!(masked("+8613812345678"), "***********678");
    assert_eq!(masked("sip:+8613812345678@pbx.example"), "***********678");
    assert_eq!(masked("1001"), "****");
    assert_eq!(masked(""), "");
}
