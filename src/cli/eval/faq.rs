//! `hotline eval faq`: how well is the right answer found?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, ensure};
use clap::Args;
use serde::Serialize;

use super::{
    homophones::Homophones,
    language_of, parse_lang,
    rows::{self, Column, Row},
};
use crate::{
    text::{Hypothesis, Lang},
    understand::{FaqIndex, FaqMatch},
};

const KNOWLEDGE: [Column; 2] = [
    Column { names: &["question", "text"], required: true },
    Column { names: &["id"], required: false },
];
const TESTS: [Column; 2] = [
    Column { names: &["text", "question", "query"], required: true },
    Column { names: &["id", "label"], required: true },
];

/// What to search and what to ask.
#[derive(Debug, Args)]
pub struct FaqArgs {
    /// The knowledge base: CSV or tab-separated with the columns id, question (a row for each way of
    /// asking) and answer, or JSON lines. Without ids each question is an entry by itself.
    #[arg(long)]
    pub knowledge: PathBuf,
    /// Questions to ask, in the same form, with the columns text and id.
    #[arg(long)]
    pub test: PathBuf,
    /// The language, en or zh; otherwise told by the questions.
    #[arg(long, value_parser = parse_lang)]
    pub lang: Option<Lang>,
    /// The id of questions that the knowledge base does not answer.
    #[arg(long, default_value = "none")]
    pub none: String,
    /// Replace so many percent of the Chinese characters of the test by homophones first.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    pub homophones: f64,
    /// How many wrong answers to show.
    #[arg(long, default_value_t = 10)]
    pub worst: usize,
    /// Print one JSON document instead.
    #[arg(long)]
    pub json: bool,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The language.
    pub lang: Lang,
    /// Entries of the knowledge base, and the questions in them.
    pub entries: (usize, usize),
    /// Rows asked that it answers, and that it does not.
    pub rows: (usize, usize),
    /// Of the rows it answers: the right entry came first, before rejection.
    pub top1: f64,
    /// Of the rows it answers: the right entry was among the first three.
    pub top3: f64,
    /// Of the rows it answers: given the right answer.
    pub answered_rightly: f64,
    /// Of the rows it answers: given a wrong answer.
    pub answered_wrongly: f64,
    /// Of the rows it does not answer: given none.
    pub rejected: Option<f64>,
    /// Wrong answers that would have been given.
    pub wrong: Vec<Wrong>,
    /// Seconds of indexing.
    pub index_s: f64,
    /// Milliseconds to search, on average.
    pub search_ms: f64,
}

/// A wrong answer.
#[derive(Debug, Clone, Serialize)]
pub struct Wrong {
    /// What was asked, as it was searched for.
    pub text: String,
    /// The id that is right.
    pub expected: String,
    /// The id that would have been answered.
    pub got: String,
    /// Its score.
    pub score: f32,
}

/// What a search came to.
struct Asked<'r> {
    text: String,
    expected: &'r str,
    found: Vec<FaqMatch>,
    answer: Option<FaqMatch>,
}

/// Runs `hotline eval faq`.
///
/// # Errors
/// When a file cannot be read or is not as described.
pub fn run(args: &FaqArgs) -> Result<()> {
    let report = evaluate(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Indexes, asks every row, and measures.
///
/// # Errors
/// As [`run`].
pub fn evaluate(args: &FaqArgs) -> Result<Report> {
    ensure!(
        (0.0..=100.0).contains(&args.homophones),
        "--homophones {} is no percentage: give 0 to 100",
        args.homophones
    );
    let tests = rows::read(&args.test, &TESTS)?;
    let entries = knowledge(&args.knowledge)?;
    check_ids(args, &entries, &tests)?;
    let questions = || entries.iter().flat_map(|(_, texts)| texts.iter().map(String::as_str));
    let lang = args.lang.unwrap_or_else(|| language_of(questions()));
    #[expect(clippy::disallowed_methods, reason = "measures how long indexing takes")]
    let started = Instant::now();
    let index = FaqIndex::new(lang, &entries);
    let index_s = started.elapsed().as_secs_f64();
    let mut noise = Homophones::new();
    let texts: Vec<String> =
        tests.iter().map(|row| noise.mishear(&row.cells[0], args.homophones / 100.0)).collect();
    #[expect(clippy::disallowed_methods, reason = "measures how long searching takes")]
    let started = Instant::now();
    let asked: Vec<Asked<'_>> =
        tests.iter().zip(texts).map(|(row, text)| ask(&index, text, &row.cells[1])).collect();
    let search_ms = 1_000.0 * started.elapsed().as_secs_f64() / asked.len().max(1) as f64;
    let mut report = measure(&asked, &args.none, args.worst);
    report.lang = lang;
    report.entries = (entries.len(), questions().count());
    (report.index_s, report.search_ms) = (index_s, search_ms);
    Ok(report)
}

fn knowledge(path: &Path) -> Result<Vec<(String, Vec<String>)>> {
    let mut entries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows::read(path, &KNOWLEDGE)? {
        let [question, id] = row.cells.as_slice() else { continue };
        let id = if id.is_empty() { question } else { id };
        entries.entry(id.clone()).or_default().push(question.clone());
    }
    Ok(entries.into_iter().collect())
}

fn check_ids(args: &FaqArgs, entries: &[(String, Vec<String>)], tests: &[Row]) -> Result<()> {
    let ids: BTreeSet<&str> = entries.iter().map(|(id, _)| id.as_str()).collect();
    for row in tests {
        let id = row.cells[1].as_str();
        ensure!(
            id == args.none || ids.contains(id),
            "{}:{}: `{id}` is not an id of {}: \
             label questions without an answer `{}`, or name another label with --none",
            args.test.display(),
            row.line,
            args.knowledge.display(),
            args.none
        );
    }
    Ok(())
}

fn ask<'r>(index: &FaqIndex, text: String, expected: &'r str) -> Asked<'r> {
    let heard = [Hypothesis { text, confidence: 1.0 }];
    let (found, answer) = (index.search(&heard, 3), index.answer(&heard));
    let [Hypothesis { text, .. }] = heard;
    Asked { text, expected, found, answer }
}

/// The report but for what only the caller knows.
fn measure(asked: &[Asked<'_>], none: &str, worst: usize) -> Report {
    let (within, without): (Vec<&Asked<'_>>, Vec<&Asked<'_>>) =
        asked.iter().partition(|row| row.expected != none);
    let share = |rows: &[&Asked<'_>], holds: &dyn Fn(&Asked<'_>) -> bool| {
        rows.iter().filter(|row| holds(row)).count() as f64 / rows.len().max(1) as f64
    };
    let among = |row: &Asked<'_>, first: usize| {
        row.found.iter().take(first).any(|found| found.id == row.expected)
    };
    let right = |row: &Asked<'_>| row.answer.as_ref().is_some_and(|a| a.id == row.expected);
    let mut wrong: Vec<Wrong> = asked
        .iter()
        .filter(|row| !right(row))
        .filter_map(|row| {
            let answer = row.answer.clone()?;
            let (text, expected) = (row.text.clone(), row.expected.to_owned());
            Some(Wrong { text, expected, got: answer.id, score: answer.score })
        })
        .collect();
    wrong.sort_by(|a, b| b.score.total_cmp(&a.score));
    wrong.truncate(worst);
    Report {
        lang: Lang::En,
        entries: (0, 0),
        rows: (within.len(), without.len()),
        top1: share(&within, &|row| among(row, 1)),
        top3: share(&within, &|row| among(row, 3)),
        answered_rightly: share(&within, &right),
        answered_wrongly: share(&within, &|row| row.answer.is_some() && !right(row)),
        rejected: (!without.is_empty()).then(|| share(&without, &|row| row.answer.is_none())),
        wrong,
        index_s: 0.0,
        search_ms: 0.0,
    }
}

fn print(report: &Report) {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let (entries, questions) = report.entries;
    let (within, without) = report.rows;
    println!("{entries} entries with {questions} questions ({})", report.lang);
    println!("{within} questions that they answer, {without} that they do not\n");
    println!("top 1               {:>8}   the right entry came first", percent(report.top1));
    println!("top 3               {:>8}   it was among the first three", percent(report.top3));
    println!(
        "answered rightly    {:>8}   in a dialog, of those with an answer",
        percent(report.answered_rightly)
    );
    println!("answered wrongly    {:>8}", percent(report.answered_wrongly));
    if let Some(rejected) = report.rejected {
        println!("rejected            {:>8}   of those without an answer", percent(rejected));
    }
    println!("\nindexed in {:.2} s, {:.2} ms a search", report.index_s, report.search_ms);
    if !report.wrong.is_empty() {
        println!("\nsurest wrong answers:");
    }
    for Wrong { text, expected, got, score } in &report.wrong {
        println!("{score:>6.2} {text}: {expected}, answered {got}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn args(folder: &Path, test: &str) -> FaqArgs {
        let (knowledge, test_file) = (folder.join("faq.csv"), folder.join("test.csv"));
        let entries = "id,question,answer\nhours,when are you open,From nine.\n\
                       hours,what are your opening hours,\nparking,where can I park,Behind us.\n";
        fs::write(&knowledge, entries).unwrap();
        fs::write(&test_file, test).unwrap();
        FaqArgs {
            knowledge,
            test: test_file,
            lang: None,
            none: "none".into(),
            homophones: 0.0,
            worst: 10,
            json: false,
        }
    }

    #[test]
    fn right_answers_and_rejections_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let test = "text,id\nwhat are the opening hours,hours\nwhere do I park my car,parking\n\
                    do you sell elephants,none\n";
        let report = evaluate(&args(folder.path(), test)).unwrap();
        assert_eq!((report.entries, report.rows), ((2, 3), (2, 1)));
        assert_eq!((report.top1, report.rejected), (1.0, Some(1.0)), "{report:?}");
    }

    #[test]
    fn an_id_that_is_not_in_the_knowledge_base_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let error = evaluate(&args(folder.path(), "text,id\nhello,greeting\n")).unwrap_err();
        assert!(error.to_string().contains("test.csv:2: `greeting` is not an id"), "{error}");
    }
}
