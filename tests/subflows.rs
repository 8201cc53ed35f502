//! Flows that others go through: what they take and give, and what the checker refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::sync::Arc;

use hotline::{
    dialplan::{Dialplan, DialplanSource},
    simulate::{Played, Player, Suite},
};

/// Asks for two numbers by one sub-flow, which goes through another.
const DESK: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.mine
intents:
  hours: [when are you open, opening hours, are you open today]
slots:
  mine: {type: digits, length: 4}
  theirs: {type: digits, length: 4}
  code: {type: digits, length: 4}
  whose: text
  tries: counter
defaults: {no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.lost}
globals: {on: {hours: main.hours}}
flows:
  main:
    mine: {do: number, with: {whose: your}, gives: {mine: code}, then: {known: theirs, unknown: lost}}
    theirs: {do: number, with: {whose: "your friend's, not {mine:digits},"}, gives: {theirs: code}, then: {known: told, unknown: lost}}
    told: {say: "{mine} and {theirs}.", next: bye}
    hours: {say: "Nine to five.", return: bye}
    lost: {say: "Pity.", hang_up: lost}
    bye: {say: "Goodbye.", hang_up: resolved}
  number:
    takes: [whose]
    own: [code, tries]
    ask: {ask: "What is {whose} number?", slot: code, next: check}
    check: {do: judge, with: {}, then: {good: fine, bad: again}}
    again: {count: tries, limit: 2, reached: none, next: say_again}
    say_again: {say: "That is no number.", next: ask}
    fine: {finish: known}
    none: {say: "Never mind.", finish: unknown}
  judge:
    test: {when: [{if: "code != '0000'", next: good}], else: bad}
    good: {finish: good}
    bad: {finish: bad}
"#;

fn plan(text: &str) -> Arc<Dialplan> {
    let source = DialplanSource::inline("desk.yaml", text);
    Arc::new(Dialplan::from_source(source).unwrap_or_else(|e| panic!("{e:#?}")))
}

fn play(lines: &str) -> Played {
    let text = format!("dialplan: x.yaml\ntests: {{a: {{call: [{lines}]}}}}\n");
    let suite = Suite::parse("x.test.yaml", &text).unwrap_or_else(|e| panic!("{e:#?}"));
    let played = Player::run(&plan(DESK), &suite.scripts[0]);
    assert_eq!(played.problems, []);
    played
}

/// What is wrong with the dialplan when `from` is `to`.
fn found(from: &str, to: &str) -> String {
    assert!(DESK.contains(from), "{from}");
    let source = DialplanSource::inline("desk.yaml", DESK.replacen(from, to, 1));
    let found = match Dialplan::from_source(source) {
        Ok(plan) => plan.warnings().to_vec(),
        Err(found) => found,
    };
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_has_no_fault() {
    assert_eq!(plan(DESK).warnings(), []);
}

#[test]
fn one_flow_asks_for_two_values_and_leaves_its_own_behind() {
    let played = play(
        r#"{bot: "What is your number?"}, {caller: one two three four},
           {bot: "What is your friend's, not 1234, number?"}, {caller: five six seven eight},
           {bot: "1234 and 5678."}, {bot: Goodbye.}"#,
    );
    let outcome = played.outcome.unwrap();
    let slots: Vec<&str> = outcome.slots.keys().map(String::as_str).collect();
    assert_eq!((outcome.disposition.as_str(), slots), ("resolved", vec!["mine", "theirs"]));
}

#[test]
fn each_time_through_counts_anew() {
    let played = play(
        r#"{caller: zero zero zero zero}, {bot: That is no number.}, {bot: …},
           {caller: one two three four}, {bot: …},
           {caller: zero zero zero zero}, {bot: That is no number.}, {bot: …},
           {caller: zero zero zero zero}, {bot: Never mind.}, {bot: Pity.}"#,
    );
    assert_eq!(played.outcome.unwrap().disposition, "lost");
}

#[test]
fn a_digression_from_inside_comes_back_inside() {
    let played = play(
        r#"{bot: "What is your number?"}, {caller: when are you open}, {bot: Nine to five.},
           {bot: "Now, back to where we were."}, {bot: "What is your number?"},
           {caller: one two three four}, {bot: "What is your friend's, not 1234, number?"},
           {caller: five six seven eight}, {bot: "1234 and 5678."}, {bot: Goodbye.}"#,
    );
    assert_eq!(played.outcome.unwrap().disposition, "resolved");
}

#[test]
fn giving_up_inside_leaves_every_sub_flow() {
    let played = play("{bot: …}, silence, {bot: …}, silence, {bot: Pity.}");
    assert_eq!(played.outcome.unwrap().disposition, "lost");
}

#[test]
fn misuse_is_named_with_its_place_and_a_remedy() {
    for (from, to, expected) in [
        (
            "do: number, with: {whose: your}",
            "do: numbr, with: {whose: your}",
            "desk.yaml:18:16: error: no flow `numbr`\n  help: did you mean `number`?",
        ),
        (
            "with: {whose: your}",
            "with: {}",
            "desk.yaml:18:5: error: node `main.mine`: `number` takes `whose`, which is not given",
        ),
        ("with: {}", "with: {mine: \"1\"}", "node `number.check`: `judge` does not take `mine`"),
        (
            "then: {known: theirs, unknown: lost}",
            "then: {known: theirs}",
            "node `main.mine`: `number` can finish with `unknown`, and nothing says what follows",
        ),
        (
            "then: {good: fine, bad: again}",
            "then: {good: fine, bad: again, ugly: again}",
            "node `number.check`: `judge` never finishes with `ugly`",
        ),
        ("then: {good: fine, bad: again}", "hang_up: x", "`do` needs either `next` or `then`"),
        ("gives: {mine: code}", "gives: {mine: whose}", "`mine` and `whose` are not of one type"),
        (
            "code: {type: digits, length: 4}",
            "code: {type: digits, length: 4, sensitive: true}",
            "`code` is sensitive and `mine` is not",
        ),
        (
            "hours: {say: \"Nine to five.\", return: bye}",
            "hours: {say: \"Nine to five.\", next: number.ask}",
            "node `main.hours` leads into the middle of `number`",
        ),
        (
            "fine: {finish: known}",
            "fine: {next: main.bye}",
            "node `number.fine` leads out of its sub-flow to `main.bye`",
        ),
        (
            "hours: main.hours",
            "hours: number.ask",
            "calls are led to `number.ask` in the middle of `number`",
        ),
        (
            "good: {finish: good}",
            "good: {do: number, with: {whose: x}, next: bad}",
            "sub-flows go round in a ring",
        ),
        ("own: [code, tries]", "own: [cod, tries]", "desk.yaml:26:11: error: no slot `cod`"),
        ("else: bad}", "else: test}", "the call would go round for ever: judge.test …"),
        (
            "then: {good: fine, bad: again}}\n    again",
            "then: {good: fine, bad: check}}\n    again",
            "the call would go round for ever: number.check …",
        ),
    ] {
        let found = found(from, to);
        assert!(found.contains(expected), "{to}: expected\n{expected}\nfound\n{found}");
        assert!(found.contains("\n  help: "), "{found}");
    }
}
