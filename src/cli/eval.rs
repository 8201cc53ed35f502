//! `hotline eval`: how well does it hear and understand?

pub mod asr;
mod classification;
pub mod faq;
mod homophones;
pub mod intents;
pub mod rows;
pub mod score;
pub mod sentiment;
pub mod slots;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::text::{Lang, is_hanzi};

/// Measures a part of Hotline against recordings or texts of your own.
#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Error rates and times of speech recognition over recorded clips.
    Asr(asr::AsrArgs),
    /// Accuracy, calibration and rejection of the intent classifier over labelled texts.
    Intents(intents::IntentsArgs),
    /// How often a knowledge base gives the right answer, a wrong one, or rightly none.
    Faq(faq::FaqArgs),
    /// How often numbers, money, days, times, digits, yes and no are taken as callers meant them.
    Slots(slots::SlotsArgs),
    /// Whether what callers say is taken as they feel: angry, neither, or pleased.
    Sentiment(sentiment::SentimentArgs),
}

/// Runs `hotline eval`.
///
/// # Errors
/// When a file, a clip or a model cannot be read, or a file is not what the measure needs.
pub fn run(args: EvalArgs) -> Result<()> {
    match args.what {
        What::Asr(args) => asr::run(&args),
        What::Intents(args) => intents::run(&args),
        What::Faq(args) => faq::run(&args),
        What::Slots(args) => slots::run(&args),
        What::Sentiment(args) => sentiment::run(&args),
    }
}

fn parse_lang(text: &str) -> Result<Lang, String> {
    match text {
        "en" => Ok(Lang::En),
        "zh" => Ok(Lang::Zh),
        other => Err(format!("the language is {other:?}: give en or zh")),
    }
}

/// Chinese if half of the texts have a Chinese character in them.
fn language_of<'a>(texts: impl Iterator<Item = &'a str>) -> Lang {
    let (mut chinese, mut all) = (0, 0);
    for text in texts {
        all += 1;
        chinese += usize::from(text.chars().any(is_hanzi));
    }
    if chinese > 0 && 2 * chinese >= all { Lang::Zh } else { Lang::En }
}
