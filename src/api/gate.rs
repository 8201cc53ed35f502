//! What every request goes through before a service sees it: whose token, which role, how many requests.

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;
use tonic::{Extensions, Status};

use super::{access, limits::Limits};
use crate::store::{Identity, Store};

/// Knows tokens and counts requests.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) store: Store,
    pub(super) limits: Limits,
}

/// Lets a request pass with the identity of whoever sent it, or refuses it with a gRPC status.
pub(super) async fn gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let token = bearer(&request).map(str::to_owned);
    match gate.admit(&path, token.as_deref()).await {
        Ok(identity) => {
            if let Some(identity) = identity {
                request.extensions_mut().insert(identity);
            }
            next.run(request).await
        }
        Err(status) => {
            tracing::debug!(method = path, code = ?status.code(), "refused");
            status.into_http::<Body>()
        }
    }
}

impl Gate {
    /// Whoever sent the request; `None` for what anybody may ask.
    async fn admit(&self, path: &str, token: Option<&str>) -> Result<Option<Identity>, Status> {
        if access::open(path) {
            return Ok(None);
        }
        let token = token.ok_or_else(|| {
            Status::unauthenticated("no token: send the metadata `authorization: Bearer TOKEN`")
        })?;
        let known = self.store.identify(token).await.map_err(|error| {
            tracing::error!(%error, "a token could not be looked up");
            Status::unavailable("the database cannot be read now: try again")
        })?;
        let identity = known.ok_or_else(|| {
            Status::unauthenticated("this token is not known, or was revoked: ask for another")
        })?;
        if let Err(wait) = self.limits.request(&identity.token_id, Instant::now()) {
            let ms = wait.as_millis() + 1;
            let rate = self.limits.per_second();
            return Err(Status::resource_exhausted(format!(
                "more than {rate} requests a second with this token: try again in {ms} ms"
            )));
        }
        let roles = access::roles(path).ok_or_else(|| {
            Status::unimplemented(format!("there is no method {path}: see docs/api.md"))
        })?;
        if !roles.contains(&identity.role) {
            let role = identity.role;
            return Err(Status::permission_denied(format!("a token of role {role} may not")));
        }
        Ok(Some(identity))
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Who sent a request that has passed the gate.
pub(super) fn identity(extensions: &Extensions) -> Result<&Identity, Status> {
    // Only a service that is served without the gate could lack it.
    extensions.get::<Identity>().ok_or_else(|| Status::unauthenticated("no identity"))
}
