//! The definitions of the API: named alike, documented, described, and never broken for those who use them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{collections::BTreeSet, fs, path::Path};

use hotline::proto::{DESCRIPTOR, Described, breaking, lint, reference, surface};

fn described() -> Described {
    Described::read(DESCRIPTOR).unwrap()
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_default()
}

#[test]
fn names_and_comments_follow_the_rules() {
    let found = lint(&described());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_that_clients_rely_on_is_gone_or_changed() {
    let found = breaking(&file("proto/baseline.txt"), &surface(&described()));
    assert!(found.is_empty(), "clients of the API would break:\n{}", found.join("\n"));
}

#[test]
fn the_baseline_has_everything() {
    let baseline = file("proto/baseline.txt");
    let known: BTreeSet<&str> = baseline.lines().collect();
    let now = surface(&described());
    let new: Vec<&str> = now.lines().filter(|line| !known.contains(line)).collect();
    assert!(new.is_empty(), "run `hotline api baseline`; it lacks:\n{}", new.join("\n"));
}

#[test]
fn the_reference_is_that_of_the_definitions() {
    let stale = file("docs/api.md") != reference(&described());
    assert!(!stale, "docs/api.md is not what proto/ says: run `hotline api docs`");
}

#[test]
fn types_are_described_as_they_are_written() {
    let described = described();
    let kind = |item: &str, field: &str| {
        let item = described.items.iter().find(|i| i.name == item).unwrap();
        item.fields.iter().find(|f| f.name == field).unwrap().kind.clone()
    };
    assert_eq!(kind("Call", "slots"), "map<string, string>");
    assert_eq!(kind("Call", "answered_after_ms"), "optional uint64");
    assert_eq!(kind("Call", "started_at"), "google.protobuf.Timestamp");
    assert_eq!(kind("CallsListResponse", "calls"), "repeated Call");
    assert_eq!(kind("ReportsQueryRequest", "utc_offset_minutes"), "sint32");
    assert!(described.paths().any(|path| path == "/hotline.v1.Events/Subscribe"));
}
