//! What the store keeps, and what it says when it cannot.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use hotline::{
    audio::CallTime,
    store::{CallDirection, CallEnd, CallEvent, CallFilter, NewCall, Store, StoreError, masked},
};
use serde_json::json;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};

const START: OffsetDateTime = datetime!(2026-03-01 08:30:00.125 UTC);

fn new_call(id: &str) -> NewCall {
    NewCall {
        id: id.to_owned(),
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
        kind: kind.to_owned(),
        data: json!({ "text": "你好 \"quoted\"", "ms": ms }),
    }
}

async fn open(dir: &TempDir) -> Store {
    Store::open(dir.path().join("calls.db")).await.unwrap()
}

#[tokio::test]
async fn a_finished_call_reads_back_as_it_was_written() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
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
    assert_eq!(call.events, [event(0, "node"), event(900, "turn"), event(41_000, "turn")]);
}

#[tokio::test]
async fn calls_are_listed_latest_first_and_filtered() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
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

#[tokio::test]
async fn a_call_is_found_by_the_beginning_of_its_id() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
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

#[tokio::test]
async fn a_call_begins_once_and_ends_once() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
    store.begin_call(new_call("c1")).await.unwrap();
    assert!(matches!(store.begin_call(new_call("c1")).await, Err(StoreError::Exists { .. })));
    store.finish_call("c1", end(), &[]).await.unwrap();
    let again = store.finish_call("c1", end(), &[event(1, "turn")]).await;
    assert!(matches!(again, Err(StoreError::NotUnderWay { .. })));
    assert!(store.call("c1").await.unwrap().unwrap().events.is_empty(), "nothing was added");
    let unknown = store.append_events("c9", &[event(1, "turn")]).await;
    assert!(matches!(unknown, Err(StoreError::NotUnderWay { .. })));
}

#[tokio::test]
async fn calls_left_open_by_a_crash_are_marked_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    let crashed = open(&dir).await;
    crashed.begin_call(new_call("open")).await.unwrap();
    crashed.append_events("open", &[event(5, "turn")]).await.unwrap();
    crashed.begin_call(new_call("done")).await.unwrap();
    crashed.finish_call("done", end(), &[]).await.unwrap();
    drop(crashed);

    let store = open(&dir).await;
    let open = store.call("open").await.unwrap().unwrap();
    assert_eq!(open.summary.end_reason.as_deref(), Some("interrupted"));
    assert_eq!(open.events.len(), 1, "what was appended is kept");
    let done = store.call("done").await.unwrap().unwrap();
    assert_eq!(done.summary.end_reason.as_deref(), Some("caller_hung_up"));
}

#[tokio::test]
async fn looking_at_a_store_in_use_marks_nothing() {
    let dir = TempDir::new().unwrap();
    let server = open(&dir).await;
    server.begin_call(new_call("live")).await.unwrap();
    let viewer = open(&dir).await;
    assert_eq!(viewer.call("live").await.unwrap().unwrap().summary.end_reason, None);
    server.finish_call("live", end(), &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_can_end_at_the_same_time() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
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
    open(&dir).await.close().await;
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
