//! `hotline check`: is this dialplan right?

use std::path::PathBuf;

use anyhow::bail;

use crate::dialplan::{Dialplan, Severity};

/// Arguments of `hotline check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Dialplans, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

/// Checks dialplans and prints what it finds.
///
/// # Errors
/// When one of them cannot be used.
pub fn run(args: CheckArgs) -> anyhow::Result<()> {
    let mut errors = 0;
    for path in &args.paths {
        let findings = match Dialplan::load(path) {
            Ok(plan) => plan.warnings().to_vec(),
            Err(findings) => findings,
        };
        for finding in findings {
            errors += usize::from(finding.severity == Severity::Error);
            println!("{finding}");
        }
    }
    if errors > 0 {
        bail!("{errors} errors");
    }
    Ok(())
}
