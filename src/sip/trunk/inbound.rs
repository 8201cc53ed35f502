//! Whose call is it, and may it come in?

use std::{net::IpAddr, sync::Arc};

use rsipstack::sip::{Header, Request, StatusCode, Uri};
use tokio::time::Instant;

use super::{Trunk, Trunks, digest::Proof};
use crate::sip::{Permit, message};

/// What becomes of an INVITE.
pub(in crate::sip) enum Admission {
    /// It may come in: by which trunk, if there are any, and its place there.
    Admitted(Option<(Arc<str>, Permit)>),
    /// It gets this answer.
    Refused(StatusCode, Vec<Header>),
}

impl Trunks {
    /// Judges an INVITE from `ip`. Without any trunk that takes calls, everybody may call.
    pub(in crate::sip) fn admit(&self, request: &Request, ip: IpAddr) -> Admission {
        let inbound = || self.trunks.iter().filter(|trunk| trunk.config.inbound.takes_calls());
        if inbound().next().is_none() {
            return Admission::Admitted(None);
        }
        // A trunk may want both: calls from its network, with its password.
        let by_address = inbound().find(|trunk| trunk.config.inbound.is_from(ip));
        if let Some(trunk) = by_address
            && trunk.config.inbound.credentials.is_none()
        {
            return welcome(trunk);
        }
        let candidates: Vec<&Arc<Trunk>> = match by_address {
            Some(trunk) => vec![trunk],
            None => inbound().filter(|trunk| trunk.config.inbound.networks.is_empty()).collect(),
        };
        if candidates.is_empty() {
            tracing::warn!(%ip, "403: a call from an address that no trunk has");
            return Admission::Refused(StatusCode::Forbidden, Vec::new());
        }
        self.by_password(request, ip, &candidates)
    }

    fn by_password(&self, request: &Request, ip: IpAddr, trunks: &[&Arc<Trunk>]) -> Admission {
        let now = Instant::now();
        let challenge = |stale| {
            let headers = self.challenger.challenge(ip, now, stale);
            Admission::Refused(StatusCode::Unauthorized, headers)
        };
        let Some(answer) = message::header(&request.headers, "Authorization") else {
            return challenge(false);
        };
        let mut stale = false;
        for trunk in trunks {
            let Some(credentials) = &trunk.config.inbound.credentials else { continue };
            match self.challenger.judge(answer, request.method, credentials, ip, now) {
                Proof::Good => return welcome(trunk),
                Proof::Stale => stale = true,
                Proof::Bad => {}
            }
        }
        if !stale {
            tracing::warn!(%ip, "401: a call with a wrong user name or password");
        }
        challenge(stale)
    }

    /// The number that the trunk vouches for, when it is trusted to (RFC 3325).
    pub(in crate::sip) fn asserted_user(&self, trunk: &str, request: &Request) -> Option<String> {
        let trunk = self.named(trunk).ok()?;
        if !trunk.config.inbound.trust_identity {
            return None;
        }
        let identity = message::header(&request.headers, "P-Asserted-Identity")?;
        asserted(identity)
    }
}

impl Trunks {
    /// Whether the peer of a call by `trunk` may send us elsewhere.
    pub(in crate::sip) fn may_refer(&self, trunk: Option<&str>) -> bool {
        trunk.is_some_and(|name| self.named(name).is_ok_and(|trunk| trunk.config.allow_refer))
    }
}

fn welcome(trunk: &Arc<Trunk>) -> Admission {
    match trunk.place() {
        Some(place) => Admission::Admitted(Some((trunk.config.name.as_str().into(), place))),
        None => {
            tracing::warn!(trunk = %trunk.config.name, "503: all of the trunk's max_calls are up");
            let headers = vec![message::retry_after(std::time::Duration::from_secs(10))];
            Admission::Refused(StatusCode::ServiceUnavailable, headers)
        }
    }
}

/// The user of the first URI in a P-Asserted-Identity.
fn asserted(identity: &str) -> Option<String> {
    let uri = match identity.split_once('<') {
        Some((_, rest)) => rest.split('>').next()?,
        None => identity.split([',', ';']).next()?.trim(),
    };
    if let Some(number) = uri.strip_prefix("tel:") {
        return number.split(';').next().map(str::to_owned).filter(|n| !n.is_empty());
    }
    Uri::try_from(uri).ok()?.user().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asserted_identity_is_read_in_each_form() {
        for (header, user) in [
            (r#""Li Lei" <sip:+8613812345678@carrier.example;user=phone>"#, Some("+8613812345678")),
            ("<tel:+8613812345678>, <sip:+8613812345678@carrier.example>", Some("+8613812345678")),
            ("sip:1001@pbx", Some("1001")),
            ("tel:10086;phone-context=+86", Some("10086")),
            ("<sip:pbx.example>", None),
            ("", None),
            ("<", None),
        ] {
            assert_eq!(asserted(header).as_deref(), user, "{header}");
        }
    }
}
