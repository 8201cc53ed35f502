//! What somebody outside of a call has its conversation do: say, play, set, hand over, take over, mute.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod support;

use std::time::Duration;

use hotline::{
    conversation::{ClipId, Input, Note, Order, Refusal, journal},
    dialog::{Event, Transfer, TransferMode, TransferResult},
    text::Lang,
};
use proptest::prelude::*;
use support::Sim;

const PLAN: &str = r##"
dialplan: orders
version: 1
language: en
voices: {en: en-hibari}
start: main.greeting
defaults:
  wait: 5s
  no_input: ["Are you there?"]
  no_match: ["I did not get that."]
  give_up: main.bye
  resume: "Now then."
limits: {turns: 40, then: main.bye}
slots:
  account: {type: digits, length: 6, sensitive: true}
  name: {type: text, given: true}
flows:
  main:
    greeting: {say: "This call is recorded.", barge_in: none, next: account}
    account: {ask: "What is your account number?", slot: account, next: sure}
    sure: {ask: "Shall I go on, {name}?", yes: bye, no: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

fn at_the_question() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.hear_out();
    sim
}

fn say(text: &str, interrupt: bool) -> Order {
    Order::Say { text: text.into(), lang: None, interrupt, barge_in: true }
}

fn to_the_desk(mode: TransferMode) -> Transfer {
    Transfer { to: "4002".into(), mode, ring: Duration::from_secs(10) }
}

fn replays(sim: &Sim) {
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}

/// What the record says of a sentence: the node, and whether it was said to its end.
fn said(sim: &Sim, words: &str) -> Option<(String, bool)> {
    sim.notes.iter().find_map(|note| match note {
        Note::Said { text, node, complete, .. } if text == words => Some((node.clone(), *complete)),
        _ => None,
    })
}

#[test]
fn a_sentence_is_said_after_what_is_being_said_and_the_question_stays_open() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(500);
    sim.order(say("Your agent says hello.", false)).unwrap();
    sim.hear_out();
    let order =
        ["This call is recorded.", "What is your account number?", "Your agent says hello."];
    assert_eq!(sim.said, order);
    assert_eq!(said(&sim, order[2]), Some(("operator".into(), true)));
    sim.says("four seven two nine one five");
    sim.hear_out();
    assert_eq!(sim.last_said(), "Shall I go on, ?");
    replays(&sim);
}

#[test]
fn an_interruption_cuts_even_a_legal_text_and_the_record_says_so() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(500);
    sim.order(say("Please hold on.", true)).unwrap();
    sim.hear_out();
    assert_eq!(said(&sim, "This call is recorded."), Some(("main.greeting".into(), false)));
    assert_eq!(said(&sim, "Please hold on."), Some(("operator".into(), true)));
    replays(&sim);
}

#[test]
fn nobody_is_spoken_over_unless_that_was_ordered() {
    let mut sim = at_the_question();
    sim.input(Input::SpeechStarted { at: hotline::audio::CallTime::from_ms(sim.now_ms()) });
    sim.order(say("One thing.", false)).unwrap();
    sim.wait(500);
    assert!(!sim.has_said("One thing.") && !sim.is_speaking());
    sim.order(say("Sorry to interrupt.", true)).unwrap();
    assert!(sim.is_speaking());
    sim.hear_out();
    assert!(sim.has_said("One thing."), "what waited is not lost");
    replays(&sim);
}

#[test]
fn silence_counts_from_the_end_of_what_was_ordered() {
    let mut sim = at_the_question();
    sim.wait(4_000);
    sim.order(say("Take your time.", false)).unwrap();
    sim.hear_out();
    sim.wait(4_800);
    assert!(!sim.has_said("Are you there?"));
    sim.wait(400);
    assert!(sim.has_said("Are you there?"));
    replays(&sim);
}

#[test]
fn a_caller_may_cut_an_ordered_sentence_short_only_if_that_is_allowed() {
    let mut sim = at_the_question();
    sim.order(Order::Say {
        text: "This must be heard.".into(),
        lang: None,
        interrupt: false,
        barge_in: false,
    })
    .unwrap();
    sim.wait(300);
    sim.presses("4");
    assert!(sim.is_speaking(), "a key does not cut it");
    sim.hear_out();
    assert_eq!(said(&sim, "This must be heard."), Some(("operator".into(), true)));
    replays(&sim);
}

#[test]
fn a_clip_is_queued_and_recorded_like_a_prompt() {
    let mut sim = at_the_question();
    let clip = Order::Play { clip: ClipId(1), name: "closing".into(), interrupt: false };
    sim.order(clip).unwrap();
    sim.hear_out();
    assert_eq!(
        (sim.last_said(), said(&sim, "[closing]")),
        ("clip 1", Some(("operator".into(), true)))
    );
    replays(&sim);
}

#[test]
fn what_is_no_sentence_or_no_language_of_the_dialplan_is_refused() {
    let sim = &mut at_the_question();
    for text in ["", " ?! ", &"a".repeat(1_001)] {
        assert_eq!(sim.order(say(text, false)), Err(Refusal::Sentence), "{text}");
    }
    let zh =
        Order::Say {
            text: "你好".into(), lang: Some(Lang::Zh), interrupt: false, barge_in: true
        };
    assert_eq!(sim.order(zh), Err(Refusal::Language(Lang::Zh)));
}

#[test]
fn a_value_is_taken_as_the_caller_might_have_given_it() {
    let mut sim = at_the_question();
    let set = |slot: &str, value: &str| Order::Set { slot: slot.into(), value: value.into() };
    sim.order(set("name", "Ms Li")).unwrap();
    sim.order(set("account", "472915")).unwrap();
    assert!(matches!(sim.order(set("account", "47")), Err(Refusal::Slot(_))));
    assert!(matches!(sim.order(set("acount", "472915")), Err(Refusal::Slot(_))));
    let noted = |value: &str| {
        sim.notes.iter().any(
            |note| matches!(note, Note::Dialog(Event::Slot { value: noted, .. }) if noted == value),
        )
    };
    assert!(noted("Ms Li") && noted("****15"), "sensitive values are masked: {:?}", sim.notes);
    sim.says("four seven two nine one five");
    sim.hear_out();
    assert_eq!(sim.last_said(), "Shall I go on, Ms Li?");
    replays(&sim);
}

#[test]
fn a_value_given_while_the_turn_is_being_decided_counts_in_its_answer() {
    let mut sim = at_the_question();
    sim.recognition = Duration::from_millis(20);
    sim.speaks("four seven two nine one five", 600);
    sim.wait(40);
    let set = Order::Set { slot: "name".into(), value: "Mr Wu".into() };
    sim.order(set).unwrap();
    sim.wait(1_000);
    assert_eq!(sim.last_said(), "Shall I go on, Mr Wu?");
    replays(&sim);
}

#[test]
fn a_transfer_by_order_ends_the_call_or_comes_back_to_the_question() {
    for (result, outcome) in
        [(TransferResult::Done, Some("transferred")), (TransferResult::Busy, None)]
    {
        let mut sim = at_the_question();
        let transfer = to_the_desk(TransferMode::Bridge);
        sim.order(Order::HandOver(transfer.clone())).unwrap();
        assert_eq!(sim.transfers, std::slice::from_ref(&transfer));
        assert_eq!(sim.order(say("Hello?", false)), Err(Refusal::Away));
        assert_eq!(sim.order(Order::HandOver(transfer)), Err(Refusal::Away));
        sim.input(Input::Transferred(result));
        sim.hear_out();
        assert_eq!(sim.outcome.as_ref().map(|o| o.disposition.as_str()), outcome);
        if outcome.is_none() {
            assert_eq!(sim.said[2..], ["Now then.", "What is your account number?"]);
        }
        replays(&sim);
    }
}

#[test]
fn a_call_that_was_taken_over_is_silent_until_it_is_given_back() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(500);
    let by = to_the_desk(TransferMode::TakeOver);
    sim.order(Order::TakeOver(Some(by.clone()))).unwrap();
    assert!(!sim.is_speaking(), "the bot falls silent at once");
    assert_eq!(sim.transfers, [by]);
    sim.wait(30_000);
    sim.presses("472915");
    assert_eq!(sim.said.len(), 2, "nobody listens: {:?}", sim.said);
    sim.input(Input::Transferred(TransferResult::GivenBack));
    sim.hear_out();
    assert_eq!(sim.said[2..], ["Now then.", "What is your account number?"]);
    replays(&sim);
}

#[test]
fn who_takes_over_in_writing_speaks_by_order() {
    let mut sim = at_the_question();
    sim.order(Order::TakeOver(None)).unwrap();
    sim.wait(20_000);
    assert_eq!(sim.said.len(), 2, "no question, no reminder: {:?}", sim.said);
    sim.order(say("This is Anna.", false)).unwrap();
    sim.hear_out();
    assert_eq!(sim.last_said(), "This is Anna.");
    assert_eq!(sim.order(Order::TakeOver(None)), Err(Refusal::Away));
    sim.input(Input::Transferred(TransferResult::GivenBack));
    sim.hear_out();
    assert_eq!(sim.last_said(), "What is your account number?");
    sim.says("four seven two nine one five");
    sim.hear_out();
    assert_eq!(sim.last_said(), "Shall I go on, ?");
    replays(&sim);
}

#[test]
fn a_muted_bot_keeps_its_place() {
    let mut sim = Sim::answered(PLAN);
    sim.wait(500);
    sim.order(Order::MuteBot(true)).unwrap();
    sim.wait(10_000);
    assert_eq!(sim.said.len(), 2);
    assert!(sim.is_speaking() && !sim.has_said("Are you there?"));
    sim.order(Order::MuteBot(false)).unwrap();
    sim.hear_out();
    let said = sim.notes.iter().find_map(|note| match note {
        Note::Said { from, to, complete, .. } => Some((to.since(*from).as_millis(), *complete)),
        _ => None,
    });
    assert_eq!(said, Some((12_000, true)), "two seconds of prompt, and ten of waiting");
    replays(&sim);
}

#[test]
fn a_dialog_that_is_over_takes_no_orders() {
    let mut sim = at_the_question();
    sim.hangs_up();
    for order in [say("Hello?", true), Order::TakeOver(None), Order::MuteBot(true)] {
        assert_eq!(sim.order(order), Err(Refusal::Over));
    }
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        any::<bool>().prop_map(|interrupt| say("Listen.", interrupt)),
        (1u32..9, any::<bool>()).prop_map(|(clip, interrupt)| Order::Play {
            clip: ClipId(clip),
            name: "clip".into(),
            interrupt
        }),
        prop_oneof![Just("name"), Just("account"), Just("nothing")]
            .prop_map(|slot| Order::Set { slot: slot.into(), value: "472915".into() }),
        Just(Order::HandOver(to_the_desk(TransferMode::Bridge))),
        Just(Order::TakeOver(Some(to_the_desk(TransferMode::TakeOver)))),
        Just(Order::TakeOver(None)),
        any::<bool>().prop_map(Order::MuteBot),
    ]
}

proptest! {
    /// Orders between all that callers do: whatever is accepted or refused, the call goes on to its end and replays.
    #[test]
    fn any_order_at_any_moment_replays(
        steps in proptest::collection::vec((0u64..2_500, 0u8..9, any_order()), 1..40)
    ) {
        let mut sim = Sim::answered(PLAN);
        for (wait, kind, order) in steps {
            sim.wait(wait);
            match kind {
                0 => sim.speaks("four seven two nine one five", 400),
                1 => sim.speaks("yes", 200),
                2 => sim.perhaps_speaks(),
                3 => sim.input(Input::Key('4')),
                4 => sim.input(Input::Transferred(TransferResult::GivenBack)),
                // A refused order is an input without effect.
                5 => sim.input(Input::Order(order)),
                _ => drop(sim.order(order)),
            }
        }
        let _ = sim.order(Order::MuteBot(false));
        sim.input(Input::Transferred(TransferResult::Failed));
        sim.wait(30_000);
        sim.input(Input::Transferred(TransferResult::Failed));
        sim.wait(150_000);
        prop_assert!(sim.is_over(), "still waiting at {} ms: {:?}", sim.now_ms(), sim.said);
        let mut free = 0;
        for note in &sim.notes {
            let Note::Said { prompt, from, to, sent, .. } = note else { continue };
            prop_assert!(from <= to);
            prop_assert_eq!(*sent, sim.sent.get(prompt).copied().unwrap_or(0));
            if *sent > 0 {
                prop_assert!(from.samples() >= free, "two prompts at once at {}", from);
                free = to.samples();
            }
        }
        prop_assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
    }
}
