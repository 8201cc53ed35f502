//! From an INVITE to a running call, and from its end to the store.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
use tokio::{
    net::UdpSocket,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    ArchiveError, ArchiveWriter, EndReason, Engines, Limits, MediaOptions, PortError, PortRange,
    SrtpPolicy,
    archive::Archive,
    clock::CallClock,
    early::{BeforeAnswer, Unanswered, before_answer},
    ending::{close, never_spoken},
    hearing::Hearing,
    live::{Happening, Live},
    media::Media,
    missing::Missing,
    player::Player,
    record::Record,
    session::Session,
    task::Call,
    transfer::{Desk, Transfers},
};
use crate::{
    conversation::{
        Conversation, Timing,
        journal::{self, FORMAT, Header, JournalError},
    },
    crm::Crm,
    dialog::{CallFacts, Machine},
    dialplan::Dialplan,
    sdp::{self, Capabilities, LocalMedia, Negotiated, SdpError},
    sip::{Dialer, HangUpCause, Leg, LegEvent, LegInfo, Permit, Reason, Rejection, SipError},
    speech::prompts::Prompts,
    srtp::SrtpError,
    store::{CallDirection, NewCall, Store, StoreError},
};

/// How long the caller may take to answer our offer in its ACK.
const ANSWER_IN_ACK: Duration = Duration::from_secs(10);

/// What a call is made with. The permit is held until the call is over.
pub struct Setup {
    /// The call's id.
    pub id: String,
    /// What answers.
    pub dialplan: Arc<Dialplan>,
    /// Recognition, and the queue of inference.
    pub engines: Arc<Engines>,
    /// The dialplan's prompts in its voices.
    pub prompts: Arc<Prompts>,
    /// Answers what dialplans ask as tools.
    pub crm: Crm,
    /// Where the outcome goes.
    pub store: Store,
    /// Who watches.
    pub live: Live,
    /// Address that media sockets are bound to.
    pub bind: IpAddr,
    /// RTP ports.
    pub ports: Arc<PortRange>,
    /// Codecs and comfort noise.
    pub capabilities: Capabilities,
    /// Silence and tones.
    pub media: MediaOptions,
    /// Protection of the media.
    pub srtp: SrtpPolicy,
    /// Writes recordings and journals.
    pub archives: ArchiveWriter,
    /// Whether there is a recording; there is a journal in any case.
    pub record: bool,
    /// Where the recording and the journal go; made when it is not there.
    pub dir: PathBuf,
    /// Turn-taking.
    pub timing: Timing,
    /// Limits of one call.
    pub limits: Limits,
    /// What the caller gets before the answer.
    pub before_answer: BeforeAnswer,
    /// Calls those to whom callers are handed over.
    pub dialer: Dialer,
    /// The trunk that numbers are called by when a caller is handed over; without one they are
    /// called where the call came from.
    pub transfer_trunk: Option<String>,
    /// Protection of the media of those calls.
    pub transfer_srtp: SrtpPolicy,
    /// Where the summary of a call is found, for whoever it is handed over to; `{id}` is the
    /// call's id.
    pub summary_url: Option<String>,
    /// Admission.
    pub permit: Permit,
}

/// A call that came to nothing, or whose record could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The session could not be agreed on; the caller got 488 or 400.
    #[error("session refused: {0}")]
    Session(#[from] SdpError),
    /// No port; the caller got 503.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The media could not be protected as agreed.
    #[error(transparent)]
    Protection(#[from] SrtpError),
    /// A media socket cannot be used.
    #[error("a media socket cannot be used: {0}")]
    Socket(std::io::Error),
    /// Signalling failed.
    #[error(transparent)]
    Signalling(#[from] SipError),
    /// The call's files.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The callee refused.
    #[error("the call was refused: {code} {reason}{}", in_brackets(cause.as_ref()))]
    Refused {
        /// SIP status code.
        code: u16,
        /// Its reason phrase.
        reason: String,
        /// Its Reason header, which may tell the cause of the network behind a gateway.
        cause: Option<Reason>,
    },
    /// The callee rang and rang.
    #[error("no answer within {seconds} s: is a SIP service running there?")]
    NoAnswer {
        /// How long it was given.
        seconds: u64,
    },
    /// Signalling broke.
    #[error("the call broke: {why}")]
    Broken {
        /// What broke.
        why: String,
    },
    /// The caller was gone before the call began.
    #[error("the caller was gone before the call began")]
    Gone,
}

fn in_brackets(cause: Option<&Reason>) -> String {
    cause.map(|cause| format!(" ({cause})")).unwrap_or_default()
}

/// Answers an INVITE and runs the call to its end; returns the disposition. Whatever fails before
/// the answer is also told to the caller, as a SIP rejection.
///
/// # Errors
/// [`CallError`] when the call could not be answered, or its record not be kept.
pub async fn answer<L: Leg>(mut leg: L, setup: Setup) -> Result<String, CallError> {
    let prepared = match prepare(leg.info(), &setup).await {
        Ok(prepared) => prepared,
        Err(error) => {
            leg.reject(rejection(&error)).await?;
            return Err(error);
        }
    };
    let Prepared { archive, header, mut session, rtp, rtcp, peer, started_at } = prepared;
    let facts = header.facts.clone();
    let mut media = match peer {
        Some(peer) => Ok(Media::new(rtp, rtcp, &peer, setup.media)?),
        None => Err((rtp, rtcp)),
    };
    if let Err(unanswered) = lead_in(&mut leg, &setup, &mut session, media.as_mut().ok()).await {
        archive.discard().await;
        return not_answered(unanswered, leg, &setup).await;
    }
    let answered = Instant::now();
    let rang_ms = (OffsetDateTime::now_utc() - started_at).whole_milliseconds().max(0) as u64;
    let acked = media.is_err();
    let media = match media {
        Ok(media) => media,
        Err((rtp, rtcp)) => match answer_in_ack(&mut leg, session.local()).await {
            Ok(peer) => Media::new(rtp, rtcp, &peer, setup.media)?,
            Err(error) => {
                archive.discard().await;
                leg.hang_up(HangUpCause::Failure).await?;
                let end = never_spoken(EndReason::Failed, Some(rang_ms));
                setup.store.finish_call(&setup.id, end, &[]).await?;
                return Err(error);
            }
        },
    };
    let record = Record::new(setup.id.clone(), setup.live.clone());
    setup.live.metrics().answered();
    record.tell(Happening::Answered { dialplan: setup.dialplan.name().to_owned() });
    let transfers = Transfers::new(desk(leg.info(), &setup));
    let is_heard = setup.dialplan.languages().iter().any(|lang| setup.engines.hears(*lang));
    let call = Call {
        media,
        leg,
        session,
        conversation: Conversation::new(
            Machine::new(Arc::clone(&setup.dialplan), facts),
            setup.timing,
        ),
        engines: setup.engines,
        prompts: setup.prompts,
        crm: setup.crm,
        archive,
        record,
        limits: setup.limits,
        clock: CallClock::new(answered),
        hearing: if is_heard { Hearing::new() } else { Hearing::deaf() },
        player: Player::default(),
        jobs: JoinSet::new(),
        transfers,
        recognizing: BTreeMap::new(),
        acked,
        started: false,
        missing: Missing::default(),
        end: None,
    };
    let over = call.run().await;
    let disposition = close(over, rang_ms, &setup.id, &setup.store, &setup.live).await?;
    drop(setup.permit);
    Ok(disposition)
}

/// What comes before the answer, and the answer.
async fn lead_in<L: Leg>(
    leg: &mut L,
    setup: &Setup,
    session: &mut Session,
    media: Option<&mut Media>,
) -> Result<(), Unanswered> {
    let early = media.map(|media| (media, session.described()));
    before_answer(leg, &setup.before_answer, session, early).await?;
    Ok(leg.answer(session.described()).await?)
}

/// The record of a call that was not answered.
async fn not_answered<L: Leg>(
    unanswered: Unanswered,
    mut leg: L,
    setup: &Setup,
) -> Result<String, CallError> {
    let (reason, error) = match unanswered {
        Unanswered::Ended(reason) => (reason, None),
        // The caller was faster.
        Unanswered::Broken(SipError::State { state: "over", .. }) => (EndReason::Cancelled, None),
        Unanswered::Broken(error) => (EndReason::Failed, Some(error)),
    };
    leg.hang_up(reason.cause()).await?;
    setup.store.finish_call(&setup.id, never_spoken(reason, None), &[]).await?;
    error.map_or_else(|| Ok(reason.as_str().to_owned()), |error| Err(error.into()))
}

/// What has to be there before the answer.
struct Prepared {
    archive: Archive,
    header: Header,
    session: Session,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    peer: Option<Negotiated>,
    started_at: OffsetDateTime,
}

async fn prepare(info: &LegInfo, setup: &Setup) -> Result<Prepared, CallError> {
    let (rtp, rtcp) = setup.ports.bind(setup.bind).await?;
    let port = rtp.local_addr().map_err(|_| CallError::Gone)?.port();
    let local = LocalMedia {
        address: info.local_ip,
        port,
        session_id: rand::random::<u32>().into(),
        version: 1,
        security: setup.srtp.security(),
        capabilities: setup.capabilities.clone(),
    };
    let mut session = Session::new(local);
    let peer = match &info.offer {
        Some(offer) => Some(session.answer(offer)?.1),
        None => {
            session.offer();
            None
        }
    };
    let started_at = OffsetDateTime::now_utc();
    let header = Header {
        format: FORMAT,
        hotline: env!("CARGO_PKG_VERSION").to_owned(),
        call: setup.id.clone(),
        dialplan: setup.dialplan.source().clone(),
        facts: CallFacts::new(&info.from_user, &info.to_user, local_now()).in_zones_of(
            &setup.dialplan,
            PrimitiveDateTime::new(started_at.date(), started_at.time()),
        ),
        timing: setup.timing.clone(),
    };
    setup.store.begin_call(new_call(info, setup, started_at)).await?;
    let mut archive = setup.archives.create(&setup.dir, setup.record)?;
    archive.line(journal::line(&header)?);
    Ok(Prepared { archive, header, session, rtp, rtcp, peer, started_at })
}

fn desk(info: &LegInfo, setup: &Setup) -> Desk {
    let mut context = vec![("X-Hotline-Call-Id".to_owned(), setup.id.clone())];
    if let Some(url) = &setup.summary_url {
        context.push(("X-Hotline-Summary".to_owned(), url.replace("{id}", &setup.id)));
    }
    Desk {
        dialer: setup.dialer.clone(),
        ports: Arc::clone(&setup.ports),
        capabilities: setup.capabilities.clone(),
        srtp: setup.transfer_srtp,
        options: setup.media,
        local_ip: info.local_ip,
        remote: info.remote,
        transport: info.transport,
        trunk: setup.transfer_trunk.clone(),
        caller: info.from_user.clone(),
        context,
    }
}

fn new_call(info: &LegInfo, setup: &Setup, started_at: OffsetDateTime) -> NewCall {
    NewCall {
        id: setup.id.clone(),
        direction: CallDirection::Inbound,
        caller: info.from_user.clone(),
        called: info.to_user.clone(),
        sip_call_id: Some(info.call_id.clone()),
        dialplan: setup.dialplan.name().to_owned(),
        dialplan_version: setup.dialplan.version().to_string(),
        dialplan_hash: setup.dialplan.content_hash().to_owned(),
        started_at,
    }
}

/// The wall clock of the machine's time zone: opening hours are the operator's.
pub(crate) fn local_now() -> PrimitiveDateTime {
    let now = jiff::Zoned::now();
    let offset = UtcOffset::from_whole_seconds(now.offset().seconds()).unwrap_or(UtcOffset::UTC);
    let local = OffsetDateTime::now_utc().to_offset(offset);
    PrimitiveDateTime::new(local.date(), local.time())
}

/// What the caller is told when the call cannot be answered.
fn rejection(error: &CallError) -> Rejection {
    let code = match error {
        CallError::Session(SdpError::NoCommonCodec { .. } | SdpError::Security { .. }) => 488,
        CallError::Session(_) => 400,
        CallError::Port(_) | CallError::Archive(_) | CallError::Store(_) => 503,
        _ => 500,
    };
    Rejection { reason: Some(error.to_string()), ..Rejection::code(code) }
}

/// Our 200 OK carried an offer; its answer comes in the ACK.
async fn answer_in_ack<L: Leg>(leg: &mut L, local: &LocalMedia) -> Result<Negotiated, CallError> {
    loop {
        match timeout(ANSWER_IN_ACK, leg.next_event()).await {
            Ok(Some(LegEvent::Confirmed { answer })) => {
                return Ok(sdp::accept(answer.as_deref().unwrap_or_default(), local)?);
            }
            Ok(Some(LegEvent::Ringing | LegEvent::Key { .. } | LegEvent::Reinvite(_))) => {}
            Ok(_) | Err(_) => return Err(CallError::Gone),
        }
    }
}
