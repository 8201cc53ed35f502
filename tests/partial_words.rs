//! Recognisers that have words while the caller still speaks: what the conversation does with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod support;

use hotline::{
    audio::CallTime,
    conversation::{Input, Note, UtteranceId, journal},
    text::{Hypothesis, Lang},
};
use support::{Playback, Sim};

const PLAN: &str = r##"
dialplan: partial-words
version: 1
language: en
voices: {en: en-hibari}
start: main.welcome
defaults:
  no_input: ["Are you there?"]
  no_match: ["I did not get that."]
  give_up: main.bye
intents:
  balance: [what is my balance, how much do I owe, check my balance]
flows:
  main:
    welcome: {ask: "Welcome. What can I do for you?", on: {balance: balance}}
    balance: {say: "You owe nothing.", next: more}
    more: {ask: "Anything else?", yes: welcome, no: bye}
    bye: {say: "Goodbye.", barge_in: none, hang_up: resolved}
"##;

fn call() -> Sim {
    Sim::followed(PLAN, vec![Lang::En])
}

#[test]
fn the_answer_is_made_ready_before_the_caller_pauses() {
    let mut sim = call();
    sim.hear_out();
    sim.begins_to_speak();
    sim.wait(200);
    sim.has_said_so_far("what is");
    assert!(!sim.prepared.contains(&"You owe nothing.".to_owned()));
    sim.has_said_so_far("what is my balance");
    assert!(sim.prepared.contains(&"You owe nothing.".to_owned()));
    let made = sim.prepared.len();
    sim.stops("what is my balance");
    sim.wait(400);
    // The same words in the end: nothing is worked out again.
    assert_eq!((sim.last_said(), sim.prepared.len()), ("Anything else?", made));
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}

#[test]
fn a_turn_is_followed_from_its_first_sound_and_after_a_pause_as_a_whole() {
    let mut sim = call();
    sim.hear_out();
    sim.begins_to_speak();
    let (first, from) = sim.following.unwrap();
    sim.wait(300);
    sim.stops("what is");
    assert_eq!(sim.following, None);
    sim.wait(100);
    sim.begins_to_speak();
    let (second, again_from) = sim.following.unwrap();
    assert_eq!((first, second), (UtteranceId(1), UtteranceId(2)));
    assert_eq!(from, again_from);
}

#[test]
fn words_that_ask_for_something_drop_the_prompt_without_waiting_for_their_end() {
    let mut sim = call();
    sim.wait(500);
    let onset = sim.now_ms();
    sim.begins_to_speak();
    sim.wait(200);
    sim.has_said_so_far("what is my balance");
    assert_eq!(sim.playback.last(), Some(&(Playback::Stopped, onset + 300)));
    sim.stops("what is my balance");
    sim.wait(500);
    assert_eq!(sim.last_said(), "Anything else?");
}

#[test]
fn a_backchannel_so_far_or_words_of_which_nothing_is_made_drop_nothing() {
    for words in ["uh-huh", "mum", "the weather"] {
        let mut sim = call();
        sim.wait(500);
        sim.begins_to_speak();
        sim.wait(200);
        sim.has_said_so_far(words);
        assert!(sim.playback.iter().all(|(what, _)| *what != Playback::Stopped), "{words}");
    }
}

#[test]
fn words_of_an_earlier_attempt_are_nothing() {
    let mut sim = call();
    sim.hear_out();
    sim.begins_to_speak();
    let hypothesis = Hypothesis { text: "what is my balance".into(), confidence: 0.9 };
    sim.input(Input::Partial { utterance: UtteranceId(9), hypothesis });
    assert!(!sim.prepared.contains(&"You owe nothing.".to_owned()));
}

#[test]
fn nobody_is_followed_under_a_prompt_that_speech_does_not_touch_nor_by_other_recognisers() {
    let mut sim = call();
    sim.hear_out();
    sim.says("what is my balance");
    sim.hear_out();
    sim.says("no");
    assert_eq!(sim.last_said(), "Goodbye.");
    sim.begins_to_speak();
    assert_eq!(sim.following, None);

    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim.begins_to_speak();
    assert_eq!(sim.following, None);
}

#[test]
fn whoever_hangs_up_is_not_followed_any_more() {
    let mut sim = call();
    sim.hear_out();
    sim.begins_to_speak();
    sim.hangs_up();
    assert_eq!(sim.following, None);
    assert!(
        !sim.notes
            .iter()
            .any(|note| matches!(note, Note::Heard { from, .. } if *from > CallTime::ZERO))
    );
}
