//! `hotline diff`: what changed between two dialplans.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{dialplan, publish};
use crate::dialplan::diff;

/// Arguments of `hotline diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The dialplan as it was: a file, `published:NAME` or `published:NAME@VERSION`
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The dialplan as it is
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Configuration, whose data directory has the published ones
    #[arg(long, default_value = "hotline.toml")]
    pub config: PathBuf,
}

/// Prints what was added (`+`), taken out (`-`) and changed (`~`), by nodes, intents, slots and the like.
///
/// # Errors
/// When one of them cannot be loaded.
pub fn run(args: &DiffArgs) -> anyhow::Result<()> {
    let load = |path: &Path| {
        let path = publish::path(&args.config, path)?;
        dialplan(&path).with_context(|| format!("{} has errors", path.display()))
    };
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let changes = diff(&old, &new);
    for change in &changes {
        println!("{change}");
    }
    match changes.len() {
        0 => println!("no change"),
        n => println!("{n} changed"),
    }
    Ok(())
}
