//! Traces for OpenTelemetry: each call, when it is over, goes to a collector.

mod otlp;
mod spans;

use std::time::Duration;

use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
    time::sleep,
};

use otlp::Collector;

use super::ServiceError;
use crate::{
    call::live::{Happening, Live, LiveEvent},
    store::Store,
};

/// Calls whose traces are being sent; of those beyond, nothing is sent.
const AT_ONCE: usize = 64;
/// How often, and after which pause, the record of a call is looked for: it is written when the call has told of its end.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Sends the traces of calls until it is dropped.
#[derive(Default)]
pub(super) struct Traces {
    _task: JoinSet<()>,
}

impl Traces {
    /// Sends them to the collector at `url`; nowhere without one.
    ///
    /// # Errors
    /// [`ServiceError::Otlp`] for an address that cannot be used.
    pub(super) fn start(
        url: Option<&str>,
        live: &Live,
        store: &Store,
    ) -> Result<Self, ServiceError> {
        let mut task = JoinSet::new();
        if let Some(url) = url {
            let wrong = |problem| ServiceError::Otlp { url: url.to_owned(), problem };
            let collector = Collector::new(url).map_err(wrong)?;
            task.spawn(follow(live.watch(), store.clone(), collector));
        }
        Ok(Self { _task: task })
    }
}

async fn follow(
    mut happenings: broadcast::Receiver<LiveEvent>,
    store: Store,
    collector: Collector,
) {
    let mut sending = JoinSet::new();
    loop {
        tokio::select! {
            event = happenings.recv() => match event {
                Ok(LiveEvent { call, what: Happening::Ended { .. }, .. }) if sending.len() < AT_ONCE => {
                    sending.spawn(send(call, store.clone(), collector.clone()));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "traces of calls may be missing"),
                Err(RecvError::Closed) => return,
            },
            Some(_) = sending.join_next() => {}
        }
    }
}

async fn send(call: String, store: Store, collector: Collector) {
    for _ in 0..LOOKS {
        match store.call(&call).await {
            Ok(Some(record)) if record.summary.end_reason.is_some() => {
                if let Err(status) = collector.export(spans::spans(&record)).await {
                    tracing::warn!(call, code = ?status.code(), "the collector did not take a trace");
                }
                return;
            }
            Ok(_) => sleep(PAUSE).await,
            Err(error) => return tracing::warn!(call, %error, "a call cannot be traced"),
        }
    }
}
