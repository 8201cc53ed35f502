//! Expressions in dialplans: conditions and sums over what is known in the call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::sync::Arc;

use hotline::{
    dialplan::{Dialplan, DialplanSource},
    simulate::{Player, Suite},
};

/// A dialplan that asks a tool what is owed and counts with it; `nodes` are its first ones.
fn source(nodes: &str) -> DialplanSource {
    let text = format!(
        "dialplan: sums
version: 1
language: en
voices: {{en: en-hibari}}
start: main.ask
defaults: {{no_input: [Hello?], no_match: [Sorry?], give_up: main.end}}
slots:
  first: text
  code: {{type: digits, length: 4}}
tools:
  owed: {{takes: [], gives: {{amount: amount, due: date, parts: number}}}}
flows:
  main:
    ask: {{tool: owed, done: begin, failed: end}}
    end: {{say: \"Goodbye.\", hang_up: done}}
    yes: {{say: \"It holds.\", hang_up: held}}
    code: {{ask: \"Code?\", slot: code, next: end}}
{nodes}"
    );
    DialplanSource::inline("sums.yaml", text)
}

/// How a call ends in which the tool gives `fields`, and what `first` is then.
fn ends(nodes: &str, fields: &str) -> (String, Option<String>) {
    let plan = Arc::new(Dialplan::from_source(source(nodes)).unwrap_or_else(|e| panic!("{e:#?}")));
    let script = format!(
        "dialplan: x.yaml\ntools: {{owed: {{gives: {fields}}}}}\ntests: {{a: {{call: [bot: …]}}}}\n"
    );
    let suite = Suite::parse("sums.test.yaml", &script).unwrap();
    let outcome = Player::run(&plan, &suite.scripts[0]).outcome.expect("it ends by itself");
    (outcome.disposition, outcome.slots.get("first").cloned())
}

fn holds(expression: &str, fields: &str) -> bool {
    let nodes = format!("    begin: {{when: [{{if: \"{expression}\", next: yes}}], else: end}}\n");
    ends(&nodes, fields).0 == "held"
}

fn errors(nodes: &str) -> String {
    let found = Dialplan::from_source(source(nodes)).expect_err("it is wrong");
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const OWED: &str = "{amount: \"132.48\", due: \"2026-11-28\", parts: \"3\"}";

#[test]
fn a_condition_compares_money_dates_and_numbers() {
    assert!(holds("owed.amount > money('100')", OWED));
    assert!(!holds("owed.amount > money('132.48')", OWED));
    assert!(holds("days(call.date, owed.due) == 5", OWED));
    assert!(holds("owed.parts in [2, 3] && call.weekday == 'mon'", OWED));
}

#[test]
fn what_is_not_known_holds_no_condition() {
    assert!(!holds("owed.amount > 0", "{due: \"2026-11-28\"}"));
    assert!(holds("owed.amount == null", "{due: \"2026-11-28\"}"));
    assert!(holds("code == null", OWED));
}

#[test]
fn a_slot_is_set_to_what_was_computed() {
    let nodes = "    begin: {set: {first: {expr: \"owed.parts > 2 ? add_days(owed.due, 30) : owed.due\"}}, next: end}\n";
    assert_eq!(ends(nodes, OWED).1.as_deref(), Some("2026-12-28"));
}

#[test]
fn the_checker_tells_what_an_expression_can_never_give() {
    for (expression, told) in [
        ("owed.amount >", "`if` cannot be read"),
        ("owed.sum > 3", "`if` cannot give true or false"),
        ("owed.amount + 1", "it gives a number"),
        ("owed.due > 3", "`if` cannot give true or false"),
        ("balance > 3", "names `balance`, which is no slot, table or tool"),
    ] {
        let nodes =
            format!("    begin: {{when: [{{if: \"{expression}\", next: yes}}], else: end}}\n");
        let errors = errors(&nodes);
        assert!(errors.contains(told), "{expression}: {errors}");
        assert!(errors.contains("sums.yaml:18:"), "{errors}");
    }
}
