//! `hotline serve`: answer calls until told to stop.

use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::runtime;
use crate::service::{Config, Reloader, Service};

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
/// are given `sip.drain_s` to end; the second signal ends them at once. On SIGHUP the numbers of the configuration and their
/// dialplans are read again.
///
/// # Errors
/// When the service cannot be started.
pub fn run(args: ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    runtime()?.block_on(async {
        let service = Service::start(config, args.models).await?;
        tokio::spawn(reload_on_hangup(service.reloader(), args.config));
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

/// Reads the configuration's numbers and their dialplans again at each SIGHUP; what is wrong with them is logged, and
/// changes nothing.
async fn reload_on_hangup(reloader: Reloader, path: PathBuf) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        let reloaded = match Config::load(&path) {
            Ok(config) => reloader.reload(config).await,
            Err(error) => Err(error),
        };
        if let Err(error) = reloaded {
            tracing::error!("the dialplans in use stay: {error}");
        }
    }
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
