//! Wrong dialplans: each kind gives one error, at its place, with a remedy.

use hotline::dialplan::{Dialplan, DialplanSource, Severity};

const GOOD: &str = r#"dialplan: example
version: 1
language: en
voices: {en: en-hibari}
start: main.hello
required: {recording notice: [recorded]}
slots:
  account: {type: digits, length: 6-8}
  owed: money
  tries: counter
tables:
  accounts:
    key: account
    rows:
      - {account: "123456", balance: "10.50", due: "2026-11-28"}
tools:
  bill: {takes: [account], gives: {amount: amount}}
calendars:
  office: {hours: {mon-fri: "09:00-17:00"}}
intents:
  balance: [my balance, what do I owe, how much is it]
  bye: [goodbye, bye bye, that is all]
knowledge:
  parking: {questions: [where can I park, is there a car park], answer: "Behind the house."}
defaults: {wait: 5s, no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.bye}
limits: {turns: 30, then: main.bye}
globals: {on: {bye: main.bye}, keys: {"0": main.bye}}
flows:
  main:
    hello: {say: "This call is recorded.", barge_in: none, next: menu}
    menu: {ask: "How can I help?", on: {balance: account}}
    account: {ask: "Which account?", slot: account, confirm: "{account}, right?", next: count}
    count: {count: tries, limit: 3, reached: bye, next: find}
    find: {lookup: accounts, key: "{account}", found: open, missing: account}
    open: {when: [{open: office, next: ask_tool}, {if: "owed > money('5')", next: bye}], else: tell}
    ask_tool: {tool: bill, with: {account: "{account}"}, done: owed, failed: tell}
    owed: {set: {owed: {expr: "bill.amount / 2"}}, next: half}
    half: {do: announce, next: tell}
    tell: {say: "You owe {accounts.balance:amount}, due {accounts.due:date}.", next: more}
    more: {ask: "Anything else?", yes: menu, no: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
  announce:
    half: {say: "Half of it is {owed}.", finish: said}
"#;

fn errors(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from:?} is not in the example");
    match Dialplan::from_source(DialplanSource::inline("p.yaml", GOOD.replacen(from, to, 1))) {
        Ok(plan) => panic!("{to:?} is no error; warnings: {:#?}", plan.warnings()),
        Err(found) => {
            let errors = found.iter().filter(|found| found.severity == Severity::Error);
            errors.map(ToString::to_string).collect()
        }
    }
}

#[test]
fn the_example_has_no_fault() {
    let plan = Dialplan::from_source(DialplanSource::inline("p.yaml", GOOD));
    let plan = plan.unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(plan.warnings(), []);
}

#[test]
fn each_kind_of_fault_gives_one_error() {
    let kinds = [
        ("voices: {en: en-hibari}", "voices: {en: en-hibari", "YAML syntax"),
        ("version: 1", "version: one", "`version` is `one`"),
        ("language: en", "language: xx", "no language `xx`"),
        ("start: main.hello", "start: main.helo", "no node `main.helo`"),
        ("version: 1\n", "version: 1\nversion: 2\n", "`version` is here twice"),
        ("limits: {", "limit: {turns: 3}\nlimits: {", "the dialplan has no field `limit`"),
        (
            "[recorded]",
            "[monitored]",
            "callers come to `main.menu` without having heard the required `recording notice`",
        ),
        ("length: 6-8", "length: 8-6", "`8-6` is not a number of digits"),
        ("owed: money", "owed: cash", "no slot type `cash`"),
        ("key: account\n", "key: acount\n", "no column `acount`"),
        ("gives: {amount: amount}", "gives: {amount: sum}", "`sum`"),
        ("09:00-17:00", "9 to 5", "`9 to 5` is not hours of a day"),
        ("[my balance, what do I owe, how much is it]", "[]", "intent `balance` has nothing in en"),
        (", answer: \"Behind the house.\"", "", "`parking` in `knowledge` has no `answer`"),
        ("wait: 5s", "wait: soon", "`wait` is `soon`, which is not a duration"),
        (
            ", then: main.bye}\nglobals",
            ", then: main.menu}\nglobals",
            "after too many turns the call would ask `main.menu`",
        ),
        ("{bye: main.bye}", "{by: main.bye}", "no intent `by`"),
        ("{\"0\": main.bye}", "{\"00\": main.bye}", "`00` is not a key of a telephone"),
        ("slot: account,", "slot: acount,", "no slot `acount`"),
        ("How can I help?", "", "`ask` says nothing in en"),
        ("{account}, right?", "{account, right?", "a brace without its partner"),
        ("count: tries", "count: owed", "slot `owed` is not a counter"),
        ("lookup: accounts", "lookup: acounts", "no table `acounts`"),
        ("missing: account", "missing: find", "the call would go round for ever"),
        ("open: office", "open: ofice", "no calendar `ofice`"),
        ("owed > money('5')", "owed > money(5)", "`if` cannot give true or false"),
        ("owed > money('5')", "owed >", "`if` cannot be read"),
        ("tool: bill", "tool: bil", "no tool `bil`"),
        ("{account: \"{account}\"}", "{acount: \"{account}\"}", "`acount`"),
        ("do: announce", "do: anounce", "no flow `anounce`"),
        ("finish: said", "next: main.bye", "`announce` never finishes"),
        ("{accounts.due:date}", "{accounts.balance:date}", "cannot be read as date"),
        ("{accounts.due:date}", "{accounts.due:day}", "values cannot be read as `day`"),
        ("yes: menu, no: bye", "yes: menu", "has no `no`"),
        ("hang_up: resolved", "hangup: resolved", "the call does not go on after this node"),
        ("\"Goodbye.\", hang_up", "\"Goodbye.[pause]\", hang_up", "`` is no pause"),
        ("give_up: main.bye}", "give_up: main.more}", "giving up on `main.more` leads back to it"),
        ("set: {owed: {expr", "set: {debt: {expr", "no slot `debt`"),
    ];
    let mut wrong = Vec::new();
    for (from, to, expected) in kinds {
        let found = errors(from, to);
        let fits = matches!(&found[..], [one] if one.contains(expected) && one.contains("\n  help: ") && one.starts_with("p.yaml:"));
        if !fits {
            wrong.push(format!("{to:?} gives {found:#?}, not one with {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kinds.len() >= 20);
}
