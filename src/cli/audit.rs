//! `hotline audit`: who did what, and whether that record is whole.

use std::path::PathBuf;

use anyhow::bail;

use super::{moment, recorded, runtime};
use crate::store::AuditVerdict;

/// Rows that are read together.
const PAGE: u32 = 1_000;

/// Arguments of `hotline audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// The configuration that names the database.
    #[arg(long, default_value = "hotline.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    /// Says whether every row is there and as it was written; fails naming the first that is not.
    Verify,
    /// The rows, oldest first.
    List {
        /// Of this tenant alone.
        #[arg(long)]
        tenant: Option<String>,
        /// Only rows after this one.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
}

/// Verifies or lists the audit log.
///
/// # Errors
/// When the database cannot be read, or the log is not whole.
pub fn run(args: AuditArgs) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let store = recorded(&args.config, None).await?;
        match args.command {
            AuditCommand::Verify => match store.verify_audit().await? {
                AuditVerdict::Whole { rows } => println!("{rows} rows, all as they were written"),
                AuditVerdict::Broken { seq, why } => bail!("row {seq} of the audit log: {why}"),
            },
            AuditCommand::List { tenant, mut after } => loop {
                let rows = store.audit_rows(tenant.as_deref(), after, PAGE).await?;
                for row in &rows {
                    let deed = &row.deed;
                    println!(
                        "{:>8}  {}  {:<12} {:<10} {:<18} {}  {}",
                        row.seq,
                        moment(row.time),
                        deed.tenant,
                        deed.who,
                        deed.action,
                        deed.object,
                        deed.details
                    );
                }
                match rows.last() {
                    Some(last) => after = last.seq,
                    None => break,
                }
            },
        }
        Ok(())
    })
}
