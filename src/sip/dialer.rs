use std::{net::IpAddr, sync::Arc};

use rsipstack::sip::Uri;

use super::{DialRequest, SipError, SipLeg, TrunkCall, TrunkState, UserAgent, agent::Shared, dial};

/// The way to somebody who may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Our address as they see it: what an offer to them is made with.
    pub local_ip: IpAddr,
    /// The address that media sockets for them are bound to.
    pub bind_ip: IpAddr,
    /// Theirs, of those that they have the first.
    pub peer_ip: IpAddr,
}

/// Calls people by way of a [`UserAgent`], which may live elsewhere.
#[derive(Debug, Clone)]
pub struct Dialer(Arc<Shared>);

impl UserAgent {
    /// The way to a peer at `ip`.
    pub fn route_for(&self, ip: IpAddr) -> Route {
        self.shared.route_for(ip)
    }

    /// A handle for calling people. Once the agent is gone, its calls fail.
    pub fn dialer(&self) -> Dialer {
        Dialer(Arc::clone(&self.shared))
    }
}

impl Dialer {
    /// How the trunks are doing, in the order of the configuration.
    pub fn trunks(&self) -> Vec<TrunkState> {
        self.0.trunks.states()
    }

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

    /// The trunk that `uri` is a number of, and the number: that which has its host among its
    /// targets.
    pub fn trunk_at(&self, uri: &str) -> Option<(String, String)> {
        let uri = dial::parse(uri).ok()?;
        let number = uri.user()?.to_owned();
        Some((self.0.trunks.at(&uri.host_with_port)?, number))
    }

    async fn route(&self, uri: &Uri) -> Result<Route, SipError> {
        let targets = self.0.resolver.resolve(uri).await?;
        let peer_ip = targets.first().ok_or(SipError::Closed)?.addr.ip();
        Ok(self.0.route_for(peer_ip))
    }
}
