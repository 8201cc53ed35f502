use std::{net::SocketAddr, path::PathBuf};

use super::{ListenOn, Transport};

/// What can go wrong on the signalling side. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// A socket could not be opened.
    #[error("cannot listen for SIP on {on}: {source}; {}", bind_remedy(source))]
    Bind {
        /// The address asked for.
        on: ListenOn,
        /// What the system said.
        source: std::io::Error,
    },
    /// No address to listen on was given.
    #[error("sip.listen is empty: give at least one address, such as udp:0.0.0.0:5060")]
    NoListener,
    /// A listener for TLS without a certificate.
    #[error("{on} needs a certificate: set sip.tls.certificate and sip.tls.key")]
    NoCertificate {
        /// The listener.
        on: ListenOn,
    },
    /// A file of TLS cannot be used.
    #[error("{path}: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A peer cannot be connected to.
    #[error("cannot connect to {transport}:{peer}: {why}; {}", connect_remedy(why))]
    Connect {
        /// How.
        transport: Transport,
        /// Whom.
        peer: SocketAddr,
        /// What happened.
        why: String,
    },
    /// A peer that takes no call now; of a trunk, the last of its targets.
    #[error("{transport}:{peer} takes no call now: {code} {reason}")]
    Unavailable {
        /// How.
        transport: Transport,
        /// Whom.
        peer: SocketAddr,
        /// SIP status code.
        code: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// A request outside of a call that nobody answered.
    #[error(
        "no answer to {method} from {transport}:{peer} in {seconds} s; check that it listens there, and the firewall"
    )]
    NoAnswer {
        /// The request's method.
        method: String,
        /// How it travelled.
        transport: Transport,
        /// To whom.
        peer: SocketAddr,
        /// How long was waited.
        seconds: u64,
    },
    /// A trunk that cannot be, or that there is not.
    #[error("trunk `{trunk}`: {problem}")]
    Trunk {
        /// Its name.
        trunk: String,
        /// What is wrong.
        problem: String,
    },
    /// A trunk takes no further call now.
    #[error(
        "trunk `{trunk}` is full; try again in {wait:?}, or raise its max_calls or max_calls_per_second"
    )]
    TrunkFull {
        /// Its name.
        trunk: String,
        /// When it is worth trying again.
        wait: std::time::Duration,
    },
    /// A host name without an address.
    #[error("no address for `{host}`: {why}; check the name and this machine's DNS")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
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

fn connect_remedy(why: &str) -> &'static str {
    if why.contains("UnknownIssuer") || why.contains("BadSignature") {
        "its certificate is not from an authority that this machine trusts: set sip.tls.ca"
    } else if why.contains("not valid for name") {
        "its certificate is for another name: call it by the name in the certificate"
    } else if why.contains("expired") {
        "its certificate has expired: its owner must renew it"
    } else {
        "check that it listens there, and the firewall"
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
