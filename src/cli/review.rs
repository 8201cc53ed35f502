//! `hotline review`: what callers said that was not understood, as proposals for the dialplan that a person approves.

mod proposals;
mod write;

use std::{fs, path::PathBuf};

use anyhow::Context;

use super::{dialplan, recorded, runtime};
use crate::store::CallFilter;
use proposals::{Missed, propose};

/// Calls that are looked through at most.
const CALLS: u32 = 10_000;

/// Arguments of `hotline review`.
#[derive(Debug, clap::Args)]
pub struct ReviewArgs {
    /// The dialplan whose calls are looked through
    pub dialplan: PathBuf,
    /// The configuration that names the data directory
    #[arg(long, default_value = "hotline.toml")]
    pub config: PathBuf,
    /// The data directory, instead of the configuration's
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Where the proposals go; unless given, beside the dialplan as NAME.review.csv
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Put the approved proposals of FILE into the dialplan
    #[arg(long, value_name = "FILE")]
    pub apply: Option<PathBuf>,
}

/// Writes proposals, or puts the approved ones into the dialplan.
///
/// # Errors
/// When a file cannot be read, written or is wrong, or there is no call to learn from.
pub fn run(args: &ReviewArgs) -> anyhow::Result<()> {
    let plan = dialplan(&args.dialplan)?;
    if let Some(approved) = &args.apply {
        let count = write::apply(&args.dialplan, approved)?;
        println!(
            "{count} put into {}: count its version up, and send the service a SIGHUP",
            args.dialplan.display()
        );
        return Ok(());
    }
    let missed = missed(args, plan.name())?;
    let proposals = propose(&plan, &missed);
    if proposals.is_empty() {
        println!("nothing to propose: callers of `{}` were understood", plan.name());
        return Ok(());
    }
    let output = args.output.clone().unwrap_or_else(|| args.dialplan.with_extension("review.csv"));
    fs::write(&output, write::table(&proposals)?)
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("{} proposals from {} turns in {}", proposals.len(), missed.len(), output.display());
    println!(
        "write `yes` into `approved`, change `target` as you like, then: hotline review {} --apply {}",
        args.dialplan.display(),
        output.display()
    );
    Ok(())
}

/// What callers of the dialplan said in turns that came to nothing.
fn missed(args: &ReviewArgs, name: &str) -> anyhow::Result<Vec<Missed>> {
    runtime()?.block_on(async {
        let store = recorded(&args.config, args.data.as_deref()).await?;
        let filter = CallFilter { limit: CALLS, ..CallFilter::default() };
        let mut missed = Vec::new();
        for call in store.calls(&filter).await?.iter().filter(|call| call.dialplan == name) {
            if let Some(record) = store.call(&call.id).await? {
                missed.extend(proposals::missed_in(&record));
            }
        }
        Ok(missed)
    })
}
