//! Files that dialplans share: what they bring in, what is refused, and that a journal needs none of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{fs, sync::Arc};

use hotline::{
    dialplan::{Dialplan, DialplanSource},
    simulate::{Player, Suite},
    text::Lang,
};

const DESK: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
include: [packs/common.yaml]
intents:
  hours: [when are you open, opening hours, are you open today]
  person: {add: [get me the boss]}
defaults: {no_match: ["Sorry?"], give_up: main.bye}
globals: {on: {hours: main.hours}}
flows:
  main:
    menu: {ask: "How can I help?", on: {hours: hours}}
    hours: {say: "Nine to five.", next: menu}
    person: {say: "One moment.", hang_up: person}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

const COMMON: &str = r#"pack: common
include: [manners.yaml]
needs: [main.person, main.menu]
intents:
  person: {en: [an agent please, talk to a human, operator], zh: [转人工, 找个真人, 人工客服]}
  robot: {en: [are you a robot, are you human, is this a machine], zh: [你是机器人吗, 你是真人吗, 是不是机器]}
defaults: {no_input: [{en: "Hello?", zh: 您好？}], no_match: [{en: "What?", zh: 什么？}]}
globals: {on: {person: main.person, robot: common.robot}}
flows:
  common:
    robot: {say: {en: "I am a machine.", zh: 我是机器。}, return: main.menu}
knowledge: {file: faq.csv}
"#;

const MANNERS: &str = "pack: manners
intents: {repeat: {en: [say that again, repeat that, pardon], zh: [再说一遍, 重复一下, 没听清]}}
globals: {on: {repeat: repeat}}
";

const FAQ: &str = "id,question,answer\nparking,where can I park,Behind the house.\nparking,is there a car park,\n";

/// A dialplan whose files include one another.
fn source() -> DialplanSource {
    let mut source = DialplanSource::inline("d/desk.yaml", DESK);
    for (name, text) in
        [("packs/common.yaml", COMMON), ("packs/manners.yaml", MANNERS), ("packs/faq.csv", FAQ)]
    {
        source.tables.insert(name.into(), text.into());
    }
    source
}

/// What is wrong after `change`.
fn found(change: impl FnOnce(&mut DialplanSource)) -> String {
    let mut source = source();
    change(&mut source);
    let found = match Dialplan::from_source(source) {
        Ok(plan) => plan.warnings().to_vec(),
        Err(found) => found,
    };
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn pack(source: &mut DialplanSource, from: &str, to: &str) {
    let text = source.tables.get_mut("packs/common.yaml").unwrap();
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
}

/// What the bot says in answer to `said`, one after the other.
fn answers(plan: &Arc<Dialplan>, said: &[&str]) -> Vec<String> {
    let lines: Vec<String> = said.iter().map(|said| format!("{{caller: {said}}}")).collect();
    let script = format!("dialplan: x.yaml\ntests: {{a: {{call: [{}]}}}}\n", lines.join(", "));
    let suite = Suite::parse("x.test.yaml", &script).unwrap_or_else(|e| panic!("{e:#?}"));
    let played = Player::run(plan, &suite.scripts[0]);
    played.transcript.iter().map(ToString::to_string).filter(|l| l.starts_with("bot")).collect()
}

#[test]
fn what_packs_bring_is_understood_and_answered() {
    let plan = Arc::new(Dialplan::from_source(source()).unwrap_or_else(|e| panic!("{e:#?}")));
    assert_eq!(plan.warnings(), []);
    let said =
        answers(&plan, &["are you human", "where can I park", "mumble mumble", "get me the boss"]);
    for expected in ["I am a machine.", "Behind the house.", "Sorry?", "One moment."] {
        assert!(said.iter().any(|line| line.contains(expected)), "{expected} in {said:#?}");
    }
    assert!(plan.intents(Lang::En).iter().any(|(name, _)| name == "repeat"));
}

#[test]
fn a_journal_holds_everything_included() {
    let plan = Dialplan::from_source(source()).expect("right");
    let journalled = serde_json::to_string(plan.source()).unwrap();
    let again: DialplanSource = serde_json::from_str(&journalled).unwrap();
    let again = Dialplan::from_source(again).expect("needs no file");
    assert_eq!(again.content_hash(), plan.content_hash());
}

#[test]
fn another_pack_is_another_content() {
    let before = Dialplan::from_source(source()).expect("right").content_hash().to_owned();
    let mut source = source();
    pack(&mut source, "I am a machine.", "I am a program.");
    assert_ne!(Dialplan::from_source(source).expect("right").content_hash(), before);
}

#[test]
fn files_are_read_from_disk_from_the_folder_of_the_file_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("packs")).unwrap();
    fs::write(folder.path().join("desk.yaml"), DESK).unwrap();
    for (name, text) in [("common.yaml", COMMON), ("manners.yaml", MANNERS), ("faq.csv", FAQ)] {
        fs::write(folder.path().join("packs").join(name), text).unwrap();
    }
    let plan = Dialplan::load(folder.path().join("desk.yaml")).unwrap_or_else(|e| panic!("{e:#?}"));
    assert_eq!(plan.source().tables.len(), 3);
    fs::remove_file(folder.path().join("packs/manners.yaml")).unwrap();
    let found = Dialplan::load(folder.path().join("desk.yaml")).expect_err("a file is missing");
    let first = found[0].to_string();
    assert!(first.contains("common.yaml:2:11: error: cannot read"), "{first}");
}

#[test]
fn a_mistake_in_a_pack_is_named_with_the_packs_line() {
    let found = found(|source| pack(source, "robot: common.robot}", "robot: common.robt}"));
    assert!(found.starts_with("d/packs/common.yaml:8:"), "{found}");
    assert!(found.contains("did you mean `common.robot`?"), "{found}");
}

#[test]
fn a_name_that_is_there_twice_names_both_files() {
    let found = found(|source| {
        source.text = source.text.replace("person: {add: [get me the boss]}", "robot: [a, b, c]");
    });
    let expected = "d/desk.yaml:9:3: error: intent `robot` is in d/packs/common.yaml:6 as well";
    assert!(found.starts_with(expected), "{found}");
    assert!(found.contains("{add: [phrase, …]}"), "{found}");
}

#[test]
fn a_ring_of_includes_is_refused() {
    let found = found(|source| {
        let text = "pack: manners\ninclude: [common.yaml]\n".to_owned();
        source.tables.insert("packs/manners.yaml".into(), text);
    });
    let expected = "d/packs/manners.yaml:2:11: error: `packs/common.yaml` would include itself: \
                    packs/common.yaml → packs/manners.yaml → packs/common.yaml";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_pack_that_two_others_include_comes_in_once() {
    let found = found(|source| {
        source.text =
            source.text.replace("[packs/common.yaml]", "[packs/manners.yaml, packs/common.yaml]");
    });
    assert_eq!(found, "");
}

#[test]
fn what_a_pack_needs_must_be_there() {
    let found = found(|source| pack(source, "main.person, main.menu", "main.person, main.desk"));
    assert!(
        found.starts_with("d/desk.yaml:6:11: error: this file needs a node `main.desk`"),
        "{found}"
    );
}

#[test]
fn what_cannot_be_included_says_why() {
    for (from, to, expected) in [
        ("[packs/common.yaml]", "[../secret.yaml]", "must stand in or below the dialplan's folder"),
        ("[packs/common.yaml]", "[packs/comon.yaml]", "`packs/comon.yaml` is not there"),
        ("[packs/common.yaml]", "packs/common.yaml", "`include` must be a list"),
        (
            "person: {add: [get me the boss]}",
            "boss: {add: [x]}",
            "no included file has an intent `boss`",
        ),
    ] {
        let found = found(|source| source.text = source.text.replace(from, to));
        assert!(found.contains(expected), "{expected} in {found}");
    }
    for (from, to, expected) in [
        ("pack: common", "dialplan: common", "a dialplan cannot be included"),
        ("pack: common\n", "", "an included file has no `pack`"),
        ("needs:", "limits: {turns: 3}\nneeds:", "an included file has no field `limits`"),
        ("file: faq.csv", "file: ../../faq.csv", "must stand in or below the dialplan's folder"),
    ] {
        let found = found(|source| pack(source, from, to));
        assert!(found.contains(expected), "{expected} in {found}");
    }
}
