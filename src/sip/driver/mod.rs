//! The task that owns one leg's dialog from its INVITE to its end.

mod change;
mod outbound;
mod phase;
mod provisional;
mod referral;
mod referred;
mod session;

use std::{pin::Pin, sync::Arc};

use rsipstack::{
    dialog::{
        dialog::{DialogState, DialogStateReceiver, TerminatedReason},
        invite_dialog::InviteDialog,
    },
    sip::{Header, Response},
    transaction::transaction::{TransactionEvent, TransactionEventSender},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Direction, HangUpCause, LegEvent, LegInfo, Rejection, SipError, SipLeg,
    agent::Shared,
    dial::Attempt,
    message,
    refer::Named,
    registry::Registered,
    sip_leg::{Order, What},
};
use phase::Phase;
use provisional::Provisional;
use referral::Referring;
use referred::Referred;
use session::Session;

/// Drives an INVITE transaction to its end.
pub(super) type Invite = Pin<Box<dyn Future<Output = InviteOutcome> + Send>>;

/// How the INVITE transaction came to its end.
pub(super) enum InviteOutcome {
    /// Outbound: the final response, if one came. Inbound: done, without a response.
    Response(Option<Box<Response>>),
    /// The stack gave up on it.
    Broken(String),
}

/// Requests before the answer that may wait: a PRACK, and an UPDATE after it.
const EARLY: usize = 4;

pub(super) struct Driver {
    shared: Arc<Shared>,
    dialog: InviteDialog,
    orders: mpsc::Receiver<Order>,
    leg: Registered,
    direction: Direction,
    /// What an outbound leg was asked for, until it has been asked for again.
    dialled: Option<Box<Attempt>>,
    /// Sends responses to an inbound leg's INVITE.
    responder: Option<TransactionEventSender>,
    phase: Phase,
    invite_done: bool,
    /// CSeq of the last ACK that was reported.
    acked: Option<u32>,
    /// Set when the leg is to end as soon as its ACK is there.
    end_on_ack: Option<HangUpCause>,
    /// What our BYE says of the media.
    statistics: Option<String>,
    provisional: Provisional,
    session: Session,
    referring: Referring,
    /// Whether the peer may ask us to go elsewhere.
    may_refer: bool,
    referred_by_peer: Referred,
    /// Fires when the peer has answered anything.
    heard: CancellationToken,
}

impl Driver {
    /// `invite` is the INVITE's From tag and CSeq number.
    pub(super) fn inbound(
        shared: &Arc<Shared>,
        info: LegInfo,
        dialog: InviteDialog,
        responder: TransactionEventSender,
        invite: (String, u32),
    ) -> (SipLeg, Self) {
        Self::new(shared, info, dialog, Some(responder), Some(invite))
    }

    pub(super) fn outbound(
        shared: &Arc<Shared>,
        info: LegInfo,
        dialog: InviteDialog,
        attempt: Attempt,
    ) -> (SipLeg, Self) {
        let (leg, driver) = Self::new(shared, info, dialog, None, None);
        let session = Session::outbound(attempt.request.offer.clone());
        (leg, Self { session, dialled: Some(Box::new(attempt)), ..driver })
    }

    fn new(
        shared: &Arc<Shared>,
        info: LegInfo,
        dialog: InviteDialog,
        responder: Option<TransactionEventSender>,
        invite: Option<(String, u32)>,
    ) -> (SipLeg, Self) {
        let direction = info.direction;
        let may_refer = shared.trunks.may_refer(info.trunk.as_deref());
        let (leg, events, orders) = SipLeg::new(info, Named(dialog.clone()));
        let (early_tx, early) = mpsc::channel(EARLY);
        let mut provisional = Provisional::new(early);
        if direction == Direction::Inbound {
            provisional.begin(&dialog.initial_request());
        }
        let driver = Self {
            shared: shared.clone(),
            leg: shared.registry.add(&dialog.id(), events, early_tx, leg.reported(), invite),
            dialog,
            orders,
            direction,
            dialled: None,
            responder,
            phase: Phase::Early,
            invite_done: false,
            acked: None,
            end_on_ack: None,
            statistics: None,
            provisional,
            session: Session::default(),
            referring: Referring::default(),
            may_refer,
            referred_by_peer: Referred::default(),
            heard: leg.heard(),
        };
        (leg, driver)
    }

    /// Runs the leg to its end. `invite` drives the INVITE transaction; it is polled until it is
    /// done and never dropped before, because the stack's futures are not cancel-safe.
    pub(super) async fn run(mut self, mut states: DialogStateReceiver, mut invite: Invite) {
        let end_legs = self.shared.end_legs.clone();
        let stopped = self.shared.stopped.clone();
        loop {
            if self.phase == Phase::Over {
                // The holder learns of the end now, even if the transaction lingers.
                self.close_orders();
                self.leg.entry.finish(None);
                if self.invite_done {
                    break;
                }
            }
            let ending = matches!(self.phase, Phase::Closing | Phase::Over);
            tokio::select! {
                biased;
                state = states.recv() => match state {
                    Some(state) => self.on_state(state).await,
                    None => self.phase = Phase::Over,
                },
                outcome = &mut invite, if !self.invite_done => {
                    // What the transaction reported on its way comes first.
                    while let Ok(state) = states.try_recv() {
                        self.on_state(state).await;
                    }
                    self.invite_done = true;
                    if let Some((again, invited)) = self.on_invite_done(outcome) {
                        (states, invite) = (again, invited);
                        self.invite_done = false;
                    }
                }
                order = self.orders.recv(), if !ending && self.end_on_ack.is_none() => match order {
                    Some(order) => self.on_order(order).await,
                    None => self.end(HangUpCause::Normal).await,
                },
                () = stopped.cancelled() => {
                    // Without the socket nothing completes any more.
                    let why = "the SIP user agent was closed".to_owned();
                    self.leg.entry.finish(Some(LegEvent::Failed { why }));
                    break;
                }
                happened = self.provisional.next(), if !ending => {
                    self.on_provisional(happened).await;
                }
                change = self.session.next(), if self.phase == Phase::Up => {
                    self.on_session(change).await;
                }
                happened = self.referring.next(), if self.phase == Phase::Up => {
                    self.on_referring(happened);
                }
                () = end_legs.cancelled(), if !ending && self.end_on_ack.is_none() => {
                    self.leg.entry.finish(Some(LegEvent::Shutdown));
                    self.end(HangUpCause::Shutdown).await;
                }
            }
        }
        self.shared.layer.remove_dialog(&self.dialog.id());
    }

    async fn on_state(&mut self, state: DialogState) {
        if !matches!(state, DialogState::Calling(_)) {
            self.heard.cancel();
        }
        match state {
            DialogState::Early(_, response)
                if self.phase == Phase::Early && self.direction == Direction::Outbound =>
            {
                self.session.early.take(&response);
                self.leg.entry.offer(match message::sdp_of_response(&response) {
                    Some(sdp) => LegEvent::EarlyMedia { sdp },
                    None => LegEvent::Ringing,
                });
            }
            DialogState::Confirmed(_, response) => self.on_confirmed(&response).await,
            DialogState::Updated(_, request, handle) => {
                self.on_session_change(&request, handle).await
            }
            DialogState::Notify(_, request, handle) => self.on_notify(&request, handle).await,
            DialogState::Refer(_, request, handle) => self.on_refer(&request, handle).await,
            DialogState::Terminated(_, reason) => self.on_terminated(&reason),
            _ => {}
        }
    }

    /// Inbound: an ACK has come. Outbound: the 2xx has come and been acknowledged. The stack also
    /// says this after every request within the dialog.
    async fn on_confirmed(&mut self, response: &Response) {
        if self.direction == Direction::Outbound && self.phase == Phase::Early {
            self.phase = Phase::Up;
            self.session.begin_outbound(response, &self.shared.session_timer);
            let sdp = self.session.early.answer(response).unwrap_or_default();
            self.leg.entry.emit(LegEvent::Answered { sdp });
            return;
        }
        if let Some(ack) = self.dialog.last_remote_ack() {
            let seq = message::cseq(&ack);
            let answer = message::sdp_of(&ack);
            let first = self.phase == Phase::Answered;
            if self.acked.replace(seq) != Some(seq) && (first || answer.is_some()) {
                self.leg.entry.emit(LegEvent::Confirmed { answer });
            }
        }
        if self.phase == Phase::Answered {
            self.phase = Phase::Up;
            self.session.confirmed();
            self.acknowledged();
            if let Some(cause) = self.end_on_ack.take() {
                self.end(cause).await;
            }
        }
    }

    fn on_terminated(&mut self, reason: &TerminatedReason) {
        let was = self.phase;
        if self.direction == Direction::Outbound && was == Phase::Early && !self.invite_done {
            return; // the final response, which follows, says more
        }
        self.phase = Phase::Over;
        if matches!(was, Phase::Closing | Phase::Over) || self.end_on_ack.is_some() {
            return;
        }
        let last = match (reason, was) {
            (TerminatedReason::UacCancel, Phase::Early) => LegEvent::Cancelled,
            (TerminatedReason::Timeout, _) => LegEvent::Failed {
                why: "no ACK for our answer came within 32 s; the call was ended with BYE".into(),
            },
            (_, Phase::Early) => {
                // BYE instead of CANCEL: the INVITE still wants its answer (section 15.1.2).
                self.respond(487, Vec::new());
                LegEvent::Cancelled
            }
            _ => LegEvent::HungUp { reason: self.leg.entry.take_bye_reason() },
        };
        self.leg.entry.finish(Some(last));
    }

    async fn on_order(&mut self, Order { what, done }: Order) {
        let answerable = self.direction == Direction::Inbound && self.phase == Phase::Early;
        let wrong = Err(SipError::State { action: what.name(), state: self.phase.name() });
        let result = match what {
            What::HangUp(cause, statistics) => {
                let _ = done.send(Ok(()));
                self.statistics = statistics;
                return self.end(cause).await;
            }
            What::Refer(referral) => self.refer(*referral),
            What::Change(sdp) => self.offer_change(sdp),
            _ if !answerable => wrong,
            What::Ring => self.provide(None),
            What::Progress(sdp) => self.provide(Some(sdp)),
            What::Answer(sdp) => {
                let Some((sdp, done)) = self.hold_answer(sdp, done) else { return };
                let _ = done.send(self.answer(sdp));
                return;
            }
            What::Reject(rejection) => {
                self.reject(rejection);
                Ok(())
            }
        };
        // The holder may have stopped waiting; what was ordered is done all the same.
        let _ = done.send(result);
    }

    fn answer(&mut self, sdp: String) -> Result<(), SipError> {
        self.provisional.settle();
        self.accept(sdp)?;
        self.phase = Phase::Answered;
        Ok(())
    }

    /// Ends the leg from our side, as its phase allows.
    async fn end(&mut self, cause: HangUpCause) {
        self.close_orders();
        match (self.phase, self.direction) {
            (Phase::Early, Direction::Inbound) => {
                let code = if cause == HangUpCause::Shutdown { 503 } else { 480 };
                self.reject(Rejection::code(code));
            }
            (Phase::Early, Direction::Outbound) => {
                self.phase = Phase::Closing;
                let dialog = self.dialog.clone();
                tokio::spawn(async move {
                    if let Err(e) = dialog.cancel().await {
                        tracing::debug!(id = %dialog.id(), error = %e, "CANCEL failed");
                    }
                });
            }
            (Phase::Answered, _) => self.end_on_ack = Some(cause),
            (Phase::Up, _) => {
                self.phase = Phase::Closing;
                self.leg.entry.finish(None);
                let bye = self.dialog.bye_with_headers(Some(self.bye_headers(cause)));
                tokio::select! {
                    sent = bye => if let Err(e) = sent {
                        tracing::debug!(id = %self.dialog.id(), error = %e, "BYE failed");
                    },
                    () = self.shared.stopped.cancelled() => {}
                }
                self.phase = Phase::Over;
            }
            (Phase::Closing | Phase::Over, _) => {}
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        let mut headers = Vec::new();
        if let Some(after) = rejection.retry_after {
            headers.push(message::retry_after(after));
        }
        if let Some(text) = rejection.reason {
            let text = text.replace(['"', '\\', '\r', '\n'], " ");
            let reason = format!("SIP;cause={};text=\"{text}\"", rejection.code);
            headers.push(Header::Reason(reason.into()));
        }
        self.respond(rejection.code.clamp(400, 699), headers);
        self.phase = Phase::Closing;
        self.close_orders();
    }

    fn bye_headers(&self, cause: HangUpCause) -> Vec<Header> {
        let statistics = self.statistics.iter().cloned();
        let statistics = statistics.map(|value| Header::Other("P-RTP-Stat".into(), value));
        [Header::Reason(cause.reason().into())].into_iter().chain(statistics).collect()
    }

    /// Lets whoever gives or has given further orders know that the leg is over.
    fn close_orders(&mut self) {
        self.provisional.settle();
        self.orders.close();
        while self.orders.try_recv().is_ok() {}
    }

    /// Sends a final response to the INVITE. The dialog's own `reject` cannot carry headers.
    fn respond(&self, code: u16, headers: Vec<Header>) {
        let Some(responder) = &self.responder else { return };
        let request = self.dialog.initial_request();
        let mut response = self.shared.endpoint.make_response(&request, code.into(), None);
        let tag = self.dialog.id().local_tag;
        for header in response.headers.iter_mut() {
            if let Header::To(to) = header {
                *to = to.clone().with_tag(tag.as_str().into());
            }
        }
        response.headers.extend(headers);
        // Fails only when the transaction is over, and then nobody waits for this.
        let _ = responder.send(TransactionEvent::Respond(response));
    }
}
