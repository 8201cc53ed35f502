//! `hotline dial`: place one call that a dialplan talks in, and print what came of it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::sync::{broadcast, oneshot};

use super::runtime;
use crate::{
    call::live::{Happening, LiveEvent},
    service::{Config, OutboundCall, PlacedDialplan, Service},
    store::{CallRecord, DEFAULT_TENANT, masked},
};

/// Arguments of `hotline dial`.
#[derive(Debug, clap::Args)]
pub struct DialArgs {
    /// Whom to call: a number by a trunk, or a URI such as `sip:1000@127.0.0.1:5060`.
    #[arg(value_name = "NUMBER|URI")]
    to: String,
    /// The dialplan that talks.
    #[arg(long, value_name = "YAML")]
    dialplan: PathBuf,
    /// The trunk of the configuration by which a number is called; the only one, when it is not given.
    #[arg(long, value_name = "NAME")]
    trunk: Option<String>,
    /// A value that a slot has from the beginning; repeat for more.
    #[arg(long = "set", value_name = "SLOT=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Our number in this call, instead of the trunk's.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// How long it may ring, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    ring: u64,
    /// The configuration file: trunks, recognisers, voices, and where calls are kept.
    #[arg(long, default_value = "hotline.toml")]
    config: PathBuf,
    /// Directory of speech models, instead of the cache's.
    #[arg(long)]
    models: Option<PathBuf>,
    /// Show numbers in full.
    #[arg(long)]
    unmasked: bool,
}

/// Places the call with a service of its own and prints one JSON line.
///
/// # Errors
/// When the configuration or the dialplan has errors, or the call cannot be placed. A call that is not answered is an
/// outcome, and no error.
pub fn run(args: DialArgs) -> anyhow::Result<()> {
    let config = config(&args)?;
    let outcome = runtime()?.block_on(dial(&args, config))?;
    println!("{outcome}");
    Ok(())
}

/// The configuration, for this call alone: no number is answered, and a service may run beside.
fn config(args: &DialArgs) -> anyhow::Result<Config> {
    let mut config = Config::load(&args.config)?;
    config.numbers.clear();
    config.dialplans = vec![PlacedDialplan {
        file: args.dialplan.clone(),
        tenant: DEFAULT_TENANT.to_owned(),
        record: true,
    }];
    let wanted = |name: &str| args.trunk.as_deref().is_none_or(|trunk| trunk == name);
    config.trunks.retain(|trunk| wanted(&trunk.name));
    if config.transfer.trunk.as_deref().is_some_and(|name| !wanted(name)) {
        config.transfer.trunk = None;
    }
    config.monitoring.listen = None;
    for on in &mut config.sip.listen {
        on.addr.set_port(0);
    }
    Ok(config)
}

async fn dial(args: &DialArgs, config: Config) -> anyhow::Result<String> {
    let service = Service::start(config, args.models.clone()).await?;
    let (originator, store) = (service.originator(), service.store().clone());
    let live = service.live().watch();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(service.run(async move {
        let _ = stopped.await;
    }));
    let call = OutboundCall {
        tenant: "default".into(),
        to: args.to.clone(),
        trunk: args.trunk.clone(),
        caller_id: args.from.clone(),
        dialplan: args.dialplan.display().to_string(),
        variables: args.set.iter().cloned().collect::<BTreeMap<_, _>>(),
        ring: Duration::from_secs(args.ring),
        idempotency_key: None,
        reference: None,
    };
    let placed = originator.start(call).await;
    let over = match &placed {
        Ok(id) => ended(id, live).await,
        Err(_) => Ok(()),
    };
    let _ = stop.send(());
    running.await.context("the service broke")?;
    let id = placed?;
    over?;
    let record = store.call(&id).await?.with_context(|| format!("call {id} has no record"))?;
    Ok(outcome(&record, args.unmasked).to_string())
}

/// Follows the call to its end, telling on stderr what is said.
async fn ended(id: &str, mut live: broadcast::Receiver<LiveEvent>) -> anyhow::Result<()> {
    loop {
        match live.recv().await {
            Ok(event) if event.call == id => match event.what {
                Happening::Ringing => eprintln!("it rings"),
                Happening::Answered { .. } => eprintln!("answered"),
                Happening::Saying { text } => eprintln!("bot: {text}"),
                Happening::Ended { .. } => return Ok(()),
                _ => {}
            },
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => bail!("the service stopped"),
        }
    }
}

/// What came of the call.
fn outcome(record: &CallRecord, unmasked: bool) -> Value {
    let call = &record.summary;
    let shown = |number: &str| if unmasked { number.to_owned() } else { masked(number) };
    let dialled = record.events.iter().find(|event| event.kind == "dialled");
    json!({
        "call": call.id,
        "to": shown(&call.called),
        "from": shown(&call.caller),
        "dialplan": call.dialplan,
        "dialled": dialled.map(|event| event.data.clone()),
        "answered_ms": call.answered_ms,
        "duration_ms": call.duration_ms,
        "end_reason": call.end_reason,
        "disposition": call.disposition,
        "turns": call.turns,
        "slots": record.slots,
        "recording": record.recording,
        "journal": record.journal,
    })
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (slot, value) = text.split_once('=').ok_or("write it as SLOT=VALUE")?;
    Ok((slot.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_as_slot_equals_value() {
        assert_eq!(assignment("name=Ms Li"), Ok(("name".to_owned(), "Ms Li".to_owned())));
        assert_eq!(assignment("note=a=b"), Ok(("note".to_owned(), "a=b".to_owned())));
        assert!(assignment("name").is_err());
    }
}
