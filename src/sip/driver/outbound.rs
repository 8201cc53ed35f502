//! How an outbound leg's INVITE came out.

use std::{collections::VecDeque, time::Duration};

use rsipstack::{
    dialog::dialog::DialogStateReceiver,
    sip::{Response, StatusCodeKind},
};

use super::{Driver, Invite, InviteOutcome, Phase};
use crate::sip::{LegEvent, Reason, dial, message, session_timer};

/// Phones of one call that ring at once, and are remembered.
const PHONES: usize = 16;

impl Driver {
    /// Gives a new INVITE to drive when the callee only wants longer sessions.
    pub(super) fn on_invite_done(
        &mut self,
        outcome: InviteOutcome,
    ) -> Option<(DialogStateReceiver, Invite)> {
        if let InviteOutcome::Response(Some(response)) = &outcome
            && self.phase == Phase::Early
            && let Some(again) = self.ask_again(response)
        {
            return Some(again);
        }
        if matches!(self.phase, Phase::Up | Phase::Over) {
            return None;
        }
        let closing = self.phase == Phase::Closing;
        self.phase = Phase::Over;
        if closing {
            return None;
        }
        self.leg.entry.finish(Some(match outcome {
            InviteOutcome::Response(Some(r))
                if r.status_code.kind() != StatusCodeKind::Successful =>
            {
                rejected(&r)
            }
            InviteOutcome::Response(_) => {
                LegEvent::Failed { why: "the INVITE got no answer".into() }
            }
            InviteOutcome::Broken(why) => LegEvent::Failed { why },
        }));
        None
    }

    /// RFC 4028 section 7.4: 422 names the shortest session that the callee or a proxy allows.
    fn ask_again(&mut self, response: &Response) -> Option<(DialogStateReceiver, Invite)> {
        let min = session_timer::too_short(response)?;
        let attempt = self.dialled.take()?;
        let call_id = Some(self.dialog.id().call_id);
        match dial::invite(&self.shared, &attempt, call_id, min) {
            Ok((dialog, states, invite)) => {
                tracing::debug!(id = %dialog.id(), ?min, "asking for a longer session");
                self.shared.layer.remove_dialog(&self.dialog.id());
                self.leg.renew(&dialog.id());
                self.dialog = dialog;
                Some((states, invite))
            }
            Err(e) => {
                tracing::debug!(error = %e, "INVITE not repeated");
                None
            }
        }
    }
}

/// The latest descriptions of the phones that ring. A callee whose description has arrived
/// reliably need not repeat it in the 2xx (RFC 3262 section 5).
#[derive(Debug, Default)]
pub(super) struct EarlyAnswers(VecDeque<(String, String)>);

impl EarlyAnswers {
    /// Remembers what a provisional response describes.
    pub(super) fn take(&mut self, response: &Response) {
        let Some(sdp) = message::sdp_of_response(response) else { return };
        let tag = message::to_tag(response);
        self.0.retain(|(known, _)| *known != tag);
        self.0.truncate(PHONES - 1);
        self.0.push_front((tag, sdp));
    }

    /// The answer that a 2xx gives, or the same phone gave before it.
    pub(super) fn answer(&self, response: &Response) -> Option<String> {
        let tag = message::to_tag(response);
        message::sdp_of_response(response)
            .or_else(|| self.0.iter().find(|(known, _)| *known == tag).map(|(_, sdp)| sdp.clone()))
    }
}

fn rejected(response: &Response) -> LegEvent {
    LegEvent::Rejected {
        code: response.status_code.code(),
        reason: response.reason_phrase().unwrap_or(response.status_code.text()).to_owned(),
        retry_after: message::header(&response.headers, "Retry-After")
            .and_then(|v| v.split([';', '(', ' ']).next()?.parse().ok())
            .map(Duration::from_secs),
        cause: Reason::of(&response.headers),
    }
}
