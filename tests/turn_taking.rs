//! When the caller's turn is over, when a prompt is cut short, and how long silence may last.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod support;

use std::time::Duration;

use hotline::{
    audio::CallTime,
    conversation::{Attention, EndOfTurn, Input, Note, journal},
};
use support::Sim;

const PLAN: &str = r##"
dialplan: turn-taking
version: 1
language: en
voices: {en: en-hibari}
start: main.greeting
defaults:
  wait: 5s
  no_input: ["Please say or key in your account number."]
  no_match: ["I did not get that."]
  give_up: main.bye
limits: {turns: 40, then: main.bye}
slots:
  account: {type: digits, length: 6}
flows:
  main:
    greeting: {say: "This call is recorded.", barge_in: none, next: account}
    account: {ask: "What is your account number?", slot: account, next: sure}
    sure: {ask: "Shall I go on?", yes: bye, no: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

fn at_the_question() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim
}

#[test]
fn a_complete_number_is_answered_as_soon_as_its_text_is_there() {
    let mut sim = at_the_question();
    sim.says("four seven two nine one five");
    sim.wait(40);
    let stamps = sim.stamps()[0];
    // The pause is noticed after 100 ms, recognition takes 150: the 200 ms of the pause are over.
    assert_eq!((stamps.latency_ms(), stamps.why), (260, Some(EndOfTurn::NumberComplete)));
}

#[test]
fn a_yes_is_not_held_back_by_slow_words_around_it() {
    let mut sim = at_the_question();
    sim.says("four seven two nine one five");
    sim.hear_out();
    sim.recognition = Duration::from_millis(20);
    sim.says("yes");
    sim.wait(40);
    let stamps = sim.stamps()[1];
    assert_eq!((stamps.latency_ms(), stamps.why), (180, Some(EndOfTurn::Answered)));
}

#[test]
fn a_caller_who_hums_is_thinking_and_is_waited_for() {
    let mut sim = at_the_question();
    sim.speaks("um", 300);
    sim.wait(2_000);
    assert_eq!((sim.heard(), sim.last_said()), (0, "What is your account number?"));
    sim.says("four seven two nine one five");
    assert_eq!(sim.last_said(), "Shall I go on?");
}

#[test]
fn a_caller_who_goes_on_at_once_takes_the_answer_back() {
    let mut sim = at_the_question();
    sim.says("nine nine nine nine nine nine");
    assert_eq!(sim.last_said(), "Shall I go on?");
    sim.speaks("four seven two nine one five", 900);
    sim.wait(400);
    assert!(sim.notes.iter().any(|n| matches!(n, Note::TurnReopened { .. })));
    sim.wait(200);
    sim.hear_out();
    sim.says("yes");
    sim.hear_out();
    let account = sim.outcome.as_ref().and_then(|o| o.slots.get("account"));
    assert_eq!(account.map(String::as_str), Some("472915"));
}

#[test]
fn a_caller_who_goes_on_later_answers_the_next_question() {
    let mut sim = at_the_question();
    sim.says("four seven two nine one five");
    sim.wait(1_200);
    sim.speaks("no", 300);
    sim.wait(400);
    assert!(!sim.notes.iter().any(|n| matches!(n, Note::TurnReopened { .. })));
    assert_eq!(sim.last_said(), "Goodbye.");
}

#[test]
fn a_pause_in_the_middle_of_a_number_does_not_end_the_turn() {
    let mut sim = at_the_question();
    sim.speaks("four seven two", 900);
    sim.wait(800);
    assert_eq!(sim.heard(), 0);
    sim.says("four seven two nine one five");
    assert_eq!(sim.last_said(), "Shall I go on?");
}

#[test]
fn slow_recognition_delays_the_answer_but_loses_nothing() {
    let mut sim = at_the_question();
    sim.recognition = Duration::from_millis(1_500);
    sim.says("four seven two nine one five");
    assert_eq!(sim.last_said(), "Shall I go on?");
}

#[test]
fn recognition_that_never_answers_is_given_up() {
    let mut sim = at_the_question();
    sim.recognition = Duration::from_secs(3_600);
    sim.speaks("four seven two nine one five", 1_000);
    sim.wait(6_200);
    assert!(sim.notes.iter().any(|n| matches!(n, Note::RecognitionFailed { .. })));
    assert!(sim.has_said("I did not get that."));
}

#[test]
fn speech_over_a_question_stops_it_at_once() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(2_500);
    assert_eq!(sim.last_said(), "What is your account number?");
    assert!(sim.is_speaking());
    sim.speaks("four seven two nine one five", 1_000);
    let cut = sim.notes.iter().find_map(|note| match note {
        Note::Said { text, complete: false, from, to, .. } => Some((text, to.since(*from))),
        _ => None,
    });
    let (text, played) = cut.expect("the question was cut short");
    assert_eq!(text, "What is your account number?");
    assert!(played.as_millis() < 800, "{played:?} of it were sent");
}

#[test]
fn legal_text_is_not_cut_and_speech_under_it_is_no_answer() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(200);
    sim.speaks("four seven two nine one five", 600);
    sim.hear_out();
    assert_eq!(sim.heard(), 0);
    let legal = sim.notes.iter().any(
        |n| matches!(n, Note::Said { text, complete: true, .. } if text == "This call is recorded."),
    );
    assert!(legal, "the legal text was delivered whole");
}

#[test]
fn speech_is_wanted_only_while_it_can_change_something() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(200);
    assert_eq!(sim.attention(), Attention::AfterPrompts(1), "legal text, then the question");
    sim.hear_out();
    assert_eq!(sim.attention(), Attention::Now);
    sim.says("four seven two nine one five");
    assert_eq!((sim.last_said(), sim.attention()), ("Shall I go on?", Attention::Now));
    sim.hear_out();
    sim.says("yes");
    assert_eq!((sim.last_said(), sim.attention()), ("Goodbye.", Attention::Never));
}

#[test]
fn a_turn_that_has_begun_is_followed_to_its_end_also_under_legal_text() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(200);
    sim.input(Input::SpeechStarted { at: CallTime::from_ms(100) });
    assert_eq!(sim.attention(), Attention::Now);
    sim.input(Input::SpeechStopped { at: CallTime::from_ms(150) });
    assert_eq!(sim.attention(), Attention::AfterPrompts(1));
}

#[test]
fn a_cough_is_not_a_turn() {
    let mut sim = at_the_question();
    sim.speaks("", 200);
    sim.wait(1_500);
    assert_eq!((sim.heard(), sim.last_said()), (0, "What is your account number?"));
}

#[test]
fn silence_is_asked_about_and_then_given_up() {
    let mut sim = at_the_question();
    sim.wait(5_100);
    assert!(sim.has_said("Please say or key in your account number."));
    sim.hear_out();
    sim.wait(5_100);
    assert_eq!(sim.last_said(), "Goodbye.");
    sim.hear_out();
    assert!(sim.is_over());
}

#[test]
fn keys_cut_the_question_short_and_make_the_same_answer() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(2_500);
    sim.presses("472915");
    assert_eq!(sim.last_said(), "Shall I go on?");
}

#[test]
fn keys_typed_under_legal_text_are_kept() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(200);
    sim.presses("472915");
    assert_eq!(sim.last_said(), "What is your account number?");
    sim.hear_out();
    assert_eq!(sim.last_said(), "Shall I go on?");
}

#[test]
fn the_goodbye_is_not_interrupted_and_then_the_bot_hangs_up() {
    let mut sim = at_the_question();
    sim.says("four seven two nine one five");
    sim.hear_out();
    sim.says("yes");
    sim.wait(200);
    sim.speaks("thank you", 600);
    assert!(sim.is_speaking());
    sim.hear_out();
    assert_eq!(sim.outcome.as_ref().map(|o| o.disposition.as_str()), Some("resolved"));
}

#[test]
fn a_caller_who_hangs_up_is_asked_nothing_more() {
    let mut sim = at_the_question();
    sim.speaks("four seven two", 600);
    sim.hangs_up();
    let said = sim.said.len();
    sim.wait(10_000);
    assert!(sim.is_over());
    assert_eq!((sim.said.len(), sim.outcome.as_ref()), (said, None));
}

#[test]
fn a_journal_replays_identically_and_a_changed_one_is_found_out() {
    let mut sim = at_the_question();
    sim.says("four seven two nine one five");
    sim.hear_out();
    sim.says("yes");
    sim.hear_out();
    let journal = sim.journal();
    assert_eq!(journal::replay(&journal).unwrap().difference, None);

    let changed = journal.replace("Goodbye.", "So long.").replacen("So long.", "Goodbye.", 1);
    let difference = journal::replay(&changed).unwrap().difference.expect("a difference");
    assert!(difference.line > 1);
}

#[test]
fn a_broken_journal_is_named_by_its_line() {
    let journal = at_the_question().journal() + "\n{\"at\":1,\"in\":{\"key\":\"no\"}}";
    let lines = journal.lines().count();
    let error = journal::replay(&journal).unwrap_err().to_string();
    assert!(error.starts_with(&format!("line {lines}:")), "{error}");
    assert!(journal::replay("").unwrap_err().to_string().contains("empty"));
}
