//! What an inbound leg's caller gets before the answer: 180 and 183, reliably when the caller can
//! (RFC 3262).

use std::{collections::VecDeque, future, time::Duration};

use rsipstack::{
    dialog::dialog::DialogState,
    sip::{
        Header, Method, Request, Response, StatusCode, prelude::HasHeaders, prelude::HeadersExt,
    },
    transaction::transaction::{Transaction, TransactionEvent},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::{Driver, Phase};
use crate::sip::{
    LegEvent, Reinvite, SipError, message,
    reliable::{Due, Rack, Reliable},
};

/// Responses that may wait for the PRACK of the one before.
const WAITING: usize = 4;

/// The provisional responses of one leg.
pub(super) struct Provisional {
    /// `None` when the caller does not do without: responses are sent once, and hoped for.
    reliable: Option<Reliable<Response>>,
    /// Descriptions of responses that wait for the PRACK of the one before; `None` is ringing.
    waiting: VecDeque<Option<String>>,
    /// An answer that waits for the PRACK of the description before it.
    answer: Option<(String, oneshot::Sender<Result<(), SipError>>)>,
    requests: mpsc::Receiver<Box<Transaction>>,
    /// A change that came before the ACK to our answer.
    overtaken: Option<Box<Transaction>>,
}

/// What happened by itself.
pub(super) enum Happened {
    /// A PRACK has come, or a change before the ACK.
    Request(Box<Transaction>),
    /// The time of [`Reliable::due`] has come.
    Due,
}

impl Provisional {
    /// For an outbound leg, or one whose INVITE is still to be looked at.
    pub(super) fn new(requests: mpsc::Receiver<Box<Transaction>>) -> Self {
        Self { reliable: None, waiting: VecDeque::new(), answer: None, requests, overtaken: None }
    }

    /// Reads what the caller can.
    pub(super) fn begin(&mut self, invite: &Request) {
        let (headers, has_offer) = (invite.headers(), message::sdp_of(invite).is_some());
        let can = message::lists(headers, "Supported", "100rel");
        // Without an offer the first reliable response would have to make one (section 5).
        if (can && has_offer) || message::lists(headers, "Require", "100rel") {
            self.reliable = Some(Reliable::new(rand::random_range(1..1 << 30)));
        }
    }

    /// The next thing that happens. Cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        let deadline = self.reliable.as_ref().and_then(Reliable::deadline);
        tokio::select! {
            Some(request) = self.requests.recv() => Happened::Request(request),
            () = async { match deadline {
                Some(at) => sleep_until(at).await,
                None => future::pending().await,
            }} => Happened::Due,
        }
    }

    /// The final response is on its way, or never will be.
    pub(super) fn settle(&mut self) {
        self.waiting.clear();
        self.answer = None;
        if let Some(reliable) = &mut self.reliable {
            reliable.settle();
        }
    }
}

impl Driver {
    /// Sends 180, or 183 with `sdp`; when the one before waits for its PRACK, as soon as that is
    /// there.
    pub(super) fn provide(&mut self, sdp: Option<String>) -> Result<(), SipError> {
        let invite = self.dialog.initial_request();
        let without_offer = message::sdp_of(&invite).is_none();
        match &self.provisional.reliable {
            _ if without_offer && sdp.is_some() => {
                Err(SipError::State { action: "send early media", state: "without an offer" })
            }
            // The caller insists on reliable responses, which would have to make an offer.
            Some(_) if without_offer => Ok(()),
            None => {
                let headers = sdp.is_some().then(message::sdp_headers);
                Ok(self.dialog.ringing(headers, sdp.map(String::into_bytes))?)
            }
            Some(reliable) if reliable.is_free() => self.provide_reliably(sdp),
            Some(_) if self.provisional.waiting.len() < WAITING => {
                self.provisional.waiting.push_back(sdp);
                Ok(())
            }
            Some(_) => Err(SipError::State { action: "ring", state: "waiting for a PRACK" }),
        }
    }

    fn provide_reliably(&mut self, sdp: Option<String>) -> Result<(), SipError> {
        let Some(reliable) = &mut self.provisional.reliable else { return Ok(()) };
        let mut headers = reliable.headers();
        let has_sdp = sdp.is_some();
        if has_sdp {
            headers.extend(message::sdp_headers());
        }
        self.dialog.ringing(Some(headers), sdp.map(String::into_bytes))?;
        if let DialogState::Early(_, response) = self.dialog.state() {
            reliable.sent(response, has_sdp, Instant::now());
        }
        Ok(())
    }

    /// Keeps an answer back while it has to wait; gives it back when it has not.
    pub(super) fn hold_answer(
        &mut self,
        sdp: String,
        done: oneshot::Sender<Result<(), SipError>>,
    ) -> Option<(String, oneshot::Sender<Result<(), SipError>>)> {
        let holds = self.provisional.reliable.as_ref().is_some_and(Reliable::holds_answer);
        if !holds {
            return Some((sdp, done));
        }
        self.provisional.answer = Some((sdp, done));
        None
    }

    pub(super) async fn on_provisional(&mut self, happened: Happened) {
        match happened {
            Happened::Request(tx) if tx.original.method == Method::PRack => self.on_prack(tx).await,
            Happened::Request(tx) if self.phase == Phase::Answered => self.wait_for_ack(tx).await,
            Happened::Request(tx) if self.phase == Phase::Up => self.on_overtaken(tx),
            Happened::Request(tx) => self.on_early_change(tx).await,
            Happened::Due => {
                let reliable = self.provisional.reliable.as_mut();
                match reliable.and_then(|reliable| reliable.due(Instant::now())) {
                    Some(Due::Again(response)) if self.phase == Phase::Early => {
                        self.transmit(response);
                    }
                    Some(Due::GiveUp) if self.phase == Phase::Early => self.without_prack(),
                    Some(_) => self.provisional.settle(),
                    None => {}
                }
            }
        }
    }

    async fn on_prack(&mut self, mut tx: Box<Transaction>) {
        let invite = message::cseq(&self.dialog.initial_request());
        let Some(rack) = Rack::of(tx.original.headers()) else {
            let _ = tx.reply(StatusCode::BadRequest).await;
            return;
        };
        let about_invite = rack.method == Method::Invite && rack.cseq == invite;
        let known = self.provisional.reliable.as_mut().filter(|_| about_invite);
        if !known.is_some_and(|reliable| reliable.acknowledge(rack.rseq)) {
            let _ = tx.reply(StatusCode::CallTransactionDoesNotExist).await;
            return;
        }
        match message::sdp_of(&tx.original) {
            Some(offer) if self.phase == Phase::Early => self.early_offer(tx, offer, Vec::new()),
            Some(_) => drop(tx.reply(StatusCode::NotAcceptableHere).await),
            None => drop(tx.reply(StatusCode::OK).await),
        }
        if self.phase == Phase::Early {
            self.go_on();
        }
    }

    /// A change that has overtaken the ACK to our answer.
    async fn wait_for_ack(&mut self, mut tx: Box<Transaction>) {
        if self.provisional.overtaken.is_some() {
            let headers = vec![message::retry_after(Duration::from_secs(1))];
            let _ = tx.reply_with(StatusCode::ServerInternalError, headers, None).await;
            return;
        }
        self.provisional.overtaken = Some(tx);
    }

    /// The ACK is there: what has overtaken it is done now.
    pub(super) fn acknowledged(&mut self) {
        if let Some(tx) = self.provisional.overtaken.take() {
            self.on_overtaken(tx);
        }
    }

    /// The dialog answers by and by, through the driver's states.
    fn on_overtaken(&self, mut tx: Box<Transaction>) {
        let mut dialog = self.dialog.clone();
        tokio::spawn(async move {
            if let Err(e) = dialog.handle(&mut tx).await {
                tracing::debug!(id = %dialog.id(), error = %e, "in-dialog request failed");
            }
        });
    }

    /// UPDATE before the answer (RFC 3311 section 5.2). A re-INVITE is too early (RFC 3261
    /// section 14.2).
    async fn on_early_change(&mut self, mut tx: Box<Transaction>) {
        let agreed = self.provisional.reliable.as_ref().is_some_and(Reliable::agreed);
        let may = tx.original.method == Method::Update && self.phase == Phase::Early;
        let contact = match self.dialog.state() {
            DialogState::Early(_, response) => response.contact_header().ok().cloned(),
            _ => None,
        };
        let headers: Vec<Header> = contact.into_iter().map(Header::Contact).collect();
        let sent = match message::sdp_of(&tx.original) {
            Some(offer) if agreed && may => {
                return self.early_offer(tx, offer, headers);
            }
            None if may => tx.reply_with(StatusCode::OK, headers, None).await,
            // The session it would change is not agreed on.
            _ => {
                let headers = vec![message::retry_after(Duration::from_secs(1))];
                tx.reply_with(StatusCode::ServerInternalError, headers, None).await
            }
        };
        if let Err(e) = sent {
            tracing::debug!(error = %e, "UPDATE not answered");
        }
    }

    /// The caller offers another session than that of the response (RFC 3262 section 5).
    fn early_offer(&mut self, mut tx: Box<Transaction>, offer: String, mut headers: Vec<Header>) {
        let (reply, answer) = oneshot::channel::<Result<String, u16>>();
        tokio::spawn(async move {
            let sent = match answer.await.unwrap_or(Err(488)) {
                Ok(sdp) => {
                    headers.extend(message::sdp_headers());
                    tx.reply_with(StatusCode::OK, headers, Some(sdp.into_bytes())).await
                }
                Err(code) => tx.reply(code.clamp(400, 699).into()).await,
            };
            if let Err(e) = sent {
                tracing::debug!(error = %e, "early offer not answered");
            }
        });
        // When the holder does not keep up, the refused event drops `reply`: 488.
        self.leg.entry.offer(LegEvent::Reinvite(Reinvite::new(Some(offer), reply)));
    }

    /// What waited for a PRACK goes out.
    fn go_on(&mut self) {
        if let Some((sdp, done)) = self.provisional.answer.take() {
            let _ = done.send(self.answer(sdp));
        } else if let Some(sdp) = self.provisional.waiting.pop_front()
            && let Err(e) = self.provide_reliably(sdp)
        {
            tracing::debug!(id = %self.dialog.id(), error = %e, "provisional response not sent");
        }
    }

    fn without_prack(&mut self) {
        let why = "the caller did not acknowledge a provisional response (PRACK) within 32 s";
        self.leg.entry.finish(Some(LegEvent::Failed { why: why.to_owned() }));
        self.respond(504, Vec::<Header>::new());
        self.phase = Phase::Closing;
        self.close_orders();
    }

    fn transmit(&self, response: Response) {
        if let Some(responder) = &self.responder {
            // Fails only when the transaction is over, and then nobody waits for this.
            let _ = responder.send(TransactionEvent::Respond(response));
        }
    }
}
