//! `hotline backup` and `hotline restore`: the database and the calls' files, to a directory and back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{recorded, runtime};
use crate::{
    service::{Config, Data},
    store::Store,
};

/// Arguments of `hotline backup` and `hotline restore`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The directory of the backup; `backup` makes it.
    dir: PathBuf,
    /// The configuration that names the data directory.
    #[arg(long, default_value = "hotline.toml")]
    config: PathBuf,
    /// The database alone, without recordings and journals.
    #[arg(long)]
    database_only: bool,
}

/// Copies the database, whole as of one moment, and the calls' files, while the service runs.
///
/// # Errors
/// When the directory is there already, or something cannot be read or written.
pub fn run(args: BackupArgs) -> anyhow::Result<()> {
    let data = Config::load(&args.config)?.data;
    if args.dir.exists() {
        bail!("{} is there already: name another directory", args.dir.display());
    }
    // As the data directory itself: for this user alone.
    Data { dir: args.dir.clone(), ..Data::default() }.make_dir()?;
    runtime()?.block_on(async {
        let store = recorded(&args.config, None).await?;
        store.backup(&args.dir.join("hotline.db")).await?;
        anyhow::Ok(())
    })?;
    // After the database: every file that it names is there, unless the call goes on.
    let files = match args.database_only {
        true => 0,
        false => copy(&data.dir.join("calls"), &args.dir.join("calls"))?,
    };
    println!("database and {files} files in {}", args.dir.display());
    Ok(())
}

/// Brings a backup back to where the configuration says that data are. The service must not run, and nothing is
/// overwritten.
///
/// # Errors
/// When there is a database already, or the backup is not whole.
pub fn run_restore(args: BackupArgs) -> anyhow::Result<()> {
    let data = Config::load(&args.config)?.data;
    if data.database.is_some() {
        bail!("data.database is PostgreSQL: restore it with pg_restore, and copy `calls` yourself");
    }
    let (from, to) = (args.dir.join("hotline.db"), data.file());
    if !from.exists() {
        bail!("{} is no backup: it has no hotline.db", args.dir.display());
    }
    if to.exists() {
        bail!("{} is there already: stop the service, move it away, then restore", to.display());
    }
    data.make_dir()?;
    let fresh = to.with_extension("restoring");
    fs::copy(&from, &fresh).with_context(|| format!("cannot copy to {}", fresh.display()))?;
    runtime()?.block_on(Store::check_backup(&fresh))?;
    let files = match args.database_only {
        true => 0,
        false => copy(&args.dir.join("calls"), &data.dir.join("calls"))?,
    };
    fs::rename(&fresh, &to).with_context(|| format!("cannot rename {}", fresh.display()))?;
    for rest in ["restoring-wal", "restoring-shm", "restoring-owner"] {
        let _ = fs::remove_file(to.with_extension(rest));
    }
    println!("database and {files} files in {}", data.dir.display());
    Ok(())
}

/// Copies a directory with everything in it; returns how many files there were.
fn copy(from: &Path, to: &Path) -> anyhow::Result<usize> {
    if !from.exists() {
        return Ok(0);
    }
    let cannot = |path: &Path| format!("cannot copy {}", path.display());
    fs::create_dir_all(to).with_context(|| cannot(to))?;
    let mut files = 0;
    for entry in fs::read_dir(from).with_context(|| cannot(from))? {
        let path = entry.with_context(|| cannot(from))?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            files += copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).with_context(|| cannot(&path))?;
            files += 1;
        }
    }
    Ok(files)
}
