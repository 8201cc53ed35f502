//! `hotline eval intents`: how well are intents told apart?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, bail, ensure};
use clap::Args;
use serde::Serialize;

use super::{
    classification::{Confusion, Judged, auroc, calibration_error, confusions, macro_f1, share},
    language_of, parse_lang,
    rows::{self, Column, Row},
};
use crate::{
    text::{Hypothesis, Lang},
    understand::{IntentClassifier, KNOWN},
};

const COLUMNS: [Column; 2] = [
    Column { names: &["text", "utterance", "query", "sentence"], required: true },
    Column { names: &["intent", "category", "label"], required: true },
];

/// What to learn from and what to try.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["train", "dialplan"])))]
pub struct IntentsArgs {
    /// Texts to learn from: CSV or tab-separated with the columns text and intent, or JSON lines.
    #[arg(long)]
    pub train: Option<PathBuf>,
    /// Or: a dialplan, whose examples are learnt as in its calls.
    #[arg(long)]
    pub dialplan: Option<PathBuf>,
    /// Texts to try, in the same form.
    #[arg(long)]
    pub test: PathBuf,
    /// The language, en or zh; otherwise told by the texts.
    #[arg(long, value_parser = parse_lang)]
    pub lang: Option<Lang>,
    /// The label of texts that are none of the intents.
    #[arg(long, default_value = "none")]
    pub none: String,
    /// How likely one of the intents must be for a match; what dialogs ask for unless given.
    #[arg(long, default_value_t = KNOWN)]
    pub threshold: f32,
    /// How many confusions to show.
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
    /// Intents with examples.
    pub intents: usize,
    /// Texts learnt from.
    pub examples: usize,
    /// Rows tried that have an intent, and that have none.
    pub rows: (usize, usize),
    /// Of the rows with an intent: whose likeliest intent is right, before rejection.
    pub accuracy: f64,
    /// The mean F1 of the intents, before rejection.
    pub macro_f1: f64,
    /// Expected calibration error of the score over ten bins, rows with an intent.
    pub calibration_error: f64,
    /// How likely one of the intents had to be for a match.
    pub threshold: f32,
    /// Of the rows with an intent: matched, and rightly.
    pub found: f64,
    /// Of the rows with an intent: rejected (the false alarms of rejection).
    pub rejected_wrongly: f64,
    /// Of the rows without an intent: rejected (its recall).
    pub rejected_rightly: Option<f64>,
    /// How well rows with and without an intent are told apart at any threshold.
    pub auroc: Option<f64>,
    /// Intents most often taken for another.
    pub confusions: Vec<Confusion>,
    /// Seconds of training.
    pub train_s: f64,
    /// Milliseconds to classify a text, on average.
    pub classify_ms: f64,
}

/// Runs `hotline eval intents`.
///
/// # Errors
/// When a file cannot be read or is not as described, or the dialplan has errors.
pub fn run(args: &IntentsArgs) -> Result<()> {
    let report = evaluate(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Trains, tries every row, and measures.
///
/// # Errors
/// As [`run`].
pub fn evaluate(args: &IntentsArgs) -> Result<Report> {
    let tests = rows::read(&args.test, &COLUMNS)?;
    let lang = |rows: &[Row]| language_of(rows.iter().map(|row| row.cells[0].as_str()));
    let lang = args.lang.unwrap_or_else(|| lang(&tests));
    let intents = match (&args.train, &args.dialplan) {
        (Some(path), _) => from_rows(path, &args.none)?,
        (None, Some(path)) => from_dialplan(path, lang)?,
        (None, None) => bail!("nothing to learn from: give --train FILE or --dialplan FILE"),
    };
    let names: BTreeSet<&str> = intents.iter().map(|(name, _)| name.as_str()).collect();
    for row in &tests {
        let label = row.cells[1].as_str();
        ensure!(
            label == args.none || names.contains(label),
            "{}:{}: `{label}` is not an intent that was learnt: \
             label texts that are none of them `{}`, or name another label with --none",
            args.test.display(),
            row.line,
            args.none
        );
    }
    #[expect(clippy::disallowed_methods, reason = "measures how long training takes")]
    let started = Instant::now();
    let classifier = IntentClassifier::train(lang, &intents);
    let train_s = started.elapsed().as_secs_f64();
    #[expect(clippy::disallowed_methods, reason = "measures how long classifying takes")]
    let started = Instant::now();
    let judged: Vec<Judged> = tests.iter().map(|row| judge(&classifier, row, &args.none)).collect();
    let classify_ms = 1_000.0 * started.elapsed().as_secs_f64() / judged.len().max(1) as f64;

    let (within, without): (Vec<&Judged>, Vec<&Judged>) =
        judged.iter().partition(|row| row.label.is_some());
    let rejected = |row: &Judged| row.guess.is_none() || row.known < args.threshold;
    let right = |row: &Judged| row.guess.is_some() && row.guess == row.label;
    Ok(Report {
        lang,
        intents: intents.len(),
        examples: intents.iter().map(|(_, texts)| texts.len()).sum(),
        rows: (within.len(), without.len()),
        accuracy: share(&within, right).unwrap_or(0.0),
        macro_f1: macro_f1(&within),
        calibration_error: calibration_error(&within),
        threshold: args.threshold,
        found: share(&within, |row| right(row) && !rejected(row)).unwrap_or(0.0),
        rejected_wrongly: share(&within, rejected).unwrap_or(0.0),
        rejected_rightly: share(&without, rejected),
        auroc: auroc(&judged),
        confusions: confusions(&within, args.worst),
        train_s,
        classify_ms,
    })
}

fn from_rows(path: &Path, none: &str) -> Result<Vec<(String, Vec<String>)>> {
    let mut intents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // What is none of the intents has nothing in common to learn.
    for row in rows::read(path, &COLUMNS)?.into_iter().filter(|row| row.cells[1] != none) {
        let [text, intent] = row.cells.as_slice() else { continue };
        intents.entry(intent.clone()).or_default().push(text.clone());
    }
    ensure!(
        intents.len() > 1,
        "{}:1: fewer than two intents to tell apart: give rows of several intents",
        path.display()
    );
    Ok(intents.into_iter().collect())
}

fn from_dialplan(path: &Path, lang: Lang) -> Result<Vec<(String, Vec<String>)>> {
    let plan = crate::cli::dialplan(path)?;
    let intents = plan.intents(lang);
    ensure!(!intents.is_empty(), "{} has no intents in {lang}: give --lang", path.display());
    Ok(intents)
}

fn judge(classifier: &IntentClassifier, row: &Row, none: &str) -> Judged {
    let heard = [Hypothesis { text: row.cells[0].clone(), confidence: 1.0 }];
    let ranking = classifier.rank(&heard);
    let best = ranking.intents.into_iter().next();
    Judged {
        label: (row.cells[1] != none).then(|| row.cells[1].clone()),
        score: best.as_ref().map_or(0.0, |best| best.score),
        guess: best.map(|best| best.intent),
        known: ranking.known,
    }
}

fn print(report: &Report) {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let (within, without) = report.rows;
    println!("{} intents learnt from {} texts ({})", report.intents, report.examples, report.lang);
    println!("{within} texts with an intent, {without} with none\n");
    println!(
        "accuracy            {:>8}   likeliest intent, before rejection",
        percent(report.accuracy)
    );
    println!("macro F1            {:>8.3}", report.macro_f1);
    println!(
        "calibration error   {:>8.3}   score against share of right guesses, ten bins",
        report.calibration_error
    );
    println!("\nmatched when known with {:.2}:", report.threshold);
    println!(
        "found               {:>8}   of texts with an intent: matched, and rightly",
        percent(report.found)
    );
    println!(
        "rejected wrongly    {:>8}   of texts with an intent",
        percent(report.rejected_wrongly)
    );
    if let Some(rejected) = report.rejected_rightly {
        println!("rejected rightly    {:>8}   of texts with none", percent(rejected));
    }
    if let Some(auroc) = report.auroc {
        println!("AUROC               {auroc:>8.3}   texts with an intent against texts with none");
    }
    println!("\ntrained in {:.2} s, {:.2} ms a text", report.train_s, report.classify_ms);
    if !report.confusions.is_empty() {
        println!("\nworst confusions:");
    }
    for Confusion { expected, got, count } in &report.confusions {
        println!("{count:>6} × {expected} taken for {got}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn args(folder: &Path, train: &str, test: &str) -> IntentsArgs {
        let (train_file, test_file) = (folder.join("train.csv"), folder.join("test.csv"));
        fs::write(&train_file, train).unwrap();
        fs::write(&test_file, test).unwrap();
        IntentsArgs {
            train: Some(train_file),
            dialplan: None,
            test: test_file,
            lang: None,
            none: "none".into(),
            threshold: KNOWN,
            worst: 10,
            json: false,
        }
    }

    const TRAIN: &str = "text,intent\nwhat do I owe,balance\nhow much is my bill,balance\n\
         my balance please,balance\nwhen are you open,hours\nwhat time do you close,hours\n\
         your opening hours,hours\n";

    #[test]
    fn right_guesses_and_rejections_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let test = "text,intent\nhow much do I owe,balance\nopening hours,hours\n\
                    the weather in Madagascar,none\nmy bill,hours\n";
        let report = evaluate(&args(folder.path(), TRAIN, test)).unwrap();
        assert_eq!(report.rows, (3, 1));
        assert!((report.accuracy - 2.0 / 3.0).abs() < 1e-9, "{report:?}");
        assert_eq!(report.rejected_rightly, Some(1.0));
        let wrong = Confusion { expected: "hours".into(), got: "balance".into(), count: 1 };
        assert_eq!(report.confusions, [wrong]);
    }

    #[test]
    fn a_label_that_was_never_learnt_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path(), TRAIN, "text,intent\nhello,hours\nhi,greeting\n");
        let error = evaluate(&args).unwrap_err().to_string();
        assert!(error.contains("test.csv:3: `greeting` is not an intent"), "{error}");
        assert!(error.contains("--none"), "{error}");
    }
}
