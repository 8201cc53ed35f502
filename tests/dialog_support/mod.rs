//! Plays a written conversation against a dialplan.
//!
//! `B` is what the bot says, `C` what the caller says, `C [1]` what the caller presses,
//! `C [silence]`, `C [unclear]` and `C [hangs up]` are what they say, `= resolved` is the end.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::sync::Arc;

use hotline::{
    audio::CallTime,
    dialog::{CallFacts, Event, Input, Listen, Machine, Outcome, Output},
    dialplan::Dialplan,
    text::Hypothesis,
};

/// What a conversation came to.
pub(crate) struct Played {
    /// How it ended, if the bot ended it.
    pub(crate) outcome: Option<Outcome>,
    /// The nodes entered, in order.
    pub(crate) nodes: Vec<String>,
    /// Everything noted for the record.
    pub(crate) events: Vec<Event>,
    /// How the bot listened, in order.
    pub(crate) listens: Vec<Listen>,
    /// The dialog afterwards.
    pub(crate) machine: Machine,
}

/// Loads one of the dialplans that come with Hotline.
pub(crate) fn dialplan(name: &str) -> Arc<Dialplan> {
    let path = format!("{}/dialplans/{name}", env!("CARGO_MANIFEST_DIR"));
    Arc::new(Dialplan::load(path).unwrap_or_else(|found| panic!("{found:#?}")))
}

/// Plays the caller's lines and compares everything said with the script, word by word.
pub(crate) fn play(plan: &Arc<Dialplan>, script: &str) -> Played {
    let script: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let now = time::macros::datetime!(2026-11-23 10:05);
    let mut machine = Machine::new(Arc::clone(plan), CallFacts::new("4155550134", "1000", now));
    let mut actual: Vec<String> = Vec::new();
    let mut outputs = machine.step(CallTime::ZERO, Input::Start);
    say(&outputs, &mut actual);
    for (at, line) in script.iter().filter(|line| line.starts_with("C ")).enumerate() {
        actual.push((*line).to_owned());
        let now = CallTime::from_ms(5_000 * (at as u64 + 1));
        let step = machine.step(now, caller(&line[2..]));
        say(&step, &mut actual);
        outputs.extend(step);
    }
    assert_eq!(actual.join("\n"), script.join("\n"), "the conversation went another way");
    collect(outputs, machine)
}

fn caller(line: &str) -> Input {
    match line {
        "[silence]" => Input::NoInput,
        "[unclear]" => Input::Unclear,
        "[hangs up]" => Input::HungUp,
        _ => match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(keys) => Input::Keys(keys.to_owned()),
            None => Input::Heard(vec![Hypothesis { text: line.to_owned(), confidence: 0.9 }]),
        },
    }
}

fn say(outputs: &[Output], lines: &mut Vec<String>) {
    for output in outputs {
        match output {
            Output::Say(say) => lines.push(format!("B {}", say.phrase)),
            Output::HangUp(outcome) => lines.push(format!("= {}", outcome.disposition)),
            _ => {}
        }
    }
}

fn collect(outputs: Vec<Output>, machine: Machine) -> Played {
    let mut played =
        Played { outcome: None, nodes: vec![], events: vec![], listens: vec![], machine };
    for output in outputs {
        match output {
            Output::HangUp(outcome) => played.outcome = Some(outcome),
            Output::Listen(listen) => played.listens.push(listen),
            Output::Note(event) => {
                if let Event::Node { node } = &event {
                    played.nodes.push(node.clone());
                }
                played.events.push(event);
            }
            _ => {}
        }
    }
    played
}
