//! Who calls whom, as records, lists and dialogs know it.

use std::collections::BTreeMap;

use time::{OffsetDateTime, PrimitiveDateTime};

use super::{
    Setup,
    control::{CallState, CallStatus},
    live::{Happening, Masked},
    setup::local_now,
};
use crate::{
    conversation::journal::{FORMAT, Header},
    dialog::CallFacts,
    sip::LegInfo,
    store::{CallDirection, NewCall},
};

/// Who calls whom.
#[derive(Debug, Clone)]
pub(super) struct Parties {
    pub(super) direction: CallDirection,
    /// The caller's number, in full.
    pub(super) caller: String,
    /// The number that was called, in full.
    pub(super) called: String,
}

impl Parties {
    /// Those of a call that came to us.
    pub(super) fn inbound(info: &LegInfo) -> Self {
        let (caller, called) = (info.from_user.clone(), info.to_user.clone());
        Self { direction: CallDirection::Inbound, caller, called }
    }

    /// What the dialog knows; `preset` are values that slots have from the beginning.
    fn facts(&self, setup: &Setup, preset: BTreeMap<String, String>) -> CallFacts {
        let now = OffsetDateTime::now_utc();
        let utc = PrimitiveDateTime::new(now.date(), now.time());
        let facts = CallFacts::new(&self.caller, &self.called, local_now())
            .in_zones_of(&setup.dialplan, utc);
        match self.direction {
            CallDirection::Inbound => CallFacts { preset, ..facts },
            CallDirection::Outbound => facts.placed(preset),
        }
    }

    /// The head of the call's journal.
    pub(super) fn header(&self, setup: &Setup, preset: BTreeMap<String, String>) -> Header {
        Header {
            format: FORMAT,
            hotline: env!("CARGO_PKG_VERSION").to_owned(),
            call: setup.id.clone(),
            dialplan: setup.dialplan.source().clone(),
            facts: self.facts(setup, preset),
            timing: setup.timing.clone(),
            following: setup.engines.streaming(),
        }
    }

    /// The call's row.
    pub(super) fn row(
        &self,
        setup: &Setup,
        sip_call_id: Option<String>,
        started_at: OffsetDateTime,
    ) -> NewCall {
        NewCall {
            id: setup.id.clone(),
            tenant: setup.tenant.to_string(),
            direction: self.direction,
            caller: self.caller.clone(),
            called: self.called.clone(),
            sip_call_id,
            dialplan: setup.dialplan.name().to_owned(),
            dialplan_version: setup.dialplan.version().to_string(),
            dialplan_hash: setup.dialplan.content_hash().to_owned(),
            started_at,
        }
    }

    /// The call among the running ones.
    pub(super) fn status(&self, setup: &Setup, started_at: OffsetDateTime) -> CallStatus {
        CallStatus {
            id: setup.id.clone(),
            tenant: setup.tenant.clone(),
            direction: self.direction,
            caller: self.caller.clone(),
            called: self.called.clone(),
            dialplan: setup.dialplan.name().to_owned(),
            started_at,
            state: CallState::Ringing,
        }
    }

    /// What watchers are told when it begins.
    pub(super) fn started(&self, setup: &Setup) -> Happening {
        Happening::Started {
            direction: self.direction,
            caller: Masked::new(&self.caller),
            called: Masked::new(&self.called),
            dialplan: setup.dialplan.name().to_owned(),
        }
    }
}
