//! `hotline retention` and `hotline erase`: what is kept for how long, and forgetting somebody.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::json;
use time::OffsetDateTime;

use super::{recorded, runtime, token::audited};
use crate::{
    service::{Config, erase},
    store::{DEFAULT_TENANT, Gone, masked},
};

/// Digits that a number to be forgotten has at least: shorter ones may be anything.
const SHORTEST: usize = 5;

/// Arguments of `hotline retention`.
#[derive(Debug, clap::Args)]
pub struct RetentionArgs {
    /// The configuration that says how long what is kept.
    #[arg(long, default_value = "hotline.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, clap::Subcommand)]
enum RetentionCommand {
    /// Remove what was kept long enough. A service does so every hour by itself.
    Run {
        /// Only say what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Arguments of `hotline erase`.
#[derive(Debug, clap::Args)]
pub struct EraseArgs {
    /// The number of somebody who called or was called, as `hotline calls --unmask list` shows it.
    number: String,
    /// In calls of this tenant alone.
    #[arg(long)]
    tenant: Option<String>,
    /// The configuration that names the database.
    #[arg(long, default_value = "hotline.toml")]
    config: PathBuf,
}

/// Removes what was kept long enough, or says what would be.
///
/// # Errors
/// When something cannot be removed.
pub fn run(args: RetentionArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let RetentionCommand::Run { dry_run } = args.command;
    runtime()?.block_on(async {
        let store = recorded(&args.config, None).await?;
        let now = OffsetDateTime::now_utc();
        let (gone, verb) = match dry_run {
            true => (store.overdue(&config.retention.keep(), now).await?, "would be removed"),
            false => (config.retention.run(&store, &config, now).await?, "removed"),
        };
        if !dry_run && gone != Gone::default() {
            let details = json!({
                "recordings": gone.recordings, "journals": gone.journals, "events": gone.events,
                "calls": gone.calls, "audit": gone.audit,
            });
            audited(&store, DEFAULT_TENANT, "retention.run", "calls", details).await?;
        }
        println!(
            "{} recordings, {} journals, {} events, {} calls, {} rows of the audit log {verb}",
            gone.recordings, gone.journals, gone.events, gone.calls, gone.audit
        );
        Ok(())
    })
}

/// Forgets somebody.
///
/// # Errors
/// When there is no call with that number, or something cannot be removed.
pub fn run_erase(args: EraseArgs) -> anyhow::Result<()> {
    if args.number.chars().filter(char::is_ascii_digit).count() < SHORTEST {
        bail!("`{}` has less than {SHORTEST} digits: give the whole number", args.number);
    }
    runtime()?.block_on(async {
        let store = recorded(&args.config, None).await?;
        let data = Config::load(&args.config)?.data;
        let count = erase(&store, &data, args.tenant.as_deref(), &args.number, "cli").await?;
        if count == 0 {
            bail!(
                "no finished call from or to {}: `hotline calls --unmask list` shows numbers as they are kept",
                masked(&args.number)
            );
        }
        println!("{count} calls forgotten: `hotline audit list` has them on record");
        Ok(())
    })
}
