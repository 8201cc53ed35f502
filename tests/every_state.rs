//! What always holds, whatever comes in whatever state: one prompt at a time, no silence without end, and a
//! record of what was really sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod support;

use std::{collections::BTreeMap, time::Duration};

use hotline::{
    audio::CallTime,
    conversation::{Input, InvokeId, Note, PromptId, UtteranceId, journal},
    dialog::{InvokeResult, TransferResult},
    text::Hypothesis,
};
use proptest::prelude::*;
use support::Sim;

const PLAN: &str = r##"
dialplan: every-state
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
  message: text
tools:
  balance_of: {takes: [account], gives: {amount: amount}, deadline: 5s}
intents:
  agent: [get me an agent, I want a person, human please]
globals:
  on: {agent: main.person}
flows:
  main:
    greeting: {say: "This call is recorded.", barge_in: none, next: account}
    account: {ask: "What is your account number?", slot: account, next: look}
    look: {tool: balance_of, with: {account: "{account}"}, say: "Let me look.", done: tell, failed: sorry}
    tell: {say: "You owe {balance_of.amount}.", barge_in: keys, next: sure}
    sorry: {say: "I cannot look that up now.", next: sure}
    sure: {ask: "Shall I take a message?", yes: message, no: bye}
    message: {ask: "Your message, please.", slot: message, next: bye}
    person: {transfer: "4002", say: "One moment.", ring: 10s, busy: busy, failed: busy}
    busy: {say: "Nobody is free.", next: account}
    bye: {say: "Goodbye.", hang_up: resolved}
"##;

/// The longest silence that a caller who says nothing may hear: a recogniser that never answers is given
/// six seconds, a missing digit 1.7 before that.
const LONGEST_SILENCE: Duration = Duration::from_secs(9);

/// Any input that a rim could send, also one that makes no sense.
fn any_input() -> impl Strategy<Value = Input> {
    let at = || (0u64..60_000).prop_map(CallTime::from_ms);
    let words =
        prop::sample::select(vec!["yes", "four seven two", "um", "human please", "", "okay"]);
    let heard = prop::collection::vec(words, 0..3).prop_map(|texts| {
        let heard = |text: &str| Hypothesis { text: text.to_owned(), confidence: 0.9 };
        texts.into_iter().map(heard).collect::<Vec<_>>()
    });
    let result = prop::sample::select(vec![
        InvokeResult::Done(BTreeMap::from([("amount".to_owned(), "12.50".to_owned())])),
        InvokeResult::Done(BTreeMap::new()),
        InvokeResult::Failed("test".to_owned()),
    ]);
    let transferred = prop::sample::select(vec![
        TransferResult::Busy,
        TransferResult::NoAnswer,
        TransferResult::Failed,
        TransferResult::Done,
    ]);
    prop_oneof![
        Just(Input::Start),
        at().prop_map(|at| Input::SpeechLikely { at }),
        Just(Input::SpeechUnlikely),
        at().prop_map(|at| Input::SpeechStarted { at }),
        at().prop_map(|at| Input::SpeechStopped { at }),
        (1u32..12, heard).prop_map(|(id, hypotheses)| Input::Recognized {
            utterance: UtteranceId(id),
            hypotheses,
            voice: None,
        }),
        (1u32..12).prop_map(|id| Input::RecognitionFailed {
            utterance: UtteranceId(id),
            problem: "test".into()
        }),
        prop::sample::select(vec!['0', '1', '2', '9', '*', '#', 'A']).prop_map(Input::Key),
        Just(Input::Deadline),
        (at(), any::<bool>()).prop_map(|(since, ever)| Input::NoAudio { since, ever }),
        transferred.prop_map(Input::Transferred),
        (1u32..4, result).prop_map(|(id, result)| Input::Invoked { id: InvokeId(id), result }),
    ]
}

/// What a caller does, and what a rim might send wrongly.
#[derive(Debug, Clone)]
enum Doing {
    Waits(u64),
    Speaks(&'static str, u64),
    PerhapsSpeaks,
    HearsOut,
    Recognition(u64),
    Stray(Input),
    /// An answer to what was asked last.
    Answer,
}

fn doings() -> impl Strategy<Value = Vec<Doing>> {
    let texts = vec![
        "four seven two nine one five",
        "four seven two",
        "yes",
        "no",
        "um",
        "uh-huh",
        "",
        "human please",
        "I have no idea what you want from me",
    ];
    let doing = prop_oneof![
        3 => (0u64..3_000).prop_map(Doing::Waits),
        4 => (prop::sample::select(texts), 100u64..1_500).prop_map(|(text, ms)| Doing::Speaks(text, ms)),
        1 => Just(Doing::PerhapsSpeaks),
        1 => Just(Doing::HearsOut),
        1 => prop::sample::select(vec![20u64, 150, 700, 10_000]).prop_map(Doing::Recognition),
        3 => any_input().prop_map(Doing::Stray),
        1 => Just(Doing::Answer),
    ];
    prop::collection::vec(doing, 1..40)
}

fn does(sim: &mut Sim, doing: Doing) {
    match doing {
        Doing::Waits(ms) => sim.wait(ms),
        Doing::Speaks(text, ms) => sim.speaks(text, ms),
        Doing::PerhapsSpeaks => sim.perhaps_speaks(),
        Doing::HearsOut => sim.hear_out(),
        Doing::Recognition(ms) => sim.recognition = Duration::from_millis(ms),
        Doing::Stray(input) => sim.input(input),
        Doing::Answer => {
            let id = InvokeId(sim.invoked.len() as u32);
            let fields = BTreeMap::from([("amount".to_owned(), "12.50".to_owned())]);
            sim.input(Input::Invoked { id, result: InvokeResult::Done(fields) });
            sim.input(Input::Transferred(TransferResult::NoAnswer));
        }
    }
}

/// A caller who does nothing more is let go, and what is on record of the call is what happened.
fn check_to_the_end(sim: &mut Sim) {
    for _ in 0..40 {
        if sim.is_over() {
            break;
        }
        sim.wait(5_000);
        // The rim ends what it was asked to do at its own deadline.
        sim.input(Input::Transferred(TransferResult::NoAnswer));
    }
    assert!(sim.is_over(), "still waiting at {} ms", sim.now_ms());
    let mut free = 0;
    for note in &sim.notes {
        let Note::Said { prompt, from, to, sent, complete, .. } = note else { continue };
        // The frame of this tick is sent until the next.
        assert!(from <= to && to.as_ms() <= sim.now_ms() + 20);
        assert_eq!(*sent, sim.sent.get(prompt).copied().unwrap_or(0));
        assert!(!complete || *sent == support::PROMPT);
        if *sent > 0 {
            assert!(from.samples() >= free, "two prompts at once at {from}");
            free = to.samples();
        }
    }
    assert_eq!(journal::replay(&sim.journal()).unwrap().difference, None);
}

proptest! {
    #[test]
    fn whatever_callers_and_rims_do_the_call_goes_on_to_its_end(doings in doings()) {
        let mut sim = Sim::answered(PLAN);
        for doing in doings {
            does(&mut sim, doing);
        }
        check_to_the_end(&mut sim);
    }

    #[test]
    fn no_caller_hears_silence_without_end(doings in doings()) {
        let mut sim = Sim::answered(PLAN);
        // Without stray inputs: a rim that says that speech began says when it stops.
        for doing in doings.into_iter().filter(|doing| !matches!(doing, Doing::Stray(_))) {
            does(&mut sim, doing);
        }
        check_to_the_end(&mut sim);
        prop_assert!(
            sim.longest_silence <= LONGEST_SILENCE,
            "silence for {:?} at {:?}", sim.longest_silence, sim.silence_at
        );
    }
}

/// Every state that a call can be in, a sign of it, and a call that is in it.
fn states() -> Vec<(&'static str, &'static str, Sim)> {
    let mut fresh = Sim::answered(PLAN);
    fresh.wait(200);
    let legal = fresh;
    let at = |doings: &[Doing]| {
        let mut sim = Sim::answered(PLAN);
        sim.hear_out();
        doings.iter().cloned().for_each(|doing| does(&mut sim, doing));
        sim
    };
    let number = Doing::Speaks("four seven two nine one five", 900);
    let asked = || [number.clone(), Doing::Waits(200)];
    let mut over_a_question = Sim::answered(PLAN);
    over_a_question.wait(2_500);
    let over = |doings: &[Doing]| {
        let mut sim = over_a_question.clone();
        doings.iter().cloned().for_each(|doing| does(&mut sim, doing));
        sim
    };
    let begins =
        |sim: &Sim| Doing::Stray(Input::SpeechStarted { at: CallTime::from_ms(sim.now_ms()) });
    let onset = begins(&over_a_question);
    let mut typing = at(&[]);
    typing.presses("47");
    let mut ended = at(&[]);
    ended.hangs_up();
    vec![
        ("saying legal text", "barge_in: None", legal),
        ("asking", "barge_in: Any", over_a_question.clone()),
        ("ducked, perhaps for nothing", "likely: Some", over(&[Doing::PerhapsSpeaks])),
        ("ducked", "over: Ducked", over(std::slice::from_ref(&onset))),
        ("held", "over: Held", over(&[onset.clone(), Doing::Waits(200)])),
        ("interrupted", "over: Silence", over(&[onset, Doing::Waits(800)])),
        (
            "going on in doubt",
            "text: None",
            over(&[Doing::Recognition(2_000), Doing::Speaks("hm", 300), Doing::Waits(400)]),
        ),
        ("listening", "silence_since: Some", at(&[])),
        ("hearing speech", "pause: None", {
            let sim = at(&[]);
            let onset = begins(&sim);
            let mut sim = sim;
            does(&mut sim, onset);
            sim
        }),
        (
            "thinking",
            "text: None",
            at(&[Doing::Recognition(2_000), Doing::Speaks("four seven two", 500)]),
        ),
        (
            "waiting for digits",
            "why: NumberUnfinished",
            at(&[Doing::Speaks("four seven two", 500), Doing::Waits(300)]),
        ),
        ("collecting keys", "pressed: \"47\"", typing),
        ("asking a tool and speaking", "caller_speaks: false", at(&asked())),
        (
            "waiting for a tool",
            "quiet_since: Some",
            at(&[number.clone(), Doing::Waits(200), Doing::HearsOut]),
        ),
        (
            "saying a filler",
            "fillers: 1",
            at(&[number.clone(), Doing::Waits(200), Doing::HearsOut, Doing::Waits(1_800)]),
        ),
        (
            "taking a message",
            "expect: Text",
            at(&[
                number.clone(),
                Doing::Waits(200),
                Doing::Answer,
                Doing::HearsOut,
                Doing::Speaks("yes", 300),
                Doing::Waits(400),
                Doing::HearsOut,
            ]),
        ),
        (
            "handing over",
            "next: Transferring",
            at(&[Doing::Speaks("human please", 600), Doing::Waits(500), Doing::HearsOut]),
        ),
        (
            "saying goodbye",
            "next: HangUp",
            at(&[
                number.clone(),
                Doing::Waits(200),
                Doing::Answer,
                Doing::HearsOut,
                Doing::Speaks("no", 300),
                Doing::Waits(400),
            ]),
        ),
        ("over", "next: Over", ended),
    ]
}

/// One of each input, for this moment and for none.
fn inputs(sim: &Sim) -> Vec<Input> {
    let now = CallTime::from_ms(sim.now_ms());
    let heard = |text: &str| vec![Hypothesis { text: text.to_owned(), confidence: 0.9 }];
    let fields = BTreeMap::from([("amount".to_owned(), "1".to_owned())]);
    vec![
        Input::Start,
        Input::SpeechLikely { at: now },
        Input::SpeechUnlikely,
        Input::SpeechStarted { at: now },
        Input::SpeechStopped { at: now },
        Input::Recognized { utterance: UtteranceId(1), hypotheses: heard("yes"), voice: None },
        Input::Recognized { utterance: UtteranceId(999), hypotheses: Vec::new(), voice: None },
        Input::RecognitionFailed { utterance: UtteranceId(1), problem: "test".into() },
        Input::Key('1'),
        Input::Key('#'),
        Input::PlaybackStarted { prompt: PromptId(999), total: 100, ready: now },
        Input::PlaybackEnded { prompt: PromptId(999), played: 100, total: 100 },
        Input::Deadline,
        Input::NoAudio { since: now, ever: true },
        Input::Transferred(TransferResult::Busy),
        Input::Invoked { id: InvokeId(1), result: InvokeResult::Done(fields) },
        Input::Invoked { id: InvokeId(999), result: InvokeResult::Failed("test".into()) },
        Input::HungUp,
    ]
}

#[test]
fn every_input_is_accepted_in_every_state() {
    for (state, sign, sim) in states() {
        assert!(
            sim.state().contains(sign),
            "{state} is not reached: {}",
            &sim.state()[sim.state().find("timing: ").unwrap()..]
        );
        for input in inputs(&sim) {
            let mut sim = sim.clone();
            sim.input(input.clone());
            sim.wait(300);
            check_to_the_end(&mut sim);
        }
    }
}

#[test]
fn a_call_that_is_not_over_always_knows_when_it_will_do_something() {
    for (state, _, sim) in states() {
        let waits_for_others = matches!(state, "over" | "handing over") || sim.is_speaking();
        assert!(waits_for_others || sim.deadline().is_some(), "{state}");
    }
}
