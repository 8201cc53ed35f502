//! Handing a caller over: by a second leg that we bridge (and that the caller's side may take over
//! from us, attended), or by REFER alone. Also somebody else's taking the caller's place.

mod asked;
mod begin;
mod second;

use std::future;

use tokio::time::Instant;

use asked::Asked;
pub(super) use second::{Desk, Second};

use super::{
    EndReason,
    control::CallState,
    live::{Happening, TransferState},
    player::FRAME,
    task::Call,
};
use crate::{
    audio::{CallTime, Hz8k, Pcm, Ringback},
    conversation::Input,
    dialog::{TransferMode, TransferResult},
    sip::{Leg, LegEvent, ReferProgress, Referral, Rejection, Replacement, SipLeg},
};

/// A relayed key sounds for so many ticks of 20 ms.
const KEY_TICKS: u16 = 5;

/// What a call needs to hand its caller over, and how far it has come.
pub(super) struct Transfers {
    desk: Desk,
    under_way: Option<Handover>,
    /// Has yet to be sent to the caller's side.
    referral: Option<Referral>,
    /// Has yet to be answered.
    replacement: Option<Replacement>,
    /// What the peer asked for by REFER.
    asked: Option<Asked>,
    /// A desk that has handed its caller on, and until when it may hang up by itself.
    leaving: Option<(Second, Instant)>,
    done: bool,
}

/// Of whom [`Transfers::next`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    /// To whom the caller is handed over.
    Present,
    /// Whom a REFER names.
    Asked,
}

struct Handover {
    mode: TransferMode,
    uri: String,
    stage: Stage,
    second: Option<Second>,
    /// When ringing is given up.
    until: Instant,
    rings: bool,
    tone: Ringback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not answered yet.
    Calling,
    /// Caller and callee hear each other, through us.
    Talking,
    /// The caller's side was asked to call.
    Referred,
}

impl Transfers {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            desk,
            under_way: None,
            referral: None,
            replacement: None,
            asked: None,
            leaving: None,
            done: false,
        }
    }

    /// What comes from a callee; never, without one. Cancel-safe.
    pub(super) async fn next(&mut self) -> (Callee, Option<LegEvent>) {
        let present = self.under_way.as_mut().and_then(|handover| handover.second.as_mut());
        let asked = self.asked.as_mut().and_then(Asked::second);
        tokio::select! {
            heard = heard(present) => (Callee::Present, heard),
            heard = heard(asked) => (Callee::Asked, heard),
        }
    }

    /// The caller was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// The call is over: the callee's leg ends as well.
    pub(super) fn end(&mut self) {
        self.under_way = None;
        (self.asked, self.leaving) = (None, None);
    }

    /// Remembers who wants to take the caller's place.
    pub(super) fn replaced_by(&mut self, replacement: Replacement) {
        self.replacement = Some(replacement);
    }

    /// Gives the callee a key of the caller's; false when nobody is there to hear it.
    pub(super) fn relay_key(&mut self, key: char) -> bool {
        let talking = self.stage() == Some(Stage::Talking);
        let media = self.second().filter(|_| talking).and_then(|second| second.media.as_mut());
        media.is_some_and(|media| media.press(key, KEY_TICKS))
    }

    /// Whether somebody talks to the caller who took the call over, or is called for that.
    pub(super) fn takes_over(&self) -> bool {
        let mode = self.under_way.as_ref().map(|handover| handover.mode);
        mode == Some(TransferMode::TakeOver)
    }

    /// Who talks to the caller, or is called; `None` while that is the dialog's.
    pub(super) fn call_state(&self) -> Option<CallState> {
        let handover = self.under_way.as_ref()?;
        Some(match (handover.stage, handover.mode) {
            (Stage::Calling | Stage::Referred, _) => CallState::HandingOver,
            (Stage::Talking, TransferMode::TakeOver) => CallState::TakenOver,
            (Stage::Talking, _) => CallState::HandedOver,
        })
    }

    fn stage(&self) -> Option<Stage> {
        self.under_way.as_ref().map(|handover| handover.stage)
    }

    fn second(&mut self) -> Option<&mut Second> {
        self.under_way.as_mut()?.second.as_mut()
    }

    fn refer(&mut self, to: String, second: Option<&Second>) {
        let mut headers = self.desk.context.clone();
        headers.push(("Referred-By".to_owned(), format!("<{}>", self.desk.from())));
        let replaces = second.and_then(|second| second.leg.replaces());
        self.referral = Some(Referral { to, replaces, headers });
    }
}

impl<L: Leg> Call<L> {
    /// Something came from the callee.
    pub(super) fn heard_callee(&mut self, heard: Option<LegEvent>) {
        let line = self.clock.line(Instant::now());
        let Some(handover) = &mut self.transfers.under_way else { return };
        let (Some(second), stage) = (&mut handover.second, handover.stage) else { return };
        match heard {
            Some(LegEvent::Ringing) => {
                handover.rings = true;
                self.record.tell(Happening::Transfer(TransferState::Ringing));
            }
            Some(LegEvent::EarlyMedia { sdp }) => {
                if let Err(problem) = second.described(&sdp) {
                    tracing::info!(%problem, "the callee's early media cannot be used");
                    handover.rings = true;
                }
            }
            Some(LegEvent::Answered { sdp }) => self.callee_answered(&sdp),
            Some(LegEvent::Reinvite(change)) => match &mut second.media {
                Some(media) => drop(second.session.reinvited(change, media)),
                None => change.reject(488),
            },
            Some(LegEvent::Confirmed { answer: Some(answer) }) => {
                if let Some(media) = &mut second.media {
                    second.session.answered_in_ack(&answer, media);
                }
            }
            Some(LegEvent::Key { key, .. }) => {
                if second.media.as_mut().is_some_and(|media| media.take_info_key(line, key)) {
                    self.media.press(key, KEY_TICKS);
                }
            }
            Some(LegEvent::Refer(request)) => self.asked_elsewhere(request),
            Some(LegEvent::Rejected { code, reason, .. }) => {
                tracing::info!(code, %reason, "the callee refused");
                self.transferred(result_of(code));
            }
            None | Some(LegEvent::HungUp { .. } | LegEvent::Failed { .. } | LegEvent::Shutdown) => {
                match stage {
                    Stage::Calling => self.transferred(TransferResult::Failed),
                    Stage::Talking => self.transferred(TransferResult::Done),
                    // Its place with us is taken; the caller's side will tell.
                    Stage::Referred => handover.second = None,
                }
            }
            Some(_) => {}
        }
    }

    fn callee_answered(&mut self, sdp: &str) {
        let Some(handover) = &mut self.transfers.under_way else { return };
        let Some(mut second) = handover.second.take() else { return };
        if let Err(problem) = second.described(sdp) {
            tracing::warn!(%problem, "the callee's answer cannot be used");
            return self.transferred(TransferResult::Failed);
        }
        if let Some(media) = &mut second.media {
            media.answered();
        }
        handover.stage = Stage::Talking;
        let attended = (handover.mode == TransferMode::Attended).then(|| handover.uri.clone());
        let state = self.transfers.call_state();
        self.controls.state(state.unwrap_or(CallState::HandedOver));
        self.record.tell(Happening::Transfer(TransferState::Connected));
        if let Some(uri) = attended {
            self.transfers.refer(uri, Some(&second));
        }
        if let Some(handover) = &mut self.transfers.under_way {
            handover.second = Some(second);
        }
    }

    /// One frame for the callee and one of the callee's; what the caller hears instead of the bot.
    pub(super) fn relay(&mut self, line: CallTime, caller: &Pcm<Hz8k>) -> Option<Pcm<Hz8k>> {
        let handover = self.transfers.under_way.as_mut()?;
        let dialling = handover.mode != TransferMode::Refer && handover.stage == Stage::Calling;
        if dialling && Instant::now() >= handover.until {
            self.transferred(TransferResult::NoAnswer);
            return None;
        }
        let tone = handover.rings.then(|| handover.tone.next(FRAME));
        let Some(media) = handover.second.as_mut().and_then(|second| second.media.as_mut()) else {
            return tone;
        };
        media.take_waiting(line);
        if let Some(problem) = media.failure().filter(|_| handover.stage != Stage::Calling) {
            tracing::warn!(%problem, "the callee's media cannot be protected");
            self.transferred(TransferResult::Failed);
            return None;
        }
        let callee = media.pull().audio;
        while let Some(key) = media.next_key(line) {
            self.media.press(key, KEY_TICKS);
        }
        match handover.stage {
            Stage::Calling => media.send(line, &Pcm::silence(FRAME)),
            Stage::Talking | Stage::Referred => media.send(line, caller),
        }
        Some(callee)
    }

    /// What came of our REFER.
    pub(super) fn referred(&mut self, progress: ReferProgress) {
        let Some(handover) = &mut self.transfers.under_way else { return };
        let bridged = handover.second.is_some();
        tracing::info!(?progress, "REFER");
        match progress {
            ReferProgress::Trying(_) => {}
            ReferProgress::Done(200..=299) => self.transferred(TransferResult::Done),
            // The callee is here: the two talk through us instead.
            _ if bridged => handover.stage = Stage::Talking,
            ReferProgress::Done(code) => self.transferred(result_of(code)),
            ReferProgress::Refused(_) | ReferProgress::Unknown => {
                self.transferred(TransferResult::Failed);
            }
        }
    }

    /// The caller's side hung up; true when that is how its transfer ends well.
    pub(super) fn left_in_transfer(&mut self) -> bool {
        let left = matches!(self.transfers.stage(), Some(Stage::Talking | Stage::Referred));
        if left {
            self.transferred(TransferResult::Done);
        }
        left
    }

    /// Sends and answers what has to wait for signalling.
    pub(super) async fn signal(&mut self) {
        if let Some(referral) = self.transfers.referral.take() {
            match self.leg.refer(referral).await {
                Ok(()) => {
                    if let Some(handover) = &mut self.transfers.under_way {
                        handover.stage = Stage::Referred;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "REFER could not be sent");
                    self.referred(ReferProgress::Unknown);
                }
            }
        }
        if let Some(replacement) = self.transfers.replacement.take() {
            self.replace_caller(replacement.into_leg()).await;
        }
    }

    async fn replace_caller(&mut self, mut by: SipLeg) {
        let agreed = match by.info().offer.clone() {
            Some(offer) => self.session.answer_another(&offer).map(|(sdp, peer)| (sdp, Some(peer))),
            None => Ok((self.session.offer(), None)),
        };
        let (sdp, peer) = match agreed {
            Ok(agreed) => agreed,
            Err(error) => {
                tracing::info!(%error, "488: the caller's place cannot be taken");
                let _ = by.reject(Rejection::not_acceptable()).await;
                return;
            }
        };
        if let Err(error) = by.answer(sdp).await {
            return tracing::warn!(%error, "the caller's place was not taken");
        }
        tracing::info!("somebody else takes the caller's place");
        if let Some(Err(error)) = peer.map(|peer| self.media.renegotiated(&peer)) {
            tracing::warn!(%error, "the new caller's media cannot be used");
        }
        self.follow_hold(true);
        self.leg.replace(by);
    }

    pub(super) fn transferred(&mut self, result: TransferResult) {
        // Dropping the callee's leg ends it.
        self.transfers.under_way = None;
        self.transfers.referral = None;
        self.transfers.done = result == TransferResult::Done;
        self.controls.state(CallState::Talking);
        self.record.tell(Happening::Transfer(state_of(result)));
        let now = self.now();
        self.step(now, Input::Transferred(result));
        if self.transfers.done && self.conversation.is_over() {
            // The dialog was over before: the caller was connected as somebody asked.
            self.end.get_or_insert(EndReason::Transferred);
        }
    }
}

async fn heard(second: Option<&mut Second>) -> Option<LegEvent> {
    match second {
        Some(second) => second.next().await,
        None => future::pending().await,
    }
}

fn state_of(result: TransferResult) -> TransferState {
    match result {
        TransferResult::Done => TransferState::Done,
        TransferResult::Busy => TransferState::Busy,
        TransferResult::NoAnswer => TransferState::NoAnswer,
        TransferResult::Failed => TransferState::Failed,
        TransferResult::GivenBack => TransferState::GivenBack,
    }
}

fn result_of(code: u16) -> TransferResult {
    match code {
        486 | 600 | 603 => TransferResult::Busy,
        408 | 480 | 487 => TransferResult::NoAnswer,
        _ => TransferResult::Failed,
    }
}
