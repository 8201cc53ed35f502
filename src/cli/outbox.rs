//! `hotline outbox`: what sinks of events have not taken, and what to do about it.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::json;
use time::OffsetDateTime;

use super::{moment, recorded, runtime, token::audited};
use crate::store::{DEFAULT_TENANT, Store};

/// Arguments of `hotline outbox`.
#[derive(Debug, clap::Args)]
pub struct OutboxArgs {
    /// The configuration that names the database.
    #[arg(long, default_value = "hotline.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, clap::Subcommand)]
enum OutboxCommand {
    /// Sinks and how far they have come; with one named, the events that it has not taken.
    List {
        /// The sink, such as webhook:crm.
        sink: Option<String>,
        /// At most so many events.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Have dead letters and what waits tried again at once.
    Retry {
        /// The sink.
        sink: String,
        /// This event alone.
        #[arg(long)]
        cursor: Option<u64>,
    },
    /// Give up dead letters for good.
    Drop {
        /// The sink.
        sink: String,
        /// This event alone.
        #[arg(long)]
        cursor: Option<u64>,
    },
    /// Have a sink get every event from a cursor on again.
    Replay {
        /// The sink.
        sink: String,
        /// The first event.
        #[arg(long)]
        from: u64,
    },
}

/// Lists, retries, drops or replays.
///
/// # Errors
/// When the database cannot be used, or there is no such sink.
pub fn run(args: OutboxArgs) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let store = recorded(&args.config, None).await?;
        match args.command {
            OutboxCommand::List { sink: None, .. } => list(&store).await?,
            OutboxCommand::List { sink: Some(sink), limit } => show(&store, &sink, limit).await?,
            OutboxCommand::Retry { sink, cursor } => {
                known(&store, &sink).await?;
                let count = store.retry_deliveries(&sink, cursor).await?;
                noted(&store, "outbox.retry", &sink, json!({ "cursor": cursor, "count": count }))
                    .await?;
                println!("{count} events are tried again");
            }
            OutboxCommand::Drop { sink, cursor } => {
                known(&store, &sink).await?;
                let count = store.drop_deliveries(&sink, cursor).await?;
                noted(&store, "outbox.drop", &sink, json!({ "cursor": cursor, "count": count }))
                    .await?;
                println!("{count} dead letters dropped");
            }
            OutboxCommand::Replay { sink, from } => {
                store.replay(&sink, from).await?;
                noted(&store, "outbox.replay", &sink, json!({ "from": from })).await?;
                println!("{sink} gets everything from {from} on again");
            }
        }
        Ok(())
    })
}

async fn noted(
    store: &Store,
    action: &str,
    sink: &str,
    details: serde_json::Value,
) -> anyhow::Result<()> {
    audited(store, DEFAULT_TENANT, action, sink, details).await
}

async fn known(store: &Store, sink: &str) -> anyhow::Result<()> {
    let sinks = store.sinks().await?;
    if !sinks.iter().any(|known| known == sink) {
        bail!("no sink is called `{sink}`: there are {}", sinks.join(", "));
    }
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    println!("{:<24} {:>10} {:>8} {:>6}  OLDEST (UTC)", "SINK", "POSITION", "BEHIND", "DEAD");
    for sink in store.sinks().await? {
        let state = store.sink_state(&sink).await?;
        let oldest = state.oldest.map_or_else(|| "-".to_owned(), moment);
        println!(
            "{sink:<24} {:>10} {:>8} {:>6}  {oldest}",
            state.position, state.behind, state.dead
        );
    }
    Ok(())
}

async fn show(store: &Store, sink: &str, limit: u32) -> anyhow::Result<()> {
    known(store, sink).await?;
    println!("{:>10}  {:<28} {:<18} {:>5}  STATE", "CURSOR", "EVENT", "KIND", "TRIES");
    for delivery in store.deliveries(sink, limit).await? {
        let event = &delivery.event;
        let state = match (delivery.dead, delivery.next_at > OffsetDateTime::now_utc()) {
            (true, _) => "dead".to_owned(),
            (false, true) => format!("again {}", moment(delivery.next_at)),
            (false, false) => "waits".to_owned(),
        };
        println!(
            "{:>10}  {:<28} {:<18} {:>5}  {state}: {}",
            event.cursor,
            format!("{}/{}", event.call, event.seq),
            event.what.kind,
            delivery.attempts,
            delivery.problem
        );
    }
    Ok(())
}
