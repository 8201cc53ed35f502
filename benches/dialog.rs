//! How long a dialog step and a dialplan's loading take.

#![expect(clippy::expect_used, reason = "a benchmark may stop")]

use std::sync::Arc;

use hotline::{
    audio::CallTime,
    dialog::{CallFacts, Input, Machine},
    dialplan::Dialplan,
    simulate::{Player, Suite},
    text::Hypothesis,
};

fn main() {
    divan::main();
}

fn plan(name: &str) -> Arc<Dialplan> {
    let path = format!("{}/dialplans/{name}", env!("CARGO_MANIFEST_DIR"));
    Arc::new(Dialplan::load(path).expect("a right dialplan"))
}

fn answered(plan: &Arc<Dialplan>) -> Machine {
    let now = time::macros::datetime!(2026-11-23 10:05);
    let mut machine = Machine::new(Arc::clone(plan), CallFacts::new("4155550134", "1000", now));
    machine.step(CallTime::ZERO, Input::Start);
    machine
}

fn says(text: &str) -> Input {
    Input::Heard(vec![Hypothesis { text: text.to_owned(), confidence: 0.9 }])
}

/// Loading, checking and training: once a start, and for every replay.
#[divan::bench(args = ["utility-en.yaml", "fund-zh.yaml"])]
fn load(name: &str) -> Arc<Dialplan> {
    plan(name)
}

/// A turn that the intent classifier decides, on a clone as speculation does it.
#[divan::bench(args = [
    ("utility-en.yaml", "what do I owe you people"),
    ("fund-zh.yaml", "我想查一下我公积金还有多少钱"),
])]
fn intent_turn(bencher: divan::Bencher, (name, text): (&str, &str)) {
    let machine = answered(&plan(name));
    bencher.bench(|| machine.clone().step(CallTime::ZERO, says(text)));
}

/// A turn at a question for digits.
#[divan::bench(args = [
    ("utility-en.yaml", "2", "it's four four one seven nine oh two"),
    ("fund-zh.yaml", "1", "幺三八零零幺三八零零零"),
])]
fn digits_turn(bencher: divan::Bencher, (name, key, text): (&str, &str, &str)) {
    let mut machine = answered(&plan(name));
    machine.step(CallTime::ZERO, Input::Keys(key.to_owned()));
    bencher.bench(|| machine.clone().step(CallTime::ZERO, says(text)));
}

/// A whole scripted call, comparison included: `hotline simulate --test` plays these.
#[divan::bench(args = ["utility-en.test.yaml", "fund-crm-zh.test.yaml"])]
fn scripted_calls(bencher: divan::Bencher, name: &str) {
    let path = format!("{}/dialplans/{name}", env!("CARGO_MANIFEST_DIR"));
    let suite = Suite::load(path).expect("a right file of scripted calls");
    let plan = Arc::new(Dialplan::load(&suite.dialplan).expect("a right dialplan"));
    bencher.counter(divan::counter::ItemsCount::new(suite.scripts.len())).bench(|| {
        suite.scripts.iter().map(|script| Player::run(&plan, script)).collect::<Vec<_>>()
    });
}
