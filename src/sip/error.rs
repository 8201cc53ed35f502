use std::net::SocketAddr;

/// What can go wrong on the signalling side. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// The UDP socket could not be opened.
    #[error("cannot listen for SIP on udp {addr}: {source}; {}", bind_remedy(source))]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A URI that is not a SIP URI, or one whose host cannot be called.
    #[error("`{uri}` is not a SIP URI: {why}; write it as sip:user@host or sip:user@host:port")]
    Uri {
        /// The text as given, with its user part masked.
        uri: String,
        /// What is wrong with it.
        why: String,
    },
    /// The leg has moved on: answered twice, rejected after the answer, or the peer was faster.
    #[error("cannot {action}: the leg is {state}; read its events to follow it")]
    State {
        /// What was asked for.
        action: &'static str,
        /// Where the leg is.
        state: &'static str,
    },
    /// The user agent is shutting down, or its task is gone.
    #[error("the SIP user agent has shut down; bind a new one")]
    Closed,
    /// The SIP stack refused a message or could not send it.
    #[error("SIP stack: {0}; if it persists, check the route to the peer and the trunk's settings")]
    Stack(String),
}

impl From<rsipstack::Error> for SipError {
    fn from(e: rsipstack::Error) -> Self {
        Self::Stack(e.to_string())
    }
}

fn bind_remedy(e: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match e.kind() {
        ErrorKind::AddrInUse => {
            "another process has that port: stop it, or choose another port (0 picks a free one)"
        }
        ErrorKind::AddrNotAvailable => {
            "no interface of this machine has that address: use one that has, or 0.0.0.0"
        }
        ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose a higher one",
        _ => "check the address",
    }
}
