//! A service without speech recognition: keys are answers, and a call need not be recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{fs, path::Path, time::Duration};

use hotline::service::{Config, Service};
use service_support::Running;

const PLAN: &str = r#"dialplan: keys
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
defaults:
  wait: 5s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    ask: {ask: "Is it?", yes: bye, no: other}
    bye: {say: "Goodbye.", hang_up: yes_it_is}
    other: {say: "Goodbye.", hang_up: no_it_is_not}
"#;

/// Has no recogniser, and one number, answered by `plan` and not recorded.
fn without_recognizer(config: &mut Config, dir: &Path, plan: &str) {
    let dialplan = dir.join("keys.yaml");
    fs::write(&dialplan, plan).unwrap();
    config.recognizer.clear();
    config.numbers.truncate(1);
    config.numbers[0].dialplan = dialplan;
    config.numbers[0].record = false;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_answer_where_nothing_recognises_speech() {
    let dir = tempfile::tempdir().unwrap();
    let configure = |config: &mut Config| without_recognizer(config, dir.path(), PLAN);
    let Some(service) = Running::new(38_000, configure).await else { return };
    let caller = service.call("keys").await;
    // A key before the question is nobody's answer: the bot begins within a second of the answer.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let key = caller.ask("INFO", 2, "key", "Content-Type: application/dtmf\r\n", "2").await;
    assert!(key.starts_with("SIP/2.0 200"), "{key}");
    let bye = caller.request("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    let record = service.record("keys").await;
    assert_eq!(record.summary.disposition.as_deref(), Some("no_it_is_not"));
    assert_eq!(record.recording, None);
    let journal = record.journal.expect("a journal is written in any case");
    assert!(journal.exists() && !journal.with_file_name("recording.wav").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_only_speech_can_answer_wants_a_recogniser() {
    let dir = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("hotline.toml");
    let mut config = Config::load(&shipped).unwrap();
    let plan = PLAN
        .replace("start: main.ask", "start: main.ask\nslots:\n  words: {type: text}")
        .replace("yes: bye, no: other", "slot: words, next: other");
    without_recognizer(&mut config, dir.path(), &plan);
    let Err(error) = Service::start(config, None).await else { panic!("it started") };
    let error = error.to_string();
    assert!(error.contains("[recognizer.en]") && error.contains("`main.ask`"), "{error}");
}
