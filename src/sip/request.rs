//! Requests outside of calls: REGISTER and OPTIONS.

use std::{sync::Arc, time::Duration};

use rsipstack::{
    dialog::authenticate::{AuthRetry, Credential, handle_client_authenticate},
    sip::{
        Header, Headers, Method, Request, Response, SipMessage, StatusCode, StatusCodeKind, Uri,
        headers::typed,
    },
    transaction::{
        key::{TransactionKey, TransactionRole},
        make_tag,
        transaction::Transaction,
    },
};

use super::{Credentials, SipError, agent::Shared, resolve::Target};

/// A request to be sent.
pub(super) struct Outside {
    pub(super) method: Method,
    /// The request URI.
    pub(super) uri: Uri,
    /// Both parties: who asks, and whom it concerns.
    pub(super) from: Uri,
    pub(super) to: Uri,
    pub(super) headers: Vec<Header>,
    pub(super) credentials: Option<Credentials>,
    /// Kept by a sender that repeats itself, as REGISTER wants (RFC 3261 section 10.2).
    pub(super) call_id: Option<String>,
    pub(super) cseq: u32,
}

/// Sends it to `target` and gives the final response: after the challenge, if there is one.
/// Every answer takes a CSeq of its own: the last one used comes back too.
///
/// # Errors
/// [`SipError::Connect`] without a connection, [`SipError::NoAnswer`] after `within`.
pub(super) async fn send(
    shared: &Arc<Shared>,
    request: Outside,
    target: &Target,
    within: Duration,
) -> Result<(Response, u32), SipError> {
    let no_answer = || SipError::NoAnswer {
        method: request.method.to_string(),
        transport: target.transport,
        peer: target.addr,
        seconds: within.as_secs(),
    };
    tokio::time::timeout(within, exchange(shared, &request, target))
        .await
        .unwrap_or_else(|_| Err(no_answer()))
}

async fn exchange(
    shared: &Arc<Shared>,
    request: &Outside,
    target: &Target,
) -> Result<(Response, u32), SipError> {
    let Target { transport, addr, host } = target;
    shared.connector.ensure(&shared.endpoint, *transport, *addr, host).await?;
    let message = message(shared, request, target)?;
    let key = TransactionKey::from_request(&message, TransactionRole::Client)?;
    let mut tx = Transaction::new_client(key, message, shared.endpoint.clone(), None);
    tx.destination = Some(transport.at(*addr));
    tx.send().await?;
    let credential = request.credentials.as_ref().map(Credential::from);
    let (mut auth, mut cseq) = (AuthRetry::new(), request.cseq);
    while let Some(message) = tx.receive().await {
        let SipMessage::Response(response) = message else { continue };
        let challenged = matches!(
            response.status_code,
            StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired
        );
        match &credential {
            _ if response.status_code.kind() == StatusCodeKind::Provisional => {}
            Some(credential) if challenged && auth.should_answer(&response) => {
                cseq += 1;
                tx = handle_client_authenticate(cseq, &tx, response, credential).await?;
                tx.destination = Some(transport.at(*addr));
                tx.send().await?;
            }
            _ => return Ok((response, cseq)),
        }
    }
    Err(SipError::Closed)
}

fn message(shared: &Shared, request: &Outside, target: &Target) -> Result<Request, SipError> {
    let via = shared.endpoint.get_via(Some(shared.via_for(target)), None)?;
    let party = |uri: &Uri| typed::From { display_name: None, uri: uri.clone(), params: vec![] };
    let to = typed::To { display_name: None, uri: request.to.clone(), params: vec![] };
    let mut message = shared.endpoint.make_request(
        request.method,
        request.uri.clone(),
        via,
        party(&request.from).with_tag(make_tag()),
        to,
        request.cseq,
        request.call_id.clone().map(Into::into),
    );
    let headers: &mut Headers = &mut message.headers;
    headers.extend(request.headers.clone());
    Ok(message)
}

impl From<&Credentials> for Credential {
    fn from(credentials: &Credentials) -> Self {
        Self {
            username: credentials.username.clone(),
            password: credentials.password.clone(),
            realm: None,
            auth_username: None,
        }
    }
}
