//! Published versions of dialplans: kept whole, never changed, gone back to; what numbers answer with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{fs, path::Path};

use hotline::{
    dialplan::{Dialplan, DialplanSource},
    service::{PublishError, Published, Version},
};

const DESK: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.bye
include: [packs/words.yaml]
flows:
  main:
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

/// The dialplan of that version, saying so.
fn plan(version: u32, says: &str) -> Dialplan {
    let text = DESK.replace("version: 1", &format!("version: {version}")).replace("Goodbye.", says);
    let mut source = DialplanSource::inline("somewhere/desk.yaml", text);
    source.tables.insert("packs/words.yaml".into(), "pack: words\nhot_words: [desk]\n".into());
    Dialplan::from_source(source).unwrap_or_else(|e| panic!("{e:#?}"))
}

fn publish(published: &Published, version: u32, says: &str) -> Result<Version, PublishError> {
    published.publish(&plan(version, says), "ann", "2026-11-28T10:00:00Z", "because")
}

fn answers(published: &Published, path: &str) -> String {
    let file = published.path(Path::new(path)).unwrap();
    let plan = Dialplan::load(&file).unwrap_or_else(|e| panic!("{e:#?}"));
    published.verify(&file, &plan).unwrap();
    plan.phrases()[0].to_string()
}

#[test]
fn the_current_version_answers_and_each_can_be_named() {
    let data = tempfile::tempdir().unwrap();
    let published = Published::new(data.path());
    publish(&published, 1, "One.").unwrap();
    publish(&published, 2, "Two.").unwrap();
    assert_eq!(answers(&published, "published:desk"), "Two.");
    assert_eq!(answers(&published, "published:desk@1"), "One.");
    let versions = published.versions("desk").unwrap();
    let told: Vec<_> =
        versions.iter().map(|v| (v.version, v.author.as_str(), v.note.as_str())).collect();
    assert_eq!(told, [(1, "ann", "because"), (2, "ann", "because")]);
    assert_eq!(published.path(Path::new("desk.yaml")).unwrap(), Path::new("desk.yaml"));
}

#[test]
fn going_back_and_on_again_touches_no_version() {
    let data = tempfile::tempdir().unwrap();
    let published = Published::new(data.path());
    for version in [1, 2, 5] {
        publish(&published, version, &format!("Version {version}.")).unwrap();
    }
    let back = |to| published.roll_back("desk", to, "bob", "2026-11-28T11:00:00Z", "too loud");
    assert_eq!(back(None).unwrap().version, 2);
    assert_eq!(back(None).unwrap().version, 1);
    assert!(matches!(back(None), Err(PublishError::NoEarlier(_))));
    assert_eq!(back(Some(5)).unwrap().version, 5);
    assert!(matches!(back(Some(3)), Err(PublishError::Unknown(_))));
    assert_eq!(answers(&published, "published:desk"), "Version 5.");
    let log = fs::read_to_string(data.path().join("published/desk/log.jsonl")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"rollback\"")).count(), 3);
}

#[test]
fn other_content_under_the_same_version_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let published = Published::new(data.path());
    publish(&published, 1, "One.").unwrap();
    publish(&published, 4, "Four.").unwrap();
    publish(&published, 1, "One.").unwrap();
    let error = publish(&published, 1, "Another.").unwrap_err().to_string();
    assert_eq!(
        error,
        "version 1 of `desk` was published with other content: set `version: 5` in the dialplan"
    );
    assert_eq!(answers(&published, "published:desk"), "One.");
}

#[test]
fn a_version_that_was_changed_on_disk_does_not_answer() {
    let data = tempfile::tempdir().unwrap();
    let published = Published::new(data.path());
    publish(&published, 1, "One.").unwrap();
    let file = published.path(Path::new("published:desk@1")).unwrap();
    let text = fs::read_to_string(&file).unwrap().replace("One.", "Two.");
    fs::write(&file, text).unwrap();
    let plan = Dialplan::load(&file).unwrap();
    let error = published.verify(&file, &plan).unwrap_err().to_string();
    assert!(error.contains("it is not what was published"), "{error}");
}

#[test]
fn what_is_not_published_says_how_to() {
    let data = tempfile::tempdir().unwrap();
    let published = Published::new(data.path());
    for path in ["published:desk", "published:desk@1", "published:desk@x", "published:../desk@1"] {
        let error = published.path(Path::new(path)).unwrap_err().to_string();
        assert!(error.contains("`hotline publish DIALPLAN` publishes one"), "{path}: {error}");
    }
    let mut source = plan(1, "One.").source().clone();
    source.text = source.text.replace("dialplan: desk", "dialplan: ../desk");
    let plan = Dialplan::from_source(source).unwrap();
    assert!(matches!(published.publish(&plan, "", "", ""), Err(PublishError::Name(_))));
}
