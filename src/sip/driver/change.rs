//! Changes of the session that we ask for: hold, and back.

use rsipstack::sip::StatusCodeKind;
use tokio::task::JoinHandle;

use super::{Driver, phase::Phase, session::wait};
use crate::sip::{LegEvent, SipError, message, session_timer::Terms};
use rsipstack::sip::Response;

/// A change of ours that the peer has yet to answer: our description, and the answer.
#[derive(Debug)]
pub(super) struct Offered {
    sdp: String,
    answer: Option<JoinHandle<Option<Response>>>,
}

impl Offered {
    /// The peer's answer. Cancel-safe.
    pub(super) async fn answered(&mut self) -> Option<Response> {
        wait(&mut self.answer).await.ok().flatten()
    }
}

impl Driver {
    /// Sends `sdp` in a re-INVITE; the answer comes as [`LegEvent::Changed`].
    pub(super) fn offer_change(&mut self, sdp: String) -> Result<(), SipError> {
        let refused = |state| Err(SipError::State { action: "change the session", state });
        if self.phase != Phase::Up {
            return refused(self.phase.name());
        }
        if self.session.is_changing() {
            return refused("being changed already");
        }
        let (dialog, offer) = (self.dialog.clone(), sdp.clone());
        let headers = [self.session.refresh_headers(), message::sdp_headers()].concat();
        let answer = tokio::spawn(async move {
            let sent = dialog.reinvite(Some(headers), Some(offer.into_bytes())).await;
            sent.inspect_err(|e| tracing::debug!(error = %e, "re-INVITE failed")).ok().flatten()
        });
        self.session.offered = Some(Offered { sdp, answer: Some(answer) });
        Ok(())
    }

    /// The peer answered our change, or did not.
    pub(super) async fn on_changed(&mut self, response: Option<Response>) {
        let Some(Offered { sdp, .. }) = self.session.offered.take() else { return };
        let Some(response) = response else {
            return self.leg.entry.emit(LegEvent::Changed(Err(408)));
        };
        if response.status_code.kind() == StatusCodeKind::Successful {
            self.session.changed(sdp, Terms::of_response(&response, &self.shared.session_timer));
            let answer = message::sdp_of_response(&response).unwrap_or_default();
            return self.leg.entry.emit(LegEvent::Changed(Ok(answer)));
        }
        let code = response.status_code.code();
        self.leg.entry.emit(LegEvent::Changed(Err(code)));
        if matches!(code, 408 | 481) {
            self.expired("the peer no longer knows the call").await;
        }
    }
}
