use std::{
    fmt,
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Reason, Redacted, ReferProgress, ReferRequest, Referral, Replacement, SipError, SipLeg,
    Transport,
};

/// One side of a call, as signalling sees it: SDP passes through as text, media is the caller's
/// business. Dropping a leg ends it: an unanswered one is rejected (480) or cancelled, an
/// answered one gets a BYE.
pub trait Leg: Send {
    /// Who calls whom, and what was offered.
    fn info(&self) -> &LegInfo;

    /// The next thing that happened, or `None` once the leg is over. Cancel-safe.
    fn next_event(&mut self) -> impl Future<Output = Option<LegEvent>> + Send;

    /// Sends 180 Ringing on an inbound leg; reliably when the peer can (RFC 3262).
    fn ring(&mut self) -> impl Future<Output = Result<(), SipError>> + Send;

    /// Sends 183 with `sdp`, the answer to [`LegInfo::offer`], on an inbound leg: from now on the
    /// peer hears us (early media). Reliably when the peer can; the answer then waits for the
    /// peer's PRACK. A PRACK with an offer of its own comes as [`LegEvent::Reinvite`].
    ///
    /// # Errors
    /// [`SipError::State`] for a leg without an offer, or one that is answered or over.
    fn progress(&mut self, sdp: String) -> impl Future<Output = Result<(), SipError>> + Send;

    /// Answers an inbound leg with 200 OK and `sdp`: the answer to [`LegInfo::offer`], or our
    /// offer when there was none (the peer's answer then comes with [`LegEvent::Confirmed`]).
    fn answer(&mut self, sdp: String) -> impl Future<Output = Result<(), SipError>> + Send;

    /// Refuses an unanswered inbound leg.
    fn reject(&mut self, rejection: Rejection)
    -> impl Future<Output = Result<(), SipError>> + Send;

    /// Tells what the media has been like so far, for our BYE or our answer to the peer's:
    /// `statistics` is sent as P-RTP-Stat header, which phones and PBXs know, such as
    /// `PS=500,PR=498,PL=2,JI=3`. What is told last counts.
    fn report_media(&mut self, statistics: String);

    /// Asks the peer of a leg that is up to call somebody else (REFER, RFC 3515). Returns once
    /// that is under way; what comes of it are [`LegEvent::Referred`]s. The leg stays up.
    ///
    /// # Errors
    /// [`SipError::State`] for a leg that is not up, or is being referred already.
    fn refer(&mut self, referral: Referral) -> impl Future<Output = Result<(), SipError>> + Send;

    /// Changes the session of a leg that is up: sends `sdp` in a re-INVITE. Returns once that is under way; the peer's
    /// answer is a [`LegEvent::Changed`].
    ///
    /// # Errors
    /// [`SipError::State`] for a leg that is not up, or whose session is being changed already.
    fn change(&mut self, sdp: String) -> impl Future<Output = Result<(), SipError>> + Send;

    /// Lets `by`, which has been answered, take this leg's place; the old one ends with BYE.
    fn replace(&mut self, by: SipLeg);

    /// Ends the leg in whatever state it is: BYE when it is up (after the ACK when that is still
    /// under way, RFC 3261 section 15), CANCEL or 480 before. Returns once that is under way;
    /// [`Leg::next_event`] returns `None` when it is done. Ending an ended leg is no error.
    fn hang_up(&mut self, cause: HangUpCause) -> impl Future<Output = Result<(), SipError>> + Send;
}

/// What is known about a leg when it begins.
#[derive(Clone)]
pub struct LegInfo {
    /// The SIP Call-ID.
    pub call_id: String,
    /// Who called whom.
    pub direction: Direction,
    /// The From header's URI.
    pub from: String,
    /// The To header's URI.
    pub to: String,
    /// User part of the From URI: the caller's number as the trunk gave it; empty when anonymous.
    pub from_user: String,
    /// User part of the request URI: what was dialled. May differ from the To header's.
    pub to_user: String,
    /// Where the INVITE came from; for an outbound leg, where it goes when the URI has an
    /// address, else the local address.
    pub remote: SocketAddr,
    /// What the signalling travels on.
    pub transport: Transport,
    /// The trunk that an inbound call came by, when trunks say who may call.
    pub trunk: Option<Arc<str>>,
    /// Our address as that peer should see it, for SDP: the configured external address, else
    /// that of the interface that leads to the peer.
    pub local_ip: IpAddr,
    /// The SDP of the INVITE; `None` when the peer wants us to offer.
    pub offer: Option<String>,
}

impl fmt::Debug for LegInfo {
    /// Masks the parties: numbers are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegInfo")
            .field("call_id", &self.call_id)
            .field("direction", &self.direction)
            .field("from", &format_args!("{}", Redacted(&self.from)))
            .field("to", &format_args!("{}", Redacted(&self.to)))
            .field("remote", &self.remote)
            .field("local_ip", &self.local_ip)
            .field("has_offer", &self.offer.is_some())
            .finish_non_exhaustive()
    }
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer called us.
    Inbound,
    /// We called the peer.
    Outbound,
}

/// What happened on a leg.
#[derive(Debug)]
pub enum LegEvent {
    /// Outbound: the peer's phone rings (180 and other 1xx without SDP).
    Ringing,
    /// Outbound: audio before the answer (183 with SDP).
    EarlyMedia {
        /// The peer's SDP.
        sdp: String,
    },
    /// Outbound: the peer answered. The ACK has been sent.
    Answered {
        /// The answer to our offer; empty when the peer sent none.
        sdp: String,
    },
    /// Outbound: the peer refused, or did not answer the INVITE at all (408). Last event.
    Rejected {
        /// Status code, 300..=699.
        code: u16,
        /// Its reason phrase.
        reason: String,
        /// When to try again, if the peer said so.
        retry_after: Option<Duration>,
        /// Its Reason headers, which may tell the cause of the network behind a gateway.
        cause: Option<Reason>,
    },
    /// Inbound: the ACK to our answer arrived. Also sent for the ACK of a re-INVITE that we
    /// answered with an offer.
    Confirmed {
        /// The SDP of the ACK; present when our 200 OK carried an offer.
        answer: Option<String>,
    },
    /// The peer changes the session (re-INVITE or UPDATE): hold, a new address, other codecs.
    Reinvite(Reinvite),
    /// The peer sent a key by SIP INFO.
    Key {
        /// One of `0-9*#A-D`.
        key: char,
        /// How long it was held, when the peer says.
        duration: Option<Duration>,
    },
    /// What the peer answers to a [`Leg::change`]: its SDP, or the status with which it refused, which leaves the session
    /// as it was.
    Changed(Result<String, u16>),
    /// What comes of a [`Leg::refer`].
    Referred(ReferProgress),
    /// The peer asks us to call somebody else (REFER), and may
    /// ([`crate::sip::TrunkConfig::allow_refer`]).
    Refer(ReferRequest),
    /// Somebody takes the peer's place in the call (RFC 3891).
    Replaced(Replacement),
    /// Inbound: the caller gave up before the answer. Last event.
    Cancelled,
    /// The peer sent BYE. Last event.
    HungUp {
        /// Its Reason headers, such as `Q.850;cause=16`.
        reason: Option<Reason>,
    },
    /// The user agent is shutting down and has ended the leg. Last event.
    Shutdown,
    /// The leg broke: no ACK came, no session refresh came, the message could not be sent.
    /// What can be sent to end it properly has been sent. Last event.
    Failed {
        /// What broke.
        why: String,
    },
}

/// How to refuse a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Status code, 400..=699.
    pub code: u16,
    /// Text for the Reason header, for whoever reads a trace.
    pub reason: Option<String>,
    /// Sent as Retry-After, rounded up to seconds.
    pub retry_after: Option<Duration>,
}

impl Rejection {
    /// 404 Not Found: nobody answers that number.
    pub fn not_found() -> Self {
        Self::code(404)
    }

    /// 488 Not Acceptable Here: no codec in common.
    pub fn not_acceptable() -> Self {
        Self::code(488)
    }

    /// 503 Service Unavailable with Retry-After: full.
    pub fn busy(retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::code(503) }
    }

    /// Any code, without a reason.
    pub fn code(code: u16) -> Self {
        Self { code, reason: None, retry_after: None }
    }
}

/// Why we end a call; sent as the BYE's Reason header (RFC 3326).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HangUpCause {
    /// The conversation is over. Q.850 cause 16.
    #[default]
    Normal,
    /// No media came. Q.850 cause 102.
    MediaTimeout,
    /// The media could not be protected as agreed. Q.850 cause 65, which stands for 488.
    Unprotected,
    /// The call was longer than allowed. Q.850 cause 102.
    MaxDuration,
    /// The session was not refreshed (RFC 4028). Q.850 cause 102.
    SessionExpired,
    /// Something broke on our side. Q.850 cause 41.
    Failure,
    /// We are shutting down. Q.850 cause 42.
    Shutdown,
}

impl HangUpCause {
    /// The Reason header's value.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Normal => r#"Q.850;cause=16;text="Normal call clearing""#,
            Self::MediaTimeout => r#"Q.850;cause=102;text="Media timeout""#,
            Self::Unprotected => r#"Q.850;cause=65;text="Media encryption failed""#,
            Self::MaxDuration => r#"Q.850;cause=102;text="Maximum duration""#,
            Self::SessionExpired => r#"Q.850;cause=102;text="Session expired""#,
            Self::Failure => r#"Q.850;cause=41;text="Temporary failure""#,
            Self::Shutdown => r#"Q.850;cause=42;text="Shutting down""#,
        }
    }
}

/// A session change asked for by the peer. Dropping it unanswered refuses it with 488, which
/// leaves the session as it was.
#[derive(Debug)]
pub struct Reinvite {
    /// The new offer; `None` when the peer wants ours (its answer then comes with
    /// [`LegEvent::Confirmed`]).
    pub offer: Option<String>,
    reply: oneshot::Sender<Result<String, u16>>,
}

impl Reinvite {
    pub(super) fn new(offer: Option<String>, reply: oneshot::Sender<Result<String, u16>>) -> Self {
        Self { offer, reply }
    }

    /// Answers 200 OK with `sdp`: the answer to the offer, or our offer when there was none.
    pub fn accept(self, sdp: String) {
        // The peer may be gone already; the leg's own events say so.
        let _ = self.reply.send(Ok(sdp));
    }

    /// Refuses with `code`, such as 488.
    pub fn reject(self, code: u16) {
        let _ = self.reply.send(Err(code));
    }
}
