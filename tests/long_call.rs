//! An hour of a call: nothing drifts, nothing grows.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod support;

use hotline::conversation::{EndOfTurn, Note, journal};
use support::Sim;

const HOUR_MS: u64 = 3_600_000;

const PLAN: &str = r##"
dialplan: long-call
version: 1
language: en
voices: {en: en-hibari}
start: main.greeting
defaults:
  no_input: ["Please say or key in your account number."]
  no_match: ["I did not get that."]
  give_up: main.bye
limits: {turns: 9999, then: main.bye}
slots:
  account: {type: digits, length: 6}
intents:
  agent: [get me an agent, I want a person, human please]
globals:
  on: {agent: main.agent}
flows:
  main:
    greeting: {say: "This call is recorded.", barge_in: none, next: account}
    account: {ask: "What is your account number?", slot: account, next: sure}
    sure: {ask: "Shall I go on?", yes: account, no: account}
    agent: {say: "Nobody is in.", next: account}
    bye: {say: "Goodbye.", hang_up: too_long}
"##;

/// A minute or so of everything that callers do: numbers, yes, silence, a cough, an interruption.
fn round(sim: &mut Sim) {
    sim.hear_out();
    sim.says("four seven two nine one five");
    sim.hear_out();
    sim.says("yes");
    sim.wait(500);
    sim.speaks("", 150);
    sim.wait(1_000);
    sim.hear_out();
    sim.wait(6_000);
    sim.hear_out();
    sim.says("get me an agent");
    sim.wait(300);
    sim.speaks("I want a person", 1_500);
    sim.wait(1_000);
    sim.hear_out();
    sim.presses("472915");
    sim.hear_out();
    sim.says("no");
}

#[test]
fn an_hour_of_talking_neither_drifts_nor_grows() {
    let mut sim = Sim::answered(PLAN);
    (0..3).for_each(|_| round(&mut sim));
    sim.hear_out();
    let (size, early) = (sim.state_size(), sim.stamps());
    while sim.now_ms() < HOUR_MS {
        round(&mut sim);
    }
    sim.hear_out();
    assert!(!sim.is_over());

    let slack = 64;
    assert!(sim.state_size() <= size + slack, "{} bytes became {}", size, sim.state_size());

    let answers = |stamps: &[hotline::conversation::TurnStamps], why| -> Vec<u64> {
        let of_that_kind = stamps.iter().filter(|s| s.why == Some(why));
        of_that_kind.map(|s| s.latency_ms()).collect()
    };
    let stamps = sim.stamps();
    assert!(stamps.len() > 500, "{} turns", stamps.len());
    for why in [EndOfTurn::NumberComplete, EndOfTurn::Answered] {
        let (then, now) = (answers(&early, why), answers(&stamps, why));
        let (fastest, slowest) = (then.iter().min().unwrap(), then.iter().max().unwrap());
        assert!(now.iter().all(|ms| (fastest..=slowest).contains(&ms)), "{why:?}: {now:?}");
    }

    // What the record says of each prompt is what was sent of it.
    for note in &sim.notes {
        let Note::Said { prompt, sent, .. } = note else { continue };
        assert_eq!(sim.sent.get(prompt).copied().unwrap_or(0), *sent);
    }
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}
