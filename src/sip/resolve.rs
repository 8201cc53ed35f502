//! From a SIP URI to the addresses that serve it, best first (RFC 3263).

mod told;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    proto::rr::{RData, RecordType},
};
use rsipstack::sip::{Host, Scheme, Uri, uri::ParamsExt};

use super::{SipError, Transport};

/// Where a request can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) transport: Transport,
    pub(super) addr: SocketAddr,
    /// The host as the URI has it, which a certificate must name.
    pub(super) host: String,
}

/// Asks the DNS.
pub(super) struct Resolver {
    records: Option<TokioResolver>,
}

impl Resolver {
    /// Uses the system's name servers. Without any, names have addresses only (`/etc/hosts`).
    pub(super) fn new() -> Self {
        let records = TokioResolver::builder_tokio().and_then(|mut builder| {
            // A call waits for the answer: two tries of two seconds must do.
            let options = builder.options_mut();
            (options.timeout, options.attempts) = (Duration::from_secs(2), 2);
            builder.build()
        });
        Self {
            records: records
                .inspect_err(|error| tracing::warn!(%error, "no SRV records: no name server"))
                .ok(),
        }
    }

    /// Where `uri` is served; at least one target.
    ///
    /// # Errors
    /// [`SipError::Resolve`] when its host has no address.
    pub(super) async fn resolve(&self, uri: &Uri) -> Result<Vec<Target>, SipError> {
        targets(self, uri, rand::random).await
    }

    /// Like [`Self::resolve`], and says what the DNS knew, a line for each record.
    pub(super) async fn explain(&self, uri: &Uri) -> (Vec<String>, Result<Vec<Target>, SipError>) {
        told::targets(self, uri, rand::random).await
    }
}

/// A NAPTR record, as far as SIP uses it.
#[derive(Debug, Clone)]
struct Naptr {
    order: u16,
    preference: u16,
    service: String,
    replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Srv {
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
}

/// What the procedure asks the DNS. No record is no error.
trait Dns {
    async fn naptr(&self, name: &str) -> Vec<Naptr>;
    async fn srv(&self, name: &str) -> Vec<Srv>;
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String>;
}

impl Dns for Resolver {
    async fn naptr(&self, name: &str) -> Vec<Naptr> {
        let found = self.records(name, RecordType::NAPTR).await.into_iter();
        let naptr = found.filter_map(|data| match data {
            RData::NAPTR(n) => Some(Naptr {
                order: n.order,
                preference: n.preference,
                service: String::from_utf8_lossy(&n.services).to_ascii_uppercase(),
                replacement: n.replacement.to_string(),
            }),
            _ => None,
        });
        naptr.collect()
    }

    async fn srv(&self, name: &str) -> Vec<Srv> {
        let found = self.records(name, RecordType::SRV).await.into_iter();
        let srv = found.filter_map(|data| match data {
            RData::SRV(s) => Some(Srv {
                priority: s.priority,
                weight: s.weight,
                port: s.port,
                target: s.target.to_string().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        });
        srv.collect()
    }

    /// By the system's resolver, which knows `/etc/hosts` and other sources.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = tokio::net::lookup_host((name, 0)).await.map_err(|e| e.to_string())?;
        Ok(found.map(|addr| addr.ip()).collect())
    }
}

impl Resolver {
    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let Some(records) = &self.records else { return Vec::new() };
        match records.lookup(format!("{name}."), kind).await {
            Ok(found) => found.answers().iter().map(|record| record.data.clone()).collect(),
            Err(error) => {
                tracing::debug!(%kind, %error, "no records");
                Vec::new()
            }
        }
    }
}

async fn targets(
    dns: &impl Dns,
    uri: &Uri,
    random: impl Fn() -> u32,
) -> Result<Vec<Target>, SipError> {
    let secure = uri.scheme == Some(Scheme::Sips);
    let asked = match uri.transport() {
        Some(named) if secure && Transport::of_stack(Some(*named)) == Transport::Tcp => {
            Some(Transport::Tls)
        }
        Some(named) => Some(Transport::of_stack(Some(*named))),
        None if secure => Some(Transport::Tls),
        None => None,
    };
    let port = uri.host_with_port.port.map(|p| p.0);
    let host = match &uri.host_with_port.host {
        Host::IpAddr(ip) => {
            let transport = asked.unwrap_or_default();
            let addr = SocketAddr::new(*ip, port.unwrap_or(transport.default_port()));
            return Ok(vec![Target { transport, addr, host: ip.to_string() }]);
        }
        Host::Domain(name) => name.to_string(),
    };
    // A name without a dot is a machine of this network, not a domain with records.
    if port.is_none() && host.contains('.') {
        let found = by_records(dns, &host, asked, random).await;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let transport = asked.unwrap_or_default();
    let port = port.unwrap_or(transport.default_port());
    let resolve = |why| SipError::Resolve { host: host.clone(), why };
    let addresses = dns.addresses(&host).await.map_err(resolve)?;
    if addresses.is_empty() {
        return Err(resolve("it has none".to_owned()));
    }
    let at = |ip| Target { transport, addr: SocketAddr::new(ip, port), host: host.clone() };
    Ok(addresses.into_iter().map(at).collect())
}

/// By NAPTR and SRV; nothing when there are none.
async fn by_records(
    dns: &impl Dns,
    host: &str,
    asked: Option<Transport>,
    random: impl Fn() -> u32,
) -> Vec<Target> {
    let mut found = Vec::new();
    for (transport, name) in services(dns, host, asked).await {
        for srv in ordered(dns.srv(&name).await, &random) {
            // "." says that the service is decidedly not available there.
            if srv.target.is_empty() {
                continue;
            }
            for ip in dns.addresses(&srv.target).await.unwrap_or_default() {
                let addr = SocketAddr::new(ip, srv.port);
                found.push(Target { transport, addr, host: host.to_owned() });
            }
        }
    }
    found
}

/// The SRV names to ask for, best first.
async fn services(
    dns: &impl Dns,
    host: &str,
    asked: Option<Transport>,
) -> Vec<(Transport, String)> {
    let srv_name = |transport: Transport| match transport {
        Transport::Udp => format!("_sip._udp.{host}"),
        Transport::Tcp => format!("_sip._tcp.{host}"),
        Transport::Tls => format!("_sips._tcp.{host}"),
    };
    if let Some(transport) = asked {
        return vec![(transport, srv_name(transport))];
    }
    let mut naptr = dns.naptr(host).await;
    naptr.sort_by_key(|n| (n.order, n.preference));
    let named: Vec<_> = naptr
        .into_iter()
        .filter_map(|n| {
            let transport = match n.service.as_str() {
                "SIP+D2U" => Transport::Udp,
                "SIP+D2T" => Transport::Tcp,
                "SIPS+D2T" => Transport::Tls,
                _ => return None,
            };
            Some((transport, n.replacement.trim_end_matches('.').to_owned()))
        })
        .collect();
    if named.is_empty() {
        return [Transport::Udp, Transport::Tcp].map(|t| (t, srv_name(t))).to_vec();
    }
    named
}

/// By priority; within one, at random in proportion to the weights (RFC 2782).
fn ordered(mut records: Vec<Srv>, random: impl Fn() -> u32) -> Vec<Srv> {
    // Those of weight 0 first, so that they have a small chance to be taken first.
    records.sort_by_key(|srv| (srv.priority, srv.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let same = records.iter().take_while(|srv| srv.priority == first.priority);
        let weights: Vec<u64> = same.map(|srv| srv.weight.into()).collect();
        let total: u64 = weights.iter().sum();
        let mut draw = u64::from(random()) % (total + 1);
        let taken = weights.iter().position(|weight| {
            let here = draw <= *weight;
            draw = draw.saturating_sub(*weight);
            here
        });
        ordered.push(records.remove(taken.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A zone with `sbc` at 192.0.2.1, `backup` at 192.0.2.2 and what a test adds.
    #[derive(Default)]
    struct Zone {
        naptr: Vec<Naptr>,
        srv: HashMap<&'static str, Vec<Srv>>,
    }

    impl Dns for Zone {
        async fn naptr(&self, _: &str) -> Vec<Naptr> {
            self.naptr.clone()
        }

        async fn srv(&self, name: &str) -> Vec<Srv> {
            self.srv.get(name).cloned().unwrap_or_default()
        }

        async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
            match name {
                "sbc" | "example.com" => Ok(vec!["192.0.2.1".parse().unwrap()]),
                "backup" => Ok(vec!["192.0.2.2".parse().unwrap()]),
                _ => Err("unknown host".to_owned()),
            }
        }
    }

    fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
        Srv { priority, weight, port, target: target.to_owned() }
    }

    async fn resolve(zone: &Zone, uri: &str) -> Result<Vec<String>, SipError> {
        let uri = Uri::try_from(uri).unwrap();
        let found = targets(zone, &uri, || 0).await?;
        Ok(found.iter().map(|t| format!("{}:{}", t.transport, t.addr)).collect())
    }

    #[tokio::test]
    async fn an_address_is_taken_as_it_is() {
        let zone = Zone::default();
        for (uri, want) in [
            ("sip:1@192.0.2.7", "udp:192.0.2.7:5060"),
            ("sip:1@192.0.2.7:5070;transport=tcp", "tcp:192.0.2.7:5070"),
            ("sip:1@192.0.2.7;transport=tls", "tls:192.0.2.7:5061"),
            ("sips:1@192.0.2.7", "tls:192.0.2.7:5061"),
            ("sip:1@[2001:db8::1]:5080", "udp:[2001:db8::1]:5080"),
        ] {
            assert_eq!(resolve(&zone, uri).await.unwrap(), [want], "{uri}");
        }
    }

    #[tokio::test]
    async fn a_name_with_a_port_is_not_looked_for_in_srv() {
        let zone = Zone {
            srv: HashMap::from([("_sip._udp.example.com", vec![srv(1, 1, 9, "backup")])]),
            ..Zone::default()
        };
        let found = resolve(&zone, "sip:1@example.com:5062").await.unwrap();
        assert_eq!(found, ["udp:192.0.2.1:5062"]);
    }

    #[tokio::test]
    async fn srv_records_give_the_order_of_failover() {
        let records = vec![srv(20, 0, 5060, "backup"), srv(10, 0, 5080, "sbc")];
        let zone =
            Zone { srv: HashMap::from([("_sip._udp.example.com", records)]), ..Zone::default() };
        let found = resolve(&zone, "sip:1@example.com").await.unwrap();
        assert_eq!(found, ["udp:192.0.2.1:5080", "udp:192.0.2.2:5060"]);
    }

    #[tokio::test]
    async fn naptr_chooses_the_transport() {
        let naptr = |order, service: &str, replacement: &str| Naptr {
            order,
            preference: 0,
            service: service.to_owned(),
            replacement: replacement.to_owned(),
        };
        let zone = Zone {
            naptr: vec![
                naptr(20, "SIP+D2U", "_sip._udp.example.com."),
                naptr(10, "SIPS+D2T", "_sips._tcp.example.com."),
                naptr(5, "E2U+SIP", "elsewhere."),
            ],
            srv: HashMap::from([
                ("_sip._udp.example.com", vec![srv(1, 1, 5060, "backup")]),
                ("_sips._tcp.example.com", vec![srv(1, 1, 5061, "sbc")]),
            ]),
        };
        let found = resolve(&zone, "sip:1@example.com").await.unwrap();
        assert_eq!(found, ["tls:192.0.2.1:5061", "udp:192.0.2.2:5060"]);
    }

    #[tokio::test]
    async fn without_records_a_name_has_its_addresses() {
        let found = resolve(&Zone::default(), "sip:1@example.com;transport=tcp").await.unwrap();
        assert_eq!(found, ["tcp:192.0.2.1:5060"]);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told() {
        let error = resolve(&Zone::default(), "sip:1@nowhere.invalid").await.unwrap_err();
        assert!(error.to_string().contains("nowhere.invalid"), "{error}");
    }

    #[test]
    fn weights_share_the_first_place_and_nobody_is_lost() {
        let records = vec![srv(1, 3, 1, "a"), srv(1, 1, 2, "b"), srv(1, 0, 3, "c")];
        let firsts: Vec<u16> =
            (0..5).map(|draw| ordered(records.clone(), || draw)[0].port).collect();
        assert_eq!(firsts, [3, 2, 1, 1, 1]);
        assert_eq!(ordered(records, || 4).len(), 3);
    }
}
