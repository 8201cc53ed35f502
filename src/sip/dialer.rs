use std::{net::IpAddr, sync::Arc};

use rsipstack::sip::Uri;

use super::{DialRequest, SipError, SipLeg, TrunkCall, UserAgent, agent::Shared, dial};

/// The way to somebody who may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Our address as they see it: what an offer to them is made with.
    pub local_ip: IpAddr,
    /// Theirs, of those that they have the first.
    pub peer_ip: IpAddr,
}

/// Calls people by way of a [`UserAgent`], which may live elsewhere.
#[derive(Debug, Clone)]
pub struct Dialer(Arc<Shared>);

impl UserAgent {
    /// A handle for calling people. Once the agent is gone, its calls fail.
    pub fn dialer(&self) -> Dialer {
        Dialer(Arc::clone(&self.shared))
    }
}

impl Dialer {
    /// Like [`UserAgent::dial`].
    ///
    /// # Errors
    /// As there.
    pub async fn dial(&self, request: DialRequest) -> Result<SipLeg, SipError> {
        dial::dial(&self.0, request).await
    }

    /// Like [`UserAgent::dial_trunk`].
    ///
    /// # Errors
    /// As there.
    pub async fn dial_trunk(&self, trunk: &str, call: TrunkCall) -> Result<SipLeg, SipError> {
        self.0.trunks.dial(&self.0, trunk, call).await
    }

    /// The way to `uri`.
    ///
    /// # Errors
    /// [`SipError::Uri`] and [`SipError::Resolve`] as in [`UserAgent::dial`].
    pub async fn route_to(&self, uri: &str) -> Result<Route, SipError> {
        self.route(&dial::parse(uri)?).await
    }

    /// The way to the target of a trunk that is tried first.
    ///
    /// # Errors
    /// [`SipError::Trunk`] when there is no such trunk or it has no targets, [`SipError::Resolve`]
    /// when none of them has an address.
    pub async fn route_by(&self, trunk: &str) -> Result<Route, SipError> {
        let mut failed = None;
        for target in self.0.trunks.targets(trunk)? {
            match self.route(&target).await {
                Ok(route) => return Ok(route),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(SipError::Closed))
    }

    async fn route(&self, uri: &Uri) -> Result<Route, SipError> {
        let targets = self.0.resolver.resolve(uri).await?;
        let peer_ip = targets.first().ok_or(SipError::Closed)?.addr.ip();
        Ok(Route { local_ip: self.0.ip_for(peer_ip), peer_ip })
    }
}
