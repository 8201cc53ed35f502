use std::{net::SocketAddr, sync::Arc, time::Duration};

use rsipstack::{
    dialog::{
        authenticate::Credential, dialog::DialogStateReceiver, invitation::InviteOption,
        invite_dialog::InviteDialog,
    },
    sip::{Header, Scheme, Uri},
};

use super::{
    Direction, LegInfo, Redacted, SipError, SipLeg, Transport,
    agent::Shared,
    driver::{Driver, Invite, InviteOutcome},
    message,
    resolve::Target,
    session_timer,
};

/// An outbound call.
#[derive(Clone)]
pub struct DialRequest {
    /// Whom to call: `sip:user@host[:port]`, with `;transport=tcp` or `tls` where that is wanted;
    /// `sips:` is TLS. A host name is looked up as RFC 3263 says.
    pub to_uri: String,
    /// Who calls: the From header's URI.
    pub from: String,
    /// Our SDP offer.
    pub offer: String,
    /// What to answer a digest challenge with (RFC 3261 section 22).
    pub credentials: Option<Credentials>,
    /// Further headers of the INVITE.
    pub headers: Vec<(String, String)>,
    /// The trunk whose call it is, which decides what its REFERs may do; without it, the trunk that
    /// has the callee's host among its targets.
    pub trunk: Option<Arc<str>>,
}

/// User name and password for digest authentication.
#[derive(Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

impl DialRequest {
    /// Calls `to_uri` from `from`, offering `offer`.
    pub fn new(to_uri: &str, from: &str, offer: String) -> Self {
        Self {
            to_uri: to_uri.to_owned(),
            from: from.to_owned(),
            offer,
            credentials: None,
            headers: Vec::new(),
            trunk: None,
        }
    }
}

/// A call on its way to one address.
pub(super) struct Attempt {
    pub(super) request: DialRequest,
    caller: Uri,
    callee: Uri,
    transport: Transport,
    remote: SocketAddr,
    /// Our side of the connection, if there is one.
    own: Option<SocketAddr>,
}

/// Calls the first address of `request.to_uri` that can be reached.
pub(super) async fn dial(shared: &Arc<Shared>, request: DialRequest) -> Result<SipLeg, SipError> {
    let callee = parse(&request.to_uri)?;
    let at = || shared.trunks.at(&callee.host_with_port).map(|name| name.as_str().into());
    let request = DialRequest { trunk: request.trunk.clone().or_else(at), ..request };
    let mut failed = None;
    for target in shared.resolver.resolve(&callee).await? {
        match dial_target(shared, &request, target).await {
            Ok(leg) => return Ok(leg),
            Err(error) => {
                tracing::info!(%error, "trying the next address");
                failed = Some(error);
            }
        }
    }
    Err(failed.unwrap_or(SipError::Closed))
}

/// Calls one address.
pub(super) async fn dial_target(
    shared: &Arc<Shared>,
    request: &DialRequest,
    target: Target,
) -> Result<SipLeg, SipError> {
    let (callee, caller) = (parse(&request.to_uri)?, parse(&request.from)?);
    let Target { transport, addr: remote, host } = target;
    let own = shared.connector.ensure(&shared.endpoint, transport, remote, &host).await?;
    let attempt = Attempt { request: request.clone(), caller, callee, transport, remote, own };
    let (dialog, states, invite) = invite(shared, &attempt, None, Duration::ZERO)?;
    let Attempt { caller, callee, .. } = &attempt;
    let info = LegInfo {
        call_id: dialog.id().call_id,
        direction: Direction::Outbound,
        from_user: caller.user().unwrap_or_default().to_owned(),
        to_user: callee.user().unwrap_or_default().to_owned(),
        from: caller.to_string(),
        to: callee.to_string(),
        remote,
        transport,
        trunk: request.trunk.clone(),
        local_ip: shared.ip_for(remote.ip()),
        offer: None,
    };
    tracing::info!(call_id = %info.call_id, to = %Redacted(&info.to), "calling");
    let (leg, driver) = Driver::outbound(shared, info, dialog, attempt);
    tokio::spawn(driver.run(states, invite));
    Ok(leg)
}

/// Sends an INVITE. `call_id` is that of an INVITE of the same call before, which was refused
/// because sessions must last `min_session` at least.
pub(super) fn invite(
    shared: &Arc<Shared>,
    attempt: &Attempt,
    call_id: Option<String>,
    min_session: Duration,
) -> Result<(InviteDialog, DialogStateReceiver, Invite), SipError> {
    let Attempt { request, caller, callee, transport, remote, own } = attempt;
    let headers = request.headers.iter().cloned().map(|(k, v)| Header::Other(k, v));
    let options = InviteOption {
        caller: caller.clone(),
        callee: callee.clone(),
        destination: Some(transport.at(*remote)),
        contact: shared.contact_for(remote.ip(), *transport, *own),
        offer: Some(request.offer.clone().into_bytes()),
        credential: request.credentials.as_ref().map(Credential::from),
        headers: Some(
            headers
                .chain([Header::Allow(message::ALLOW.into())])
                .chain(session_timer::offer(&shared.session_timer, min_session))
                .collect(),
        ),
        support_prack: true,
        call_id,
        ..InviteOption::default()
    };
    let (state_tx, states) = shared.layer.new_dialog_state_channel();
    let (dialog, invite) = shared.layer.do_invite_async(options, state_tx)?;
    let outcome = async move {
        match invite.await {
            Ok(Ok((_, response))) => InviteOutcome::Response(response.map(Box::new)),
            Ok(Err(e)) => InviteOutcome::Broken(e.to_string()),
            Err(e) => InviteOutcome::Broken(e.to_string()),
        }
    };
    Ok((dialog, states, Box::pin(outcome)))
}

pub(super) fn parse(uri: &str) -> Result<Uri, SipError> {
    let bad = |why: String| SipError::Uri { uri: Redacted(uri).to_string(), why };
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("it has spaces or control characters in it".to_owned()));
    }
    let parsed = Uri::try_from(uri).map_err(|e| bad(e.to_string()))?;
    match parsed.scheme {
        Some(Scheme::Sip | Scheme::Sips) => Ok(parsed),
        _ => Err(bad("it begins neither with `sip:` nor with `sips:`".to_owned())),
    }
}
