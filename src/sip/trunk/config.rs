use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;

use crate::sip::Credentials;

/// A way to and from the telephone network: a carrier, a PBX.
#[derive(Debug, Clone)]
pub struct TrunkConfig {
    /// Its name in logs, records and the configuration.
    pub name: String,
    /// Where its calls go: SIP URIs without a user, such as `sip:sbc.example.net` or
    /// `sip:192.0.2.1:5080;transport=tcp`. Tried in order; a name may stand for several.
    pub targets: Vec<String>,
    /// What to answer its challenges with.
    pub credentials: Option<Credentials>,
    /// Registration with it.
    pub register: Option<RegisterConfig>,
    /// Calls from it.
    pub inbound: InboundConfig,
    /// Our number in calls to it.
    pub caller_id: Option<String>,
    /// Whether callees may not see that number (RFC 3323, RFC 3325).
    pub hide_caller_id: bool,
    /// Whether its REFERs connect our callers elsewhere, at our cost.
    pub allow_refer: bool,
    /// Calls at once, both ways.
    pub max_calls: usize,
    /// Calls to it that begin in any one second.
    pub max_calls_per_second: u32,
    /// How often to ask its targets by OPTIONS whether they are there.
    pub ping: Option<Duration>,
}

impl TrunkConfig {
    /// A trunk without limits, registration, or inbound calls.
    pub fn new(name: &str, targets: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            targets,
            credentials: None,
            register: None,
            inbound: InboundConfig::default(),
            caller_id: None,
            hide_caller_id: false,
            allow_refer: false,
            max_calls: usize::MAX,
            max_calls_per_second: u32::MAX,
            ping: None,
        }
    }
}

/// Registration (RFC 3261 section 10).
#[derive(Debug, Clone)]
pub struct RegisterConfig {
    /// The account: `sip:user@domain`. The REGISTER goes to the trunk's first target that answers.
    pub account: String,
    /// How long a registration is asked for.
    pub expires: Duration,
}

/// Which calls are a trunk's: those from its networks, or with its password.
#[derive(Debug, Clone, Default)]
pub struct InboundConfig {
    /// Networks, such as `203.0.113.0/24`, and addresses.
    pub networks: Vec<IpNet>,
    /// What a caller must prove to know (digest).
    pub credentials: Option<Credentials>,
    /// Whether P-Asserted-Identity may be believed (RFC 3325).
    pub trust_identity: bool,
}

impl InboundConfig {
    /// Whether calls from `ip` are this trunk's.
    pub(super) fn is_from(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|net| net.contains(&ip))
    }

    pub(super) fn takes_calls(&self) -> bool {
        !self.networks.is_empty() || self.credentials.is_some()
    }
}
