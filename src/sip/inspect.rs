use std::sync::Arc;

use rsipstack::{sip::SipMessage, transaction::endpoint::MessageInspector, transport::SipAddr};

use super::{early_route::EarlyRoutes, last_words::LastWords};

/// Looks at each message between the stack and the network.
pub(super) struct Inspector {
    pub(super) early_routes: EarlyRoutes,
    pub(super) last_words: Arc<LastWords>,
}

impl MessageInspector for Inspector {
    fn before_send(&self, message: SipMessage, to: Option<&SipAddr>) -> SipMessage {
        let mut message = self.early_routes.before_send(message, to);
        if let SipMessage::Response(response) = &mut message {
            self.last_words.add(response);
        }
        message
    }

    fn after_received(&self, message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        self.early_routes.after_received(message, from)
    }
}
