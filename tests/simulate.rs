//! Scripted calls: those that come with the dialplans, and what a script says when a call goes another way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{fs, path::Path, sync::Arc};

use hotline::{
    cli::simulate::{SimulateArgs, run},
    dialplan::Dialplan,
    simulate::{Coverage, Played, Player, Suite},
};

fn dialplans() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans")
}

/// Plays one call against the housing fund's dialplan.
fn played(script: &str) -> Played {
    let text = format!("dialplan: fund-zh.yaml\ntests:\n  a call:\n{script}");
    let suite = Suite::parse("calls.test.yaml", &text).unwrap_or_else(|e| panic!("{e:#?}"));
    let plan = Arc::new(Dialplan::load(dialplans().join("fund-zh.yaml")).expect("right"));
    Player::run(&plan, &suite.scripts[0])
}

/// What is wrong, with its lines.
fn problems(script: &str) -> Vec<(usize, String)> {
    let problems = played(script).problems.into_iter();
    problems.map(|problem| (problem.line, problem.what)).collect()
}

fn refused(text: &str) -> String {
    let found = Suite::parse("calls.test.yaml", text).expect_err("it is wrong");
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_calls_that_come_with_the_dialplans_go_as_written() {
    let mut all = 0;
    for entry in fs::read_dir(dialplans()).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().ends_with(".test.yaml") {
            continue;
        }
        let suite = Suite::load(&path).unwrap_or_else(|e| panic!("{e:#?}"));
        let plan = Arc::new(Dialplan::load(&suite.dialplan).unwrap_or_else(|e| panic!("{e:#?}")));
        for script in &suite.scripts {
            let played = Player::run(&plan, script);
            assert_eq!(played.problems, [], "{}: {}", path.display(), script.name);
            all += 1;
        }
    }
    assert!(all >= 20, "only {all} calls");
}

#[test]
fn another_prompt_is_told_with_its_line() {
    let wrong = "    call:\n      - bot: …\n      - caller: 查余额\n      - bot: 请说卡号。\n      - silence\n";
    let told = problems(wrong);
    assert_eq!(
        told,
        [(7, "the bot says “请说一下您登记的手机号码。”, not “请说卡号。”".to_owned())]
    );
}

#[test]
fn what_cannot_happen_is_told_and_ends_the_script() {
    let over = "    call:\n      - caller: 再见\n      - caller: 查余额\n      - bot: 请说。\n";
    assert_eq!(problems(over), [(6, "the call is over by then".to_owned())]);
    let transfer = "    call:\n      - transfer: \"4002\"\n";
    assert_eq!(
        problems(transfer),
        [(5, "the call is not handed over here; it waits for the caller".to_owned())]
    );
}

#[test]
fn what_the_call_came_to_is_compared() {
    let script = "    call: [bot: …, {keys: \"1\"}, {caller: 一三八零零一三八零零零}]
    never: [号码]
    expect:
      outcome: resolved
      slots: {phone: \"13800138001\", id_tail: \"1\"}
      intents: [balance]
      nodes: [balance.phone, balance.tell]
      avoids: [balance.phone]
      at: main.menu
      language: en
      counts: {no_match: 2}
";
    let told: Vec<String> = problems(script).into_iter().map(|(_, what)| what).collect();
    let told = told.join("\n");
    for part in [
        "must never say “号码”",
        "the call goes on, and does not end with `resolved`",
        "slot `phone` is `13800138000`",
        "slot `id_tail` has no value",
        "the intents are []",
        "does not come to `balance.tell`",
        "the call comes to `balance.phone`",
        "is at `balance.phone`, not at `main.menu`",
        "the language is `zh`",
        "`no_match` is 0",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
}

#[test]
fn keys_that_a_question_has_no_room_for_answer_the_next() {
    let script =
        "    call: [bot: …, {keys: \"1138001380001\"}, bot: …]\n    expect: {at: balance.id}\n";
    let played = played(script);
    assert_eq!(played.problems, []);
    assert_eq!(played.nodes.last().map(String::as_str), Some("balance.id"));
}

#[test]
fn coverage_counts_what_calls_came_through() {
    let plan = Dialplan::load(dialplans().join("fund-zh.yaml")).expect("right");
    let mut coverage = Coverage::new(&plan);
    let (none, all) = coverage.nodes();
    assert_eq!((none, all), (0, 23));
    coverage.add(&played("    call: [bot: …, {keys: \"3\"}, bot: …]\n"));
    assert_eq!(coverage.nodes().0, 5, "{:?}", coverage.nodes_left());
    let left = coverage.transitions_left();
    assert!(left.iter().any(|way| way == "rent.house → rent.paid (no)"), "{left:?}");
    assert!(!left.iter().any(|way| way.starts_with("main.welcome → main.menu")), "{left:?}");
}

#[test]
fn a_wrong_script_is_told_with_line_and_remedy() {
    for (text, told) in [
        ("tests: {}", "the file has no `dialplan`"),
        ("dialplan: a.yaml", "the file has no `tests`"),
        (
            "dialplan: a.yaml\nnow: tomorrow\ntests: {}",
            "calls.test.yaml:2:6: error: `now` is `tomorrow`",
        ),
        ("dialplan: a.yaml\ntests: {a: {call: [waves]}}", "nobody can do `waves`"),
        ("dialplan: a.yaml\ntests: {a: {call: [{boot: x}]}}", "this is not a line of a call"),
        ("dialplan: a.yaml\ntests: {a: {call: [{caller: []}]}}", "the caller says nothing"),
        ("dialplan: a.yaml\ntests: {a: {call: [{keys: 12a}]}}", "`a` is not a key"),
        ("dialplan: a.yaml\ntests: {a: {call: [{part: x}]}}", "no part `x` above"),
        ("dialplan: a.yaml\ntests: {a: {call: [{transfer: {result: late}}]}}", "no result `late`"),
        (
            "dialplan: a.yaml\ntests: {a: {call: [], expect: {counts: {yawns: 1}}}}",
            "`yawns` is not counted",
        ),
        (
            "dialplan: a.yaml\ntools: {t: {}}\ntests: {a: {call: []}}",
            "a tool gives something, or it fails",
        ),
        (
            "dialplan: a.yaml\ntests: {a: {call: [{caller: x, confidence: 7}]}}",
            "`confidence` is `7`",
        ),
        ("dialplan: a.yaml\ntests: {a: {call: [], expects: {}}}", "has no field `expects`"),
    ] {
        let found = refused(text);
        assert!(found.contains(told), "{text}: {found}");
        assert!(found.contains("help: "), "{found}");
    }
}

#[test]
fn the_command_fails_when_a_call_goes_another_way() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(dialplans().join("fund-members.csv"), folder.path().join("fund-members.csv")).unwrap();
    fs::copy(dialplans().join("fund-zh.yaml"), folder.path().join("fund-zh.yaml")).unwrap();
    let test = |outcome: &str| {
        let text = format!(
            "dialplan: fund-zh.yaml\ntests: {{bye: {{call: [caller: 再见], expect: {{outcome: {outcome}}}}}}}\n"
        );
        fs::write(folder.path().join("fund.test.yaml"), text).unwrap();
        run(&SimulateArgs {
            paths: vec![folder.path().to_owned()],
            test: true,
            coverage: true,
            ..SimulateArgs::default()
        })
    };
    test("resolved").expect("it goes as written");
    let error = test("booked").expect_err("it goes another way");
    assert_eq!(error.to_string(), "1 of 1 scripted calls went another way");
}

#[test]
fn a_scripted_call_may_be_placed_and_know_something_from_the_beginning() {
    let plan = "dialplan: t\nversion: 1\nlanguage: en\nvoices: {en: en-hibari}\nstart: main.way\n\
         slots:\n  name: {type: text, given: true}\n  day: {type: date, given: true}\nflows:\n  main:\n    \
         way: {when: [{value: call.direction, one_of: [outbound], next: ours}], else: theirs}\n    \
         ours: {say: \"Hello, {name}.\", hang_up: placed}\n    theirs: {say: \"Hello, {name}, {day}.\", hang_up: answered}\n";
    let source = hotline::dialplan::DialplanSource::inline("t.yaml", plan);
    let plan = Arc::new(Dialplan::from_source(source).unwrap_or_else(|e| panic!("{e:#?}")));
    let text = "dialplan: t.yaml\ndirection: outbound\nset: {name: Ms Li}\ntests:\n  \
         placed:\n    call: [bot: \"Hello, Ms Li.\"]\n    expect: {outcome: placed, slots: {name: Ms Li}}\n  \
         answered:\n    direction: inbound\n    set: {name: Mr Wu, day: tomorrow, nome: x}\n    call: [bot: \"Hello, Mr Wu, .\"]\n";
    let suite = Suite::parse("t.test.yaml", text).unwrap_or_else(|e| panic!("{e:#?}"));
    assert_eq!(Player::run(&plan, &suite.scripts[0]).problems, []);
    let wrong: Vec<String> =
        Player::run(&plan, &suite.scripts[1]).problems.into_iter().map(|p| p.what).collect();
    assert!(wrong[0].contains("`day`") && wrong[0].contains("2026-11-28"), "{wrong:?}");
    assert!(wrong[1].contains("`nome`") && wrong.len() == 2, "{wrong:?}");
    assert!(refused("dialplan: t.yaml\ndirection: up\ntests: {}\n").contains("no direction `up`"));
}
