//! `hotline load`: how many calls a service can take.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::runtime;
use crate::{
    audio::{Pcm, read_8k},
    call::load::{self, LoadPlan, LoadReport},
    sip::{UserAgent, UserAgentConfig},
};

/// Arguments of `hotline load`.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    /// Whom to call, such as `sip:1000@127.0.0.1:5060`.
    uri: String,
    /// Calls at once.
    #[arg(long, default_value_t = 10)]
    calls: u32,
    /// Calls begun in a second.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Seconds for which all calls are up together.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Milliseconds that each call lasts, instead of until all have been up together: 0 for signalling alone.
    #[arg(long, value_name = "MS", conflicts_with = "seconds")]
    each: Option<u64>,
    /// What the callers say, a WAV file, over and over; silence unless given.
    #[arg(long, value_name = "WAV")]
    say: Option<PathBuf>,
    /// Our address.
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,
}

/// Places the calls and prints one JSON line.
///
/// # Errors
/// When the WAV cannot be read, no call was completed, or our address cannot be used.
pub fn run(args: LoadArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.rate > 0.0 && args.rate.is_finite(), "--rate must be above 0");
    anyhow::ensure!(!args.bind.is_unspecified(), "--bind must be an address that callees reach");
    let ramp = Duration::from_secs_f64(f64::from(args.calls) / args.rate);
    let plan = LoadPlan {
        uri: args.uri,
        address: args.bind,
        calls: args.calls,
        rate: args.rate,
        hold: args.each.map_or(ramp + Duration::from_secs(args.seconds), Duration::from_millis),
        speech: args.say.as_deref().map(read_8k).transpose()?.unwrap_or_else(|| Pcm::silence(0)),
    };
    let report = runtime()?.block_on(place(plan))?;
    println!("{}", serde_json::to_string(&report)?);
    anyhow::ensure!(report.completed > 0, "no call was completed");
    Ok(())
}

async fn place(plan: LoadPlan) -> anyhow::Result<LoadReport> {
    let agent = UserAgent::bind(UserAgentConfig::new(SocketAddr::new(plan.address, 0))).await?;
    let report = load::run(&agent, plan).await;
    agent.shutdown(Duration::from_secs(2)).await;
    Ok(report)
}
