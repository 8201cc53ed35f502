//! `hotline replay`: run call journals again and compare, byte for byte.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};

use crate::conversation::journal::{self, Difference};

/// Arguments of `hotline replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// Journals (`journal.jsonl`) to replay.
    #[arg(required = true)]
    journals: Vec<PathBuf>,
}

/// Replays each journal; fails when one differs.
///
/// # Errors
/// When a file cannot be read or is no journal, or when a replay differs.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let mut different = 0;
    for path in &args.journals {
        let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let replay = journal::replay(&text).with_context(|| format!("{}", path.display()))?;
        match replay.difference {
            None => println!("{}: identical, {} steps", path.display(), replay.steps),
            Some(difference) => {
                different += 1;
                print_difference(&path.display().to_string(), &difference)?;
            }
        }
    }
    if different > 0 {
        bail!("{different} of {} journals replayed differently", args.journals.len());
    }
    Ok(())
}

fn print_difference(path: &str, difference: &Difference) -> anyhow::Result<()> {
    let Difference { line, recorded, replayed } = difference;
    println!("{path}:{line}: differs at {}", recorded.at);
    println!("  input:    {}", journal::line(&recorded.input)?);
    println!("  recorded: {}", journal::line(&recorded.outputs)?);
    println!("  replayed: {}", journal::line(replayed)?);
    Ok(())
}
