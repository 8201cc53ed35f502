//! Trying a trunk before calls depend on it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rsipstack::sip::Response;
use tokio::time::Instant;

use super::{Registration, Trunk, TrunkTarget, health, registration};
use crate::sip::{
    Secured, SipError, Transport, UserAgent, agent::Shared, message, resolve::Target,
};

/// One target of a trunk, tried.
#[derive(Debug)]
pub struct TargetReport {
    /// As it stands in the configuration.
    pub uri: String,
    /// What the DNS knew, a line for each record; nothing for an address.
    pub records: Vec<String>,
    /// Each address that it came to, best first; [`SipError::Resolve`] when there is none.
    pub addresses: Result<Vec<AddressReport>, SipError>,
}

/// One address of a target, tried.
#[derive(Debug)]
pub struct AddressReport {
    /// How it is reached.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
    /// Our address as we tell it there: in Contact, Via and SDP.
    pub local_ip: IpAddr,
    /// How the connection is protected, over TLS.
    pub secured: Option<Secured>,
    /// What it said to OPTIONS.
    pub answer: Result<Answer, SipError>,
}

/// An answer to OPTIONS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code, 200..=699; a challenge has been answered, if we have a password.
    pub code: u16,
    /// Its reason phrase.
    pub reason: String,
    /// From the request to this, a challenge included.
    pub took: Duration,
    /// Where the request came from, as the peer sees it, when that is not what we tell
    /// (`received` of RFC 3261 section 18.2.1): then there is a NAT between.
    pub seen_as: Option<IpAddr>,
}

impl UserAgent {
    /// Looks up every target of a trunk and sends OPTIONS to each address. Takes up to 4 s for
    /// each that does not answer.
    ///
    /// # Errors
    /// [`SipError::Trunk`] when there is no trunk of that name.
    pub async fn examine(&self, trunk: &str) -> Result<Vec<TargetReport>, SipError> {
        let trunk = self.shared.trunks.named(trunk)?;
        let mut reports = Vec::new();
        for (target, uri) in trunk.targets.iter().zip(&trunk.config.targets) {
            let (records, found) = self.shared.resolver.explain(&target.uri).await;
            let addresses = match found {
                Ok(found) => Ok(try_all(&self.shared, trunk, target, found).await),
                Err(error) => Err(error),
            };
            reports.push(TargetReport { uri: uri.clone(), records, addresses });
        }
        Ok(reports)
    }

    /// Registers with a trunk once, for an agent that does not keep its trunks
    /// ([`crate::sip::UserAgentConfig::keeps_trunks`]); `None` when the trunk has no account to
    /// register. Give it back with [`Registration::take_back`].
    ///
    /// # Errors
    /// [`SipError::Trunk`] with what the registrar answered, else why it cannot be reached.
    pub async fn register(&self, trunk: &str) -> Result<Option<Registration>, SipError> {
        let trunk = self.shared.trunks.named(trunk)?;
        registration::once(self.shared.clone(), trunk.clone()).await
    }
}

async fn try_all(
    shared: &Arc<Shared>,
    trunk: &Trunk,
    target: &TrunkTarget,
    found: Vec<Target>,
) -> Vec<AddressReport> {
    let mut reports = Vec::new();
    for address in found {
        let begun = Instant::now();
        let answer = health::options(shared, trunk, target, &address).await;
        reports.push(AddressReport {
            transport: address.transport,
            addr: address.addr,
            local_ip: shared.ip_for(address.addr.ip()),
            secured: match address.transport {
                Transport::Tls => shared.connector.secured(address.addr),
                Transport::Udp | Transport::Tcp => None,
            },
            answer: answer.map(|response| Answer {
                code: response.status_code.code(),
                reason: response.reason_phrase().unwrap_or(response.status_code.text()).to_owned(),
                took: begun.elapsed(),
                seen_as: seen_as(&response),
            }),
        });
    }
    reports
}

fn seen_as(response: &Response) -> Option<IpAddr> {
    let via = message::header(&response.headers, "Via")?.split(',').next()?;
    let received = via.split(';').find_map(|p| p.trim().strip_prefix("received="))?;
    let ip: IpAddr = received.trim_matches(['[', ']']).parse().ok()?;
    let told = via.split(';').next()?.split_ascii_whitespace().last()?;
    let told = told.parse::<SocketAddr>().map(|addr| addr.ip()).or_else(|_| told.parse());
    (told != Ok(ip)).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(via: &str) -> Option<String> {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
             Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        seen_as(&Response::try_from(text.as_str()).unwrap()).map(|ip| ip.to_string())
    }

    #[test]
    fn a_nat_shows_in_the_answers_via() {
        let nat = "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;received=203.0.113.7;rport=40001";
        assert_eq!(seen(nat).as_deref(), Some("203.0.113.7"));
        let none = "SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK1;received=203.0.113.7;rport=5060";
        assert_eq!(seen(none), None);
        assert_eq!(seen("SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK1;rport=5060"), None);
        assert_eq!(seen("SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;received=nonsense"), None);
    }
}
