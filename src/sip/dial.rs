use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rsipstack::{
    dialog::{authenticate::Credential, invitation::InviteOption},
    sip::{Header, Host, HostWithPort, Scheme, Uri},
};

use super::{
    Direction, LegInfo, Redacted, SipError, SipLeg,
    agent::Shared,
    driver::{Driver, InviteOutcome},
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
    let callee = parse(&request.to_uri)?;
    let caller = parse(&request.from)?;
    let remote = address_of(&callee.host_with_port);
    let peer_ip = remote.map_or(shared.local().ip(), |r| r.ip());
    let headers = request.headers.into_iter().map(|(k, v)| Header::Other(k, v));
    let options = InviteOption {
        caller: caller.clone(),
        callee: callee.clone(),
        contact: shared.contact_for(peer_ip),
        offer: Some(request.offer.clone().into_bytes()),
        credential: request.credentials.map(|c| Credential {
            username: c.username,
            password: c.password,
            realm: None,
            auth_username: None,
        }),
        headers: Some(
            headers
                .chain([Header::Allow(message::ALLOW.into())])
                .chain(session_timer::offer(&shared.session_timer))
                .collect(),
        ),
        ..InviteOption::default()
    };
    let (state_tx, states) = shared.layer.new_dialog_state_channel();
    let (dialog, invite) = shared.layer.do_invite_async(options, state_tx)?;
    let info = LegInfo {
        call_id: dialog.id().call_id,
        direction: Direction::Outbound,
        from_user: caller.user().unwrap_or_default().to_owned(),
        to_user: callee.user().unwrap_or_default().to_owned(),
        from: caller.to_string(),
        to: callee.to_string(),
        remote: remote.unwrap_or(shared.local()),
        local_ip: shared.ip_for(peer_ip),
        offer: None,
    };
    tracing::info!(call_id = %info.call_id, to = %Redacted(&info.to), "calling");
    let (leg, driver) = Driver::outbound(shared, info, dialog, request.offer);
    tokio::spawn(driver.run(states, async move {
        match invite.await {
            Ok(Ok((_, response))) => InviteOutcome::Response(response.map(Box::new)),
            Ok(Err(e)) => InviteOutcome::Broken(e.to_string()),
            Err(e) => InviteOutcome::Broken(e.to_string()),
        }
    }));
    Ok(leg)
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
