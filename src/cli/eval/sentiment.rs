//! `hotline eval sentiment`: is what callers say taken as they feel?

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    classification::{Confusion, Judged, confusions, macro_f1, share},
    language_of, parse_lang,
    rows::{self, Column, Row},
};
use crate::{text::Lang, understand};

const COLUMNS: [Column; 2] = [
    Column { names: &["text", "utterance", "sentence"], required: true },
    Column { names: &["label", "sentiment"], required: true },
];

/// What to try.
#[derive(Debug, Args)]
pub struct SentimentArgs {
    /// Texts with labels: CSV or tab-separated with the columns text and label, or JSON lines. A label is negative,
    /// neutral or positive
    pub file: PathBuf,
    /// The language, en or zh; otherwise told by the texts
    #[arg(long, value_parser = parse_lang)]
    pub lang: Option<Lang>,
    /// From this score, from 0 to 1, a text is positive, and below its opposite negative
    #[arg(long, default_value_t = 0.3)]
    pub threshold: f32,
    /// Show every row that is taken otherwise
    #[arg(long)]
    pub show: bool,
    /// Print one JSON document instead
    #[arg(long)]
    pub json: bool,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The language.
    pub lang: Lang,
    /// Rows tried.
    pub rows: usize,
    /// Share of the rows that were taken as labelled.
    pub accuracy: f64,
    /// The mean F1 of the three labels, as far as they occur.
    pub macro_f1: f64,
    /// What was taken for something else, most often first.
    pub confusions: Vec<Confusion>,
    /// The rows that were.
    pub wrong: Vec<Wrong>,
}

/// A row that was taken otherwise.
#[derive(Debug, Serialize)]
pub struct Wrong {
    /// Its line in the file.
    pub line: usize,
    /// The text.
    pub text: String,
    /// Its label.
    pub label: String,
    /// The score, from -1 to 1.
    pub score: f32,
}

/// Runs `hotline eval sentiment`.
///
/// # Errors
/// When the file cannot be read or is not as described.
pub fn run(args: &SentimentArgs) -> Result<()> {
    let report = evaluate(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, args.show);
    }
    Ok(())
}

/// Tries every row, and measures.
///
/// # Errors
/// As [`run`].
pub fn evaluate(args: &SentimentArgs) -> Result<Report> {
    let rows = rows::read(&args.file, &COLUMNS)?;
    let lang = language_of(rows.iter().map(|row| row.cells[0].as_str()));
    let lang = args.lang.unwrap_or(lang);
    let mut judged = Vec::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let label = label(args, row)?;
        let score = understand::sentiment(lang, &row.cells[0]);
        let guess = match score {
            score if score >= args.threshold => "positive",
            score if score <= -args.threshold => "negative",
            _ => "neutral",
        };
        if guess != label {
            let (line, text) = (row.line, row.cells[0].clone());
            wrong.push(Wrong { line, text, label: label.to_owned(), score });
        }
        judged.push(Judged {
            label: Some(label.to_owned()),
            guess: Some(guess.to_owned()),
            score: score.abs(),
            known: 1.0,
        });
    }
    let judged: Vec<&Judged> = judged.iter().collect();
    Ok(Report {
        lang,
        rows: judged.len(),
        accuracy: share(&judged, |row| row.guess == row.label).unwrap_or(0.0),
        macro_f1: macro_f1(&judged),
        confusions: confusions(&judged, 6),
        wrong,
    })
}

fn label(args: &SentimentArgs, row: &Row) -> Result<&'static str> {
    Ok(match row.cells[1].trim().to_lowercase().as_str() {
        "negative" | "neg" | "-1" => "negative",
        "neutral" | "neu" | "0" => "neutral",
        "positive" | "pos" | "1" => "positive",
        other => bail!(
            "{}:{}: no label `{other}`: write negative, neutral or positive",
            args.file.display(),
            row.line
        ),
    })
}

fn print(report: &Report, show: bool) {
    println!("{} texts in {}", report.rows, report.lang);
    println!("  accuracy {:>6.1} %", 100.0 * report.accuracy);
    println!("  macro F1 {:>6.3}", report.macro_f1);
    for Confusion { expected, got, count } in &report.confusions {
        println!("  {count:>4} {expected} taken as {got}");
    }
    for wrong in report.wrong.iter().filter(|_| show) {
        println!("  line {}: {} ({:+.2}) {}", wrong.line, wrong.label, wrong.score, wrong.text);
    }
}
