//! Calls to a trunk, over its targets one after the other.

use std::{sync::Arc, time::Duration};

use rsipstack::sip::{Auth, HostWithPort, Uri};
use tokio::time::{Instant, sleep};

use super::{DOWN_FOR, Trunk, TrunkTarget, Trunks, lock, wrong};
use crate::sip::{DialRequest, HangUpCause, Leg, LegEvent, SipError, SipLeg, agent::Shared, dial};

/// A target that has not even said 100 Trying by now is not there. UDP has sent four INVITEs.
const NO_SIGN: Duration = Duration::from_secs(4);

/// A call to a number by a trunk.
#[derive(Clone)]
pub struct TrunkCall {
    /// The number: digits, `+`, `*`, `#`.
    pub number: String,
    /// Our SDP offer.
    pub offer: String,
    /// Our number in this call, instead of the trunk's own.
    pub caller_id: Option<String>,
    /// Further headers of the INVITE.
    pub headers: Vec<(String, String)>,
}

impl Trunks {
    /// Calls a number; see [`crate::sip::UserAgent::dial_trunk`].
    pub(in crate::sip) async fn dial(
        &self,
        shared: &Arc<Shared>,
        trunk: &str,
        call: TrunkCall,
    ) -> Result<SipLeg, SipError> {
        let trunk = self.named(trunk)?;
        let name = &trunk.config.name;
        if call.number.is_empty()
            || !call.number.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(c))
        {
            return Err(wrong(name, "the number to call has other characters than digits and +*#"));
        }
        let full = |wait| SipError::TrunkFull { trunk: name.clone(), wait };
        let place = trunk.place().ok_or_else(|| full(Duration::from_secs(10)))?;
        lock(&trunk.pace).begin(Instant::now()).map_err(full)?;
        let mut failed = None;
        for target in trunk.best_first() {
            match attempt(shared, trunk, target, &call).await {
                Ok(mut leg) => {
                    leg.hold_place(place);
                    return Ok(leg);
                }
                Err(error) => {
                    target.set_up(name, false, DOWN_FOR, &error.to_string());
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| wrong(name, "it has no targets to call")))
    }
}

impl Trunks {
    /// Where a trunk's calls go, those that are up first.
    ///
    /// # Errors
    /// [`SipError::Trunk`] when there is no trunk `name`, or it has no targets.
    pub(in crate::sip) fn targets(&self, name: &str) -> Result<Vec<Uri>, SipError> {
        let targets: Vec<Uri> =
            self.named(name)?.best_first().into_iter().map(|target| target.uri.clone()).collect();
        if targets.is_empty() { Err(wrong(name, "it has no targets to call")) } else { Ok(targets) }
    }
}

impl Trunks {
    /// The trunk that has a target at `place`.
    pub(in crate::sip) fn at(&self, place: &HostWithPort) -> Option<String> {
        let is_there = |target: &TrunkTarget| {
            let own = &target.uri.host_with_port;
            own.host == place.host && (place.port.is_none() || own.port == place.port)
        };
        let has = |trunk: &&Arc<Trunk>| trunk.targets.iter().any(is_there);
        self.trunks.iter().find(has).map(|trunk| trunk.config.name.clone())
    }
}

/// Calls one target, which may have several addresses. An error means that the next target may do
/// better; a refusal of the call itself is the leg's to tell.
async fn attempt(
    shared: &Arc<Shared>,
    trunk: &Trunk,
    target: &TrunkTarget,
    call: &TrunkCall,
) -> Result<SipLeg, SipError> {
    let request = request(trunk, target, call);
    let callee = dial::parse(&request.to_uri)?;
    let mut failed = None;
    for address in shared.resolver.resolve(&callee).await? {
        let peer = (address.transport, address.addr);
        let outcome = match dial::dial_target(shared, &request, address).await {
            Ok(leg) => taken(leg, peer).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(leg) => {
                target.set_up(&trunk.config.name, true, DOWN_FOR, "");
                return Ok(leg);
            }
            Err(error) => {
                tracing::info!(trunk = %trunk.config.name, %error, "trying the next address");
                failed = Some(error);
            }
        }
    }
    Err(failed.unwrap_or(SipError::Closed))
}

/// Waits until the peer takes the call, or refuses it for good.
async fn taken(
    mut leg: SipLeg,
    (transport, peer): (crate::sip::Transport, std::net::SocketAddr),
) -> Result<SipLeg, SipError> {
    let failed = |why: String| SipError::Connect { transport, peer, why };
    let heard = leg.heard();
    let silent = async {
        tokio::select! {
            () = heard.cancelled() => std::future::pending::<()>().await,
            () = sleep(NO_SIGN) => {}
        }
    };
    let first = tokio::select! {
        event = leg.next_event() => event,
        () = silent => {
            let _ = leg.hang_up(HangUpCause::Normal).await;
            return Err(failed(format!("no answer to INVITE in {} s", NO_SIGN.as_secs())));
        }
    };
    match first {
        Some(LegEvent::Rejected { code: code @ (408 | 500 | 502 | 503 | 504), reason, .. }) => {
            Err(SipError::Unavailable { transport, peer, code, reason })
        }
        Some(LegEvent::Failed { why }) => Err(failed(why)),
        Some(event) => {
            leg.put_back(event);
            Ok(leg)
        }
        None => Err(SipError::Closed),
    }
}

/// The INVITE's addresses: the number at the target, and who we say we are.
fn request(trunk: &Trunk, target: &TrunkTarget, call: &TrunkCall) -> DialRequest {
    let config = &trunk.config;
    let user = |user: &str| Auth { user: user.to_owned(), password: None };
    let to = Uri { auth: Some(user(&call.number)), ..target.uri.clone() };
    let account = config.register.as_ref().and_then(|r| dial::parse(&r.account).ok());
    let own = call.caller_id.as_ref().or(config.caller_id.as_ref()).cloned();
    let own = own
        .or_else(|| account.as_ref().and_then(|uri| uri.user().map(str::to_owned)))
        .or_else(|| config.credentials.as_ref().map(|c| c.username.clone()));
    let domain = account.unwrap_or_else(|| target.uri.clone()).host_with_port.host;
    let identity = own.as_ref().map(|number| format!("sip:{number}@{domain}"));
    let mut headers = call.headers.clone();
    let from = match (&identity, config.hide_caller_id) {
        (Some(identity), false) => identity.clone(),
        _ => "sip:anonymous@anonymous.invalid".to_owned(),
    };
    if config.hide_caller_id {
        headers.push(("Privacy".to_owned(), "id".to_owned()));
    }
    if let Some(identity) = identity {
        headers.push(("P-Asserted-Identity".to_owned(), format!("<{identity}>")));
    }
    let credentials = config.credentials.clone();
    let (to_uri, offer) = (to.to_string(), call.offer.clone());
    let trunk = Some(config.name.as_str().into());
    DialRequest { to_uri, from, offer, credentials, headers, trunk }
}
