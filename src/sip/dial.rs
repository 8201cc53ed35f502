use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rsipstack::{
    dialog::{
        authenticate::Credential, dialog::DialogStateReceiver, invitation::InviteOption,
        invite_dialog::InviteDialog,
    },
    sip::{Header, Host, HostWithPort, Scheme, Uri},
};

use super::{
    Direction, LegInfo, Redacted, SipError, SipLeg,
    agent::Shared,
    driver::{Driver, Invite, InviteOutcome},
    message, session_timer,
};

/// An outbound call.
#[derive(Clone)]
pub struct DialRequest {
    /// Whom to call: `sip:user@host[:port]`.
    pub to_uri: String,
    /// Who calls: the From header's URI.
    pub from: String,
    /// Our SDP offer.
    pub offer: String,
    /// What to answer a digest challenge with (RFC 3261 section 22).
    pub credentials: Option<Credentials>,
    /// Further headers of the INVITE.
    pub headers: Vec<(String, String)>,
}

/// User name and password for digest authentication.
#[derive(Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
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
        }
    }
}

pub(super) fn dial(shared: &Arc<Shared>, request: DialRequest) -> Result<SipLeg, SipError> {
    let (callee, caller) = (parse(&request.to_uri)?, parse(&request.from)?);
    let (dialog, states, invite) = invite(shared, &request, None, Duration::ZERO)?;
    let remote = address_of(&callee.host_with_port);
    let info = LegInfo {
        call_id: dialog.id().call_id,
        direction: Direction::Outbound,
        from_user: caller.user().unwrap_or_default().to_owned(),
        to_user: callee.user().unwrap_or_default().to_owned(),
        from: caller.to_string(),
        to: callee.to_string(),
        remote: remote.unwrap_or(shared.local()),
        local_ip: shared.ip_for(remote.map_or(shared.local().ip(), |r| r.ip())),
        offer: None,
    };
    tracing::info!(call_id = %info.call_id, to = %Redacted(&info.to), "calling");
    let (leg, driver) = Driver::outbound(shared, info, dialog, request);
    tokio::spawn(driver.run(states, invite));
    Ok(leg)
}

/// Sends an INVITE. `call_id` is that of an INVITE of the same call before, which was refused
/// because sessions must last `min_session` at least.
pub(super) fn invite(
    shared: &Arc<Shared>,
    request: &DialRequest,
    call_id: Option<String>,
    min_session: Duration,
) -> Result<(InviteDialog, DialogStateReceiver, Invite), SipError> {
    let (callee, caller) = (parse(&request.to_uri)?, parse(&request.from)?);
    let peer_ip = address_of(&callee.host_with_port).map_or(shared.local().ip(), |r| r.ip());
    let headers = request.headers.iter().cloned().map(|(k, v)| Header::Other(k, v));
    let options = InviteOption {
        caller,
        callee,
        contact: shared.contact_for(peer_ip),
        offer: Some(request.offer.clone().into_bytes()),
        credential: request.credentials.clone().map(|c| Credential {
            username: c.username,
            password: c.password,
            realm: None,
            auth_username: None,
        }),
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

fn parse(uri: &str) -> Result<Uri, SipError> {
    let bad = |why: String| SipError::Uri { uri: Redacted(uri).to_string(), why };
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("it has spaces or control characters in it".to_owned()));
    }
    let parsed = Uri::try_from(uri).map_err(|e| bad(e.to_string()))?;
    match parsed.scheme {
        Some(Scheme::Sip) => Ok(parsed),
        _ => Err(bad("it does not begin with `sip:`".to_owned())),
    }
}

/// The address of a host given as one; the stack resolves names by itself.
fn address_of(host: &HostWithPort) -> Option<SocketAddr> {
    let port = host.port.map_or(5060, |p| p.0);
    let ip: IpAddr = match &host.host {
        Host::IpAddr(ip) => *ip,
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, port))
}
