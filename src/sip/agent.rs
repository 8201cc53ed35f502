use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rsipstack::{
    EndpointBuilder,
    dialog::dialog_layer::DialogLayer,
    sip::{Host, HostWithPort, Param, Scheme, Uri},
    transaction::{
        CallIdFormat,
        endpoint::{EndpointInnerRef, EndpointOption},
    },
    transport::{SipAddr, TransportLayer},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    DialRequest, ListenOn, Route, SipError, SipLeg, TlsFiles, Transport, dial, dispatch,
    early_route::EarlyRoutes,
    inspect::Inspector,
    last_words::LastWords,
    registry::Registry,
    resolve::{Resolver, Target},
    session_timer::SessionTimerConfig,
    transport::{Connector, Sockets, TlsSettings},
    trunk::{TrunkCall, TrunkConfig, TrunkState, Trunks},
};

/// INVITEs that may wait for [`UserAgent::next_invite`]; more get 503.
const WAITING_INVITES: usize = 64;
/// In-dialog transactions that may be open at once; more get 503.
const OPEN_REQUESTS: usize = 1_024;

/// How to listen.
#[derive(Debug, Clone)]
pub struct UserAgentConfig {
    /// Where to listen; at least one.
    pub listen: Vec<ListenOn>,
    /// Certificates of `tls:` listeners, and whom to trust.
    pub tls: TlsFiles,
    /// The address that peers reach us at when it is not an interface's own (behind NAT).
    pub external: Option<IpAddr>,
    /// Text of the User-Agent header.
    pub user_agent: String,
    /// How long sessions last without a refresh.
    pub session_timer: SessionTimerConfig,
    /// Ways to and from the telephone network. With none that takes calls, anybody may call.
    pub trunks: Vec<TrunkConfig>,
    /// Whether trunks are registered with and pinged all the time; without it, only when asked.
    pub keeps_trunks: bool,
}

impl UserAgentConfig {
    /// Listens for UDP on `listen`, without an external address.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen: vec![listen.into()],
            tls: TlsFiles::default(),
            external: None,
            user_agent: concat!("Hotline/", env!("CARGO_PKG_VERSION")).to_owned(),
            session_timer: SessionTimerConfig::default(),
            trunks: Vec::new(),
            keeps_trunks: true,
        }
    }
}

/// A SIP user agent (RFC 3261) on its sockets. OPTIONS, unknown dialogs, unsupported methods
/// and extensions are answered by itself; dropping it closes
/// the sockets.
#[derive(Debug)]
pub struct UserAgent {
    pub(super) shared: Arc<Shared>,
    invites: mpsc::Receiver<SipLeg>,
    /// Registrations and pings.
    trunk_tasks: JoinSet<()>,
    _stack: DropGuard,
}

/// What the tasks of one user agent share.
pub(super) struct Shared {
    pub(super) layer: Arc<DialogLayer>,
    pub(super) endpoint: EndpointInnerRef,
    pub(super) registry: Arc<Registry>,
    pub(super) last_words: Arc<LastWords>,
    pub(super) open_requests: Arc<Semaphore>,
    /// Fires when legs that are still up must end now.
    pub(super) end_legs: CancellationToken,
    /// Fires when the socket is closed.
    pub(super) stopped: CancellationToken,
    pub(super) refusing: AtomicBool,
    pub(super) session_timer: SessionTimerConfig,
    pub(super) connector: Connector,
    pub(super) resolver: Resolver,
    pub(super) trunks: Trunks,
    /// What is listened on, with real ports; never empty.
    local: Vec<ListenOn>,
    external: Option<IpAddr>,
}

impl UserAgent {
    /// Opens the sockets and starts answering. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`SipError::Bind`] when an address cannot be had, [`SipError::Tls`] and
    /// [`SipError::NoCertificate`] when the files of TLS do not do.
    pub async fn bind(config: UserAgentConfig) -> Result<Self, SipError> {
        let tls = TlsSettings::load(&config.tls)?;
        let mut sockets = Sockets::bind(&config.listen, tls.server.as_ref())?;
        let local = sockets.local().to_vec();

        let stop = CancellationToken::new();
        let last_words = Arc::new(LastWords::default());
        let transport = TransportLayer::new(stop.clone());
        sockets.introduce(&transport, config.external, &stop).await?;
        let endpoint = EndpointBuilder::new()
            .with_cancel_token(stop.clone())
            .with_transport_layer(transport)
            .with_user_agent(&config.user_agent)
            .with_inspector(Box::new(Inspector {
                early_routes: EarlyRoutes::default(),
                last_words: last_words.clone(),
            }))
            // Otherwise Call-IDs carry the domain of the stack's makers.
            .with_option(EndpointOption {
                callid_format: CallIdFormat::Uuid,
                ..EndpointOption::default()
            })
            .build();

        let incoming = endpoint.incoming_transactions()?;
        let shared = Arc::new(Shared {
            layer: Arc::new(DialogLayer::new(endpoint.inner.clone())),
            endpoint: endpoint.inner.clone(),
            registry: Arc::new(Registry::new()),
            last_words,
            open_requests: Arc::new(Semaphore::new(OPEN_REQUESTS)),
            end_legs: CancellationToken::new(),
            stopped: stop.clone(),
            refusing: AtomicBool::new(false),
            session_timer: config.session_timer,
            connector: Connector::new(tls.client, stop.child_token()),
            resolver: Resolver::new(),
            trunks: Trunks::new(config.trunks)?,
            local,
            external: config.external,
        });
        let (invite_tx, invites) = mpsc::channel(WAITING_INVITES);
        sockets.serve(&endpoint.inner, &stop);
        tokio::spawn(async move { endpoint.serve().await });
        tokio::spawn(dispatch::run(shared.clone(), incoming, invite_tx, stop.clone()));
        let trunk_tasks = match config.keeps_trunks {
            true => shared.trunks.start(&shared),
            false => JoinSet::new(),
        };
        Ok(Self { shared, invites, trunk_tasks, _stack: stop.drop_guard() })
    }

    /// Whether [`Self::bind`] would do now: opens the sockets, reads the files of TLS, looks over
    /// the trunks, and sends nothing. Needs a tokio runtime.
    ///
    /// # Errors
    /// Those of [`Self::bind`].
    pub fn check(config: &UserAgentConfig) -> Result<(), SipError> {
        let tls = TlsSettings::load(&config.tls)?;
        Sockets::bind(&config.listen, tls.server.as_ref())?;
        Trunks::new(config.trunks.clone()).map(drop)
    }

    /// The first address listened on, with the port that port 0 became.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local[0].addr
    }

    /// All that is listened on, in the order of the configuration, with real ports.
    pub fn listening_on(&self) -> &[ListenOn] {
        &self.shared.local
    }

    /// The next inbound call, to be answered or rejected; `None` once the agent is shut down.
    /// 100 Trying has been sent already. Cancel-safe.
    pub async fn next_invite(&mut self) -> Option<SipLeg> {
        self.invites.recv().await
    }

    /// Calls somebody. Returns as soon as the INVITE is on its way; what comes of it are the
    /// leg's events.
    ///
    /// # Errors
    /// [`SipError::Uri`] for URIs that cannot be called, [`SipError::Resolve`] for names without
    /// an address, [`SipError::Connect`] when a stream is wanted and there is none.
    pub async fn dial(&self, request: DialRequest) -> Result<SipLeg, SipError> {
        dial::dial(&self.shared, request).await
    }

    /// Calls a number by a trunk: its targets are tried in order, those that are down last, until
    /// one takes the call or refuses it for good. Returns when a target has answered more than
    /// 100 Trying; dropping the future gives the call up.
    ///
    /// # Errors
    /// [`SipError::Trunk`] for a trunk or a number that is none, [`SipError::TrunkFull`] beyond
    /// its limits, else the last target's.
    pub async fn dial_trunk(&self, trunk: &str, call: TrunkCall) -> Result<SipLeg, SipError> {
        self.shared.trunks.dial(&self.shared, trunk, call).await
    }

    /// How the trunks are doing, in the order of the configuration.
    pub fn trunks(&self) -> Vec<TrunkState> {
        self.shared.trunks.states()
    }

    /// How many legs are alive, those included whose last messages are still under way.
    pub fn legs(&self) -> usize {
        self.shared.registry.len()
    }

    /// From now on new INVITEs get 503 with Retry-After; calls that are up go on.
    pub fn refuse_new(&self) {
        self.shared.refusing.store(true, Ordering::Relaxed);
    }

    /// Refuses new calls, waits up to `grace` for legs to end by themselves, ends the others
    /// (BYE, 480 or CANCEL), and closes the socket.
    pub async fn shutdown(mut self, grace: Duration) {
        self.refuse_new();
        // Calls that nobody took yet are dropped here, and so rejected.
        self.invites.close();
        while self.invites.try_recv().is_ok() {}
        let registry = &self.shared.registry;
        if tokio::time::timeout(grace, registry.empty()).await.is_err() {
            self.shared.end_legs.cancel();
            // A peer that does not answer our BYE keeps its leg for 32 s: not worth waiting for.
            let _ = tokio::time::timeout(Duration::from_secs(4), registry.empty()).await;
        }
        self.shared.trunks.leave();
        let left = async { while self.trunk_tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), left).await;
    }
}

impl Shared {
    /// The listener that a `peer` reached over `transport` would reach us at: of that transport
    /// and the peer's address family, as far as there is one.
    fn listener_for(&self, peer: IpAddr, transport: Transport) -> ListenOn {
        let family = |on: &&ListenOn| on.addr.is_ipv4() == peer.is_ipv4();
        let same = |on: &&ListenOn| on.transport == transport;
        let local = || self.local.iter();
        let best = local().find(|on| same(on) && family(on));
        *best.or_else(|| local().find(family)).unwrap_or(&self.local[0])
    }

    /// What our Via says in a request to `target`.
    pub(super) fn via_for(&self, target: &Target) -> SipAddr {
        let listener = self.listener_for(target.addr.ip(), target.transport);
        let own = SocketAddr::new(self.ip_for(target.addr.ip()), listener.addr.port());
        target.transport.at(own)
    }

    /// Our address as `peer` should see it.
    pub(super) fn ip_for(&self, peer: IpAddr) -> IpAddr {
        if let Some(ip) = self.external.filter(|ip| ip.is_ipv4() == peer.is_ipv4()) {
            return ip;
        }
        let own = self.listener_for(peer, Transport::Udp).addr.ip();
        if own.is_unspecified() { route_to(peer).unwrap_or(own) } else { own }
    }

    /// The way to `peer` and back.
    pub(super) fn route_for(&self, peer: IpAddr) -> Route {
        let any: IpAddr = match peer {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut own = self.local.iter().map(|on| on.addr.ip());
        let bind_ip = own.find(|ip| ip.is_ipv4() == peer.is_ipv4()).unwrap_or(any);
        Route { local_ip: self.ip_for(peer), bind_ip, peer_ip: peer }
    }

    /// The Contact for a dialog with `peer` over `transport`. `own` is our side of a connection
    /// that we opened: peers may call back there if we do not listen for such.
    pub(super) fn contact_for(
        &self,
        peer: IpAddr,
        transport: Transport,
        own: Option<SocketAddr>,
    ) -> Uri {
        let listener = self.listener_for(peer, transport);
        let port = match own {
            Some(own) if listener.transport != transport => own.port(),
            _ => listener.addr.port(),
        };
        let stream = (transport != Transport::Udp).then(|| Param::Transport(transport.to_stack()));
        Uri {
            scheme: Some(Scheme::Sip),
            host_with_port: HostWithPort {
                host: Host::IpAddr(self.ip_for(peer)),
                port: Some(port.into()),
            },
            params: stream.into_iter().collect(),
            ..Uri::default()
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("local", &self.local).finish_non_exhaustive()
    }
}

/// The address of the interface that leads to `peer`: connecting a UDP socket asks the routing
/// table and sends nothing.
pub(super) fn route_to(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
