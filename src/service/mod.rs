//! Floor 9: the composition root. Reads the configuration, puts the rooms together, admits and
//! routes calls.

mod agent;
mod before_answer;
mod config;
mod data;
mod descriptors;
mod drain;
mod error;
mod hold;
mod house;
mod lines;
mod load;
mod monitoring;
mod originate;
mod outbox;
mod published;
mod retention;
mod route;
mod tenant;
mod traces;
mod trial;
mod trunk;
mod trunk_check;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

pub use before_answer::BeforeAnswer;
pub use config::{Config, Inference, Monitoring, Number, PlacedDialplan, Rtp, Sip, Voices};
pub use data::Data;
pub use error::ServiceError;
pub use hold::Hold;
pub use lines::Reloader;
pub use originate::{OriginateError, Originator, OutboundCall};
pub use published::{PublishError, Published, Version};
pub use retention::{Retention, erase};
pub use tenant::{Tenant, Tenants};
pub use trial::Trial;
pub use trunk::Trunk;
pub use trunk_check::{Finding, TestCall, TrunkLine, Verdict, check_trunk};

use agent::agent_config;
use house::Rim;
use lines::{Lines, Reload, Spoken};
use originate::{Origin, Placed, call_id};

use crate::{
    audio::{Hz8k, Pcm},
    call::{
        self, ArchiveWriter, Engines, Metrics, PortRange, ScreenPop, Setup, control::Calls,
        live::Live,
    },
    crm::Crm,
    delivery::{self, Outbox},
    llm::Llm,
    sip::{Leg, Permit, Permits, Redacted, Rejection, SipLeg, UserAgent},
    speech::models::ModelDir,
    store::{DEFAULT_TENANT, Store},
};

/// What a caller who finds every permit taken is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// Live events kept for a watcher that lags.
const LIVE_EVENTS: usize = 1_024;

/// A service that is ready to answer.
pub struct Service {
    agent: UserAgent,
    lines: Arc<Lines>,
    models: ModelDir,
    reloader: Reloader,
    reloads: mpsc::Receiver<Reload>,
    originator: Originator,
    origins: mpsc::Receiver<Origin>,
    placed: Placed,
    shared: Shared,
    permits: Permits,
    monitoring: monitoring::Monitoring,
    outbox: Outbox,
    _retention: JoinSet<()>,
    rim: Rim,
}

/// What every call gets a share of.
#[derive(Clone)]
struct Shared {
    config: Arc<Config>,
    engines: Arc<Engines>,
    store: Store,
    tenants: Tenants,
    crm: Crm,
    llm: Llm,
    live: Live,
    calls: Calls,
    hold_music: Option<Arc<Pcm<Hz8k>>>,
    screen_pop: Option<Arc<dyn ScreenPop>>,
    ports: Arc<PortRange>,
    archives: ArchiveWriter,
}

impl Service {
    /// Checks the configuration, loads models, renders prompts, opens the database and listens.
    /// `models` is the directory of speech models, else the default one. May take minutes the
    /// first time, when prompts are rendered; says what it is doing in the log.
    ///
    /// # Errors
    /// [`ServiceError`], before anything listens.
    pub async fn start(config: Config, models: Option<PathBuf>) -> Result<Self, ServiceError> {
        let ports: PortRange = config.rtp.ports.parse()?;
        if config.numbers.is_empty() && config.dialplans.is_empty() {
            return Err(ServiceError::NoDialplan);
        }
        let tenants = Tenants::new(&config)?;
        let dialplans = load::dialplans(&config)?;
        // The address is tried before the models are loaded: a port in use is known at once.
        UserAgent::check(&agent_config(&config)?)?;
        let hold_music = config.hold.load()?;
        let crm = Crm::new(&config.crm)?;
        let llm = Llm::new(&config.llm)?;
        let deliveries = delivery::Metrics::default();
        let metrics = Metrics::with(|registry| deliveries.register(registry));
        let live = Live::counting(LIVE_EVENTS, metrics.clone());
        let sinks = outbox::sinks(&config, &crm, &tenants)?;
        let monitoring = monitoring::Monitoring::start(config.monitoring.listen, metrics).await?;
        config.data.make_dir()?;
        let store = Store::open_database(&config.data.own_database()?).await?;
        let outbox = Outbox::start(&store, &config.data.node, sinks, &deliveries).await?;
        let retention = retention::watch(store.clone(), config.clone());
        let models = models.map_or_else(ModelDir::default_location, ModelDir::new);
        let (engines, lines) =
            tokio::task::block_in_place(|| load::speech(&config, &models, dialplans))?;
        let agent = UserAgent::bind(agent_config(&config)?).await?;
        for on in agent.listening_on() {
            tracing::info!(address = %on, numbers = lines.lines.len(), "ready to answer");
        }
        descriptors::allow(config.sip.max_calls);
        let permits = Permits::new(config.sip.max_calls);
        let shared = Shared {
            screen_pop: house::screen(&config, &crm),
            config: Arc::new(config),
            engines: Arc::new(engines),
            store,
            tenants,
            crm,
            llm,
            live,
            calls: Calls::default(),
            hold_music,
            ports: Arc::new(ports),
            archives: ArchiveWriter::start().map_err(ServiceError::Thread)?,
        };
        if let Some(address) = monitoring.address() {
            tracing::info!(%address, "metrics and health over HTTP");
        }
        let (reloader, reloads) = Reloader::new();
        let (originator, origins) = Originator::new();
        let lines = Arc::new(lines);
        let rim = Rim::start(&shared, &lines, agent.dialer(), originator.clone()).await?;
        Ok(Self {
            agent,
            lines,
            models,
            reloader,
            reloads,
            originator,
            origins,
            placed: Placed::default(),
            shared,
            permits,
            monitoring,
            outbox,
            _retention: retention,
            rim,
        })
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.agent.local_addr()
    }

    /// Where health and metrics are answered, if anywhere.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        self.monitoring.address()
    }

    /// Where the gRPC API is served, if anywhere.
    pub fn api_address(&self) -> Option<SocketAddr> {
        self.rim.api.address()
    }

    /// The calls.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Has it read its dialplans again while it runs.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Has it tell `whom` of each caller before they are handed over. To be called before it runs.
    pub fn tell_hand_overs(&mut self, whom: Arc<dyn ScreenPop>) {
        self.shared.screen_pop = Some(whom);
    }

    /// Has it place calls while it runs.
    pub fn originator(&self) -> Originator {
        self.originator.clone()
    }

    /// The running calls, which can be driven.
    pub fn calls(&self) -> Calls {
        self.shared.calls.clone()
    }

    /// What is happening.
    pub fn live(&self) -> &Live {
        &self.shared.live
    }

    /// Answers until `stop` resolves; then takes no new call and gives running ones `sip.drain_s`
    /// to end.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.run_until(stop, std::future::pending()).await;
    }

    /// Like [`Self::run`]; calls that are still running when `cut` resolves are ended with BYE at
    /// once. Their records are kept like those of other calls.
    pub async fn run_until(
        mut self,
        stop: impl Future<Output = ()>,
        cut: impl Future<Output = ()>,
    ) {
        let mut calls = JoinSet::new();
        let mut loading = JoinSet::new();
        tokio::pin!(stop);
        self.monitoring.ready(true);
        self.rim.api.ready(true).await;
        loop {
            tokio::select! {
                leg = self.agent.next_invite() => match leg {
                    Some(leg) => self.admit(leg, &mut calls),
                    None => break,
                },
                Some(_) = calls.join_next() => {}
                Some(origin) = self.origins.recv() => self.originate(origin, &mut calls),
                // One at a time: what is read last is what answers.
                Some(reload) = self.reloads.recv(), if loading.is_empty() => {
                    loading.spawn_blocking(self.reading(reload));
                }
                Some(Ok((lines, done))) = loading.join_next() => {
                    let _ = done.send(lines.map(|lines| self.answer_with(lines)));
                }
                () = &mut stop => break,
            }
        }
        self.monitoring.ready(false);
        self.rim.api.ready(false).await;
        // Whoever waits for a call to be placed learns that it will not be.
        drop(self.origins);
        let deadline = Duration::from_secs(self.shared.config.sip.drain_s);
        drain::drain(self.agent, calls, deadline, cut).await;
        // What is not delivered by now is when the service runs again.
        drop(self.outbox);
        if let Err(error) = self.shared.store.flush().await {
            tracing::warn!(%error, "not everything could be written");
        }
    }

    /// Reads the dialplans that `reload` asks for, on a thread that may block.
    fn reading(
        &self,
        reload: Reload,
    ) -> impl FnOnce() -> (Result<Lines, ServiceError>, oneshot::Sender<Result<usize, ServiceError>>)
    + Send
    + use<> {
        let (models, known) = (self.models.clone(), Arc::clone(&self.lines));
        let (engines, tenants) = (Arc::clone(&self.shared.engines), self.shared.tenants.clone());
        move || {
            let lines = tenants.check_numbers(&reload.config).and_then(|()| {
                load::again(&reload.config, &models, |lang| engines.hears(lang), &known)
            });
            (lines, reload.done)
        }
    }

    /// Answers new calls with `lines`; returns how many numbers there are.
    fn answer_with(&mut self, lines: Lines) -> usize {
        let numbers = lines.lines.len();
        tracing::info!(numbers, "new calls are answered by the dialplans just read");
        self.lines = Arc::new(lines);
        self.rim.shown.send_replace(Arc::clone(&self.lines));
        numbers
    }

    fn admit(&self, leg: SipLeg, calls: &mut JoinSet<()>) {
        let info = leg.info();
        let number = info.to_user.clone();
        let Some(line) = self.lines.find(&number, info.trunk.as_deref()) else {
            tracing::warn!(called = %number, trunk = info.trunk.as_deref(), "404: no dialplan answers this number; add a [[number]]");
            self.refuse(leg, Rejection::not_found(), calls);
            return;
        };
        let Some(permit) = self.permits.try_acquire() else {
            tracing::warn!(limit = self.permits.total(), "503: sip.max_calls are up");
            self.refuse(leg, Rejection::busy(RETRY_AFTER), calls);
            return;
        };
        let tenant = line.number.tenant.clone();
        let tenant_permit = match self.shared.tenants.admit(&tenant) {
            Ok(permit) => permit,
            Err(limit) => {
                tracing::warn!(%tenant, limit, "503: the tenant's max_calls are up");
                self.refuse(leg, Rejection::busy(RETRY_AFTER), calls);
                return;
            }
        };
        let id = call_id();
        tracing::info!(call = %id, caller = %Redacted(&info.from), called = %number, "call");
        let spoken = line.for_caller(&info.from_user).clone();
        let setup = Setup {
            tenant: tenant.into(),
            tenant_permit,
            bind: self.agent.route_for(info.remote.ip()).bind_ip,
            record: line.number.record,
            before_answer: line.before_answer.clone(),
            ..self.setup(id, spoken, info.trunk.as_deref(), permit)
        };
        calls.spawn(async move {
            let id = setup.id.clone();
            match call::answer(leg, setup).await {
                Ok(disposition) => tracing::info!(call = %id, %disposition, "call over"),
                Err(error) => tracing::warn!(call = %id, %error, "call failed"),
            }
        });
    }

    /// What a call by `trunk` is made with.
    fn setup(&self, id: String, spoken: Spoken, trunk: Option<&str>, permit: Permit) -> Setup {
        let shared = &self.shared;
        let config = &shared.config;
        let transfer_trunk = config.transfer.trunk.clone();
        Setup {
            dir: config.data.call_dir(&id),
            id,
            tenant: DEFAULT_TENANT.into(),
            calls: shared.calls.clone(),
            dialplan: spoken.dialplan,
            engines: Arc::clone(&shared.engines),
            prompts: spoken.prompts,
            crm: shared.crm.clone(),
            llm: shared.llm.clone(),
            store: shared.store.clone(),
            live: shared.live.clone(),
            bind: Ipv4Addr::UNSPECIFIED.into(),
            ports: Arc::clone(&shared.ports),
            capabilities: config.rtp.capabilities(),
            media: config.rtp.media_options(),
            srtp: config.srtp_with(trunk),
            archives: shared.archives.clone(),
            record: true,
            timing: config.timing.clone(),
            limits: config.limits,
            before_answer: call::BeforeAnswer::default(),
            dialer: self.agent.dialer(),
            transfer_srtp: config.srtp_with(transfer_trunk.as_deref().or(trunk)),
            transfer_trunk,
            summary_url: config.transfer.summary_url.clone(),
            hold_music: shared.hold_music.clone(),
            screen_pop: shared.screen_pop.clone(),
            permit,
            tenant_permit: None,
        }
    }

    fn refuse(&self, mut leg: SipLeg, rejection: Rejection, calls: &mut JoinSet<()>) {
        self.shared.live.metrics().refused(rejection.code);
        calls.spawn(async move { refuse(&mut leg, rejection).await });
    }
}

async fn refuse(leg: &mut SipLeg, rejection: Rejection) {
    if let Err(error) = leg.reject(rejection).await {
        tracing::debug!(%error, "could not refuse");
    }
    while leg.next_event().await.is_some() {}
}
