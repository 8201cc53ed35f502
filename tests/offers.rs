//! What is recommended to whom: never what does not suit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{fmt::Write as _, sync::Arc};

use hotline::{
    audio::CallTime,
    dialog::{CallFacts, Event, Input, Machine, OfferAnswer, OfferMade, Output},
    dialplan::{Dialplan, DialplanSource},
    text::Hypothesis,
};
use proptest::prelude::*;

/// A dialplan that recommends one of `offers`, `(grade, score)` each, to a caller of that grade.
fn plan(offers: &[(u8, i32)], caller: &str) -> Result<Dialplan, String> {
    let mut text = format!(
        r#"dialplan: offers
version: 1
language: en
voices: {{en: en-hibari}}
start: main.who
slots: {{offered: text, grade: text, stop: text}}
sentiment: {{}}
defaults: {{no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.bye}}
flows:
  main:
    who: {{set: {{grade: "{caller}", stop: "no"}}, next: first}}
    first: {{ask: "What can I do?", slot: stop, next: suggest}}
    suggest:
      offer: all
      unless: "stop == 'no offers'"
      grade: "{{grade}}"
      slot: offered
      yes: again
      no: again
      none: bye
    again: {{next: suggest}}
    bye: {{say: "Goodbye.", hang_up: done}}
offers:
"#
    );
    for (at, (grade, score)) in offers.iter().enumerate() {
        let _ = writeln!(
            text,
            "  p{at}: {{pitch: \"Product {at}?\", grade: R{grade}, score: \"{score}\"}}"
        );
    }
    let found = Dialplan::from_source(DialplanSource::inline("offers.yaml", text));
    found.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Plays a call in which the caller says `lines`; the events, and the names of what was offered.
fn play(plan: Dialplan, lines: &[&str]) -> (Vec<Event>, Vec<OfferMade>) {
    let now = time::macros::datetime!(2026-11-23 10:05);
    let mut machine = Machine::new(Arc::new(plan), CallFacts::new("100", "1000", now));
    let mut outputs = machine.step(CallTime::ZERO, Input::Start);
    for (at, line) in lines.iter().enumerate() {
        let heard = Hypothesis { text: (*line).to_owned(), confidence: 0.9 };
        let now = CallTime::from_ms(5_000 * (at as u64 + 1));
        outputs.extend(machine.step(now, Input::Heard(vec![heard])));
    }
    let events = outputs.into_iter().filter_map(|output| match output {
        Output::Note(event) => Some(event),
        _ => None,
    });
    (events.collect(), machine.outcome("x").offers)
}

fn names(made: &[OfferMade]) -> Vec<&str> {
    made.iter().map(|made| made.offer.as_str()).collect()
}

proptest! {
    #[test]
    fn a_caller_is_never_offered_what_is_above_the_grade(
        offers in prop::collection::vec((1..=5_u8, -50..50_i32), 1..8),
        caller in prop_oneof![Just(None), (1..=5_u8).prop_map(Some)],
        answers in prop::collection::vec(prop_oneof![Just("yes"), Just("no")], 0..8),
    ) {
        let grade = caller.map_or("unknown".to_owned(), |grade| format!("C{grade}"));
        let lines: Vec<&str> = ["anything"].into_iter().chain(answers).collect();
        let (_, made) = play(plan(&offers, &grade).unwrap(), &lines);
        let mut seen = std::collections::BTreeSet::new();
        for name in names(&made) {
            let at: usize = name[1..].parse().unwrap();
            prop_assert!(caller.is_some_and(|grade| offers[at].0 <= grade), "{name} to {caller:?}");
            prop_assert!(seen.insert(name.to_owned()), "{name} twice");
        }
        // The best comes first.
        let allowed = offers.iter().filter(|(grade, _)| caller.is_some_and(|has| *grade <= has));
        let best = allowed.map(|(_, score)| *score).max();
        let first = made.first().map(|made| offers[made.offer[1..].parse::<usize>().unwrap()].1);
        prop_assert_eq!(first, best);
    }
}

#[test]
fn a_caller_of_grade_two_is_never_offered_grade_four() {
    let offers = [(4, 90), (2, 10), (5, 80), (1, 5)];
    let (events, made) = play(plan(&offers, "R2").unwrap(), &["anything", "no", "no", "no"]);
    assert_eq!(names(&made), ["p1", "p3"]);
    assert!(events.contains(&Event::NoOffer { why: "none_suits".into() }));
}

#[test]
fn each_offer_and_its_answer_are_in_the_outcome() {
    let (events, made) =
        play(plan(&[(1, 3), (1, 2), (1, 1)], "R1").unwrap(), &["anything", "yes", "no"]);
    let answers: Vec<OfferAnswer> = made.iter().map(|made| made.answer).collect();
    assert_eq!(answers, [OfferAnswer::Accepted, OfferAnswer::Declined, OfferAnswer::Unanswered]);
    let told = events.iter().filter(|event| matches!(event, Event::OfferAnswered(_))).count();
    assert_eq!(told, 2);
}

#[test]
fn who_wants_none_or_is_angry_gets_none() {
    let reason = |lines: &[&str]| {
        let (events, made) = play(plan(&[(1, 1)], "R3").unwrap(), lines);
        assert_eq!(made, []);
        events.into_iter().find_map(|event| match event {
            Event::NoOffer { why } => Some(why),
            _ => None,
        })
    };
    assert_eq!(reason(&["no offers"]).as_deref(), Some("opted_out"));
    let angry = "you liars, this is a scam and a disgrace, I am furious";
    assert_eq!(reason(&[angry]).as_deref(), Some("negative"));
}

#[test]
fn a_grade_without_the_callers_is_refused() {
    let text = plan(&[(4, 1)], "R1").map(|plan| plan.source().text.clone()).unwrap();
    let without = text.replace("      grade: \"{grade}\"\n", "");
    let errors = Dialplan::from_source(DialplanSource::inline("offers.yaml", without)).unwrap_err();
    assert!(
        errors.iter().any(|e| e.to_string().contains("offer `p0` has a grade of risk")),
        "{errors:?}"
    );
}
