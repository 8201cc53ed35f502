//! Callers who want a person get one, in whatever words they ask, and nobody else does.

#![expect(clippy::expect_used, reason = "a broken table fails its test")]

mod dialog_support;

use std::{fs, sync::Arc};

use hotline::{
    audio::CallTime,
    dialog::{CallFacts, Event, Input, Machine, Output},
    dialplan::Dialplan,
    text::Hypothesis,
};

/// Least share of requests that must be understood, most of the others that may be taken for one.
const LEAST_FOUND: f64 = 0.95;
const MOST_FALSE: f64 = 0.01;

/// Whether a dialplan that comes with Hotline hears `text`, said at its open question, as a request
/// for a person.
fn asks(plan: &Arc<Dialplan>, text: &str) -> bool {
    let now = time::macros::datetime!(2026-11-23 10:05);
    let mut machine = Machine::new(Arc::clone(plan), CallFacts::new("4155550134", "1000", now));
    machine.step(CallTime::ZERO, Input::Start);
    let heard = Input::Heard(vec![Hypothesis { text: text.to_owned(), confidence: 0.9 }]);
    machine.step(CallTime::from_ms(5_000), heard).iter().any(
        |output| matches!(output, Output::Note(Event::Intent { intent, .. }) if intent == "agent"),
    )
}

/// `(asked for a person, text)` in one language.
fn table(lang: &str) -> Vec<(bool, String)> {
    let path = format!("{}/tests/data/understanding/person.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("the table is in the repository");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let cells = rows.map(|row| row.split('\t').collect::<Vec<_>>());
    cells.filter(|c| c[0] == lang).map(|c| (c[1] == "agent", c[2].to_owned())).collect()
}

fn assert_language(lang: &str, plan: &str) {
    let plan = dialog_support::dialplan(plan);
    let (requests, others): (Vec<_>, Vec<_>) = table(lang).into_iter().partition(|(asks, _)| *asks);
    assert!(requests.len() >= 40 && others.len() >= 250);
    let missed: Vec<_> = requests.iter().filter(|(_, text)| !asks(&plan, text)).collect();
    let taken: Vec<_> = others.iter().filter(|(_, text)| asks(&plan, text)).collect();
    let found = 1.0 - missed.len() as f64 / requests.len() as f64;
    let wrong = taken.len() as f64 / others.len() as f64;
    println!("{lang}: {found:.3} found, {wrong:.4} false; missed {missed:?}, taken {taken:?}");
    assert!(found >= LEAST_FOUND, "only {found:.3} found: {missed:?}");
    assert!(wrong <= MOST_FALSE, "{wrong:.4} false: {taken:?}");
}

#[test]
fn english_callers_get_a_person_when_they_ask_for_one() {
    assert_language("en", "utility-en.yaml");
}

#[test]
fn chinese_callers_get_a_person_when_they_ask_for_one() {
    assert_language("zh", "fund-zh.yaml");
}
