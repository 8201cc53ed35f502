use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    HangUpCause, Leg, LegEvent, LegInfo, Permit, Referral, Rejection, Replaces, SipError,
    lock::lock, refer::Named, registry::Reported,
};

/// Events a leg may have waiting. Keys and session changes are refused before it is full, so
/// that the events that end a leg always fit.
pub(super) const EVENTS: usize = 64;

/// A leg of the [`super::UserAgent`].
#[derive(Debug)]
pub struct SipLeg {
    info: LegInfo,
    events: mpsc::Receiver<LegEvent>,
    orders: mpsc::Sender<Order>,
    statistics: Reported,
    dialog: Named,
    /// An event that was looked at already.
    first: Option<LegEvent>,
    heard: CancellationToken,
    /// The leg's place on its trunk.
    place: Option<Permit>,
}

/// What the holder of a leg asks its driver to do.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) what: What,
    pub(super) done: oneshot::Sender<Result<(), SipError>>,
}

#[derive(Debug)]
pub(super) enum What {
    Ring,
    Progress(String),
    Answer(String),
    Reject(Rejection),
    /// With the value of a P-RTP-Stat header.
    HangUp(HangUpCause, Option<String>),
    Refer(Box<Referral>),
    /// With our new description.
    Change(String),
}

impl SipLeg {
    /// A leg, and the ends that its driver holds.
    pub(super) fn new(
        info: LegInfo,
        dialog: Named,
    ) -> (Self, mpsc::Sender<LegEvent>, mpsc::Receiver<Order>) {
        let (event_tx, events) = mpsc::channel(EVENTS);
        let (orders, order_rx) = mpsc::channel(4);
        let heard = CancellationToken::new();
        let leg = Self {
            info,
            events,
            orders,
            dialog,
            statistics: Reported::default(),
            first: None,
            heard,
            place: None,
        };
        (leg, event_tx, order_rx)
    }

    /// How to name this call to somebody who shall take our place in it (RFC 3891); `None` while
    /// the peer has not answered at all.
    pub fn replaces(&self) -> Option<Replaces> {
        self.dialog.for_peer()
    }

    /// Fires when the peer has sent anything at all, 100 Trying included.
    pub(super) fn heard(&self) -> CancellationToken {
        self.heard.clone()
    }

    /// Where what the holder reports of the media is found.
    pub(super) fn reported(&self) -> Reported {
        Arc::clone(&self.statistics)
    }

    /// Makes `event` the next one again.
    pub(super) fn put_back(&mut self, event: LegEvent) {
        self.first = Some(event);
    }

    /// Gives the place back when the leg is dropped.
    pub(super) fn hold_place(&mut self, place: Permit) {
        self.place = Some(place);
    }

    async fn order(&self, what: What) -> Result<(), SipError> {
        let over = |action| SipError::State { action, state: "over" };
        let action = what.name();
        let (done, reply) = oneshot::channel();
        self.orders.send(Order { what, done }).await.map_err(|_| over(action))?;
        reply.await.map_err(|_| over(action))?
    }
}

impl What {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Progress(_) => "send early media",
            Self::Answer(_) => "answer",
            Self::Reject(_) => "reject",
            Self::HangUp(..) => "hang up",
            Self::Refer(_) => "refer",
            Self::Change(_) => "change the session",
        }
    }
}

impl Leg for SipLeg {
    fn info(&self) -> &LegInfo {
        &self.info
    }

    async fn next_event(&mut self) -> Option<LegEvent> {
        match self.first.take() {
            Some(event) => Some(event),
            None => self.events.recv().await,
        }
    }

    async fn ring(&mut self) -> Result<(), SipError> {
        self.order(What::Ring).await
    }

    async fn progress(&mut self, sdp: String) -> Result<(), SipError> {
        self.order(What::Progress(sdp)).await
    }

    async fn answer(&mut self, sdp: String) -> Result<(), SipError> {
        self.order(What::Answer(sdp)).await
    }

    async fn reject(&mut self, rejection: Rejection) -> Result<(), SipError> {
        self.order(What::Reject(rejection)).await
    }

    fn report_media(&mut self, statistics: String) {
        *lock(&self.statistics) = Some(statistics);
    }

    async fn refer(&mut self, referral: Referral) -> Result<(), SipError> {
        self.order(What::Refer(Box::new(referral))).await
    }

    async fn change(&mut self, sdp: String) -> Result<(), SipError> {
        self.order(What::Change(sdp)).await
    }

    fn replace(&mut self, by: SipLeg) {
        // The old leg is dropped, and so ends with BYE.
        *self = by;
    }

    async fn hang_up(&mut self, cause: HangUpCause) -> Result<(), SipError> {
        let statistics = lock(&self.statistics).take();
        match self.order(What::HangUp(cause, statistics)).await {
            Err(SipError::State { state: "over", .. }) => Ok(()),
            other => other,
        }
    }
}
