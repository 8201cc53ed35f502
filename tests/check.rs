//! What `hotline check` finds, and where it says it is.

use std::{fs, path::Path};

use hotline::{
    cli::check::{CheckArgs, run},
    dialplan::{Dialplan, DialplanSource, Severity},
    text::{Piece, ReadAs},
};

/// A dialplan without a fault; tests put one in.
const GOOD: &str = r#"dialplan: example
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
slots:
  account: {type: digits, length: 6-8}
tables:
  accounts:
    key: account
    rows:
      - {account: "123456", balance: "10.50", due: "2026-11-28"}
intents:
  balance: [my balance, what do I owe, how much is it]
  bye: [goodbye, bye bye, that is all]
defaults:
  wait: 5s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
globals:
  on: {bye: main.bye}
flows:
  main:
    menu:
      ask: "How can I help?"
      on: {balance: account}
    account:
      ask: "Which account?"
      slot: account
      next: find
    find: {lookup: accounts, key: "{account}", found: tell, missing: account}
    tell: {say: "You owe {accounts.balance:amount}, due {accounts.due:date}.", next: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

/// Findings in `GOOD` with `from` replaced by `to`, as `hotline check` prints them.
fn found(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from:?} is not in the example");
    let source = DialplanSource::inline("p.yaml", GOOD.replacen(from, to, 1));
    match Dialplan::from_source(source) {
        Ok(plan) => plan.warnings().iter().map(ToString::to_string).collect(),
        Err(findings) => {
            assert!(findings.iter().any(|f| f.severity == Severity::Error));
            findings.iter().map(ToString::to_string).collect()
        }
    }
}

#[test]
fn the_example_has_no_fault() {
    assert_eq!(found("version: 1", "version: 2"), [""; 0]);
}

#[test]
fn every_fault_is_named_with_its_place_and_a_remedy() {
    for (from, to, expected) in [
        (
            "next: find",
            "next: fnd",
            "p.yaml:31:13: error: no node `main.fnd`\n  help: did you mean `main.find`?",
        ),
        (
            "{balance: account}",
            "{balence: account}",
            "p.yaml:27:12: error: no intent `balence`\n  help: did you mean `balance`?",
        ),
        (
            "slot: account",
            "slot: acount",
            "p.yaml:30:13: error: no slot `acount`\n  help: did you mean `account`?",
        ),
        (
            "lookup: accounts",
            "lookup: acounts",
            "p.yaml:32:20: error: no table `acounts`\n  help: did you mean `accounts`?",
        ),
        (
            "{accounts.due:date}",
            "{accounts.du:date}",
            "p.yaml:33:17: error: table `accounts` has no column `du`\n  help: did you mean `due`?",
        ),
        (
            "{accounts.due:date}",
            "{accounts.balance:date}",
            "p.yaml:33:17: error: `accounts.balance` cannot be read as date: the table has `10.50` there",
        ),
        (
            "{accounts.due:date}",
            "{accounts.due:day}",
            "p.yaml:33:17: error: values cannot be read as `day`",
        ),
        (
            "{accounts.due:date}",
            "{accounts.due",
            "p.yaml:33:17: error: a brace without its partner",
        ),
        (
            "wait: 5s",
            "wait: 5",
            "p.yaml:17:9: error: `wait` is `5`, which is not a duration\n  help: write it like `5s` or `800ms`, from 100ms to 600s",
        ),
        ("length: 6-8", "length: 8-6", "p.yaml:7:35: error: `8-6` is not a number of digits"),
        (
            "[my balance, what do I owe, how much is it]",
            "[]",
            "p.yaml:14:12: error: intent `balance` has nothing in en",
        ),
        (
            "[my balance, what do I owe, how much is it]",
            "[my balance, goodbye, owe]",
            "p.yaml:15:3: warning: `goodbye` is an example of `balance` and of `bye`",
        ),
        (
            "[my balance, what do I owe, how much is it]",
            "[my balance]",
            "p.yaml:14:3: warning: intent `balance` has fewer than three examples in en",
        ),
        (
            "start: main.menu",
            "start: main.menu\nstart: main.bye",
            "p.yaml:6:1: error: `start` is here twice, first in line 5",
        ),
        ("start: main.menu", "begin: main.menu", "p.yaml:1:1: error: the dialplan has no `start`"),
        (
            "      slot: account",
            "      slot: account\n      sloth: 1",
            "p.yaml:31:7: error: node `main.account` has no field `sloth`\n  help: did you mean `slot`?",
        ),
        (
            "  no_input: [\"Hello?\"]\n",
            "",
            "p.yaml:24:5: error: question `main.menu` has no `no_input` prompts",
        ),
        (
            "  give_up: main.bye\n",
            "",
            "p.yaml:24:5: error: question `main.menu` does not say where to go in the end",
        ),
        (
            "give_up: main.bye",
            "give_up: main.account",
            "p.yaml:28:5: error: giving up on `main.account` leads back to it",
        ),
        (
            "missing: account",
            "missing: find",
            "p.yaml:32:5: error: the call would go round for ever: main.find …",
        ),
        (
            "    tell:",
            "    lost: {say: \"Nobody hears this.\", next: bye}\n    tell:",
            "p.yaml:33:5: warning: no call can reach node `main.lost`",
        ),
        (
            "voices: {en: en-hibari}",
            "voices: {en: en-hibari, zh: zh-x}",
            "p.yaml:18:14: error: no_input is not there in zh",
        ),
        (
            "voices: {en: en-hibari}",
            "voices: {zh: zh-x}",
            "p.yaml:4:9: error: no voice for `en`, the dialplan's language",
        ),
        ("voices: {en: en-hibari}", "voices: {en: en-hibari", "p.yaml:5:6: error: YAML syntax"),
        (
            "hang_up: resolved",
            "hangup: resolved",
            "p.yaml:34:5: error: the call does not go on after this node",
        ),
        (
            "ask: \"How can I help?\"",
            "ask: \"How can I help?\"\n      say: \"Hi.\"",
            "p.yaml:25:5: error: node `main.menu` has say and ask at once",
        ),
        ("ask: \"How can I help?\"", "ask: \"\"", "p.yaml:26:12: error: `ask` says nothing in en"),
        (
            "on: {balance: account}",
            "keys: {\"12\": account}",
            "p.yaml:27:14: error: `12` is not a key of a telephone",
        ),
        (
            "  account: {type: digits, length: 6-8}",
            "  account: {type: digits, length: 6-8}\n  other: text",
            "p.yaml:8:3: warning: slot `other` is never used",
        ),
        ("key: account\n", "key: acount\n", "p.yaml:10:10: error: no column `acount`"),
        (
            "say: \"Goodbye.\"",
            "say: \"Goodbye {call.name}.\"",
            "p.yaml:34:16: error: a call has no `name`",
        ),
    ] {
        let found = found(from, to);
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "with {to:?} expected\n{expected}\nfound\n{}",
            found.join("\n")
        );
        assert!(found.iter().all(|f| f.contains("\n  help: ")));
    }
}

#[test]
fn an_author_sees_all_errors_at_once() {
    let text = GOOD
        .replacen("next: find", "next: fnd", 1)
        .replacen("wait: 5s", "wait: soon", 1)
        .replacen("{accounts.due:date}", "{accounts.du}", 1);
    let found = Dialplan::from_source(DialplanSource::inline("p.yaml", text)).expect_err("faulty");
    let lines: Vec<usize> = found.iter().map(|f| f.line).collect();
    assert_eq!(lines, [17, 31, 33]);
}

#[test]
fn a_table_file_is_read_beside_the_dialplan_and_its_faults_have_their_own_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = GOOD.replacen(
        "    rows:\n      - {account: \"123456\", balance: \"10.50\", due: \"2026-11-28\"}\n",
        "    file: accounts.csv\n",
        1,
    );
    let path = folder.path().join("p.yaml");
    fs::write(&path, yaml).expect("written");
    let missing = Dialplan::load(&path).expect_err("no table file");
    assert_eq!(missing.len(), 1, "what refers to the table is not wrong too: {missing:#?}");
    assert!(missing[0].to_string().contains("p.yaml:11:11: error: cannot read "), "{missing:#?}");

    let table = folder.path().join("accounts.csv");
    fs::write(&table, "account,balance,due\n123456,10.50\n").expect("written");
    let short = Dialplan::load(&path).expect_err("a short row");
    assert_eq!((short[0].line, short[0].file.ends_with("accounts.csv")), (2, true));

    fs::write(&table, "account,balance,due\n123456,10.50,2026-11-28\n").expect("written");
    let plan = Dialplan::load(&path).expect("right");
    let again = Dialplan::from_source(plan.source().clone()).expect("needs no files");
    assert_eq!(again.content_hash(), plan.content_hash());
}

#[test]
fn the_command_checks_folders_and_fails_on_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |strict: bool| {
        run(CheckArgs { paths: vec![folder.path().to_owned()], strict, ..Default::default() })
    };
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    assert!(check(false).is_err(), "an empty folder is no success");
    put("good.yaml", GOOD);
    check(true).expect("nothing to find");
    put("dubious.yaml", &GOOD.replacen("how much is it", "bye bye", 1));
    check(false).expect("warnings pass");
    assert!(check(true).is_err(), "but not strictly");
    put("bad.yaml", "dialplan: [");
    assert!(check(false).is_err());
}

#[test]
fn the_dialplans_that_come_with_hotline_pass_without_a_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    run(CheckArgs { paths: vec![folder], strict: true, ..Default::default() })
        .expect("no findings");
}

#[test]
fn phrases_for_rendering_ahead_name_every_prompt_once_and_the_words_of_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    let plan = Dialplan::load(folder.join("utility-en.yaml")).expect("right");
    let phrases = plan.phrases();
    let shown: Vec<String> = phrases.iter().map(ToString::to_string).collect();
    assert_eq!(shown.iter().filter(|p| *p == "How can I help you?").count(), 1);
    assert!(shown.contains(&"a fallen tree".to_owned()));
    let amount = Piece::Value { value: String::new(), read_as: ReadAs::Amount };
    assert!(phrases.iter().any(|p| p.pieces.contains(&amount)));
}

#[test]
fn the_chinese_prompts_are_short_enough_to_render_in_minutes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    let plan = Dialplan::load(folder.join("fund-zh.yaml")).expect("right");
    let texts = plan.phrases().into_iter().map(|p| p.to_string());
    let characters: usize = texts.map(|t| t.chars().count()).sum();
    assert!(characters < 600, "{characters} characters");
}
