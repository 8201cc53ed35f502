//! `hotline api`: the reference and the promises of the gRPC API, for those who change `proto/`.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};

use crate::proto::{DESCRIPTOR, Described, breaking, reference, surface};

/// Arguments of `hotline api`.
#[derive(Debug, clap::Args)]
pub struct ApiArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the reference.
    Docs {
        /// Where it goes.
        #[arg(long, default_value = "docs/api.md")]
        output: PathBuf,
    },
    /// Write what clients rely on, after what is new has been added; refuses to forget anything.
    Baseline {
        /// Where it is.
        #[arg(long, default_value = "proto/baseline.txt")]
        output: PathBuf,
    },
}

/// Writes one of the two.
///
/// # Errors
/// When a file cannot be written, or the baseline has what the definitions no longer have.
pub fn run(args: &ApiArgs) -> anyhow::Result<()> {
    let described = Described::read(DESCRIPTOR)?;
    let (output, text) = match &args.command {
        Command::Docs { output } => (output, reference(&described)),
        Command::Baseline { output } => {
            let now = surface(&described);
            let broken = breaking(&fs::read_to_string(output).unwrap_or_default(), &now);
            if !broken.is_empty() {
                bail!("clients of the API would break:\n{}", broken.join("\n"));
            }
            (output, now)
        }
    };
    fs::write(output, text).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}", output.display());
    Ok(())
}
