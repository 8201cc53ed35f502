//! `hotline publish` and `hotline rollback`: versions of dialplans that numbers answer with.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::dialplan;
use crate::{
    dialplan::Dialplan,
    service::{Config, Published, Version},
};

/// Arguments of `hotline publish`.
#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// The dialplan
    #[arg(value_name = "DIALPLAN", required_unless_present = "list")]
    pub dialplan: Option<PathBuf>,
    /// Why, for those who look back
    #[arg(long, default_value = "")]
    pub note: String,
    /// Show what is published
    #[arg(long, conflicts_with = "dialplan")]
    pub list: bool,
    /// Who and where
    #[command(flatten)]
    pub by: By,
}

/// Arguments of `hotline rollback`.
#[derive(Debug, clap::Args)]
pub struct RollbackArgs {
    /// The dialplan's name, as `dialplan:` has it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The version; the one before the current one where none is named
    #[arg(long)]
    pub to: Option<u32>,
    /// Why, for those who look back
    #[arg(long, default_value = "")]
    pub note: String,
    /// Who and where
    #[command(flatten)]
    pub by: By,
}

/// Who does it, and in which data directory.
#[derive(Debug, clap::Args)]
pub struct By {
    /// Who, for those who look back
    #[arg(long, default_value_t = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned()))]
    pub author: String,
    /// Configuration, whose data directory is used
    #[arg(long, default_value = "hotline.toml")]
    pub config: PathBuf,
}

impl By {
    fn published(&self) -> anyhow::Result<Published> {
        Ok(Published::new(&Config::load(&self.config)?.data.dir))
    }
}

/// Publishes a dialplan, or lists what is published.
///
/// # Errors
/// When the dialplan has errors, or its version was published with other content.
pub fn run(args: &PublishArgs) -> anyhow::Result<()> {
    let published = args.by.published()?;
    let Some(path) = &args.dialplan else { return list(&published) };
    let plan: Dialplan = dialplan(path)?;
    let version = published.publish(&plan, &args.by.author, &now()?, &args.note)?;
    tell("published", &version);
    Ok(())
}

/// Goes back to an earlier version, or on to a later one.
///
/// # Errors
/// When there is no such version.
pub fn roll_back(args: &RollbackArgs) -> anyhow::Result<()> {
    let published = args.by.published()?;
    let (author, note) = (&args.by.author, &args.note);
    let version = published.roll_back(&args.name, args.to, author, &now()?, note)?;
    tell("back at", &version);
    Ok(())
}

/// The file of a published dialplan; any other path as it is.
pub(super) fn path(config: &Path, path: &Path) -> anyhow::Result<PathBuf> {
    if !path.to_string_lossy().starts_with("published:") {
        return Ok(path.to_owned());
    }
    let config = Config::load(config).context("published dialplans stand in its data directory")?;
    Ok(Published::new(&config.data.dir).path(path)?)
}

fn list(published: &Published) -> anyhow::Result<()> {
    let names = published.names()?;
    if names.is_empty() {
        bail!("nothing is published yet: `hotline publish DIALPLAN` does so");
    }
    for name in names {
        let current = published.current(&name).ok();
        for version in published.versions(&name)? {
            let mark = if current == Some(version.version) { "*" } else { " " };
            let Version { version, hash, author, time, note, .. } = version;
            let hash: String = hash.chars().take(12).collect();
            println!("{mark} published:{name}@{version}  {hash}  {time}  {author}  {note}");
        }
    }
    Ok(())
}

fn tell(what: &str, version: &Version) {
    let Version { name, version, hash, .. } = version;
    println!("{what} {name}, version {version}, {hash}");
    println!(
        "numbers with `dialplan = \"published:{name}\"` answer with it after a SIGHUP of the service"
    );
}

fn now() -> anyhow::Result<String> {
    Ok(OffsetDateTime::now_utc().replace_nanosecond(0)?.format(&Rfc3339)?)
}
