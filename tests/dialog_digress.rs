//! Callers who change the subject and come back, and callers who want several things at once.

mod dialog_support;

use std::sync::Arc;

use dialog_support::play;
use hotline::{
    dialog::Event,
    dialplan::{Dialplan, DialplanSource},
};

const CENTRE: &str = r#"
dialplan: centre
version: 1
language: en
voices: {en: en-hibari}
start: main.welcome
defaults:
  no_input: ["Are you there?"]
  no_match: ["Sorry?"]
  give_up: main.bye
  resume: "Back to your question."
slots:
  phone: {type: digits, length: 4}
  house: yes_no
intents:
  balance: [what is my balance, how much money do I have, check my balance]
  rent: [can I withdraw for rent, I want to pay my rent, withdraw money for rent]
  hours: [when are you open, are you open at the weekend, opening hours]
  parking: [is there a car park, where can I park, parking]
globals:
  on: {balance: balance.phone, rent: rent.house, hours: info.hours, parking: info.parking}
flows:
  main:
    welcome: {say: "This is the centre.", next: menu}
    menu: {ask: "What can I do for you?"}
    more: {next_request: else, say: "Now to the other thing."}
    else: {ask: "Anything else?", yes: menu, no: bye}
    bye: {say: "Goodbye.", hang_up: done}
  balance:
    phone: {ask: "What is your number?", slot: phone, confirm: "That's {phone}, right?", next: tell}
    tell: {say: "You have nine pounds.", next: main.more}
  rent:
    house: {ask: "Do you own a house?", yes: no, no: "yes"}
    no: {say: "Then you cannot.", next: main.more}
    "yes": {say: "Then you can.", next: main.more}
  info:
    hours: {say: "We open at nine.", return: main.more}
    parking: {say: "Behind the house.", next: sure}
    sure: {ask: "Do you have a ticket?", yes: thanks, no: thanks}
    thanks: {say: "Good.", return: main.more}
"#;

fn centre() -> Arc<Dialplan> {
    let source = DialplanSource::inline("centre.yaml", CENTRE);
    Arc::new(Dialplan::from_source(source).unwrap_or_else(|found| panic!("{found:#?}")))
}

#[test]
fn a_question_in_between_is_answered_and_the_open_one_asked_again() {
    let played = play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C what is my balance
         B What is your number?
         C are you open at the weekend
         B We open at nine.
         B Back to your question.
         B What is your number?
         C one two three four
         B That's 1234, right?
         C yes
         B You have nine pounds.
         B Anything else?
         C no
         B Goodbye.
         = done",
    );
    let left = Event::Digression { from: "balance.phone".into() };
    assert!(played.events.contains(&left), "{:?}", played.events);
    assert!(played.events.contains(&Event::Resumed { node: "balance.phone".into() }));
}

#[test]
fn what_was_read_back_is_read_back_again() {
    play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C what is my balance
         B What is your number?
         C one two three four
         B That's 1234, right?
         C when are you open
         B We open at nine.
         B Back to your question.
         B That's 1234, right?
         C yes
         B You have nine pounds.
         B Anything else?",
    );
}

#[test]
fn a_digression_may_have_questions_and_digressions_of_its_own() {
    play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C what is my balance
         B What is your number?
         C where can I park
         B Behind the house.
         B Do you have a ticket?
         C can I withdraw for rent
         B Do you own a house?
         C when are you open
         B We open at nine.
         B Back to your question.
         B Do you own a house?
         C no
         B Then you can.
         B Anything else?",
    );
}

#[test]
fn an_answer_at_the_menu_is_no_digression() {
    let played = play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C opening hours
         B We open at nine.
         B Anything else?",
    );
    assert!(!played.events.iter().any(|e| matches!(e, Event::Digression { .. })));
}

#[test]
fn two_wishes_in_one_breath_are_served_one_after_the_other() {
    play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C I want to check my balance and also can I withdraw for rent
         B What is your number?
         C one two three four
         B That's 1234, right?
         C yes
         B You have nine pounds.
         B Now to the other thing.
         B Do you own a house?
         C no
         B Then you can.
         B Anything else?
         C no
         B Goodbye.
         = done",
    );
}

#[test]
fn a_wish_that_was_served_in_between_is_not_served_twice() {
    play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C check my balance and also opening hours
         B What is your number?
         C when are you open
         B We open at nine.
         B Back to your question.
         B What is your number?
         C one two three four
         B That's 1234, right?
         C yes
         B You have nine pounds.
         B Anything else?",
    );
}

#[test]
fn the_end_of_a_word_joins_no_request_to_a_yes() {
    play(
        &centre(),
        "B This is the centre.
         B What can I do for you?
         C I want to pay my rent
         B Do you own a house?
         C yes I understand my balance
         B Then you cannot.
         B Anything else?",
    );
}
