//! From the INVITE to the answer.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};

use super::{DialOutcome, Dialled, EarlyAudio, Placing};
use crate::{
    call::{
        CallError, Setup,
        live::Happening,
        media::Media,
        record::Record,
        session::Session,
        setup::desk,
        transfer::{Desk, Second},
    },
    sip::{HangUpCause, Leg, LegEvent, Route, SipError, SipLeg, Transport},
};

/// How long a call that is given up before its answer may take to end.
const GOODBYE: Duration = Duration::from_secs(2);

/// A call that was answered.
pub(super) struct Connected {
    pub(super) leg: SipLeg,
    pub(super) media: Media,
    pub(super) session: Session,
    /// What second legs of the call are made with.
    pub(super) line: Desk,
}

/// Calls, and waits for the answer. Dropping this future gives the call up.
pub(super) async fn connect(
    placing: &Placing,
    setup: &Setup,
    record: &Record,
    dialled: &mut Dialled,
    early: &mut EarlyAudio,
) -> Result<Connected, DialOutcome> {
    let until = Instant::now() + placing.ring;
    let problem = |dialled: &mut Dialled, error: &CallError| {
        tracing::info!(%error, "the call was not connected");
        dialled.problem = Some(error.to_string());
        match DialOutcome::of_error(error) {
            // Not even a phone that rings was found.
            DialOutcome::NoAnswer if dialled.sip.is_none() && !dialled.rang => {
                DialOutcome::Unreachable
            }
            outcome => outcome,
        }
    };
    let mut second = match dial(placing, setup, until).await {
        Ok(second) => second,
        Err(error) => return Err(problem(dialled, &error)),
    };
    dialled.sip_call_id = Some(second.leg.info().call_id.clone());
    let seconds = placing.ring.as_secs();
    let outcome = match answered(&mut second, record, dialled, early, (until, seconds)).await {
        Ok(()) => None,
        Err(error) => Some(problem(dialled, &error)),
    };
    let (mut leg, media, session) = second.into_parts();
    match (outcome, media) {
        (None, Some(mut media)) => {
            early.end(&mut media);
            let line = desk(leg.info(), setup, &leg.info().to_user);
            Ok(Connected { leg, media, session, line })
        }
        (outcome, _) => {
            give_up(&mut leg).await;
            Err(outcome.unwrap_or(DialOutcome::Failed))
        }
    }
}

/// Sends the INVITE. A trunk that is only asked too fast is asked again.
async fn dial(placing: &Placing, setup: &Setup, until: Instant) -> Result<Second, CallError> {
    loop {
        let route = match &placing.trunk {
            Some(trunk) => setup.dialer.route_by(trunk).await?,
            None => setup.dialer.route_to(&placing.to).await?,
        };
        match Second::dial(&caller(placing, setup, route), &placing.to).await {
            Err(CallError::Signalling(SipError::TrunkFull { wait, .. }))
                if wait <= Duration::from_secs(1) && Instant::now() + wait < until =>
            {
                sleep_until(Instant::now() + wait).await;
            }
            dialled => return dialled,
        }
    }
}

/// Who calls.
fn caller(placing: &Placing, setup: &Setup, route: Route) -> Desk {
    Desk {
        dialer: setup.dialer.clone(),
        ports: Arc::clone(&setup.ports),
        capabilities: setup.capabilities.clone(),
        srtp: setup.srtp,
        options: setup.media,
        local_ip: route.local_ip,
        remote: SocketAddr::new(route.peer_ip, 5_060),
        transport: Transport::Udp,
        trunk: placing.trunk.clone(),
        caller: placing.caller_id.clone().unwrap_or_default(),
        caller_id: placing.caller_id.clone(),
        context: vec![("X-Hotline-Call-Id".to_owned(), setup.id.clone())],
    }
}

/// Waits for the answer, hearing what comes before it.
async fn answered(
    callee: &mut Second,
    record: &Record,
    dialled: &mut Dialled,
    early: &mut EarlyAudio,
    (until, seconds): (Instant, u64),
) -> Result<(), CallError> {
    loop {
        tokio::select! {
            biased;
            () = sleep_until(until) => return Err(CallError::NoAnswer { seconds }),
            () = early.due() => if let Some(media) = &mut callee.media {
                early.tick(media);
            },
            event = callee.next() => match event {
                Some(LegEvent::Ringing) => rings(record, dialled),
                Some(LegEvent::EarlyMedia { sdp }) => match callee.described(&sdp) {
                    Ok(()) => {
                        early.begin();
                        dialled.rang = true;
                        record.tell(Happening::EarlyMedia);
                    }
                    Err(problem) => tracing::info!(%problem, "early media cannot be used"),
                },
                Some(LegEvent::Answered { sdp }) => {
                    return callee.described(&sdp).map_err(|why| CallError::Broken { why });
                }
                Some(LegEvent::Rejected { code, reason, cause, .. }) => {
                    dialled.sip = Some(code);
                    (dialled.phrase, dialled.reason) = (Some(reason.clone()), cause.clone());
                    return Err(CallError::Refused { code, reason, cause });
                }
                Some(LegEvent::Failed { why }) => return Err(CallError::Broken { why }),
                Some(LegEvent::HungUp { .. } | LegEvent::Shutdown) | None => {
                    return Err(CallError::Gone);
                }
                // There is nothing to change before the answer.
                Some(_) => {}
            }
        }
    }
}

fn rings(record: &Record, dialled: &mut Dialled) {
    if !std::mem::replace(&mut dialled.rang, true) {
        record.tell(Happening::Ringing);
    }
}

/// Ends a call before its answer, or just after one that cannot be used.
async fn give_up(leg: &mut SipLeg) {
    if let Err(error) = leg.hang_up(HangUpCause::Normal).await {
        tracing::debug!(%error, "could not give up");
    }
    let _ = timeout(GOODBYE, async { while leg.next_event().await.is_some() {} }).await;
}
