//! What callers say and what Hotline makes of it: tables of utterances as recognisers write them.

#![expect(clippy::expect_used, reason = "a broken table fails its test")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use hotline::{
    cli::eval::intents::{IntentsArgs, evaluate},
    text::{Hypothesis, Lang},
    understand::{IntentClassifier, KNOWN, digits, yes_no},
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

/// Least share of queries for an intent that must get it, and of others that must get none.
const LEAST_FOUND: f64 = 0.90;
const LEAST_REJECTED: f64 = 0.90;

fn classifier(lang: Lang) -> IntentClassifier {
    let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, intent, example) in table("intents.tsv").into_iter().filter(|row| row.0 == lang) {
        examples.entry(intent).or_default().push(example);
    }
    IntentClassifier::train(lang, &examples.into_iter().collect::<Vec<_>>())
}

fn intent_of(classifier: &IntentClassifier, heard: &str) -> String {
    let heard = [Hypothesis { text: heard.to_owned(), confidence: 1.0 }];
    classifier.classify(&heard).map_or_else(|| "-".to_owned(), |found| found.intent)
}

/// The queries that a classifier of the table's few examples gets right, of those for an intent
/// and of those for none.
fn assert_intents(lang: Lang) {
    let classifier = classifier(lang);
    let queries = table("intent_queries.tsv").into_iter().filter(|row| row.0 == lang);
    let (others, wanted): (Vec<_>, Vec<_>) = queries.partition(|(_, intent, _)| intent == "-");
    for (rows, least) in [(wanted, LEAST_FOUND), (others, LEAST_REJECTED)] {
        let got = rows.iter().map(|row| (row, intent_of(&classifier, &row.2)));
        let wrong: Vec<_> = got.filter(|(row, got)| *got != row.1).collect();
        let right = 1.0 - wrong.len() as f64 / rows.len() as f64;
        println!("{lang}: {right:.3} of {} right, wrong: {wrong:?}", rows.len());
        assert!(right >= least, "{lang}: only {right:.3} right: {wrong:?}");
    }
}

#[test]
fn english_intents_are_told_apart_from_a_few_examples() {
    assert_intents(Lang::En);
}

#[test]
fn chinese_intents_are_told_apart_from_a_few_examples() {
    assert_intents(Lang::Zh);
}

#[test]
#[ignore = "trains on 10,003 utterances: run with --ignored"]
fn banking77_is_classified() {
    let shared = std::env::var_os("HOTLINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("data/banking77");
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let report = evaluate(&IntentsArgs {
        train: Some(folder.join("train.csv")),
        dialplan: None,
        test: folder.join("test.csv"),
        lang: None,
        none: "none".into(),
        threshold: KNOWN,
        worst: 10,
        json: false,
    })
    .expect("the files are read");
    println!("{report:#?}");
    assert_eq!((report.intents, report.rows), (77, (3_080, 0)));
    assert!(report.accuracy >= 0.905, "{}", report.accuracy);
    assert!(report.calibration_error <= 0.03, "{}", report.calibration_error);
}
