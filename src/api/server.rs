//! Serving: the services behind the gate, health and reflection in front of it.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet};
use tonic::service::Routes;
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    ApiConfig, ApiError, House,
    admin::AdminService,
    calls::CallsService,
    dialplans::DialplansService,
    dispositions::DispositionsService,
    events::EventsService,
    feedback::FeedbackService,
    gate::{Gate, gate},
    knowledge::KnowledgeService,
    limits::Limits,
    recordings::RecordingsService,
    reports::ReportsService,
    tail::Tail,
    writes::Writes,
};
use crate::{
    call::{control::Calls, live::Live},
    proto::{
        DESCRIPTOR, admin_server::AdminServer, calls_server::CallsServer,
        dialplans_server::DialplansServer, dispositions_server::DispositionsServer,
        events_server::EventsServer, feedback_server::FeedbackServer,
        knowledge_server::KnowledgeServer, recordings_server::RecordingsServer,
        reports_server::ReportsServer,
    },
    store::Store,
};

/// Connections are asked for a sign of life so often, and given so long to show one.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(10);
/// Requests and streams at once in one connection.
const STREAMS: u32 = 256;
/// What a request that brings a dialplan or knowledge may have.
const LARGE: usize = 4 * 1024 * 1024;

/// What the API is made of.
#[derive(Clone)]
pub struct Parts {
    /// Calls, events and tokens.
    pub store: Store,
    /// What happens in calls now.
    pub live: Live,
    /// The calls that are up, to be driven.
    pub calls: Calls,
    /// Numbers, dialplans and trunks.
    pub house: Arc<dyn House>,
    /// The folder of announcements.
    pub announcements: Option<Arc<Path>>,
}

/// The API while it is served; dropped, it is not any more.
pub struct Api {
    at: Option<SocketAddr>,
    health: Option<HealthReporter>,
    _server: JoinSet<()>,
}

impl Api {
    /// Serves it on `config.listen`; nowhere without one.
    ///
    /// # Errors
    /// [`ApiError`] for an address that is in use and certificates that cannot be.
    pub async fn start(config: &ApiConfig, parts: Parts) -> Result<Self, ApiError> {
        let mut server = JoinSet::new();
        let Some(address) = config.listen else {
            return Ok(Self { at: None, health: None, _server: server });
        };
        let failed = |problem| ApiError::Listen { address, problem };
        let mut builder = Server::builder()
            .timeout(config.deadline())
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(PING))
            .http2_keepalive_timeout(Some(PONG));
        if let Some(tls) = config.tls()? {
            builder = builder.tls_config(tls).map_err(|e| ApiError::Tls(e.to_string()))?;
        }
        let (health, routes) = routes(config, parts).await?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        server.spawn(async move {
            if let Err(error) = builder.add_routes(routes).serve_with_incoming(incoming).await {
                tracing::error!(%error, "the gRPC API is no longer served");
            }
        });
        Ok(Self { at: Some(at), health: Some(health), _server: server })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.at
    }

    /// Tells the health service whether calls are taken from now on.
    pub async fn ready(&self, ready: bool) {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        if let Some(health) = &self.health {
            health.set_service_status("", status).await;
        }
    }
}

/// Every service, each behind the gate but for health and reflection.
async fn routes(config: &ApiConfig, parts: Parts) -> Result<(HealthReporter, Routes), ApiError> {
    let limits = Limits::new(config.requests_per_second, config.max_subscribers);
    let store = parts.store.clone();
    let writes = Writes::new(store.clone());
    let at_gate = Gate { store: store.clone(), limits: limits.clone() };
    let small = config.max_request_bytes;
    let admin =
        AdminService { parts: parts.clone(), writes: writes.clone(), limits: limits.clone() };
    let calls = CallsService { parts: parts.clone(), writes: writes.clone() };
    let dialplans = DialplansService { parts: parts.clone() };
    let dispositions = DispositionsService { store: store.clone(), writes: writes.clone() };
    let events = EventsService { store: store.clone(), tail: Tail::follow(store.clone()), limits };
    let feedback = FeedbackService { store: store.clone(), writes: writes.clone() };
    let knowledge = KnowledgeService { parts };
    let recordings = RecordingsService { store: store.clone(), writes };
    let reports = ReportsService { store };
    let (health, health_service) = tonic_health::server::health_reporter();
    let reflected = |e: tonic_reflection::server::Error| ApiError::Reflection(e.to_string());
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(health_service)
        .add_service(reflection().build_v1().map_err(reflected)?)
        .add_service(reflection().build_v1alpha().map_err(reflected)?)
        .add_service(AdminServer::new(admin).max_decoding_message_size(small))
        .add_service(CallsServer::new(calls).max_decoding_message_size(small))
        .add_service(DialplansServer::new(dialplans).max_decoding_message_size(LARGE.max(small)))
        .add_service(DispositionsServer::new(dispositions).max_decoding_message_size(small))
        .add_service(EventsServer::new(events).max_decoding_message_size(small))
        .add_service(FeedbackServer::new(feedback).max_decoding_message_size(small))
        .add_service(KnowledgeServer::new(knowledge).max_decoding_message_size(small))
        .add_service(RecordingsServer::new(recordings).max_decoding_message_size(small))
        .add_service(ReportsServer::new(reports).max_decoding_message_size(small));
    let router = routes
        .prepare()
        .into_axum_router()
        .layer(axum::middleware::from_fn_with_state(at_gate, gate));
    Ok((health, Routes::from(router)))
}
