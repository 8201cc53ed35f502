//! An INVITE that asks to take another call's place (RFC 3891).

use std::sync::Arc;

use rsipstack::{
    dialog::{DialogId, dialog::Dialog},
    sip::{Request, StatusCode},
};

use super::{SipLeg, agent::Shared, refer::Replaces, registry::Entry};

/// A leg that wants to take another's place. Dropping it refuses it with 480.
#[derive(Debug)]
pub struct Replacement(Box<SipLeg>);

impl Replacement {
    pub(super) fn new(leg: SipLeg) -> Self {
        Self(Box::new(leg))
    }

    /// The leg, still to be answered; once it is, hand it to [`super::Leg::replace`].
    pub fn into_leg(self) -> SipLeg {
        *self.0
    }
}

/// The leg whose place `request` asks for, if it asks for one; else the status to refuse it with.
pub(super) fn replaced_leg(
    shared: &Shared,
    request: &Request,
) -> Result<Option<Arc<Entry>>, StatusCode> {
    let is_replaces = |h: &&rsipstack::sip::Header| h.name().eq_ignore_ascii_case("Replaces");
    let mut headers = request.headers.iter().filter(is_replaces);
    let Some(header) = headers.next() else { return Ok(None) };
    let replaces = Replaces::parse(header.value()).filter(|_| headers.next().is_none());
    let replaces = replaces.ok_or(StatusCode::BadRequest)?;
    let id = DialogId {
        call_id: replaces.call_id,
        local_tag: replaces.to_tag,
        remote_tag: replaces.from_tag,
    };
    let Some(Dialog::Invite(dialog)) = shared.layer.get_dialog(&id) else {
        return Err(StatusCode::CallTransactionDoesNotExist);
    };
    let state = dialog.state();
    match shared.registry.find(&id) {
        _ if state.is_terminated() => Err(StatusCode::Decline),
        Some(_) if state.is_confirmed() && replaces.early_only => Err(StatusCode::BusyHere),
        Some(leg) if state.is_confirmed() => Ok(Some(leg)),
        // A call that rings is not ours to give away (section 3).
        _ => Err(StatusCode::CallTransactionDoesNotExist),
    }
}
