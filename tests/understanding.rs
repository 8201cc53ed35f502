//! What callers say and what Hotline makes of it: tables of utterances as recognisers write them.

use std::{fs, path::Path};

use hotline::{
    text::Lang,
    understand::{digits, yes_no},
};

/// The rows of a table in `tests/data/understanding`: language, expectation, utterance.
fn table(name: &str) -> Vec<(Lang, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/understanding").join(name);
    let text = fs::read_to_string(&path).expect("the table is in the repository");
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| {
        let mut cells = row.split('\t');
        let lang = match cells.next() {
            Some("en") => Lang::En,
            Some("zh") => Lang::Zh,
            other => panic!("{name}: language {other:?} in {row:?}"),
        };
        let expected = cells.next().expect("an expectation").to_owned();
        (lang, expected, cells.next().unwrap_or_default().to_owned())
    })
    .collect()
}

fn assert_rows(name: &str, answer: impl Fn(Lang, &str) -> String) {
    let rows = table(name);
    assert!(rows.len() >= 60, "{name} has only {} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .map(|(lang, expected, heard)| (expected, answer(*lang, heard), heard))
        .filter(|(expected, got, _)| *expected != got)
        .map(|(expected, got, heard)| format!("{heard:?}: expected {expected}, got {got}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn yes_and_no_are_told_apart() {
    assert_rows("yes_no.tsv", |lang, heard| {
        match yes_no(lang, heard) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        }
        .to_owned()
    });
}

#[test]
fn digits_are_read_in_every_grouping() {
    assert_rows("digits.tsv", |lang, heard| digits(lang, heard).unwrap_or_else(|| "-".to_owned()));
}
