//! Dialplans are replaced while calls run, tried on some callers, and left alone when the new ones are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{fs, path::Path};

use hotline::service::{Config, Trial};
use service_support::Running;

/// A dialplan of one question, in a file of its own; its prompt is one that is rendered for others, too.
fn dialplan(folder: &Path, name: &str, version: u32) -> std::path::PathBuf {
    let path = folder.join(format!("{name}.yaml"));
    let text = format!(
        "dialplan: {name}
version: {version}
language: en
voices: {{en: en-hibari}}
start: main.menu
defaults: {{no_input: [\"I didn't hear anything.\"], no_match: [\"Sorry, I didn't get that.\"], give_up: main.bye}}
intents: {{goodbye: [goodbye, bye bye, that is all]}}
flows:
  main:
    menu: {{ask: \"How can I help you?\", on: {{goodbye: bye}}}}
    bye: {{hang_up: resolved}}
"
    );
    fs::write(&path, text).unwrap();
    path
}

fn answered_by(config: &mut Config, path: &Path, trial: Option<Trial>) {
    for number in &mut config.numbers {
        number.dialplan = path.to_owned();
        number.trial = trial.clone();
    }
}

/// Ends a call and tells by which dialplan and version it was answered.
async fn end(service: &Running, peer: sip_support::Peer, call_id: &str) -> (String, String) {
    let gone = peer.ask("BYE", 2, "bye", "", "").await;
    assert!(gone.starts_with("SIP/2.0 200"), "{gone}");
    let record = service.record(call_id).await;
    (record.summary.dialplan, record.summary.dialplan_version)
}

#[tokio::test(flavor = "multi_thread")]
async fn new_calls_get_the_new_dialplan_and_running_ones_keep_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let path = dialplan(folder.path(), "desk", 1);
    let Some(service) = Running::new(36_000, |config| answered_by(config, &path, None)).await
    else {
        return;
    };
    let before = service.call("before").await;
    dialplan(folder.path(), "desk", 2);
    assert_eq!(service.reloader.reload(service.config.clone()).await.unwrap(), 1);
    let after = service.call("after").await;
    assert_eq!(end(&service, before, "before").await, ("desk".into(), "1".into()));
    assert_eq!(end(&service, after, "after").await, ("desk".into(), "2".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_dialplan_changes_nothing_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = dialplan(folder.path(), "desk", 1);
    let Some(service) = Running::new(37_000, |config| answered_by(config, &path, None)).await
    else {
        return;
    };
    fs::write(&path, "dialplan: [").unwrap();
    let error = service.reloader.reload(service.config.clone()).await.expect_err("it is wrong");
    assert!(error.to_string().contains("desk.yaml:1:"), "{error}");
    let caller = service.call("caller").await;
    assert_eq!(end(&service, caller, "caller").await, ("desk".into(), "1".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn some_callers_get_the_dialplan_on_trial_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = dialplan(folder.path(), "desk", 1);
    let new = dialplan(folder.path(), "trial", 7);
    let trial = |callers: &str| {
        Some(Trial { dialplan: new.clone(), percent: 0, callers: vec![callers.to_owned()] })
    };
    // The peer of these tests calls as 1001.
    let begin = |config: &mut Config| answered_by(config, &path, trial("10xx"));
    let Some(service) = Running::new(38_000, begin).await else { return };
    let chosen = service.call("chosen").await;
    assert_eq!(end(&service, chosen, "chosen").await, ("trial".into(), "7".into()));

    let mut config = service.config.clone();
    answered_by(&mut config, &path, trial("20*"));
    service.reloader.reload(config.clone()).await.unwrap();
    let other = service.call("other").await;
    assert_eq!(end(&service, other, "other").await, ("desk".into(), "1".into()));

    answered_by(&mut config, &path, None);
    service.reloader.reload(config.clone()).await.unwrap();
    let mut nobody = config;
    answered_by(
        &mut nobody,
        &path,
        Some(Trial { dialplan: new.clone(), percent: 0, callers: vec![] }),
    );
    let error = service.reloader.reload(nobody).await.expect_err("for nobody");
    assert!(error.to_string().contains("number `4001`: trial is for nobody"), "{error}");
}
