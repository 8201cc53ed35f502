//! Calls that we place and that a dialplan talks in: from the INVITE to the answer, and what came of those that were
//! not answered.

mod connect;
mod early;
mod first_sound;
mod outcome;

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{
    CallError, EndReason, Setup,
    control::{CallState, Seat},
    ending::{close, never_spoken},
    live::Happening,
    parties::Parties,
    record::Record,
    up::{Up, call},
};
use crate::{
    audio::CallTime,
    conversation::journal,
    sip::Reason,
    store::{CallDirection, CallEnd},
};

use connect::{Connected, connect};
use early::EarlyAudio;
pub(super) use first_sound::FirstSound;
pub use outcome::DialOutcome;

/// The file with what was heard before the answer, beside the recording.
const EARLY: &str = "early.wav";

/// Whom to call, and how.
#[derive(Debug, Clone)]
pub struct Placing {
    /// A number, or a SIP URI.
    pub to: String,
    /// The trunk by which a number is called; a URI needs none.
    pub trunk: Option<String>,
    /// Our number in this call; the trunk's own when it is not given.
    pub caller_id: Option<String>,
    /// How long it may ring.
    pub ring: Duration,
    /// Values that slots have from the beginning, checked by
    /// [`Dialplan::slot_value`](crate::dialplan::Dialplan::slot_value).
    pub preset: BTreeMap<String, String>,
    /// What the call is called by whoever placed it; kept in the record.
    pub reference: Option<String>,
}

/// How the dialling went, for the record.
#[derive(Debug, Clone, Default, PartialEq)]
struct Dialled {
    sip_call_id: Option<String>,
    rang: bool,
    sip: Option<u16>,
    phrase: Option<String>,
    reason: Option<Reason>,
    problem: Option<String>,
}

/// Places a call, which is among the running ones at once, and runs it to its end; returns the disposition: that of the dialog, or what came of a call that was
/// not answered. Either way there is a record.
///
/// # Errors
/// [`CallError`] when the record could not be kept, or the call's files not be made.
pub fn place(
    placing: Placing,
    setup: Setup,
) -> impl Future<Output = Result<String, CallError>> + Send {
    let started_at = OffsetDateTime::now_utc();
    let parties = Parties {
        direction: CallDirection::Outbound,
        caller: placing.caller_id.clone().unwrap_or_default(),
        called: user_of(&placing.to).to_owned(),
    };
    let seat = setup.calls.enter(parties.status(&setup, started_at));
    entered(placing, setup, parties, seat, started_at)
}

async fn entered(
    placing: Placing,
    setup: Setup,
    parties: Parties,
    mut seat: Seat,
    started_at: OffsetDateTime,
) -> Result<String, CallError> {
    let header = parties.header(&setup, placing.preset.clone());
    setup.store.begin_call(parties.row(&setup, None, started_at)).await?;
    let mut record = Record::new(&setup);
    record.tell(parties.started(&setup));
    let mut archive = match setup.archives.create(&setup.dir, setup.record).await {
        Ok(archive) => archive,
        Err(error) => {
            let dialled = Dialled { problem: Some(error.to_string()), ..Dialled::default() };
            unconnected(DialOutcome::Failed, dialled, &placing, &setup, record).await?;
            return Err(error.into());
        }
    };
    archive.line(journal::line(&header)?);

    let (mut dialled, mut early) = (Dialled::default(), EarlyAudio::default());
    let tried = tokio::select! {
        tried = connect(&placing, &setup, &record, &mut dialled, &mut early) => tried,
        () = seat.told_to_end() => Err(DialOutcome::Cancelled),
    };
    let answered = Instant::now();
    let rang_ms = (OffsetDateTime::now_utc() - started_at).whole_milliseconds().max(0) as u64;
    if early.kept_ms() > 0 && setup.record {
        keep(early, &setup, &mut record).await;
    }
    let Connected { leg, media, session, line } = match tried {
        Ok(connected) => connected,
        Err(outcome) => {
            archive.discard().await;
            return unconnected(outcome, dialled, &placing, &setup, record).await;
        }
    };
    record.entry(CallTime::ZERO, "dialled", &entry("answered", &dialled, &placing));
    record.answered(setup.dialplan.name(), rang_ms);
    setup.live.metrics().answered();
    seat.state(CallState::Talking);
    let facts = header.facts;
    let acked = false;
    let up = Up { media, session, archive, record, parties, facts, line, seat, acked, answered };
    let mut call = call(leg, &setup, up);
    call.first_sound = Some(FirstSound::default());
    let over = call.run().await;
    let disposition = close(over, rang_ms, &setup).await?;
    drop((setup.permit, setup.tenant_permit));
    Ok(disposition)
}

/// The record of a call that was not answered.
async fn unconnected(
    outcome: DialOutcome,
    dialled: Dialled,
    placing: &Placing,
    setup: &Setup,
    mut record: Record,
) -> Result<String, CallError> {
    let disposition = outcome.as_str().to_owned();
    record.entry(CallTime::ZERO, "dialled", &entry(&disposition, &dialled, placing));
    let reason = EndReason::NotConnected;
    let end = CallEnd { disposition: Some(disposition.clone()), ..never_spoken(reason, None) };
    let watched = record.watched();
    let (events, ..) = record.close();
    setup.store.finish_call(&setup.id, end, &events).await?;
    setup.live.metrics().not_connected(outcome);
    watched.tell(Happening::ended(&disposition, reason.as_str()));
    Ok(disposition)
}

/// What the record says of the dialling.
fn entry(result: &str, dialled: &Dialled, placing: &Placing) -> serde_json::Value {
    let Dialled { sip_call_id, rang, sip, phrase, reason, problem } = dialled;
    let mut entry = json!({"result": result, "rang": rang});
    let told = [
        ("trunk", json!(placing.trunk)),
        ("reference", json!(placing.reference)),
        ("sip_call_id", json!(sip_call_id)),
        ("sip", json!(sip)),
        ("phrase", json!(phrase)),
        ("reason", json!(reason)),
        ("problem", json!(problem)),
    ];
    for (name, value) in told.into_iter().filter(|(_, value)| !value.is_null()) {
        entry[name] = value;
    }
    entry
}

/// Keeps what was heard before the answer.
async fn keep(early: EarlyAudio, setup: &Setup, record: &mut Record) {
    let (ms, path) = (early.kept_ms(), setup.dir.join(EARLY));
    match early.write(path).await {
        Ok(()) => record.entry(CallTime::ZERO, "early_media", &json!({"file": EARLY, "ms": ms})),
        Err(error) => tracing::error!(%error, "what was heard before the answer is lost"),
    }
}

/// The number in what is called: the user part of a URI.
fn user_of(to: &str) -> &str {
    let user = to.strip_prefix("sips:").or_else(|| to.strip_prefix("sip:")).unwrap_or(to);
    user.split(['@', ';', '?']).next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_what_stands_before_the_host() {
        for (to, number) in [
            ("13900001234", "13900001234"),
            ("sip:1000@192.0.2.1:5060;transport=tcp", "1000"),
            ("sips:+8610@example.net", "+8610"),
            ("sip:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(user_of(to), number);
        }
    }
}
