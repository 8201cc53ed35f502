//! Who is coming, told to the CRM before an agent's phone rings.

use crate::{
    call::{HandOver, HandOverReason, Pushed, ScreenPop, Speaker},
    crm::Crm,
    proto::{self, ScreenPopLine, ScreenPopPushRequest},
};

/// The CRM as a screen for agents.
#[derive(Debug)]
pub struct CrmScreen(Crm);

impl CrmScreen {
    /// What `crm` shows its agents.
    pub fn new(crm: Crm) -> Self {
        Self(crm)
    }
}

impl ScreenPop for CrmScreen {
    fn push(&self, hand_over: HandOver) -> Pushed<'_> {
        Box::pin(async move { self.0.push(request(hand_over)).await })
    }
}

fn request(hand_over: HandOver) -> ScreenPopPushRequest {
    let HandOver { call, tenant, caller, called, to, lang, reason, summary, .. } = hand_over;
    let transcript = hand_over.transcript.into_iter().map(|said| {
        let speaker = match said.who {
            Speaker::Bot => proto::Speaker::Bot,
            Speaker::Caller => proto::Speaker::Caller,
        };
        ScreenPopLine { speaker: speaker.into(), at_ms: said.at.as_ms(), text: said.text }
    });
    let transcript: Vec<ScreenPopLine> = transcript.collect();
    ScreenPopPushRequest {
        // A caller may be handed over again later, when more was said.
        idempotency_key: format!("{call}/{to}/{}", transcript.len()),
        call_id: call,
        tenant: tenant.to_string(),
        caller,
        called,
        to,
        language: lang.to_string(),
        reason: named(&reason).to_owned(),
        summary,
        intents: hand_over.intents,
        slots: hand_over.slots,
        identity: hand_over.identity.unwrap_or_default(),
        transcript,
    }
}

fn named(reason: &HandOverReason) -> &'static str {
    match reason {
        HandOverReason::Asked { .. } => "asked",
        HandOverReason::NotUnderstood => "not_understood",
        HandOverReason::NoInput => "no_input",
        HandOverReason::ToolFailed { .. } => "tool_failed",
        HandOverReason::Dialplan => "dialplan",
        HandOverReason::Operator => "operator",
    }
}
