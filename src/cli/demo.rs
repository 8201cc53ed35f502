//! `hotline demo`: one whole call on this machine, as it happens.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, process::Command, sync::broadcast::Receiver};

use super::runtime;
use crate::{
    call::live::{Happening, LiveEvent},
    conversation::Note,
    service::{Config, Service},
    text::Lang,
};

/// Arguments of `hotline demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The caller's language.
    #[arg(long, default_value = "en", value_parser = lang)]
    lang: Lang,
    /// The configuration whose dialplans, voices and recognisers are shown.
    #[arg(long, default_value = "hotline.toml")]
    config: PathBuf,
    /// Directory of the caller's recorded turns, `en/*.wav` and `zh/*.wav`.
    #[arg(long, default_value = "examples/callers")]
    callers: PathBuf,
    /// Directory of speech models, instead of the cache's.
    #[arg(long)]
    models: Option<PathBuf>,
}

fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "en" => Ok(Lang::En),
        "zh" => Ok(Lang::Zh),
        other => Err(format!("{other:?} is not a language of the demo: en or zh")),
    }
}

/// The number that the demo's caller dials, and the disposition the call must come to.
fn expected(lang: Lang) -> (&'static str, &'static str) {
    match lang {
        Lang::En => ("1000", "resolved"),
        Lang::Zh => ("2000", "resolved"),
    }
}

/// Starts a service on free loopback ports and a caller in a second process, prints the call as it
/// happens, and one JSON line at the end.
///
/// # Errors
/// When something is missing, or when the call does not come to the expected outcome.
pub fn run(args: DemoArgs) -> anyhow::Result<()> {
    let turns = turns(&args)?;
    let (number, disposition) = expected(args.lang);
    let mut config = Config::load(&args.config)?;
    config.sip.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
    config.rtp.ports = "30000-30998".into();
    config.data.dir.push("demo");
    config.numbers.retain(|n| n.number == number);
    if config.numbers.is_empty() {
        bail!("{} has no number {number}, which the demo dials", args.config.display());
    }
    let summary = runtime()?.block_on(show(config, args.models, number, &turns))?;
    println!("{summary}");
    if summary["outcome"] != disposition {
        bail!("the call ended as {}, not as {disposition:?}", summary["outcome"]);
    }
    Ok(())
}

fn turns(args: &DemoArgs) -> anyhow::Result<Vec<PathBuf>> {
    let dir = args.callers.join(args.lang.to_string());
    let entries = std::fs::read_dir(&dir)
        .with_context(|| format!("{}: run this in the project's directory", dir.display()))?;
    let mut turns: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    turns.retain(|path| path.extension().is_some_and(|e| e == "wav"));
    turns.sort();
    if turns.is_empty() {
        bail!("{} has no WAV files", dir.display());
    }
    Ok(turns)
}

async fn show(
    config: Config,
    models: Option<PathBuf>,
    number: &str,
    turns: &[PathBuf],
) -> anyhow::Result<Value> {
    let service = Service::start(config, models).await?;
    let (uri, store) = (format!("sip:{number}@{}", service.address()), service.store().clone());
    let mut events = service.live().watch();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(service.run(async move {
        let _ = stopped.await;
    }));

    println!("calling {uri}");
    let mut caller = Command::new(std::env::current_exe()?);
    caller.args(["call", &uri, "--bind", "127.0.0.1"]);
    for turn in turns {
        caller.arg("--say").arg(turn);
    }
    let mut caller = caller.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let (call, outcome) = watch(&mut events).await?;
    let mut report = String::new();
    if let Some(mut out) = caller.stdout.take() {
        out.read_to_string(&mut report).await?;
    }
    let status = caller.wait().await?;
    if !status.success() {
        bail!("the caller failed: {status}");
    }
    let _ = stop.send(());
    running.await?;

    let report: Value = serde_json::from_str(&report).context("the caller's report")?;
    let latencies = latencies(&report);
    let record = store.call(&call).await?.context("the call is not in the store")?;
    Ok(json!({
        "outcome": outcome,
        "turns": latencies.len(),
        "latency_ms": { "p50": percentile(&latencies, 50), "p95": percentile(&latencies, 95) },
        "recording": record.recording,
        "call": call,
    }))
}

/// Prints the call as it happens; returns its id and disposition.
async fn watch(events: &mut Receiver<LiveEvent>) -> anyhow::Result<(String, String)> {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(120), events.recv())
            .await
            .context("nothing happened for two minutes")??;
        match event.what {
            Happening::Answered { dialplan } => println!("answered by {dialplan}"),
            Happening::Saying { text } => println!("  bot:    {text}"),
            Happening::Note(Note::Heard { hypotheses, .. }) => {
                let text = hypotheses.first().map_or("(not understood)", |h| h.text.trim());
                println!("  caller: {text}");
            }
            Happening::Note(Note::Turn(turn)) => {
                println!("          turn {} answered after {} ms", turn.turn, turn.latency_ms());
            }
            Happening::Note(Note::BargeIn { .. }) => println!("          (interrupted)"),
            Happening::Ended { disposition, .. } => return Ok((event.call, disposition)),
            _ => {}
        }
    }
}

/// What the caller measured, in milliseconds, sorted.
fn latencies(report: &Value) -> Vec<u64> {
    let turns = report["turns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<_> = turns.iter().filter_map(|turn| turn["latency_ms"].as_u64()).collect();
    found.sort_unstable();
    found
}

/// Nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&[1, 2, 3, 4], 95), Some(4));
        assert_eq!(percentile(&[], 50), None);
    }
}
