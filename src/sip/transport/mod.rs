//! What SIP travels on: UDP, TCP and TLS (RFC 3261 section 18), over IPv4 and IPv6.
//!
//! UDP goes through the stack's own transport, with our sockets below it. Streams are ours: the
//! stack ends a whole connection at the first message that it cannot read, and reads lengths
//! without a limit.

mod accept;
mod connect;
mod datagram;
mod flow;
mod framing;
mod mend;
mod secured;
mod sent_by;
mod sockets;
mod tls;

use std::{fmt, net::SocketAddr, str::FromStr};

use rsipstack::{sip, transport::SipAddr};
use serde::Deserialize;

pub(super) use connect::Connector;
pub use framing::{Frame, Framer, NotSip};
pub use secured::Secured;
pub(super) use sockets::Sockets;
pub use tls::TlsFiles;
pub(super) use tls::TlsSettings;

/// How SIP messages travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS 1.2 or 1.3.
    Tls,
}

impl Transport {
    /// Where peers listen when they do not say: 5060, or 5061 for TLS.
    pub fn default_port(self) -> u16 {
        if self == Self::Tls { 5061 } else { 5060 }
    }

    /// How URIs and this project's configuration write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    pub(super) fn of_stack(transport: Option<sip::Transport>) -> Self {
        match transport {
            Some(sip::Transport::Tcp) => Self::Tcp,
            Some(sip::Transport::Tls) => Self::Tls,
            _ => Self::Udp,
        }
    }

    pub(super) fn to_stack(self) -> sip::Transport {
        match self {
            Self::Udp => sip::Transport::Udp,
            Self::Tcp => sip::Transport::Tcp,
            Self::Tls => sip::Transport::Tls,
        }
    }

    /// An address as the stack writes it.
    pub(super) fn at(self, addr: SocketAddr) -> SipAddr {
        SipAddr { r#type: Some(self.to_stack()), addr: addr.into() }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where to listen, written `udp:0.0.0.0:5060`, `tls:[::]:5061`, or without a transport for UDP.
/// Port 0 picks a free one. An IPv6 address takes IPv6 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ListenOn {
    /// How.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
}

impl FromStr for ListenOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let transports = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let named = transports
            .iter()
            .find_map(|t| Some((*t, text.strip_prefix(t.name())?.strip_prefix(':')?)));
        let (transport, addr) = named.unwrap_or((Transport::Udp, text));
        let addr = addr.parse().map_err(|_| {
            format!(
                "`{text}` is not an address to listen on: write it as udp:0.0.0.0:5060, \
                 tcp:0.0.0.0:5060, tls:0.0.0.0:5061, or with an IPv6 address as udp:[::]:5060"
            )
        })?;
        Ok(Self { transport, addr })
    }
}

impl TryFrom<String> for ListenOn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<SocketAddr> for ListenOn {
    fn from(addr: SocketAddr) -> Self {
        Self { transport: Transport::Udp, addr }
    }
}

impl fmt::Display for ListenOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_on_is_read_as_it_is_written() {
        for text in ["udp:0.0.0.0:5060", "tcp:127.0.0.1:0", "tls:[::]:5061"] {
            assert_eq!(text.parse::<ListenOn>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1:5060".parse::<ListenOn>().unwrap().transport, Transport::Udp);
        assert_eq!("[::1]:5060".parse::<ListenOn>().unwrap().transport, Transport::Udp);
    }

    #[test]
    fn what_is_no_address_is_told_with_an_example() {
        for text in ["5060", "sctp:0.0.0.0:5060", "tls:example.com:5061", "udp:::5060", ""] {
            let error = text.parse::<ListenOn>().unwrap_err();
            assert!(error.contains("udp:0.0.0.0:5060"), "{text}: {error}");
        }
    }
}
