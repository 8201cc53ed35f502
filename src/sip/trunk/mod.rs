//! Trunks: ways to and from the telephone network. Who may call us, whom we register with, where
//! calls go out and what happens when a target does not answer.

mod config;
mod digest;
mod examine;
mod health;
mod inbound;
mod outbound;
mod pace;
mod registration;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rsipstack::sip::{Host, Uri};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

pub use config::{InboundConfig, RegisterConfig, TrunkConfig};
use digest::Challenger;
pub use examine::{AddressReport, Answer, TargetReport};
pub(super) use inbound::Admission;
pub use outbound::TrunkCall;
use pace::Pace;
pub use registration::Registration;

use super::{Permit, Permits, SipError, agent::Shared, dial, lock::lock};

/// A target that did not answer is tried last for so long, when no ping tells better.
const DOWN_FOR: Duration = Duration::from_secs(30);

/// How a trunk is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkState {
    /// Its name.
    pub name: String,
    /// Its targets in the order of the configuration, and whether they answer.
    pub targets: Vec<(String, bool)>,
    /// Whether it is registered with; `None` when it need not be.
    pub registered: Option<bool>,
    /// Calls that are up or begin.
    pub calls: usize,
}

/// All trunks of an agent.
pub(super) struct Trunks {
    trunks: Vec<Arc<Trunk>>,
    challenger: Challenger,
    /// Fires when registrations are to be taken back.
    leave: CancellationToken,
}

/// One trunk at work.
struct Trunk {
    config: TrunkConfig,
    targets: Vec<TrunkTarget>,
    places: Permits,
    pace: Mutex<Pace>,
    registered: Mutex<Option<bool>>,
}

/// One of a trunk's targets.
struct TrunkTarget {
    uri: Uri,
    /// Until then it is tried after the others.
    down_until: Mutex<Option<Instant>>,
}

impl Trunks {
    /// Checks the configuration; nothing is sent yet.
    ///
    /// # Errors
    /// [`SipError::Trunk`] with the trunk and what is wrong with it.
    pub(super) fn new(configs: Vec<TrunkConfig>) -> Result<Self, SipError> {
        let mut trunks: Vec<Arc<Trunk>> = Vec::new();
        for config in configs {
            if trunks.iter().any(|other| other.config.name == config.name) {
                return Err(wrong(&config.name, "another trunk has that name: choose another"));
            }
            trunks.push(Arc::new(Trunk::new(config)?));
        }
        let challenger = Challenger::new(rand::random(), Instant::now());
        Ok(Self { trunks, challenger, leave: CancellationToken::new() })
    }

    /// Registers and pings, in tasks.
    pub(super) fn start(&self, shared: &Arc<Shared>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for trunk in &self.trunks {
            if let Some(register) = trunk.config.register.clone() {
                let leave = self.leave.clone();
                let task = registration::run(shared.clone(), trunk.clone(), register, leave);
                tasks.spawn(task);
            }
            if let Some(every) = trunk.config.ping {
                let leave = self.leave.clone();
                tasks.spawn(health::run(shared.clone(), trunk.clone(), every, leave));
            }
        }
        tasks
    }

    /// Takes registrations back; the tasks of [`Self::start`] then end.
    pub(super) fn leave(&self) {
        self.leave.cancel();
    }

    /// How all are doing.
    pub(super) fn states(&self) -> Vec<TrunkState> {
        let now = Instant::now();
        let state = |trunk: &Arc<Trunk>| TrunkState {
            name: trunk.config.name.clone(),
            targets: trunk
                .config
                .targets
                .iter()
                .cloned()
                .zip(trunk.targets.iter().map(|target| target.is_up(now)))
                .collect(),
            registered: *lock(&trunk.registered),
            calls: trunk.places.in_use(),
        };
        self.trunks.iter().map(state).collect()
    }

    fn named(&self, name: &str) -> Result<&Arc<Trunk>, SipError> {
        let found = self.trunks.iter().find(|trunk| trunk.config.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.trunks.iter().map(|t| t.config.name.as_str()).collect();
            wrong(name, format!("there is none of that name; there are: {}", known.join(", ")))
        })
    }
}

impl Trunk {
    fn new(config: TrunkConfig) -> Result<Self, SipError> {
        let name = &config.name;
        if config.targets.is_empty() && !config.inbound.takes_calls() {
            return Err(wrong(
                name,
                "it has neither targets to call nor addresses or a password that calls come with",
            ));
        }
        if config.register.is_some() && config.targets.is_empty() {
            return Err(wrong(name, "to register it needs a target"));
        }
        let target = |uri: &String| {
            let uri = dial::parse(uri).map_err(|e| wrong(name, e))?;
            if uri.auth.is_some() {
                return Err(wrong(name, "a target has no user: the number called goes there"));
            }
            Ok(TrunkTarget { uri, down_until: Mutex::default() })
        };
        let targets = config.targets.iter().map(target).collect::<Result<_, _>>()?;
        if let Some(register) = &config.register {
            let account = dial::parse(&register.account).map_err(|e| wrong(name, e))?;
            if account.auth.is_none() {
                return Err(wrong(name, "the account to register is written sip:user@domain"));
            }
        }
        let registered = Mutex::new(config.register.is_some().then_some(false));
        Ok(Self {
            targets,
            places: Permits::new(config.max_calls),
            pace: Mutex::new(Pace::new(config.max_calls_per_second)),
            registered,
            config,
        })
    }

    /// A place for a call, while there is one.
    fn place(&self) -> Option<Permit> {
        self.places.try_acquire()
    }

    /// Those that are up first, in the order of the configuration.
    fn best_first(&self) -> Vec<&TrunkTarget> {
        let now = Instant::now();
        let mut targets: Vec<&TrunkTarget> = self.targets.iter().collect();
        targets.sort_by_key(|target| !target.is_up(now));
        targets
    }

    fn set_registered(&self, registered: bool) {
        *lock(&self.registered) = Some(registered);
    }
}

impl TrunkTarget {
    fn is_up(&self, now: Instant) -> bool {
        lock(&self.down_until).is_none_or(|until| until <= now)
    }

    /// Remembers that it answered, or until when it is to be tried last; logs a change.
    fn set_up(&self, trunk: &str, up: bool, down_for: Duration, why: &str) {
        let was_up = self.is_up(Instant::now());
        *lock(&self.down_until) = (!up).then(|| Instant::now() + down_for);
        let target = self.host();
        match (was_up, up) {
            (true, false) => tracing::warn!(trunk, %target, why, "target is down"),
            (false, true) => tracing::info!(trunk, %target, "target is up again"),
            _ => {}
        }
    }

    fn host(&self) -> String {
        match &self.uri.host_with_port.host {
            Host::IpAddr(ip) => ip.to_string(),
            Host::Domain(name) => name.to_string(),
        }
    }
}

fn wrong(trunk: &str, problem: impl ToString) -> SipError {
    SipError::Trunk { trunk: trunk.to_owned(), problem: problem.to_string() }
}
