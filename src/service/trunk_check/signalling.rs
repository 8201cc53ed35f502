//! Names, connections, OPTIONS, registration.

use std::net::IpAddr;

use time::OffsetDateTime;

use super::{Finding, TrunkLine};
use crate::{
    service::ServiceError,
    sip::{AddressReport, Answer, Registration, Secured, SipError, TargetReport},
};

const DAY: i64 = 24 * 3_600;
/// A certificate that ends within so many days is worth a word.
const SOON: i64 = 14;

/// Tries every target; the first address that can take calls comes back.
pub(super) async fn check(
    line: &TrunkLine,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Option<AddressReport>, ServiceError> {
    let mut best = None;
    for TargetReport { uri, records, addresses } in line.agent.examine(&line.trunk.name).await? {
        for record in records {
            tell(Finding::note(record));
        }
        match addresses {
            Ok(addresses) => {
                for address in addresses {
                    let works = of_address(line, &uri, &address, tell);
                    best = best.or(works.then_some(address));
                }
            }
            Err(error) => tell(Finding::bad(format!("{uri}: {error}"))),
        }
    }
    Ok(best)
}

fn of_address(
    line: &TrunkLine,
    uri: &str,
    report: &AddressReport,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> bool {
    if let Some(secured) = &report.secured {
        tell(of_certificate(secured, line.config.sip.tls.insecure));
    }
    let at = format!("{uri} at {}:{}", report.transport, report.addr);
    let answer = match &report.answer {
        Ok(answer) => answer,
        Err(error) => {
            tell(Finding::bad(format!("{uri}: {error}")));
            return false;
        }
    };
    let finding = of_answer(&at, answer, line.trunk.username.is_some());
    let works = finding.verdict != super::Verdict::Bad;
    tell(finding);
    if let Some(finding) = of_address_of_ours(report, answer) {
        tell(finding);
    }
    works
}

fn of_answer(at: &str, answer: &Answer, has_account: bool) -> Finding {
    let Answer { code, reason, took, .. } = answer;
    let said = format!("{at} answers OPTIONS with {code} {reason} in {} ms", took.as_millis());
    match code {
        401 | 407 if has_account => Finding::bad(format!(
            "{said}: it does not take our password; check username and password_file"
        )),
        401 | 407 => Finding::note(format!(
            "{said}: it is there; if calls need a password, set username and password_file"
        )),
        403 => Finding::doubtful(format!(
            "{said}: it is there but may not know us; have this machine's address allowed there"
        )),
        408 | 500..=599 => Finding::bad(format!("{said}: it does not take calls now")),
        _ => Finding::good(said),
    }
}

fn of_certificate(secured: &Secured, insecure: bool) -> Finding {
    let Secured { version, names, issuer, until } = secured;
    let names = names.join(", ");
    let days = until.map(|until| (until - OffsetDateTime::now_utc().unix_timestamp()) / DAY);
    let lasts = days.map_or_else(String::new, |days| format!(", good for {days} days"));
    let what = format!("TLS {version}, certificate for {names} by {issuer}{lasts}");
    match days {
        _ if insecure => Finding::doubtful(format!(
            "{what}; not verified: sip.tls.insecure is for tests, set sip.tls.ca instead"
        )),
        Some(..SOON) => Finding::doubtful(format!("{what}: its owner must renew it")),
        _ => Finding::good(what),
    }
}

/// Whether the peer can reach us where we say that we are.
fn of_address_of_ours(report: &AddressReport, answer: &Answer) -> Option<Finding> {
    let (ours, theirs) = (report.local_ip, report.addr.ip());
    if let Some(seen) = answer.seen_as {
        return Some(Finding::doubtful(format!(
            "it sees us at {seen}, but Contact and SDP say {ours}: there is a NAT between, \
             set sip.external = \"{seen}\" and forward rtp.ports"
        )));
    }
    (is_private(ours) && !is_private(theirs)).then(|| {
        Finding::doubtful(format!(
            "Contact and SDP say {ours}, which nobody at {theirs} can reach: set sip.external to \
             this network's public address and forward rtp.ports"
        ))
    })
}

/// Registers; what is to be taken back comes back.
pub(super) async fn register(
    line: &TrunkLine,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Option<Registration> {
    let account = line.trunk.register.as_deref()?;
    match line.agent.register(&line.trunk.name).await {
        Ok(Some(registration)) => {
            let seconds = registration.granted().as_secs();
            tell(Finding::good(format!("registered {account} for {seconds} s")));
            Some(registration)
        }
        Ok(None) => None,
        Err(SipError::Trunk { problem, .. }) => {
            tell(Finding::bad(format!("{account} cannot be registered: {problem}")));
            None
        }
        Err(error) => {
            tell(Finding::bad(format!("{account} cannot be registered: {error}")));
            None
        }
    }
}

/// Of a private network, or of this machine: not to be reached from outside.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xC0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{service::Verdict, sip::Transport};

    fn answer(code: u16, seen_as: Option<&str>) -> Answer {
        let seen_as = seen_as.map(|ip| ip.parse().unwrap());
        Answer { code, reason: "X".to_owned(), took: Duration::from_millis(12), seen_as }
    }

    fn of_us(local: &str, peer: &str, seen_as: Option<&str>) -> Option<String> {
        let report = AddressReport {
            transport: Transport::Udp,
            addr: peer.parse().unwrap(),
            local_ip: local.parse().unwrap(),
            secured: None,
            answer: Ok(answer(200, None)),
        };
        of_address_of_ours(&report, &answer(200, seen_as)).map(|finding| finding.what)
    }

    #[test]
    fn an_answer_says_whether_calls_can_go_there() {
        for (code, has_account, verdict) in [
            (200, true, Verdict::Good),
            (404, true, Verdict::Good),
            (401, false, Verdict::Note),
            (401, true, Verdict::Bad),
            (403, true, Verdict::Doubtful),
            (503, true, Verdict::Bad),
        ] {
            let found = of_answer("sip:sbc", &answer(code, None), has_account);
            assert_eq!(found.verdict, verdict, "{found}");
        }
    }

    #[test]
    fn an_address_that_peers_cannot_reach_is_told_with_the_remedy() {
        let nat = of_us("10.0.0.5", "203.0.113.9:5060", Some("203.0.113.7")).unwrap();
        assert!(nat.contains("sip.external = \"203.0.113.7\""), "{nat}");
        let private = of_us("192.168.1.5", "203.0.113.9:5060", None).unwrap();
        assert!(private.contains("sip.external"), "{private}");
        assert_eq!(of_us("10.0.0.5", "10.0.0.1:5060", None), None);
        assert_eq!(of_us("203.0.113.7", "203.0.113.9:5060", None), None);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_worth_a_word() {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let secured = |days: i64| Secured {
            version: "1.3",
            names: vec!["sbc.example.net".to_owned()],
            issuer: "CN=CA".to_owned(),
            until: Some(now + days * DAY + 60),
        };
        assert_eq!(of_certificate(&secured(80), false).verdict, Verdict::Good);
        assert_eq!(of_certificate(&secured(3), false).verdict, Verdict::Doubtful);
        assert_eq!(of_certificate(&secured(80), true).verdict, Verdict::Doubtful);
    }
}
