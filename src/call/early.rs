//! What a caller gets before the answer.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{EndReason, media::Media, player::FRAME, session::Session};
use crate::{
    audio::{CallTime, Hz8k, Pcm},
    sip::{Leg, LegEvent, SipError},
};

const TICK: Duration = Duration::from_millis(20);

/// What a caller gets before the answer.
#[derive(Debug, Clone, Default)]
pub enum BeforeAnswer {
    /// Nothing: the call is answered at once.
    #[default]
    Nothing,
    /// Ringing (180) for that long.
    Ringing(Duration),
    /// This, to its end, as early media (183). A caller whose INVITE has no offer gets ringing for
    /// as long.
    Announcement(Arc<Pcm<Hz8k>>),
}

/// Why the call was not answered.
pub(super) enum Unanswered {
    /// The call came to this end.
    Ended(EndReason),
    /// Signalling failed.
    Broken(SipError),
}

impl From<SipError> for Unanswered {
    fn from(error: SipError) -> Self {
        Self::Broken(error)
    }
}

/// Gives the caller what comes before the answer; returns when it is time to answer. `early` is
/// the media, and its description, of a call whose INVITE had an offer.
pub(super) async fn before_answer<L: Leg>(
    leg: &mut L,
    what: &BeforeAnswer,
    session: &mut Session,
    early: Option<(&mut Media, String)>,
) -> Result<(), Unanswered> {
    match (what, early) {
        (BeforeAnswer::Nothing, _) => Ok(()),
        (BeforeAnswer::Ringing(time), _) => ring(leg, *time).await,
        (BeforeAnswer::Announcement(audio), None) => {
            ring(leg, Duration::from_millis(audio.len() as u64 / 8)).await
        }
        (BeforeAnswer::Announcement(audio), Some((media, sdp))) => {
            leg.progress(sdp).await?;
            announce(leg, audio, session, media).await
        }
    }
}

async fn ring<L: Leg>(leg: &mut L, time: Duration) -> Result<(), Unanswered> {
    leg.ring().await?;
    let end = Instant::now() + time;
    loop {
        tokio::select! {
            () = sleep_until(end) => return Ok(()),
            // A session change is refused: there is no media yet.
            event = leg.next_event() => drop(going_on(event)?),
        }
    }
}

/// Plays on the same grid as the call will, and listens: a caller behind a NAT is found by what it
/// sends before the answer.
async fn announce<L: Leg>(
    leg: &mut L,
    audio: &Pcm<Hz8k>,
    session: &mut Session,
    media: &mut Media,
) -> Result<(), Unanswered> {
    let begun = Instant::now();
    let line = |at: Instant| CallTime::ZERO + at.saturating_duration_since(begun);
    for (tick, frame) in (0u32..).zip(audio.samples().chunks(FRAME)) {
        let due = begun + TICK * tick;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(due) => break,
                event = leg.next_event() => if let Some(LegEvent::Reinvite(change)) = going_on(event)? {
                    session.reinvited(change, media);
                },
            }
        }
        let mut frame = frame.to_vec();
        frame.resize(FRAME, 0);
        media.take_waiting(line(Instant::now()));
        // What the caller says before the answer is nobody's business.
        media.pull();
        media.send(line(due), &Pcm::new(frame));
    }
    media.restart(Instant::now().saturating_duration_since(begun));
    Ok(())
}

/// The event, unless it is the end of the call.
fn going_on(event: Option<LegEvent>) -> Result<Option<LegEvent>, Unanswered> {
    match event {
        Some(LegEvent::Cancelled | LegEvent::HungUp { .. }) => {
            Err(Unanswered::Ended(EndReason::Cancelled))
        }
        Some(LegEvent::Shutdown) => Err(Unanswered::Ended(EndReason::Shutdown)),
        Some(LegEvent::Failed { why }) => {
            tracing::warn!(%why, "the leg broke before the answer");
            Err(Unanswered::Ended(EndReason::Failed))
        }
        None => Err(Unanswered::Ended(EndReason::Failed)),
        event => Ok(event),
    }
}
