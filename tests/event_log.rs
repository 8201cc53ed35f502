//! The log of all calls' events: in order, whole, and followed by cursor, in both kinds of database.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod store_support;

use std::collections::{BTreeMap, BTreeSet};

use hotline::{
    audio::CallTime,
    store::{CallDirection, CallEnd, CallEvent, DEFAULT_TENANT, Event, NewCall, Store},
};
use serde_json::json;
use store_support::Home;
use time::OffsetDateTime;
use tokio::time::{Duration, timeout};

on_both!(
    a_call_is_told_from_its_beginning_to_its_end,
    a_follower_that_goes_on_by_cursor_sees_every_event_once,
    events_of_a_call_that_nobody_waits_for_are_written_before_its_end,
    something_may_be_added_when_a_call_is_over,
    followers_are_told_of_new_events,
);

fn new_call(id: &str) -> NewCall {
    NewCall {
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
    }
}

fn end() -> CallEnd {
    CallEnd {
        ended_at: OffsetDateTime::now_utc(),
        answered_ms: Some(20),
        duration_ms: 3_000,
        end_reason: "bot_hangup".to_owned(),
        disposition: Some("resolved".to_owned()),
        slots: BTreeMap::new(),
        turns: 1,
        rtp: json!(null),
        recording: Some("calls/1/recording.wav".into()),
        journal: None,
    }
}

fn turn(n: u64) -> CallEvent {
    CallEvent::now(CallTime::from_ms(n), "turn", json!({ "n": n }))
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.what.kind.as_str()).collect()
}

async fn a_call_is_told_from_its_beginning_to_its_end(home: Home) {
    let store = home.open().await;
    store.begin_call(new_call("c1")).await.unwrap();
    store.append_events("c1", &[turn(1)]).await.unwrap();
    store.finish_call("c1", end(), &[turn(2)]).await.unwrap();
    let events = store.events_after(None, 0, 100).await.unwrap();
    assert_eq!(kinds(&events), ["call.started", "turn", "turn", "call.ended", "recording.ready"]);
    assert_eq!(events.iter().map(|e| e.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(events.is_sorted_by(|a, b| a.cursor < b.cursor));
    assert_eq!(events[0].what.data["caller"], "4155550134");
    assert_eq!(events[3].what.data["disposition"], "resolved");
    assert_eq!(events[3].key(), "default/c1/3");
}

async fn a_follower_that_goes_on_by_cursor_sees_every_event_once(home: Home) {
    const CALLS: usize = 20;
    const TURNS: u64 = 25;
    let (store, second) = (home.open().await, home.look().await);
    let follower = tokio::spawn(follow(home.look().await, CALLS));
    let calls: Vec<_> = (0..CALLS)
        .map(|i| {
            // Two writers at once: the order of the log is that of commits, whoever makes them.
            let store = if i % 2 == 0 { store.clone() } else { second.clone() };
            tokio::spawn(async move {
                let id = format!("call-{i}");
                store.begin_call(new_call(&id)).await.unwrap();
                for n in 0..TURNS {
                    store.append_events(&id, &[turn(n)]).await.unwrap();
                }
                store.finish_call(&id, end(), &[]).await.unwrap();
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let seen = timeout(Duration::from_secs(20), follower).await.unwrap().unwrap();
    assert_eq!(seen.len(), CALLS * (TURNS as usize + 3));
    let unique: BTreeSet<u64> = seen.iter().map(|event| event.cursor).collect();
    assert_eq!(unique.len(), seen.len());
    for i in 0..CALLS {
        let of_call = seen.iter().filter(|e| e.call == format!("call-{i}")).map(|e| e.seq);
        assert!(of_call.eq(0..TURNS as u32 + 3), "call-{i} is whole and in order");
    }
}

/// Follows the log while it grows, until `calls` have ended.
async fn follow(store: Store, calls: usize) -> Vec<Event> {
    let mut seen: Vec<Event> = Vec::new();
    while seen.iter().filter(|e| e.what.kind == "recording.ready").count() < calls {
        let cursor = seen.last().map_or(0, |event| event.cursor);
        seen.extend(store.events_after(None, cursor, 7).await.unwrap());
    }
    seen
}

async fn events_of_a_call_that_nobody_waits_for_are_written_before_its_end(home: Home) {
    let store = home.open().await;
    store.begin_call(new_call("c1")).await.unwrap();
    for n in 0..50 {
        store.log_events("c1", vec![turn(n)]).unwrap();
    }
    store.finish_call("c1", end(), &[]).await.unwrap();
    let events = store.events_after(None, 0, 100).await.unwrap();
    let turns = events.iter().filter(|e| e.what.kind == "turn");
    assert!(turns.map(|e| e.what.data["n"].as_u64().unwrap()).eq(0..50));
    assert_eq!(events[51].what.kind, "call.ended");
}

async fn something_may_be_added_when_a_call_is_over(home: Home) {
    let store = home.open().await;
    store.begin_call(new_call("c1")).await.unwrap();
    store.finish_call("c1", end(), &[]).await.unwrap();
    let changed = CallEvent::now(CallTime::ZERO, "disposition.changed", json!({"to": "complaint"}));
    store.append_later("c1", changed.clone()).await.unwrap();
    let events = store.events_after(None, 0, 100).await.unwrap();
    assert_eq!(events.last().unwrap().what.kind, "disposition.changed");
    assert_eq!(events.last().unwrap().seq, 3);
    assert!(store.append_later("c9", changed).await.is_err(), "there is no such call");
}

async fn followers_are_told_of_new_events(home: Home) {
    let store = home.open().await;
    let mut here = store.newest();
    let other = home.look().await;
    let mut elsewhere = other.newest();
    for newest in [&mut here, &mut elsewhere] {
        newest.borrow_and_update();
    }
    store.begin_call(new_call("c1")).await.unwrap();
    for newest in [&mut here, &mut elsewhere] {
        timeout(Duration::from_secs(5), newest.changed()).await.unwrap().unwrap();
        assert_eq!(*newest.borrow(), 1);
    }
}

/// Run by hand, since it is about this machine: `cargo test --test event_log -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn a_thousand_events_a_second_with_twenty_followers() {
    for (home, name) in [(Home::sqlite(), "SQLite"), (Home::postgres(), "PostgreSQL")] {
        let store = home.open().await;
        let (calls, seconds, rate) = (50_u32, 10_u32, 1_000_u32);
        // Each call is begun, ended and recorded.
        let expected = (calls * 3 + rate * seconds) as usize;
        let followers: Vec<_> =
            (0..20).map(|_| tokio::spawn(keep_up(store.clone(), expected))).collect();
        for n in 0..calls {
            store.begin_call(new_call(&format!("call-{n}"))).await.unwrap();
        }
        let begun = tokio::time::Instant::now();
        let mut refused = 0;
        for n in 0..rate * seconds {
            tokio::time::sleep_until(begun + Duration::from_secs(1) * n / rate).await;
            let mut events = vec![turn(n.into())];
            while let Err(again) = store.log_events(&format!("call-{}", n % calls), events) {
                events = again;
                refused += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let given = begun.elapsed();
        for n in 0..calls {
            store.finish_call(&format!("call-{n}"), end(), &[]).await.unwrap();
        }
        let mut lags = Vec::new();
        for follower in followers {
            lags.extend(follower.await.unwrap());
        }
        lags.sort_unstable();
        let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize];
        println!(
            "{name}: {} events in {:.1} s, queue full {refused} times; seen by 20 followers after {} ms (p50), {} ms (p95), {} ms (p99)",
            rate * seconds,
            given.as_secs_f64(),
            at(0.5),
            at(0.95),
            at(0.99),
        );
        assert!(given < Duration::from_secs(u64::from(seconds) + 1), "it cannot keep up");
    }
}

/// Follows the log to its end; how long after they happened turns were seen, ms.
async fn keep_up(store: Store, expected: usize) -> Vec<i64> {
    let (mut newest, mut cursor, mut seen, mut lags) = (store.newest(), 0, 0, Vec::new());
    while seen < expected {
        let events = store.events_after(None, cursor, 500).await.unwrap();
        let now = OffsetDateTime::now_utc();
        for event in &events {
            if event.what.kind == "turn" {
                lags.push((now - event.what.time).whole_milliseconds() as i64);
            }
        }
        seen += events.len();
        match events.last() {
            Some(last) => cursor = last.cursor,
            None => {
                let _ = timeout(Duration::from_millis(500), newest.changed()).await;
            }
        }
    }
    lags
}
