//! What callers said that was not understood becomes proposals; what a person approves becomes part of the dialplan.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{fs, path::Path};

use hotline::{
    audio::CallTime,
    cli::review::{ReviewArgs, run},
    dialplan::Dialplan,
    service::Data,
    store::{CallDirection, CallEvent, NewCall, Store},
    text::Lang,
};
use serde_json::json;

const DESK: &str = "dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
defaults: {no_input: [\"Hello?\"], no_match: [\"Sorry?\"], give_up: main.bye}
intents:
  balance: [what do I owe, my balance, how much is my bill]   # ours
  goodbye:
    - goodbye
    - bye bye
    - that is all
flows:
  main:
    menu: {ask: \"How can I help?\", on: {balance: bye, goodbye: bye}}
    bye: {hang_up: done}
";

/// A data directory with one call, in which each text was heard and came to nothing, but for those taken back.
fn record(folder: &Path, texts: &[(&str, bool)]) {
    let mut events = Vec::new();
    let mut note = |kind: &str, data: serde_json::Value| {
        let at = CallTime::from_ms(100 * events.len() as u64);
        events.push(CallEvent::now(at, kind, data));
    };
    for (text, taken_back) in texts {
        note("heard", json!({"hypotheses": [{"text": text, "confidence": 0.9}]}));
        note("unanswered", json!({"text": text}));
        note("no_match", json!({"count": 1}));
        if *taken_back {
            note("turn_reopened", json!({"at": 0}));
        }
    }
    let call = NewCall {
        id: "20261123T100000-00000001".into(),
        tenant: hotline::store::DEFAULT_TENANT.into(),
        direction: CallDirection::Inbound,
        caller: "4155550134".into(),
        called: "1000".into(),
        sip_call_id: None,
        dialplan: "desk".into(),
        dialplan_version: "1".into(),
        dialplan_hash: String::new(),
        started_at: time::macros::datetime!(2026-11-23 10:00 UTC),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store =
            Store::open(Data { dir: folder.to_owned(), ..Data::default() }.file()).await.unwrap();
        store.begin_call(call).await.unwrap();
        store.append_events("20261123T100000-00000001", &events).await.unwrap();
        store.close().await;
    });
}

fn review(folder: &Path, apply: bool) -> anyhow::Result<()> {
    let table = folder.join("desk.review.csv");
    run(&ReviewArgs {
        dialplan: folder.join("desk.yaml"),
        config: "hotline.toml".into(),
        data: Some(folder.to_owned()),
        output: None,
        apply: apply.then_some(table),
    })
}

#[test]
fn nothing_becomes_part_of_the_dialplan_that_nobody_approved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("desk.yaml"), DESK).unwrap();
    record(
        folder,
        &[("how much is the bill of mine", false), ("my", true), ("do you sell gift cards", false)],
    );

    review(folder, false).expect("proposals");
    let table = fs::read_to_string(folder.join("desk.review.csv")).unwrap();
    assert!(table.contains("no,intent:balance,how much is the bill of mine,1,"), "{table}");
    assert!(table.contains("no,new,do you sell gift cards,1,"), "{table}");
    assert!(!table.contains(",my,"), "a turn that was taken back is no turn: {table}");
    assert_eq!(fs::read_to_string(folder.join("desk.yaml")).unwrap(), DESK);

    let error = review(folder, true).expect_err("nothing is approved");
    assert!(error.to_string().contains("write `yes` into `approved`"), "{error}");

    let approved = table.replace("no,intent:balance", "yes,intent:balance");
    fs::write(folder.join("desk.review.csv"), approved).unwrap();
    review(folder, true).expect("approved");
    let plan = Dialplan::load(folder.join("desk.yaml")).expect("still right");
    let (_, examples) = &plan.intents(Lang::En)[0];
    assert_eq!(examples.last().map(String::as_str), Some("how much is the bill of mine"));
    let text = fs::read_to_string(folder.join("desk.yaml")).unwrap();
    assert!(text.contains("\"how much is the bill of mine\"]   # ours\n"), "{text}");
}

#[test]
fn a_wrong_target_is_refused_with_its_line_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("desk.yaml"), DESK).unwrap();
    for (row, told) in [
        ("yes,intent:weather,will it rain", "there is no list of that"),
        ("yes,new,will it rain", "write `intent:NAME` or `knowledge:ID`"),
        ("perhaps,intent:balance,will it rain", "`approved` is `perhaps`"),
    ] {
        fs::write(folder.join("desk.review.csv"), format!("approved,target,text\n{row}\n"))
            .unwrap();
        let error = format!("{:#}", review(folder, true).expect_err("it is wrong"));
        assert!(error.contains("desk.review.csv:2") && error.contains(told), "{error}");
        assert_eq!(fs::read_to_string(folder.join("desk.yaml")).unwrap(), DESK);
    }
}
