//! Are the targets there? Asked by OPTIONS, which also keeps the way through a NAT open.

use std::{sync::Arc, time::Duration};

use rsipstack::sip::{Auth, Method, Response, Uri};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Trunk, TrunkTarget};
use crate::sip::{
    SipError,
    agent::Shared,
    request::{self, Outside},
    resolve::Target,
};

/// A target that does not answer within this is down.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Asks every target, every so often, until `leave`.
pub(super) async fn run(
    shared: Arc<Shared>,
    trunk: Arc<Trunk>,
    every: Duration,
    leave: CancellationToken,
) {
    loop {
        for target in &trunk.targets {
            let alive = tokio::select! {
                () = leave.cancelled() => return,
                alive = ask(&shared, &trunk, target) => alive,
            };
            // Down until the ping after the next: a late one must not make it up again.
            let down_for = every * 2 + ANSWER_WITHIN;
            let why = alive.as_ref().err().map(ToString::to_string).unwrap_or_default();
            target.set_up(&trunk.config.name, alive.is_ok(), down_for, &why);
        }
        tokio::select! {
            () = leave.cancelled() => return,
            () = sleep(every) => {}
        }
    }
}

/// Any answer says that somebody is there, save that the service is not available.
async fn ask(shared: &Arc<Shared>, trunk: &Trunk, target: &TrunkTarget) -> Result<(), SipError> {
    let address = shared.resolver.resolve(&target.uri).await?;
    let address = address.first().ok_or(SipError::Closed)?;
    let response = options(shared, trunk, target, address).await?;
    match response.status_code.code() {
        code @ (408 | 500..=599) => Err(SipError::Connect {
            transport: address.transport,
            peer: address.addr,
            why: format!("OPTIONS got {code}"),
        }),
        _ => Ok(()),
    }
}

/// What one address of a target answers to OPTIONS, a challenge answered.
///
/// # Errors
/// [`SipError::Connect`] without a connection, [`SipError::NoAnswer`] without an answer.
pub(super) async fn options(
    shared: &Arc<Shared>,
    trunk: &Trunk,
    target: &TrunkTarget,
    address: &Target,
) -> Result<Response, SipError> {
    let user = trunk.config.credentials.as_ref().map_or("ping", |c| c.username.as_str());
    let own = shared.contact_for(address.addr.ip(), address.transport, None);
    let auth = Auth { user: user.to_owned(), password: None };
    let ping = Outside {
        method: Method::Options,
        uri: target.uri.clone(),
        from: Uri { auth: Some(auth), ..own },
        to: target.uri.clone(),
        headers: Vec::new(),
        credentials: trunk.config.credentials.clone(),
        call_id: None,
        cseq: 1,
    };
    Ok(request::send(shared, ping, address, ANSWER_WITHIN).await?.0)
}
