//! `hotline serve`: answer calls until told to stop.

use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::runtime;
use crate::service::{Config, Service};

/// Arguments of `hotline serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The configuration file.
    #[arg(long, default_value = "hotline.toml")]
    config: PathBuf,
    /// Directory of speech models, instead of the cache's.
    #[arg(long)]
    models: Option<PathBuf>,
}

/// Starts the service and stays; on SIGTERM or Ctrl-C no call is taken any more, and running calls
/// are given time to end.
///
/// # Errors
/// When the service cannot be started.
pub fn run(args: ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    runtime()?.block_on(async {
        let service = Service::start(config, args.models).await?;
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        service.run(stop).await;
        Ok(())
    })
}
