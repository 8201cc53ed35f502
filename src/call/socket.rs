//! The socket of a call's RTP: read once a tick instead of waking the call for each packet. When a
//! packet came is known from the kernel.

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    time::{Duration, SystemTime},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
            sockopt::ReceiveTimestamp,
        },
        time::{TimeVal, TimeValLike},
    },
};

/// A UDP socket that nobody waits for.
#[derive(Debug)]
pub(super) struct PolledSocket {
    socket: UdpSocket,
    control: Vec<u8>,
}

/// A datagram that was waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its length.
    pub(super) len: usize,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// How long it waited.
    pub(super) waited: Duration,
}

impl PolledSocket {
    /// Takes the socket out of the runtime.
    pub(super) fn new(socket: tokio::net::UdpSocket) -> io::Result<Self> {
        let socket = socket.into_std()?;
        // Without it, a packet seems to have come when it is read.
        if let Err(error) = setsockopt(&socket, ReceiveTimestamp, &true) {
            tracing::debug!(%error, "the system does not say when packets come");
        }
        Ok(Self { socket, control: cmsg_space!(TimeVal) })
    }

    /// The next datagram that is there; `None` when there is none, or only an error of an earlier
    /// packet (ICMP).
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Option<Waiting> {
        let mut slices = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut slices,
            Some(&mut self.control),
            MsgFlags::MSG_DONTWAIT,
        )
        .ok()?;
        let came = message.cmsgs().ok().and_then(|mut all| {
            all.find_map(|one| match one {
                ControlMessageOwned::ScmTimestamp(at) => Some(at),
                _ => None,
            })
        });
        let from = message.address.as_ref().and_then(socket_address)?;
        Some(Waiting { len: message.bytes, from, waited: came.map_or(Duration::ZERO, since) })
    }

    /// Sends a datagram; a full socket buffer drops it, as the network would.
    pub(super) fn send(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.socket.send_to(datagram, to);
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || address.as_sockaddr_in().map(|a| SocketAddr::from((a.ip(), a.port())));
    let v6 = || address.as_sockaddr_in6().map(|a| SocketAddr::from((a.ip(), a.port())));
    v4().or_else(v6)
}

/// The kernel dates packets by the wall clock. When that is set meanwhile, the answer is wrong for
/// the packets of one tick.
#[expect(clippy::disallowed_methods, reason = "the kernel's time stamps are of this clock")]
fn since(came: TimeVal) -> Duration {
    let came = Duration::from_micros(came.num_microseconds().max(0).unsigned_abs());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(came)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn socket() -> PolledSocket {
        PolledSocket::new(tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn what_waits_is_read_with_its_sender_and_its_age() {
        let (ours, mut theirs) = (socket().await, socket().await);
        let to = theirs.socket.local_addr().unwrap();
        ours.send(b"first", to);
        std::thread::sleep(Duration::from_millis(50));
        ours.send(b"second", to);
        let mut buffer = [0; 100];
        let first = theirs.receive(&mut buffer).unwrap();
        assert_eq!(&buffer[..first.len], b"first");
        assert_eq!(first.from, ours.socket.local_addr().unwrap());
        let second = theirs.receive(&mut buffer).unwrap();
        assert_eq!(&buffer[..second.len], b"second");
        let apart = first.waited.saturating_sub(second.waited);
        assert!(apart >= Duration::from_millis(40), "{first:?} {second:?}");
        assert_eq!(theirs.receive(&mut buffer), None);
    }

    #[tokio::test]
    async fn nothing_waits_at_first() {
        assert_eq!(socket().await.receive(&mut [0; 10]), None);
    }
}
