//! `hotline eval slots`: what callers say on the phone is taken as they mean it.

use std::{fs, path::Path};

use hotline::cli::eval::slots::{SlotsArgs, evaluate, run};

#[test]
fn what_callers_say_on_the_phone_is_taken_as_they_mean_it() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/slots.tsv");
    let tallies = evaluate(&[table]).expect("a right table");
    let tried: usize = tallies.values().map(|tally| tally.tried).sum();
    assert_eq!((tallies.len(), tried), (12, 66), "six types in two languages");
    for ((kind, lang), tally) in &tallies {
        assert_eq!(tally.right, tally.tried, "{kind} in {lang}: {:?}", tally.failures);
    }
}

#[test]
fn what_was_not_taken_as_meant_is_counted_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("said.csv");
    fs::write(
        &table,
        "text,type,value\ntwo,number,3\nnothing,number,3\nfour,number,4\nfive,number,4|5\n",
    )
    .expect("written");
    let tallies = evaluate(&[table]).expect("a right table");
    let tally = &tallies[&("number".to_owned(), "en".to_owned())];
    assert_eq!((tally.tried, tally.right, tally.wrong, tally.missed), (4, 2, 1, 1));
    assert_eq!(tally.failures[0].taken.as_deref(), Some("2"));
}

#[test]
fn a_wrong_table_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("said.csv");
    for (row, told) in [
        ("two,amount,3,,", "no type `amount`"),
        ("two,number,3,fr,", "give en or zh"),
        ("tomorrow,date,2026-11-24,en,today", "write it like 2026-11-23"),
    ] {
        fs::write(&table, format!("text,type,value,lang,today\n{row}\n")).expect("written");
        let args = SlotsArgs { tables: vec![table.clone()], worst: 0, json: false };
        let error = format!("{:#}", run(&args).expect_err("it is wrong"));
        assert!(error.contains("said.csv:2") && error.contains(told), "{error}");
    }
}
