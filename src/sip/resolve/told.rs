//! A look-up that tells what it found.

use std::{net::IpAddr, sync::Mutex};

use rsipstack::sip::Uri;

use super::{Dns, Naptr, SipError, Srv, Target};
use crate::sip::lock::lock;

/// The targets of `uri`, and a line for each record on the way to them.
pub(super) async fn targets(
    dns: &impl Dns,
    uri: &Uri,
    random: impl Fn() -> u32,
) -> (Vec<String>, Result<Vec<Target>, SipError>) {
    let told = Told { dns, lines: Mutex::default() };
    let found = super::targets(&told, uri, random).await;
    (std::mem::take(&mut *lock(&told.lines)), found)
}

/// Asks another, and writes down what that says.
struct Told<'a, D> {
    dns: &'a D,
    lines: Mutex<Vec<String>>,
}

impl<D> Told<'_, D> {
    fn tell(&self, line: String) {
        lock(&self.lines).push(line);
    }
}

impl<D: Dns> Dns for Told<'_, D> {
    async fn naptr(&self, name: &str) -> Vec<Naptr> {
        let found = self.dns.naptr(name).await;
        for Naptr { order, preference, service, replacement } in &found {
            self.tell(format!("NAPTR {name}: {order} {preference} {service} {replacement}"));
        }
        found
    }

    async fn srv(&self, name: &str) -> Vec<Srv> {
        let found = self.dns.srv(name).await;
        for Srv { priority, weight, port, target } in &found {
            self.tell(format!("SRV {name}: {priority} {weight} {port} {target}"));
        }
        found
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = self.dns.addresses(name).await?;
        let listed: Vec<String> = found.iter().map(ToString::to_string).collect();
        self.tell(format!("{name}: {}", listed.join(", ")));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A domain with one record of each kind.
    struct Zone;

    impl Dns for Zone {
        async fn naptr(&self, name: &str) -> Vec<Naptr> {
            let replacement = format!("_sips._tcp.{name}.");
            vec![Naptr { order: 10, preference: 5, service: "SIPS+D2T".to_owned(), replacement }]
        }

        async fn srv(&self, _: &str) -> Vec<Srv> {
            vec![Srv { priority: 1, weight: 2, port: 5_061, target: "sbc.example.com".to_owned() }]
        }

        async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, String> {
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        }
    }

    #[tokio::test]
    async fn every_record_on_the_way_is_told() {
        let uri = Uri::try_from("sip:example.com").unwrap();
        let (lines, found) = targets(&Zone, &uri, || 0).await;
        assert_eq!(
            lines,
            [
                "NAPTR example.com: 10 5 SIPS+D2T _sips._tcp.example.com.",
                "SRV _sips._tcp.example.com: 1 2 5061 sbc.example.com",
                "sbc.example.com: 192.0.2.1",
            ]
        );
        assert_eq!(found.unwrap()[0].addr.to_string(), "192.0.2.1:5061");
    }
}
