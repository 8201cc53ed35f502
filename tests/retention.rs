//! What was kept long enough goes, and who asks for it is forgotten, in both kinds of database.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod store_support;

use std::{collections::BTreeMap, fs, path::Path};

use hotline::{
    audio::CallTime,
    service::{Config, Data, erase},
    store::{AuditVerdict, CallDirection, CallEnd, CallEvent, Deed, NewCall, Store},
};
use serde_json::json;
use store_support::Home;
use time::{Duration, OffsetDateTime};

on_both!(
    each_class_goes_when_its_days_are_over,
    files_that_no_row_names_go_too,
    events_that_a_sink_has_not_taken_stay,
    a_caller_is_forgotten_and_the_statistics_stay,
    the_audit_log_can_be_verified_after_its_old_rows_are_gone,
);

const CALLER: &str = "+8613812345678";

/// A finished call with its files, that old.
async fn call(home: &Home, store: &Store, id: &str, days: i64) {
    let dir = home.dir.path().join("calls").join(id);
    fs::create_dir_all(&dir).unwrap();
    let (recording, journal) = (dir.join("recording.wav"), dir.join("journal.jsonl"));
    fs::write(&recording, "audio").unwrap();
    fs::write(&journal, "{}").unwrap();
    let started_at = OffsetDateTime::now_utc() - Duration::days(days);
    store
        .begin_call(NewCall {
            id: id.to_owned(),
            tenant: "acme".to_owned(),
            direction: CallDirection::Inbound,
            caller: CALLER.to_owned(),
            called: "1000".to_owned(),
            sip_call_id: Some("abc".to_owned()),
            dialplan: "desk".to_owned(),
            dialplan_version: "1".to_owned(),
            dialplan_hash: "00".to_owned(),
            started_at,
        })
        .await
        .unwrap();
    let event = |kind: &str, data| CallEvent {
        at: CallTime::ZERO,
        time: started_at,
        kind: kind.to_owned(),
        data,
    };
    let events = [
        event("heard", json!({"hypotheses": [{"text": "my name is Zhangwei"}]})),
        event("turn", json!({"turn": 1})),
        event("transfer", json!({"to": format!("sip:{CALLER}@pbx")})),
    ];
    store.append_events(id, &events).await.unwrap();
    let end = CallEnd {
        ended_at: started_at,
        answered_ms: Some(20),
        duration_ms: 3_000,
        end_reason: "bot_hangup".to_owned(),
        disposition: Some("resolved".to_owned()),
        slots: BTreeMap::from([("name".to_owned(), "Zhangwei".to_owned())]),
        turns: 1,
        rtp: json!(null),
        recording: Some(recording),
        journal: Some(journal),
    };
    store.finish_call(id, end, &[]).await.unwrap();
}

fn config(retention: &str) -> Config {
    toml::from_str(&format!(
        "number = []\n[sip]\nlisten = \"127.0.0.1:5060\"\n[retention]\n{retention}"
    ))
    .unwrap()
}

fn data(home: &Home) -> Data {
    Data { dir: home.dir.path().to_owned(), ..Data::default() }
}

fn has(home: &Home, file: &str) -> bool {
    home.dir.path().join("calls").join(file).exists()
}

async fn each_class_goes_when_its_days_are_over(home: Home) {
    let store = home.open().await;
    for days in [1, 40, 100, 400] {
        call(&home, &store, &format!("old-{days}"), days).await;
    }
    let config = config("recordings = 30\ntranscripts = 90\ncalls = 365");
    let now = OffsetDateTime::now_utc();
    let due = store.overdue(&config.retention.keep(), now).await.unwrap();
    let gone = config.retention.run(&store, &config, now).await.unwrap();
    assert_eq!((gone.recordings, gone.journals, gone.calls), (3, 2, 1));
    assert_eq!((due.recordings, due.journals, due.calls, due.events), (3, 2, 1, gone.events));

    assert!(has(&home, "old-1/recording.wav") && has(&home, "old-40/journal.jsonl"));
    assert!(!has(&home, "old-40/recording.wav") && !has(&home, "old-100"), "with its directory");
    assert!(store.call("old-400").await.unwrap().is_none());
    let kept = store.call("old-40").await.unwrap().unwrap();
    assert_eq!(kept.recording, None);
    assert_eq!(kept.slots["name"], "Zhangwei");
    let bare = store.call("old-100").await.unwrap().unwrap();
    let heard = bare.events.iter().find(|event| event.kind == "heard").unwrap();
    assert_eq!(heard.data, json!({"erased": true}));
    assert_eq!(bare.summary.disposition.as_deref(), Some("resolved"));
    let again = config.retention.run(&store, &config, now).await.unwrap();
    assert_eq!(again, Default::default(), "nothing is left to do");
}

async fn files_that_no_row_names_go_too(home: Home) {
    let store = home.open().await;
    let dir = |day: &str| home.dir.path().join("calls").join(day).join(format!("{day}T080000-1"));
    for day in ["20200101", "29990101"] {
        fs::create_dir_all(dir(day)).unwrap();
        for file in ["recording.wav", "early.wav", "journal.jsonl"] {
            fs::write(dir(day).join(file), "x").unwrap();
        }
    }
    let mut config = config("recordings = 30");
    config.data = data(&home);
    let now = OffsetDateTime::now_utc();
    config.retention.run(&store, &config, now).await.unwrap();
    assert!(!dir("20200101").join("early.wav").exists());
    assert!(dir("20200101").join("journal.jsonl").exists(), "journals are kept for ever");
    assert!(dir("29990101").join("recording.wav").exists());
}

async fn events_that_a_sink_has_not_taken_stay(home: Home) {
    let store = home.open().await;
    store.add_sink("webhook:slow").await.unwrap();
    call(&home, &store, "old", 50).await;
    let config = toml::from_str::<Config>(
        "number = []\n[sip]\nlisten = \"127.0.0.1:5060\"\n[retention]\nevents = 30\n
         [[webhook]]\nname = \"slow\"\nurl = \"http://x\"\nsecret_file = \"s\"",
    )
    .unwrap();
    let now = OffsetDateTime::now_utc();
    assert_eq!(config.retention.run(&store, &config, now).await.unwrap().events, 0);
    let read = *store.newest().borrow();
    let moved = hotline::store::Settlement { moved: Some((0, read)), ..Default::default() };
    assert!(store.settle("webhook:slow", &moved).await.unwrap());
    assert_eq!(config.retention.run(&store, &config, now).await.unwrap().events, 6);
}

async fn a_caller_is_forgotten_and_the_statistics_stay(home: Home) {
    let store = home.open().await;
    call(&home, &store, "one", 3).await;
    assert_eq!(
        erase(&store, &data(&home), Some("bank"), CALLER, "cli").await.unwrap(),
        0,
        "another tenant's"
    );
    assert_eq!(erase(&store, &data(&home), None, CALLER, "cli").await.unwrap(), 1);
    assert!(!has(&home, "one"));
    let call = store.call("one").await.unwrap().unwrap();
    assert_eq!(call.summary.caller, "erased");
    assert_eq!((call.summary.turns, call.summary.duration_ms), (1, 3_000));
    let everything = format!("{call:?} {:?}", store.audit_rows(None, 0, 10).await.unwrap());
    assert!(!everything.contains(CALLER) && !everything.contains("Zhangwei"), "{everything}");
    let audit = store.audit_rows(Some("acme"), 0, 10).await.unwrap();
    assert_eq!(
        (audit[0].deed.action.as_str(), audit[0].deed.object.as_str()),
        ("call.erase", "one")
    );
    assert_eq!(
        erase(&store, &data(&home), None, CALLER, "cli").await.unwrap(),
        0,
        "nobody knows the number now"
    );
}

async fn the_audit_log_can_be_verified_after_its_old_rows_are_gone(home: Home) {
    let store = home.open().await;
    let deed = |action: &str| Deed {
        tenant: "acme".to_owned(),
        who: "cli".to_owned(),
        action: action.to_owned(),
        object: "x".to_owned(),
        details: json!({}),
    };
    for _ in 0..5 {
        store.audit(deed("recording.read")).await.unwrap();
    }
    let config = config("audit = 10");
    let later = OffsetDateTime::now_utc() + Duration::days(11);
    assert_eq!(config.retention.run(&store, &config, later).await.unwrap().audit, 5);
    store.audit(deed("token.create")).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Whole { rows: 2 });
}

#[tokio::test]
async fn a_backup_taken_while_calls_run_is_whole() {
    let home = Home::sqlite();
    let store = home.open().await;
    call(&home, &store, "before", 0).await;
    let (copy, writer) = (home.dir.path().join("backup.db"), store.clone());
    let busy = tokio::spawn(async move {
        for n in 0..200 {
            let event = CallEvent::now(CallTime::ZERO, "note", json!({ "n": n }));
            writer.append_later("before", event).await.unwrap();
        }
    });
    store.backup(&copy).await.unwrap();
    busy.await.unwrap();
    Store::check_backup(&copy).await.unwrap();
    let restored = Store::open(&copy).await.unwrap();
    assert_eq!(restored.call("before").await.unwrap().unwrap().summary.turns, 1);
    assert!(store.backup(&copy).await.is_err(), "nothing is overwritten");
    restored.close().await;
    fs::write(Path::new(&copy), "damaged").unwrap();
    assert!(Store::check_backup(&copy).await.is_err());
}
