//! Transfers in dialplans: what an author may write, and where a call goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hotline::{
    audio::CallTime,
    dialog::{
        CallDirection, CallFacts, Input, Machine, Output, Transfer, TransferMode, TransferResult,
    },
    dialplan::{Dialplan, DialplanSource},
};

/// A dialplan whose first node is `person`.
fn plan(person: &str) -> Result<Dialplan, String> {
    let text = format!(
        "dialplan: desk\nversion: 1\nlanguage: en\nvoices: {{en: en-hibari}}\nstart: main.person\n\
         flows:\n  main:\n    person: {{{person}}}\n    \
         busy: {{say: All busy., hang_up: busy}}\n    \
         failed: {{say: Nobody here., hang_up: failed}}\n"
    );
    Dialplan::from_source(DialplanSource::inline("desk.yaml", text))
        .map_err(|errors| errors.iter().map(|e| format!("{e}\n")).collect())
}

fn call(plan: Dialplan) -> Machine {
    let facts = CallFacts {
        caller: "100".into(),
        called: "1000".into(),
        date: "2026-11-23".into(),
        time: "10:05".into(),
        weekday: "mon".into(),
        zones: Default::default(),
        direction: CallDirection::Inbound,
        preset: BTreeMap::new(),
    };
    Machine::new(Arc::new(plan), facts)
}

/// How a call ends whose transfer comes to `result`.
fn ends(result: TransferResult) -> String {
    let person = "transfer: \"4002\", say: One moment., ring: 10s, busy: busy, failed: failed";
    let mut machine = call(plan(person).unwrap());
    let begun = machine.step(CallTime::ZERO, Input::Start);
    let wanted =
        Transfer { to: "4002".into(), mode: TransferMode::Bridge, ring: Duration::from_secs(10) };
    assert_eq!(begun.last(), Some(&Output::Transfer(wanted)));
    assert!(begun.iter().any(|output| matches!(output, Output::Say(_))));
    assert_eq!(machine.step(CallTime::ZERO, Input::Keys("1".into())), []);
    match machine.step(CallTime::ZERO, Input::Transferred(result)).pop() {
        Some(Output::HangUp(outcome)) => outcome.disposition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_result_leads_where_the_author_says() {
    let results = [
        TransferResult::Done,
        TransferResult::Busy,
        TransferResult::NoAnswer,
        TransferResult::Failed,
    ];
    assert_eq!(results.map(ends), ["transferred", "busy", "failed", "failed"]);
}

#[test]
fn a_value_may_be_part_of_the_target() {
    let person =
        "transfer: \"sip:{call.called}@pbx.example\", mode: refer, busy: busy, failed: failed";
    let outputs = call(plan(person).unwrap()).step(CallTime::ZERO, Input::Start);
    let Some(Output::Transfer(transfer)) = outputs.last() else { panic!("{outputs:?}") };
    assert_eq!(
        (transfer.to.as_str(), transfer.mode),
        ("sip:1000@pbx.example", TransferMode::Refer)
    );
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (person, what) in [
        ("transfer: the desk, busy: busy, failed: failed", "neither a number nor a SIP URI"),
        ("transfer: \"4002\", busy: busy", "has no `failed`"),
        ("transfer: \"4002\", mode: blind, busy: busy, failed: failed", "no mode `blind`"),
        ("transfer: \"4002\", busy: bsy, failed: failed", "no node `main.bsy`"),
        ("transfer: \"4002\", ring: soon, busy: busy, failed: failed", "not a duration"),
        ("transfer: \"4002\", failed: person, busy: busy", "go round for ever"),
        ("transfer: \"4002\", next: busy, failed: failed", "no field `next`"),
    ] {
        let errors = plan(person).unwrap_err();
        assert!(errors.contains(what) && errors.contains("desk.yaml:8:"), "{person}: {errors}");
    }
}
