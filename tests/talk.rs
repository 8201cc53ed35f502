//! A language model speaks in a call: sentence by sentence, never over the caller, within its bounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod support;

use hotline::{
    conversation::{GenerateId, Input, Note, journal},
    dialog::{Event, Generate, Generated, Speaker},
    dialplan::{Dialplan, DialplanSource},
};
use support::Sim;

const PLAN: &str = r##"
dialplan: library
version: 1
language: en
voices: {en: en-hibari}
start: main.card
defaults:
  no_input: ["Are you there?"]
  no_match: ["I did not get that."]
  give_up: main.bye
slots:
  card: {type: digits, length: 6, sensitive: true}
  days: {type: number, range: 1-28}
  branch: {type: choice, options: {north: [the north branch], south: [the south branch]}}
intents:
  agent: [speak to a person, get me an agent, I want a human]
knowledge:
  fines:
    questions: [what does it cost when a book is late, how much are late fees]
    answer: "A late book costs ten cents a day."
  wifi:
    questions: [do you have wifi, is there internet]
    answer: "There is free wifi in every branch."
globals:
  on: {agent: main.person}
flows:
  main:
    card: {ask: "What is your card number?", slot: card, next: talk}
    talk:
      llm: "You help readers of the city library."
      ask: "How can I help?"
      actions:
        renew: {description: the reader wants to keep a book longer, arguments: [days], next: renewed}
        visit: {description: the reader wants to come by, arguments: [branch, days], next: renewed}
      forbidden: [we guarantee]
      turns: 3
      fail: fallback
    renewed: {say: "You have it {days} days longer.", next: bye}
    fallback: {say: "Let me connect you with my colleagues.", next: person}
    person: {say: "One moment.", hang_up: transferred}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

/// A call in which the model has just been asked about late fees.
fn asked() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim.says("one two three four five six");
    sim.hear_out();
    sim.says("what does it cost when my book is late");
    assert_eq!(sim.generate.len(), 1);
    sim
}

fn part(sim: &mut Sim, part: Generated) {
    let id = sim.generate.last().unwrap().0;
    sim.input(Input::Generated { id, part });
}

fn sentence(sim: &mut Sim, text: &str) {
    part(sim, Generated::Sentence(text.to_owned()));
}

fn act(sim: &mut Sim, name: &str, arguments: &str) {
    part(sim, Generated::Action { name: name.to_owned(), arguments: arguments.to_owned() });
}

fn events(sim: &Sim) -> Vec<Event> {
    let events = sim.notes.iter().filter_map(|note| match note {
        Note::Dialog(event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

fn failed(sim: &Sim) -> Option<String> {
    events(sim).into_iter().find_map(|event| match event {
        Event::ModelFailed { problem } => Some(problem),
        _ => None,
    })
}

fn history(request: &Generate) -> Vec<(Speaker, &str)> {
    request.history.iter().map(|said| (said.by, said.text.as_str())).collect()
}

#[test]
fn the_first_sentence_is_spoken_while_the_rest_is_written() {
    let mut sim = asked();
    sim.wait(300);
    sentence(&mut sim, "Ten cents a day. [fines]");
    assert_eq!(sim.last_said(), "Ten cents a day.");
    sim.wait(500);
    assert!(sim.is_speaking());
    sentence(&mut sim, "Is there anything else?");
    part(&mut sim, Generated::Finished);
    sim.hear_out();
    assert_eq!(sim.last_said(), "Is there anything else?");
    assert_eq!(sim.stamps().len(), 2);
    assert!(sim.stamps()[1].latency_ms() < 1_500, "{}", sim.stamps()[1].latency_ms());
    let cited = events(&sim).into_iter().any(|event| event == Event::Cited { id: "fines".into() });
    assert!(cited, "{:?}", events(&sim));
}

#[test]
fn the_model_is_told_what_it_may_know_and_nothing_sensitive() {
    let sim = asked();
    let request = &sim.generate[0].1;
    assert!(request.instructions.starts_with("You help readers of the city library."));
    assert!(request.instructions.contains("[fines] what does it cost when a book is late: A late"));
    assert_eq!(
        history(request),
        [
            (Speaker::Bot, "What is your card number?"),
            (Speaker::Caller, "[withheld]"),
            (Speaker::Bot, "How can I help?"),
            (Speaker::Caller, "what does it cost when my book is late"),
        ]
    );
    let all = format!("{request:?}");
    assert!(!all.contains("123456") && !all.contains("one two three"), "{all}");
    let renew = &request.actions[0];
    assert_eq!(renew.parameters["properties"]["days"]["maximum"], 28);
}

#[test]
fn what_is_shared_is_told_and_a_number_said_again_is_not() {
    let plan = PLAN.replace("forbidden:", "share: [card]\n      forbidden:");
    let mut sim = Sim::answered(&plan);
    sim.hear_out();
    sim.says("one two three four five six");
    sim.hear_out();
    sim.says("is one two three four five six still valid");
    assert!(sim.generate[0].1.instructions.contains("- card: 123456"));
    assert!(
        history(&sim.generate[0].1).contains(&(Speaker::Caller, "one two three four five six"))
    );
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim.says("one two three four five six");
    sim.hear_out();
    sim.says("is one two three four five six still valid");
    assert_eq!(history(&sim.generate[0].1).last(), Some(&(Speaker::Caller, "[withheld]")));
}

#[test]
fn the_history_is_what_the_caller_really_heard() {
    let mut sim = asked();
    sentence(&mut sim, "A late book costs ten cents for every day.");
    sentence(&mut sim, "You can pay at any branch.");
    sim.wait(1_000);
    // Speech over the answer drops it, and what the model has not said yet.
    sim.speaks("no I mean the children's books", 1_500);
    sim.wait(1_500);
    assert_eq!(sim.stopped, [GenerateId(1)]);
    let heard = history(&sim.generate[1].1);
    let cut = heard[heard.len() - 2];
    assert_eq!(cut.0, Speaker::Bot);
    assert!(cut.1.starts_with("A late book") && cut.1.ends_with('—'), "{cut:?}");
    assert!(!heard.iter().any(|(_, text)| text.contains("any branch")), "{heard:?}");
    assert_eq!(heard.last().unwrap().1, "no I mean the children's books");
}

#[test]
fn nothing_is_said_over_a_caller_who_goes_on() {
    let mut sim = asked();
    let said = sim.said.len();
    sim.speaks("and do you have wifi", 1_000);
    sentence(&mut sim, "Ten cents a day.");
    sim.wait(400);
    assert_eq!(sim.said.len(), said);
    sim.wait(1_500);
    // The first answer is dropped: the second is asked for with both.
    assert_eq!(sim.generate.len(), 2);
    assert!(!sim.has_said("Ten cents a day."));
}

#[test]
fn a_cough_drops_nothing() {
    let mut sim = asked();
    sim.speaks("", 200);
    sentence(&mut sim, "Ten cents a day.");
    assert!(!sim.has_said("Ten cents a day."));
    sim.wait(1_500);
    assert!(sim.has_said("Ten cents a day."));
    assert_eq!(sim.generate.len(), 1);
}

#[test]
fn a_model_that_takes_its_time_is_covered_by_a_filler() {
    let mut sim = asked();
    sim.wait(1_300);
    assert_eq!(sim.last_said(), "How can I help?");
    sim.wait(400);
    assert_eq!(sim.last_said(), "One moment, please.");
    sentence(&mut sim, "Ten cents a day.");
    sim.hear_out();
    assert_eq!(sim.last_said(), "Ten cents a day.");
}

#[test]
fn one_that_never_answers_fails_at_its_deadline() {
    let mut sim = asked();
    sim.wait(26_000);
    assert!(sim.has_said("Let me connect you with my colleagues."), "{:?}", sim.said);
    assert_eq!(failed(&sim).as_deref(), Some("no answer within its deadline"));
    assert_eq!(sim.outcome.as_ref().unwrap().disposition, "transferred");
}

#[test]
fn after_the_answer_it_is_the_callers_turn_and_silence_counts() {
    let mut sim = asked();
    sentence(&mut sim, "Ten cents a day.");
    part(&mut sim, Generated::Finished);
    sim.hear_out();
    sim.wait(4_000);
    assert_eq!(sim.last_said(), "Ten cents a day.");
    sim.wait(1_500);
    assert_eq!(sim.last_said(), "Are you there?");
}

#[test]
fn an_allowed_action_with_fitting_arguments_is_done() {
    let mut sim = asked();
    act(&mut sim, "renew", r#"{"days": 14}"#);
    sim.hear_out();
    assert!(sim.has_said("You have it 14 days longer."), "{:?}", sim.said);
    let outcome = sim.outcome.as_ref().unwrap();
    assert_eq!((outcome.disposition.as_str(), outcome.slots["days"].as_str()), ("resolved", "14"));
    assert!(events(&sim).contains(&Event::Action { action: "renew".into() }));
}

#[test]
fn anything_else_that_it_would_do_is_refused() {
    for (name, arguments, why) in [
        ("delete_account", "{}", "it chose `delete_account`, which is not allowed"),
        ("renew", r#"{"days": 29}"#, "`days` of `renew` is no number in its range"),
        ("renew", r#"{"days": "two weeks"}"#, "`days` of `renew` is no number in its range"),
        ("renew", "{}", "`renew` lacks `days`"),
        ("renew", r#"{"days": 3, "fee": 0}"#, "`renew` takes no `fee`"),
        ("renew", "days=3", "the arguments of `renew` are no JSON object"),
        (
            "visit",
            r#"{"branch": "moon", "days": 1}"#,
            "`branch` of `visit` is no choice that there is",
        ),
    ] {
        let mut sim = asked();
        act(&mut sim, name, arguments);
        sim.hear_out();
        assert_eq!(failed(&sim).as_deref(), Some(why));
        assert!(sim.has_said("Let me connect you with my colleagues."));
        assert!(!sim.outcome.as_ref().unwrap().slots.contains_key("days"));
    }
}

#[test]
fn a_forbidden_phrase_is_never_spoken() {
    let mut sim = asked();
    sentence(&mut sim, "Of course.");
    sentence(&mut sim, "We guarantee that it is free.");
    sentence(&mut sim, "Anything else?");
    sim.hear_out();
    assert!(sim.has_said("Of course.") && !sim.has_said("Anything else?"));
    assert!(!sim.said.iter().any(|said| said.contains("guarantee")), "{:?}", sim.said);
    assert_eq!(failed(&sim).as_deref(), Some("it would have said “we guarantee”"));
    assert_eq!(sim.stopped, [GenerateId(1)]);
}

#[test]
fn a_forbidden_phrase_is_found_across_two_pieces() {
    let mut sim = asked();
    sentence(&mut sim, "That is something that we");
    sentence(&mut sim, "guarantee.");
    sim.hear_out();
    assert_eq!(failed(&sim).as_deref(), Some("it would have said “we guarantee”"));
}

#[test]
fn one_that_says_nothing_or_dies_has_failed() {
    for last in [Generated::Finished, Generated::Failed("the answer broke off".into())] {
        let mut sim = asked();
        part(&mut sim, last);
        sim.hear_out();
        assert!(failed(&sim).is_some() && sim.has_said("Let me connect you with my colleagues."));
    }
}

#[test]
fn what_the_dialplan_itself_understands_does_not_ask_the_model() {
    let mut sim = asked();
    sentence(&mut sim, "Ten cents a day.");
    part(&mut sim, Generated::Finished);
    sim.hear_out();
    sim.says("get me an agent");
    sim.hear_out();
    assert_eq!(sim.last_said(), "One moment.");
    assert_eq!(sim.generate.len(), 1);
}

#[test]
fn it_answers_so_many_turns_and_no_more() {
    let mut sim = asked();
    for _ in 0..2 {
        sentence(&mut sim, "Yes.");
        part(&mut sim, Generated::Finished);
        sim.hear_out();
        sim.says("and what about the other one then");
    }
    sentence(&mut sim, "Yes.");
    part(&mut sim, Generated::Finished);
    sim.hear_out();
    sim.says("and what about the other one then");
    assert_eq!(sim.generate.len(), 3);
    assert_eq!(failed(&sim).as_deref(), Some("it has answered 3 turns"));
}

#[test]
fn a_caller_who_hangs_up_stops_the_model() {
    let mut sim = asked();
    sim.hangs_up();
    assert_eq!(sim.stopped, [GenerateId(1)]);
    sentence(&mut sim, "Ten cents a day.");
    assert!(!sim.has_said("Ten cents a day."));
}

#[test]
fn keys_stop_it_too() {
    let plan = PLAN.replace("forbidden:", "keys: {\"9\": person}\n      forbidden:");
    let mut sim = Sim::answered(&plan);
    sim.hear_out();
    sim.says("one two three four five six");
    sim.hear_out();
    sim.says("what does it cost when my book is late");
    sentence(&mut sim, "Ten cents a day.");
    sim.presses("9");
    sim.hear_out();
    assert_eq!(sim.last_said(), "One moment.");
    assert_eq!(sim.stopped, [GenerateId(1)]);
}

#[test]
fn such_calls_replay_byte_for_byte() {
    let mut sim = asked();
    sentence(&mut sim, "A late book costs ten cents for every day. [fines]");
    sim.wait(1_000);
    sim.speaks("no I mean the children's books", 1_500);
    sim.wait(2_500);
    sentence(&mut sim, "They are free.");
    act(&mut sim, "renew", r#"{"days": 7}"#);
    sim.hear_out();
    assert!(sim.is_over());
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}

#[test]
fn a_node_that_leaves_its_bounds_is_refused() {
    for (from, to, said) in [
        (
            "city library.\"",
            "city library, card {card}.\"",
            "tells the model `card`, which is sensitive",
        ),
        ("      fail: fallback\n", "", "has no `fail`"),
        ("fail: fallback", "fail: talk", "giving up on `main.talk` leads back to it"),
        ("arguments: [days]", "arguments: [weeks]", "no slot `weeks`"),
        ("renew: {description", "re-new: {description", "cannot be the name of an action"),
        (
            "{description: the reader wants to come by, arguments",
            "{arguments",
            "has no `description`",
        ),
        ("turns: 3", "turns: 0", "`turns` is `0`"),
        ("turns: 3", "knowledge: 11", "`knowledge` of a talk is `11`"),
        ("turns: 3", "tern: 3", "has no field `tern`"),
        ("turns: 3", "share: [cart]", "no slot `cart`"),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let source = DialplanSource::inline("library.yaml", PLAN.replace(from, to));
        let errors = Dialplan::from_source(source).expect_err(said);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.iter().any(|error| error.contains(said)), "{said}: {errors:#?}");
    }
}
