//! `hotline eval slots`: are the values that callers say taken as they meant them?

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use time::{Date, macros::format_description};

use super::{
    language_of,
    rows::{self, Column, Row},
};
use crate::{
    dialplan::expression::decimal,
    text::{Hypothesis, Lang},
    understand::{self, DigitSpec},
};

const COLUMNS: [Column; 5] = [
    Column { names: &["text"], required: true },
    Column { names: &["type"], required: true },
    Column { names: &["value"], required: false },
    Column { names: &["lang", "language"], required: false },
    Column { names: &["today"], required: false },
];
/// Types of slots that can be tried.
const TYPES: [&str; 6] = ["yes_no", "digits", "number", "money", "date", "time"];
/// The day on which dates are said, where a row does not say.
const TODAY: Date = time::macros::date!(2026 - 11 - 23);
/// Digits that a number read out may have, where its row has no value: telephone and account numbers.
const NUMBERS: DigitSpec = DigitSpec { min: 5, max: 18, allow_x: true, ..DigitSpec::NONE };
/// The largest number tried.
const LARGEST: i64 = 999_999_999;

/// What to try.
#[derive(Debug, Args)]
pub struct SlotsArgs {
    /// Tables (CSV, tab-separated or JSON lines) with the columns text, type (yes_no, digits, number, money, date, time) and
    /// value as a slot would hold it, empty where nothing should be taken; `a|b` where either is right; if there, lang and
    /// today (the day on which a date is said)
    #[arg(required = true)]
    pub tables: Vec<PathBuf>,
    /// Show so many of the wrong ones of each type
    #[arg(long, default_value_t = 10)]
    pub worst: usize,
    /// Print one JSON document instead
    #[arg(long)]
    pub json: bool,
}

/// What came out for one type in one language.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    /// Texts tried.
    pub tried: usize,
    /// Taken as meant, or rightly not taken.
    pub right: usize,
    /// Taken as something else, or taken though there was nothing to take.
    pub wrong: usize,
    /// Not taken.
    pub missed: usize,
    /// Those that were not right.
    pub failures: Vec<Failure>,
}

/// A text that was not taken as meant.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// What was said.
    pub text: String,
    /// What should have been taken; empty for nothing.
    pub wanted: String,
    /// What was taken.
    pub taken: Option<String>,
}

/// Tries the tables.
///
/// # Errors
/// When a table cannot be read, or names a type, a language or a day that there is not.
pub fn evaluate(tables: &[PathBuf]) -> Result<BTreeMap<(String, String), Tally>> {
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for path in tables {
        for row in rows::read(path, &COLUMNS)? {
            let place = || format!("{}:{}", path.display(), row.line);
            let case = Case::of(&row).with_context(place)?;
            let taken = case.taken();
            let tally = tallies.entry((case.kind.to_owned(), case.lang.to_string())).or_default();
            tally.tried += 1;
            let right = match &taken {
                Some(value) => case.wanted.split('|').any(|wanted| wanted == value),
                None => case.wanted.is_empty(),
            };
            if right {
                tally.right += 1;
                continue;
            }
            match taken {
                Some(_) => tally.wrong += 1,
                None => tally.missed += 1,
            }
            let (text, wanted) = (case.text.to_owned(), case.wanted.to_owned());
            tally.failures.push(Failure { text, wanted, taken });
        }
    }
    Ok(tallies)
}

/// Tries the tables and prints what came out.
///
/// # Errors
/// As [`evaluate`].
pub fn run(args: &SlotsArgs) -> Result<()> {
    let tallies = evaluate(&args.tables)?;
    if args.json {
        let all: Vec<_> = tallies
            .iter()
            .map(|((kind, lang), tally)| {
                serde_json::json!({"type": kind, "lang": lang, "tally": tally})
            })
            .collect();
        println!("{:#}", serde_json::Value::from(all));
        return Ok(());
    }
    println!("type     lang  texts  right          wrong  missed");
    for ((kind, lang), tally) in &tallies {
        let share = 100.0 * tally.right as f64 / tally.tried.max(1) as f64;
        println!(
            "{kind:8} {lang:4} {:6}  {:5} ({share:5.1} %)  {:5}  {:6}",
            tally.tried, tally.right, tally.wrong, tally.missed
        );
        for failure in tally.failures.iter().take(args.worst) {
            let wanted = if failure.wanted.is_empty() { "nothing" } else { &failure.wanted };
            let taken = failure.taken.as_deref().unwrap_or("nothing");
            println!("    {}: {taken}, not {wanted}", failure.text);
        }
    }
    Ok(())
}

struct Case<'r> {
    text: &'r str,
    kind: &'r str,
    wanted: &'r str,
    lang: Lang,
    today: Date,
}

impl<'r> Case<'r> {
    fn of(row: &'r Row) -> Result<Self> {
        let [text, kind, wanted, lang, today] = &row.cells[..] else { bail!("five cells") };
        if !TYPES.contains(&kind.as_str()) {
            bail!("no type `{kind}`: give one of {}", TYPES.join(", "));
        }
        let lang = match lang.as_str() {
            "" => language_of([text.as_str()].into_iter()),
            name => super::parse_lang(name).map_err(anyhow::Error::msg)?,
        };
        let format = format_description!("[year]-[month]-[day]");
        let today = match today.as_str() {
            "" => TODAY,
            day => Date::parse(day, format)
                .with_context(|| format!("`today` is `{day}`: write it like 2026-11-23"))?,
        };
        Ok(Self { text, kind, wanted, lang, today })
    }

    /// What a slot of the type takes from the text.
    fn taken(&self) -> Option<String> {
        let heard = [Hypothesis { text: self.text.to_owned(), confidence: 1.0 }];
        match self.kind {
            "yes_no" => {
                let said = understand::yes_no(self.lang, self.text)?;
                Some(if said { "yes" } else { "no" }.to_owned())
            }
            "digits" => understand::best_digits(self.lang, &heard, &self.digits()),
            "number" => {
                understand::number(self.lang, &heard, &(0..=LARGEST)).map(|value| value.to_string())
            }
            "money" => understand::money(self.lang, &heard).map(decimal),
            "date" => understand::date(self.lang, &heard, self.today).map(|date| date.to_string()),
            _ => understand::time_of_day(self.lang, &heard)
                .map(|time| format!("{:02}:{:02}", time.hour(), time.minute())),
        }
    }

    /// A slot for digits knows how many there are.
    fn digits(&self) -> DigitSpec {
        match u8::try_from(self.wanted.len()) {
            Ok(length) if length > 0 => {
                DigitSpec { min: length, max: length, allow_x: true, ..DigitSpec::NONE }
            }
            _ => NUMBERS,
        }
    }
}
