//! Callers who get angry: noticed by their words, their voice and what happens, and treated so.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod support;

use std::path::Path;

use hotline::{
    cli::eval::sentiment::{SentimentArgs, evaluate},
    conversation::{Note, journal},
    dialog::{Event, Feeling, Voice},
};
use support::Sim;

const PLAN: &str = r##"
dialplan: moods
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
sentiment:
  apologise: "I am sorry for the trouble."
  offer: main.person
defaults:
  no_input: ["Are you there?"]
  no_match: ["I did not get that.", "I still did not get that."]
  give_up: main.bye
slots:
  account: {type: digits, length: 4}
intents:
  balance: [what do I owe, my balance, how much is my bill]
globals:
  on: {balance: main.balance}
flows:
  main:
    menu: {ask: "How can I help you?"}
    balance: {ask: "What is your account number?", slot: account, next: told}
    told:
      when:
        - {value: call.sentiment, equals: negative, next: short}
      else: long
    long: {say: "You owe nothing, and we wish you a nice day.", next: menu}
    short: {say: "You owe nothing.", next: menu}
    person: {ask: "Would you like to talk to a person?", yes: bye, no: back}
    back: {return: menu}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

fn call() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim
}

fn says(sim: &mut Sim, text: &str) {
    sim.says(text);
    sim.hear_out();
}

/// Feeling and scores of each turn: mood, words, voice, events.
fn moods(sim: &Sim) -> Vec<(Feeling, i16, i16, Option<i16>, i16)> {
    let moods = sim.notes.iter().filter_map(|note| match note {
        Note::Dialog(Event::Sentiment { feeling, score, words, voice, events }) => {
            Some((*feeling, *score, *words, *voice, *events))
        }
        _ => None,
    });
    moods.collect()
}

#[test]
fn an_angry_caller_is_noticed_by_the_second_turn_and_offered_a_person() {
    let mut sim = call();
    says(&mut sim, "I have been waiting");
    assert!(!sim.has_said("I am sorry for the trouble."));
    says(&mut sim, "you people are useless, it is a disgrace");
    assert_eq!(moods(&sim)[1].0, Feeling::Negative);
    assert!(sim.has_said("I am sorry for the trouble."), "{:?}", sim.said);
    assert_eq!(sim.last_said(), "Would you like to talk to a person?");
    // Once is enough.
    says(&mut sim, "no");
    says(&mut sim, "so what is my bloody balance then");
    assert_eq!(sim.said.iter().filter(|s| s.starts_with("I am sorry")).count(), 1);
    assert_eq!(sim.said.iter().filter(|s| s.starts_with("Would you like")).count(), 1);
}

#[test]
fn a_caller_who_stays_calm_is_never_taken_for_angry() {
    let mut sim = call();
    for text in [
        "hello",
        "what do I owe",
        "one two three",
        "one two three four",
        "my balance please",
        "no",
        "I would like to know my balance",
    ] {
        says(&mut sim, text);
    }
    assert!(
        moods(&sim).iter().all(|(feeling, ..)| *feeling != Feeling::Negative),
        "{:?}",
        moods(&sim)
    );
    assert!(!sim.has_said("I am sorry for the trouble."));
    assert!(sim.has_said("You owe nothing, and we wish you a nice day."));
}

#[test]
fn a_request_is_followed_first_and_the_person_offered_after_it() {
    let mut sim = call();
    says(&mut sim, "I have been waiting");
    says(&mut sim, "what do I owe, you idiots, this is outrageous");
    assert!(sim.has_said("I am sorry for the trouble."));
    assert_eq!(sim.last_said(), "What is your account number?");
    says(&mut sim, "one two three four");
    assert!(
        sim.has_said("You owe nothing.")
            && !sim.has_said("You owe nothing, and we wish you a nice day.")
    );
    assert_eq!(sim.last_said(), "Would you like to talk to a person?");
    says(&mut sim, "no");
    assert_eq!(sim.last_said(), "How can I help you?");
}

#[test]
fn a_voice_that_grows_loud_counts_against_the_callers_own() {
    let mut sim = call();
    let voice = |level_cb| Some(Voice { level_cb, speech_ms: 1_500, interrupts: false });
    for (level, text) in
        [(-250, "hello there"), (-245, "I am calling"), (-120, "about the thing that I said")]
    {
        sim.voice = voice(level);
        says(&mut sim, text);
    }
    let voices: Vec<Option<i16>> =
        moods(&sim).into_iter().map(|(_, _, _, voice, _)| voice).collect();
    assert_eq!(voices[..2], [None, None]);
    assert!(voices[2].unwrap() <= -60, "{voices:?}");
}

#[test]
fn interrupting_and_saying_the_same_again_count() {
    let mut sim = call();
    sim.says("I am calling about the thing");
    // Over the prompt that follows, too late to be the same turn.
    sim.wait(1_500);
    sim.speaks("I am calling about the thing", 1_500);
    sim.wait(2_000);
    let (_, _, _, _, events) = moods(&sim)[1];
    assert_eq!(events, -100, "{:?}", moods(&sim));
}

#[test]
fn the_outcome_tells_how_it_began_ended_and_was_at_worst_and_the_call_replays() {
    let mut sim = call();
    sim.voice = Some(Voice { level_cb: -231, speech_ms: 900, interrupts: false });
    says(&mut sim, "I have been waiting");
    says(&mut sim, "you people are useless, it is a disgrace");
    says(&mut sim, "yes, thank you, that is great");
    let outcome = sim.outcome.clone().unwrap();
    let range = outcome.sentiment.unwrap();
    let scores: Vec<i16> = moods(&sim).iter().map(|(_, score, ..)| *score).collect();
    assert_eq!((range.start, range.end, range.min), (scores[0], scores[2], scores[1]));
    assert!(range.min < range.start && range.end > range.min);
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}

#[test]
fn without_the_section_nobody_looks() {
    let plan = PLAN.replace(
        "sentiment:\n  apologise: \"I am sorry for the trouble.\"\n  offer: main.person\n",
        "",
    );
    let plan =
        plan.replace("value: call.sentiment, equals: negative", "value: account, equals: \"0000\"");
    let plan = plan.replace("    person:", "    unused:").replace(
        "{ask: \"How can I help you?\"}",
        "{ask: \"How can I help you?\", keys: {\"1\": unused}}",
    );
    let mut sim = Sim::answered(&plan);
    sim.hear_out();
    says(&mut sim, "I have been waiting");
    assert_eq!(moods(&sim), []);
}

#[test]
fn call_like_sentences_are_mostly_taken_as_they_are_meant() {
    for (file, least) in
        [("en.tsv", 0.9), ("zh.tsv", 0.9), ("en_later.tsv", 0.6), ("zh_later.tsv", 0.6)]
    {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sentiment").join(file);
        let args = SentimentArgs { file, lang: None, threshold: 0.3, show: false, json: false };
        let report = evaluate(&args).unwrap();
        assert!(report.rows >= 30);
        assert!(report.accuracy >= least && report.macro_f1 >= least, "{report:#?}");
    }
}
