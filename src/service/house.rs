//! What the API is told of a service, and has it do.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::{
    Config, OriginateError, Originator, OutboundCall, ServiceError, Shared, Tenants,
    lines::{Lines, Spoken},
    traces::Traces,
};
use crate::{
    api::{Answering, Api, CrmScreen, House, NotPlaced, Outgoing, Parts},
    call::ScreenPop,
    crm::Crm,
    dialplan::Dialplan,
    sip::{Dialer, TrunkState},
};

/// What others reach a service by, beside the telephone: the API, and the traces that it sends.
pub(super) struct Rim {
    pub(super) api: Api,
    /// What the API is told of the lines that answer.
    pub(super) shown: watch::Sender<Arc<Lines>>,
    _traces: Traces,
}

impl Rim {
    /// Serves the API and sends traces, as far as they are configured.
    pub(super) async fn start(
        shared: &Shared,
        lines: &Arc<Lines>,
        dialer: Dialer,
        originator: Originator,
    ) -> Result<Self, ServiceError> {
        let config = &shared.config;
        let otlp = config.monitoring.otlp.as_deref();
        let traces = Traces::start(otlp, &shared.live, &shared.store)?;
        let (shown, lines) = watch::channel(Arc::clone(lines));
        let (tenants, max_calls) = (shared.tenants.clone(), config.sip.max_calls);
        let parts = Parts {
            store: shared.store.clone(),
            live: shared.live.clone(),
            calls: shared.calls.clone(),
            house: Arc::new(Seen { lines, dialer, originator, tenants, max_calls }),
            announcements: config.api.announcements.as_deref().map(Arc::from),
        };
        let api = Api::start(&config.api, parts).await?;
        if let Some(address) = api.address() {
            tracing::info!(%address, "the gRPC API");
        }
        Ok(Self { api, shown, _traces: traces })
    }
}

/// Who is told of callers before they are handed over.
pub(super) fn screen(config: &Config, crm: &Crm) -> Option<Arc<dyn ScreenPop>> {
    config.crm.screen_pop.then(|| Arc::new(CrmScreen::new(crm.clone())) as Arc<dyn ScreenPop>)
}

/// A service as the API sees it.
struct Seen {
    lines: watch::Receiver<Arc<Lines>>,
    dialer: Dialer,
    originator: Originator,
    tenants: Tenants,
    max_calls: usize,
}

#[tonic::async_trait]
impl House for Seen {
    fn answering(&self) -> Vec<Answering> {
        let lines = Arc::clone(&self.lines.borrow());
        let answering = lines.lines.iter().map(|line| Answering {
            number: line.number.number.clone(),
            tenant: line.number.tenant.clone(),
            trunk: line.number.trunk.clone(),
            recorded: line.number.record,
            dialplan: Arc::clone(&line.main.dialplan),
        });
        answering.collect()
    }

    fn dialplans(&self, tenant: &str) -> Vec<Arc<Dialplan>> {
        let lines = Arc::clone(&self.lines.borrow());
        let of_lines = lines.lines.iter().filter(|line| line.number.tenant == tenant);
        let placeable = lines.placeable.iter().filter(|placeable| placeable.tenant == tenant);
        let spoken = placeable.map(|p| &p.spoken).chain(of_lines.map(|line| &line.main));
        // Of two of one name, the first is what calls are placed with.
        let mut named: BTreeMap<String, Arc<Dialplan>> = BTreeMap::new();
        for Spoken { dialplan, .. } in spoken {
            named.entry(dialplan.name().to_owned()).or_insert_with(|| Arc::clone(dialplan));
        }
        named.into_values().collect()
    }

    fn trunks(&self) -> Vec<TrunkState> {
        self.dialer.trunks()
    }

    fn tenants(&self) -> Vec<String> {
        self.tenants.names().map(str::to_owned).collect()
    }

    fn max_calls(&self, tenant: &str) -> usize {
        self.tenants.max_calls(tenant).unwrap_or(self.max_calls).min(self.max_calls)
    }

    async fn place(&self, call: Outgoing) -> Result<String, NotPlaced> {
        let call = OutboundCall {
            tenant: call.tenant.into(),
            to: call.to,
            trunk: call.trunk,
            caller_id: call.caller_id,
            dialplan: call.dialplan,
            variables: call.variables,
            ring: call.ring,
            // The API answers a repeated request itself.
            idempotency_key: None,
            reference: None,
        };
        self.originator.start(call).await.map_err(not_placed)
    }
}

fn not_placed(error: OriginateError) -> NotPlaced {
    let problem = error.to_string();
    let field = match error {
        OriginateError::Dialplan { .. } => "dialplan",
        OriginateError::Trunk { .. } | OriginateError::NoTrunk => "trunk",
        OriginateError::Number => "to",
        OriginateError::Ring => "ring_seconds",
        OriginateError::Variable(_) => "variables",
        OriginateError::Stopped | OriginateError::Tenant { .. } => return NotPlaced::Away(problem),
        _ => return NotPlaced::Full(problem),
    };
    NotPlaced::Wrong { field, problem }
}
