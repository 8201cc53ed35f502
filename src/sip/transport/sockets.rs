use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rsipstack::{
    platform::net,
    transaction::endpoint::EndpointInnerRef,
    transport::{SipConnection, TransportLayer, channel::ChannelConnection, udp::UdpConnection},
};
use tokio::sync::mpsc;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::{ListenOn, Transport, accept::Listener, datagram::DatagramSockets};
use crate::sip::SipError;

/// Everything that is listened on.
pub(in crate::sip) struct Sockets {
    local: Vec<ListenOn>,
    datagrams: Option<DatagramSockets>,
    listeners: Vec<(ListenOn, Listener)>,
}

impl Sockets {
    /// Opens all of `listen`.
    ///
    /// # Errors
    /// [`SipError::Bind`] with the address that cannot be had, [`SipError::NoCertificate`],
    /// [`SipError::NoListener`].
    pub(in crate::sip) fn bind(
        listen: &[ListenOn],
        tls: Option<&Arc<ServerConfig>>,
    ) -> Result<Self, SipError> {
        let (mut local, mut datagrams, mut listeners) = (Vec::new(), Vec::new(), Vec::new());
        for &on in listen {
            let bind_error = |source| SipError::Bind { on, source };
            let addr = match on.transport {
                Transport::Udp => {
                    let socket = DatagramSockets::bind(on.addr).map_err(bind_error)?;
                    let addr = socket.local_addr().map_err(bind_error)?;
                    datagrams.push(socket);
                    addr
                }
                Transport::Tcp | Transport::Tls => {
                    let tls = tls.filter(|_| on.transport == Transport::Tls).cloned();
                    if on.transport == Transport::Tls && tls.is_none() {
                        return Err(SipError::NoCertificate { on });
                    }
                    let listener = Listener::bind(on, tls).map_err(bind_error)?;
                    let addr = listener.local_addr().map_err(bind_error)?;
                    listeners.push((ListenOn { addr, ..on }, listener));
                    addr
                }
            };
            local.push(ListenOn { addr, ..on });
        }
        if local.is_empty() {
            return Err(SipError::NoListener);
        }
        let datagrams = (!datagrams.is_empty()).then(|| DatagramSockets::new(datagrams));
        Ok(Self { local, datagrams, listeners })
    }

    /// What is listened on, with real ports.
    pub(in crate::sip) fn local(&self) -> &[ListenOn] {
        &self.local
    }

    /// Tells the stack what there is, so that it sends on it and its Via headers are right.
    /// `external` is our address as peers see it.
    pub(in crate::sip) async fn introduce(
        &mut self,
        layer: &TransportLayer,
        external: Option<IpAddr>,
        stop: &CancellationToken,
    ) -> rsipstack::Result<()> {
        let seen_as = |own: SocketAddr| external.map(|ip| SocketAddr::new(ip, own.port()));
        if let Some(datagrams) = self.datagrams.take() {
            let first = seen_as(net::UdpSocket::local_addr(&datagrams)?);
            let datagrams = datagrams.seen_at(external);
            let token = Some(stop.child_token());
            let udp = UdpConnection::from_socket(Arc::new(datagrams), first, token).await?;
            layer.add_transport(udp.into());
        }
        for (on, _) in &self.listeners {
            // The stack only reads its address: connections come to it one by one.
            let own = seen_as(on.addr).unwrap_or(SipConnection::resolve_bind_address(on.addr));
            #[expect(clippy::disallowed_methods, reason = "the stack's interface; nothing is sent")]
            let (_, nothing) = mpsc::unbounded_channel();
            let (nobody, _) = mpsc::channel(1);
            let addr = on.transport.at(own);
            let named =
                ChannelConnection::create_connection_bounded(nothing, nobody, addr, None).await?;
            layer.add_transport(SipConnection::Channel(named));
        }
        Ok(())
    }

    /// Takes connections and datagrams until `stop`.
    pub(in crate::sip) fn serve(self, endpoint: &EndpointInnerRef, stop: &CancellationToken) {
        for (_, listener) in self.listeners {
            tokio::spawn(listener.run(endpoint.clone(), stop.child_token()));
        }
    }
}
