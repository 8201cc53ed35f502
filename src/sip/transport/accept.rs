use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rsipstack::transaction::endpoint::EndpointInnerRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::sync::CancellationToken;

use super::{
    ListenOn, Transport,
    flow::{Flow, keep_alive},
};

/// Connections that peers may have open at a listener; more are closed at once.
const MAX_CONNECTIONS: usize = 4_096;
/// A TLS handshake takes less.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that takes SIP connections.
pub(in crate::sip) struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
}

impl Listener {
    /// Listens; `tls` makes it TLS.
    pub(in crate::sip) fn bind(on: ListenOn, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let domain = socket2::Domain::for_address(on.addr);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        if on.addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of a service that has just ended must not keep its port.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&on.addr.into())?;
        socket.listen(1_024)?;
        let socket = TcpListener::from_std(socket.into())?;
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Ok(Self { socket, tls: tls.map(TlsAcceptor::from), places })
    }

    /// Where it listens, with the port that port 0 became.
    pub(in crate::sip) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes connections until `stop`.
    pub(in crate::sip) async fn run(self, endpoint: EndpointInnerRef, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: others may close theirs.
                    tracing::warn!(%error, "cannot take a SIP connection");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                tracing::warn!(%remote, "too many SIP connections: closed one");
                continue;
            };
            keep_alive(&stream);
            let (endpoint, stop) = (endpoint.clone(), stop.child_token());
            tokio::spawn(welcome(stream, remote, self.tls.clone(), endpoint, stop, place));
        }
    }
}

async fn welcome(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<TlsAcceptor>,
    endpoint: EndpointInnerRef,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    let Some(tls) = tls else {
        return carry(stream, Transport::Tcp, remote, &endpoint, stop).await;
    };
    match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => carry(stream, Transport::Tls, remote, &endpoint, stop).await,
        Ok(Err(error)) => tracing::info!(%remote, %error, "TLS handshake failed"),
        Err(_) => tracing::info!(%remote, "TLS handshake took too long"),
    }
}

async fn carry<S>(
    stream: S,
    transport: Transport,
    remote: SocketAddr,
    endpoint: &EndpointInnerRef,
    stop: CancellationToken,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + 'static,
{
    match Flow::open(stream, transport, remote, endpoint, stop).await {
        Ok(flow) => flow.run().await,
        Err(error) => tracing::warn!(%remote, %error, "SIP connection not usable"),
    }
}
