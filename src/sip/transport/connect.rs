use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rsipstack::transaction::endpoint::EndpointInnerRef;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tokio_util::sync::CancellationToken;

use super::{
    Secured, Transport,
    flow::{Flow, keep_alive},
};
use crate::sip::{SipError, lock::lock};

/// A connection that is not there after so long will not be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens connections to peers, and keeps them for the next message.
pub(in crate::sip) struct Connector {
    tls: Arc<ClientConfig>,
    open: Arc<Mutex<HashMap<(Transport, SocketAddr), Open>>>,
    stop: CancellationToken,
}

struct Open {
    own: SocketAddr,
    closed: CancellationToken,
    secured: Option<Secured>,
}

impl Connector {
    /// `tls` says whom to trust; connections end with `stop`.
    pub(in crate::sip) fn new(tls: Arc<ClientConfig>, stop: CancellationToken) -> Self {
        Self { tls, open: Arc::default(), stop }
    }

    /// Makes sure that there is a connection to `peer`, which calls itself `host`, and gives our
    /// own address on it. UDP needs none.
    ///
    /// # Errors
    /// [`SipError::Connect`] when there is none within 5 s, or its certificate is not good.
    pub(in crate::sip) async fn ensure(
        &self,
        endpoint: &EndpointInnerRef,
        transport: Transport,
        peer: SocketAddr,
        host: &str,
    ) -> Result<Option<SocketAddr>, SipError> {
        if transport == Transport::Udp {
            return Ok(None);
        }
        if let Some(open) = lock(&self.open).get(&(transport, peer))
            && !open.closed.is_cancelled()
        {
            return Ok(Some(open.own));
        }
        let failed = |why: String| SipError::Connect { transport, peer, why };
        let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed(format!("no answer in {} s", CONNECT_TIMEOUT.as_secs()))),
        };
        let own = stream.local_addr().map_err(|error| failed(error.to_string()))?;
        keep_alive(&stream);
        let closed = self.stop.child_token();
        let mut entry = Open { own, closed: closed.clone(), secured: None };
        if transport == Transport::Tls {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| failed(format!("`{host}` is no name that a certificate can have")))?;
            let handshake = TlsConnector::from(self.tls.clone()).connect(name, stream);
            let stream = match timeout(CONNECT_TIMEOUT, handshake).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return Err(failed(format!("TLS: {error}"))),
                Err(_) => return Err(failed("the TLS handshake took too long".to_owned())),
            };
            entry.secured = Some(Secured::of(stream.get_ref().1));
            let flow = Flow::open(stream, transport, peer, endpoint, closed).await?;
            self.keep(flow.run(), (transport, peer), entry);
        } else {
            let flow = Flow::open(stream, transport, peer, endpoint, closed).await?;
            self.keep(flow.run(), (transport, peer), entry);
        }
        Ok(Some(own))
    }

    /// How the connection to `peer` is protected; `None` without one over TLS.
    pub(in crate::sip) fn secured(&self, peer: SocketAddr) -> Option<Secured> {
        lock(&self.open).get(&(Transport::Tls, peer))?.secured.clone()
    }

    fn keep(
        &self,
        flow: impl Future<Output = ()> + Send + 'static,
        key: (Transport, SocketAddr),
        entry: Open,
    ) {
        let (open, closed) = (self.open.clone(), entry.closed.clone());
        lock(&open).insert(key, entry);
        tokio::spawn(async move {
            flow.await;
            closed.cancel();
            // A newer connection to the same peer may have taken the place.
            lock(&open).retain(|_, entry| !entry.closed.is_cancelled());
        });
    }
}
