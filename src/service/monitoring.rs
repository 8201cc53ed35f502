//! Health and metrics over HTTP, for Prometheus and for whoever restarts services.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, task::JoinSet};

use super::ServiceError;
use crate::call::Metrics;

/// What [`Metrics::text`] is written in.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers `/metrics`, `/healthz` (the process lives) and `/readyz` (it takes calls) until dropped.
pub(super) struct Monitoring {
    seen: Seen,
    at: Option<SocketAddr>,
    /// Ends with it.
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Seen {
    metrics: Metrics,
    ready: Arc<AtomicBool>,
}

impl Monitoring {
    /// Listens on `address`; on nothing without one.
    pub(super) async fn start(
        address: Option<SocketAddr>,
        metrics: Metrics,
    ) -> Result<Self, ServiceError> {
        let seen = Seen { metrics, ready: Arc::default() };
        let mut server = JoinSet::new();
        let mut at = None;
        if let Some(address) = address {
            let failed = |problem| ServiceError::Monitoring { address, problem };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            at = Some(listener.local_addr().map_err(failed)?);
            let app = Router::new()
                .route("/metrics", get(metrics_text))
                .route("/healthz", get(|| async { "alive\n" }))
                .route("/readyz", get(ready))
                .with_state(seen.clone());
            server.spawn(async move {
                if let Err(error) = axum::serve(listener, app).await {
                    tracing::error!(%error, "metrics are no longer served");
                }
            });
        }
        Ok(Self { seen, at, _server: server })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.at
    }

    /// Says whether calls are taken from now on.
    pub(super) fn ready(&self, ready: bool) {
        self.seen.ready.store(ready, Ordering::Relaxed);
    }
}

async fn metrics_text(State(seen): State<Seen>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPENMETRICS)], seen.metrics.text())
}

async fn ready(State(seen): State<Seen>) -> (StatusCode, &'static str) {
    match seen.ready.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "takes no calls\n"),
    }
}
