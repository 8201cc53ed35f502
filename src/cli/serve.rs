//! `hotline serve`: answer calls until told to stop.

use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
/// are given `sip.drain_s` to end; the second signal ends them at once.
///
/// # Errors
/// When the service cannot be started.
pub fn run(args: ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    runtime()?.block_on(async {
        let service = Service::start(config, args.models).await?;
        let mut first = Stop::new()?;
        let mut second = Stop::new()?;
        let cut = async {
            second.told().await;
            second.told().await;
        };
        service.run_until(first.told(), cut).await;
        Ok(())
    })
}

/// Hears each SIGTERM and each Ctrl-C from when it was made.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
