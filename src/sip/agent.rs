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
    sip::{Host, HostWithPort, Scheme, Uri},
    transaction::{
        CallIdFormat,
        endpoint::{EndpointInnerRef, EndpointOption},
    },
    transport::{TransportLayer, udp::UdpConnection},
};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, mpsc},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    DialRequest, SipError, SipLeg, dial, dispatch, early_route::EarlyRoutes, registry::Registry,
    screen::ScreenedSocket, session_timer::SessionTimerConfig,
};

/// INVITEs that may wait for [`UserAgent::next_invite`]; more get 503.
const WAITING_INVITES: usize = 64;
/// In-dialog transactions that may be open at once; more get 503.
const OPEN_REQUESTS: usize = 1_024;

/// How to listen.
#[derive(Debug, Clone)]
pub struct UserAgentConfig {
    /// UDP address to listen on; port 0 picks a free one, `0.0.0.0` takes every interface.
    pub listen: SocketAddr,
    /// The address that peers reach us at when it is not an interface's own (behind NAT).
    pub external: Option<IpAddr>,
    /// Text of the User-Agent header.
    pub user_agent: String,
    /// How long sessions last without a refresh.
    pub session_timer: SessionTimerConfig,
}

impl UserAgentConfig {
    /// Listens on `listen`, without an external address.
    pub fn new(listen: SocketAddr) -> Self {
        let user_agent = concat!("Hotline/", env!("CARGO_PKG_VERSION")).to_owned();
        Self { listen, external: None, user_agent, session_timer: SessionTimerConfig::default() }
    }
}

/// A SIP user agent (RFC 3261) on one UDP socket. OPTIONS, unknown dialogs, unsupported methods
/// and extensions are answered by itself; dropping it closes the socket.
#[derive(Debug)]
pub struct UserAgent {
    pub(super) shared: Arc<Shared>,
    invites: mpsc::Receiver<SipLeg>,
    _stack: DropGuard,
}

/// What the tasks of one user agent share.
pub(super) struct Shared {
    pub(super) layer: Arc<DialogLayer>,
    pub(super) endpoint: EndpointInnerRef,
    pub(super) registry: Arc<Registry>,
    pub(super) open_requests: Arc<Semaphore>,
    /// Fires when legs that are still up must end now.
    pub(super) end_legs: CancellationToken,
    /// Fires when the socket is closed.
    pub(super) stopped: CancellationToken,
    pub(super) refusing: AtomicBool,
    pub(super) session_timer: SessionTimerConfig,
    local: SocketAddr,
    external: Option<IpAddr>,
}

impl UserAgent {
    /// Opens the socket and starts answering. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`SipError::Bind`] when the address cannot be had.
    pub async fn bind(config: UserAgentConfig) -> Result<Self, SipError> {
        let listen = config.listen;
        let bind_error = |source| SipError::Bind { addr: listen, source };
        let socket = UdpSocket::bind(listen).await.map_err(bind_error)?;
        let local = socket.local_addr().map_err(bind_error)?;
        let external = config.external.map(|ip| SocketAddr::new(ip, local.port()));

        let stop = CancellationToken::new();
        let transport = TransportLayer::new(stop.clone());
        let connection = UdpConnection::from_socket(
            Arc::new(ScreenedSocket(socket)),
            external,
            Some(stop.child_token()),
        )
        .await?;
        transport.add_transport(connection.into());
        let endpoint = EndpointBuilder::new()
            .with_cancel_token(stop.clone())
            .with_transport_layer(transport)
            .with_user_agent(&config.user_agent)
            .with_inspector(Box::new(EarlyRoutes::default()))
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
            open_requests: Arc::new(Semaphore::new(OPEN_REQUESTS)),
            end_legs: CancellationToken::new(),
            stopped: stop.clone(),
            refusing: AtomicBool::new(false),
            session_timer: config.session_timer,
            local,
            external: config.external,
        });
        let (invite_tx, invites) = mpsc::channel(WAITING_INVITES);
        tokio::spawn(async move { endpoint.serve().await });
        tokio::spawn(dispatch::run(shared.clone(), incoming, invite_tx, stop.clone()));
        Ok(Self { shared, invites, _stack: stop.drop_guard() })
    }

    /// The address listened on, with the port that port 0 became.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local
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
    /// [`SipError::Uri`] for URIs that cannot be called.
    pub async fn dial(&self, request: DialRequest) -> Result<SipLeg, SipError> {
        dial::dial(&self.shared, request)
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
    }
}

impl Shared {
    /// Our address as `peer` should see it.
    pub(super) fn ip_for(&self, peer: IpAddr) -> IpAddr {
        if let Some(ip) = self.external {
            return ip;
        }
        let own = self.local.ip();
        if own.is_unspecified() { route_to(peer).unwrap_or(own) } else { own }
    }

    /// The Contact for a dialog with `peer`.
    pub(super) fn contact_for(&self, peer: IpAddr) -> Uri {
        Uri {
            scheme: Some(Scheme::Sip),
            host_with_port: HostWithPort {
                host: Host::IpAddr(self.ip_for(peer)),
                port: Some(self.local.port().into()),
            },
            ..Uri::default()
        }
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("local", &self.local).finish_non_exhaustive()
    }
}

/// The address of the interface that leads to `peer`: connecting a UDP socket asks the routing
/// table and sends nothing.
fn route_to(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
