use std::sync::Arc;

use super::{DialRequest, SipError, SipLeg, TrunkCall, UserAgent, agent::Shared, dial};

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
}
