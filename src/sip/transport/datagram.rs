use std::{
    collections::HashMap,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use rsipstack::platform::net;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::ReadBuf, net::UdpSocket};

use super::{mend, sent_by};
use crate::sip::{
    agent::route_to,
    screen::{Verdict, screen},
};

/// Peers whose socket is remembered; when there are more, all are forgotten and asked anew.
const REMEMBERED: usize = 16_384;

/// The agent's UDP sockets, with the screen in front; to the stack they are one.
pub(in crate::sip) struct DatagramSockets {
    sockets: Vec<UdpSocket>,
    /// Which socket is asked first: the one after that which had the last datagram.
    turn: AtomicUsize,
    /// Which socket a peer was last heard on, when several would do.
    heard_on: Mutex<HashMap<SocketAddr, usize>>,
    /// Our address as peers see it, when that is another one (NAT).
    external: Option<IpAddr>,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = rsipstack::Result<T>> + Send + 'a>>;

impl DatagramSockets {
    /// Takes at least one socket; see [`bind`](Self::bind).
    pub(in crate::sip) fn new(sockets: Vec<UdpSocket>) -> Self {
        let (turn, heard_on) = (AtomicUsize::new(0), Mutex::default());
        Self { sockets, turn, heard_on, external: None }
    }

    /// To peers we are at `external`.
    pub(in crate::sip) fn seen_at(self, external: Option<IpAddr>) -> Self {
        Self { external, ..self }
    }

    /// Opens one. An IPv6 socket takes IPv6 only, whatever the system's default: `0.0.0.0` and
    /// `[::]` may then have the same port.
    pub(in crate::sip) fn bind(addr: SocketAddr) -> std::io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        UdpSocket::from_std(socket.into())
    }

    /// The socket that `peer` was heard on, else the first of its address family.
    fn socket_for(&self, peer: SocketAddr) -> &UdpSocket {
        let heard_on = self.heard_on.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = heard_on.get(&peer) {
            return &self.sockets[*at];
        }
        let fits = |s: &&UdpSocket| s.local_addr().is_ok_and(|own| own.is_ipv4() == peer.is_ipv4());
        self.sockets.iter().find(fits).unwrap_or(&self.sockets[0])
    }

    /// What the Via of a request to `peer` has to name; `None` when the stack knows.
    fn sent_by(&self, socket: &UdpSocket, peer: SocketAddr) -> Option<SocketAddr> {
        if self.sockets.first().is_some_and(|first| std::ptr::eq(first, socket)) {
            return None;
        }
        let own = socket.local_addr().ok()?;
        let external = self.external.filter(|ip| ip.is_ipv4() == own.is_ipv4());
        let ip = match external {
            Some(ip) => ip,
            None if own.ip().is_unspecified() => route_to(peer.ip())?,
            None => own.ip(),
        };
        Some(SocketAddr::new(ip, own.port()))
    }

    fn remember(&self, peer: SocketAddr, socket: usize) {
        if self.sockets.len() == 1 {
            return;
        }
        let mut heard_on = self.heard_on.lock().unwrap_or_else(PoisonError::into_inner);
        if heard_on.len() >= REMEMBERED {
            heard_on.clear();
        }
        heard_on.insert(peer, socket);
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<std::io::Result<(usize, SocketAddr)>> {
        let first = self.turn.load(Ordering::Relaxed);
        for i in 0..self.sockets.len() {
            let at = (first + i) % self.sockets.len();
            let mut buf = ReadBuf::new(buf);
            if let Poll::Ready(from) = self.sockets[at].poll_recv_from(cx, &mut buf) {
                self.turn.store(at + 1, Ordering::Relaxed);
                return Poll::Ready(from.map(|from| {
                    self.remember(from, at);
                    (buf.filled().len(), from)
                }));
            }
        }
        Poll::Pending
    }
}

impl net::UdpSocket for DatagramSockets {
    fn recv_from<'s, 'b, 'f>(&'s self, buf: &'b mut [u8]) -> BoxFuture<'f, (usize, SocketAddr)>
    where
        's: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            loop {
                let (mut len, from) = poll_fn(|cx| self.poll_recv(cx, buf)).await?;
                if let Some(mended) = mend::incoming(&buf[..len]) {
                    len = mended.len();
                    buf[..len].copy_from_slice(&mended);
                }
                match screen(&buf[..len]) {
                    Verdict::Pass => return Ok((len, from)),
                    Verdict::Rewritten(message) => {
                        buf[..message.len()].copy_from_slice(&message);
                        return Ok((message.len(), from));
                    }
                    Verdict::Answer(response) => {
                        tracing::debug!(%from, status = %response.lines().next().unwrap_or(""), "refused a request");
                        // UDP: a response that cannot be sent is a response that was lost.
                        let _ = self.socket_for(from).send_to(response.as_bytes(), from).await;
                    }
                    Verdict::Drop => tracing::debug!(%from, len, "dropped a datagram"),
                }
            }
        })
    }

    fn send_to<'s, 'b, 'f>(&'s self, buf: &'b [u8], addr: SocketAddr) -> BoxFuture<'f, usize>
    where
        's: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let (message, mended) = mend::outgoing(buf);
            let addr = mended.unwrap_or(addr);
            let socket = self.socket_for(addr);
            let named = self.sent_by(socket, addr).and_then(|own| sent_by::named(&message, own));
            socket.send_to(named.as_deref().unwrap_or(&message), addr).await?;
            Ok(buf.len())
        })
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.sockets[0].local_addr()?)
    }
}
