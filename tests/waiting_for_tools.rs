//! While a tool is asked the caller is neither left in silence nor spoken over.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod support;

use std::collections::BTreeMap;

use hotline::{
    conversation::{Input, InvokeId, Note, journal},
    dialog::InvokeResult,
};
use support::Sim;

const PLAN: &str = r##"
dialplan: tools
version: 1
language: en
voices: {en: en-hibari}
start: main.account
defaults:
  no_input: ["Are you there?"]
  no_match: ["I did not get that."]
  give_up: main.bye
slots:
  account: {type: digits, length: 4, sensitive: true}
tools:
  balance_of:
    takes: [account]
    gives: {amount: amount, name: text}
    sensitive: [account]
    deadline: 5s
flows:
  main:
    account: {ask: "What is your account number?", slot: account, next: look}
    look: {tool: balance_of, with: {account: "{account}"}, done: tell, failed: sorry}
    tell: {say: "You owe {balance_of.amount}, {balance_of.name}.", next: more}
    sorry: {say: "I cannot look that up now.", next: more}
    more: {ask: "Anything else?", yes: account, no: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

/// A call in which the tool has just been asked.
fn asking() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim.says("one two three four");
    assert_eq!(sim.invoked.len(), 1);
    sim
}

fn answer(sim: &mut Sim, fields: &[(&str, &str)]) {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let result = InvokeResult::Done(fields.collect());
    let id = sim.invoked.last().unwrap().0;
    sim.input(Input::Invoked { id, result });
}

#[test]
fn the_tool_gets_what_the_dialplan_says_and_its_answer_is_spoken() {
    let mut sim = asking();
    let invoke = &sim.invoked[0].1;
    let arguments = BTreeMap::from([("account".to_owned(), "1234".to_owned())]);
    assert_eq!((invoke.tool.as_str(), &invoke.arguments), ("balance_of", &arguments));
    sim.wait(200);
    answer(&mut sim, &[("amount", "132.48"), ("name", "Maria")]);
    assert!(sim.has_said("You owe 132.48, Maria."), "{:?}", sim.said);
    assert!(!sim.has_said("One moment, please."));
}

#[test]
fn after_a_second_and_a_half_a_filler_is_said_and_after_it_the_answer() {
    let mut sim = asking();
    sim.wait(1_400);
    assert_eq!(sim.last_said(), "What is your account number?");
    sim.wait(200);
    assert_eq!(sim.last_said(), "One moment, please.");
    answer(&mut sim, &[("amount", "1.00"), ("name", "")]);
    sim.hear_out();
    assert_eq!(sim.last_said(), "Anything else?");
}

#[test]
fn no_filler_is_said_over_a_caller_who_speaks() {
    let mut sim = asking();
    sim.wait(1_000);
    sim.speaks("are you still there", 1_500);
    assert_eq!(sim.last_said(), "What is your account number?");
    sim.wait(1_600);
    assert_eq!(sim.last_said(), "One moment, please.");
}

#[test]
fn a_filler_falls_silent_when_the_caller_speaks() {
    let mut sim = asking();
    sim.wait(1_700);
    assert_eq!(sim.last_said(), "One moment, please.");
    assert!(sim.is_speaking());
    sim.speaks("take your time", 800);
    assert!(!sim.is_speaking());
    let cut = sim.notes.iter().any(
        |n| matches!(n, Note::Said { text, complete: false, .. } if text == "One moment, please."),
    );
    assert!(cut);
    answer(&mut sim, &[("amount", "1.00"), ("name", "Maria")]);
    assert!(sim.has_said("You owe 1.00, Maria."), "{:?}", sim.said);
}

#[test]
fn no_filler_is_begun_while_a_caller_perhaps_begins_to_speak() {
    let mut sim = asking();
    sim.wait(1_440);
    sim.perhaps_speaks();
    sim.wait(200);
    assert_eq!(sim.last_said(), "What is your account number?");
    sim.wait(200);
    assert_eq!(sim.last_said(), "One moment, please.");
}

#[test]
fn what_was_begun_before_the_tool_was_asked_is_said_to_its_end() {
    let plan = PLAN.replace("done: tell,", "say: \"Let me look.\", done: tell,");
    let mut sim = Sim::answered(&plan);
    sim.hear_out();
    sim.says("one two three four");
    sim.wait(100);
    assert_eq!(sim.last_said(), "Let me look.");
    sim.speaks("okay", 400);
    assert!(sim.is_speaking());
}

#[test]
fn a_tool_that_never_answers_fails_at_its_deadline() {
    let mut sim = asking();
    sim.wait(8_000);
    assert!(sim.has_said("I cannot look that up now."), "{:?}", sim.said);
}

#[test]
fn an_answer_that_comes_too_late_changes_nothing() {
    let mut sim = asking();
    let late = sim.invoked[0].0;
    sim.wait(8_000);
    let said = sim.said.len();
    let result = InvokeResult::Done(BTreeMap::new());
    sim.input(Input::Invoked { id: late, result: result.clone() });
    sim.input(Input::Invoked { id: InvokeId(99), result });
    assert_eq!(sim.said.len(), said);
}

#[test]
fn an_answer_that_cannot_be_spoken_is_no_answer() {
    let mut sim = asking();
    answer(&mut sim, &[("amount", "a lot"), ("name", "Maria")]);
    assert!(sim.has_said("I cannot look that up now."), "{:?}", sim.said);
}

#[test]
fn keys_pressed_meanwhile_answer_the_question_after_it() {
    let mut sim = asking();
    sim.presses("2");
    answer(&mut sim, &[("amount", "1.00"), ("name", "Maria")]);
    sim.hear_out();
    assert_eq!(sim.last_said(), "Goodbye.");
}

#[test]
fn the_turn_is_answered_by_the_filler() {
    let mut sim = asking();
    sim.wait(1_600);
    let stamps = sim.stamps()[0];
    assert!((1_500..2_100).contains(&stamps.latency_ms()), "{} ms", stamps.latency_ms());
}

#[test]
fn a_caller_who_hangs_up_meanwhile_is_gone() {
    let mut sim = asking();
    sim.hangs_up();
    answer(&mut sim, &[("amount", "1.00"), ("name", "Maria")]);
    sim.wait(3_000);
    assert_eq!(sim.last_said(), "What is your account number?");
}

#[test]
fn records_show_sensitive_arguments_masked_and_journals_replay() {
    let mut sim = asking();
    answer(&mut sim, &[("amount", "1.00"), ("name", "Maria")]);
    sim.hear_out();
    let notes = sim.notes.iter().filter(|n| matches!(n, Note::Dialog(_)));
    let notes: Vec<String> = notes.map(|n| format!("{n:?}")).collect();
    assert!(notes.iter().any(|n| n.contains("**34")), "{notes:#?}");
    assert!(!notes.iter().any(|n| n.contains("1234")), "{notes:#?}");
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}
