//! From an INVITE to a running call, and from its end to the store.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout},
};

use super::{
    ArchiveWriter, CallError, EndReason, Engines, Limits, MediaOptions, PortRange, ScreenPop,
    SrtpPolicy,
    archive::Archive,
    control::{CallState, Calls},
    early::{BeforeAnswer, Unanswered, before_answer},
    ending::{close, never_spoken},
    error::rejection,
    live::{Happening, Live},
    media::Media,
    parties::Parties,
    record::Record,
    session::Session,
    transfer::Desk,
    up::{Up, call},
};
use crate::{
    audio::{Hz8k, Pcm},
    conversation::{
        Timing,
        journal::{self, Header},
    },
    crm::Crm,
    dialplan::Dialplan,
    llm::Llm,
    sdp::{Capabilities, LocalMedia, Negotiated},
    sip::{Dialer, HangUpCause, Leg, LegEvent, LegInfo, Permit, SipError},
    speech::prompts::Prompts,
    store::Store,
};

/// How long the caller may take to answer our offer in its ACK.
const ANSWER_IN_ACK: Duration = Duration::from_secs(10);

/// What a call is made with. The permit is held until the call is over.
pub struct Setup {
    /// The call's id.
    pub id: String,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// The running calls, among which it is until it is over.
    pub calls: Calls,
    /// What answers.
    pub dialplan: Arc<Dialplan>,
    /// Recognition, and the queue of inference.
    pub engines: Arc<Engines>,
    /// The dialplan's prompts in its voices.
    pub prompts: Arc<Prompts>,
    /// Answers what dialplans ask as tools.
    pub crm: Crm,
    /// Speaks where a dialplan lets a language model speak.
    pub llm: Llm,
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
    /// What callers hear while we hold them; silence without it.
    pub hold_music: Option<Arc<Pcm<Hz8k>>>,
    /// Who is told of a caller before they are handed over.
    pub screen_pop: Option<Arc<dyn ScreenPop>>,
    /// Admission.
    pub permit: Permit,
    /// Admission among the calls of its tenant, where those are counted.
    pub tenant_permit: Option<Permit>,
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
    let parties = Parties::inbound(leg.info());
    let mut seat = setup.calls.enter(parties.status(&setup, started_at));
    let mut record = Record::new(&setup);
    record.tell(parties.started(&setup));
    let mut media = match peer {
        Some(peer) => Ok(Media::new(rtp, rtcp, &peer, setup.media)?),
        None => Err((rtp, rtcp)),
    };
    let answering = lead_in(&mut leg, &setup, &mut session, media.as_mut().ok());
    let led_in = tokio::select! {
        led_in = answering => led_in,
        () = seat.told_to_end() => Err(Unanswered::Ended(EndReason::Ordered)),
    };
    if let Err(unanswered) = led_in {
        archive.discard().await;
        return not_answered(unanswered, leg, &setup, &record).await;
    }
    let answered = Instant::now();
    let rang_ms = (OffsetDateTime::now_utc() - started_at).whole_milliseconds().max(0) as u64;
    let acked = media.is_err();
    let media = match media {
        Ok(media) => media,
        Err((rtp, rtcp)) => match answer_in_ack(&mut leg, &mut session).await {
            Ok(peer) => Media::new(rtp, rtcp, &peer, setup.media)?,
            Err(error) => {
                archive.discard().await;
                leg.hang_up(HangUpCause::Failure).await?;
                let failed = EndReason::Failed;
                let end = never_spoken(failed, Some(rang_ms));
                setup.store.finish_call(&setup.id, end, &[]).await?;
                record.tell(Happening::ended(failed.as_str(), failed.as_str()));
                return Err(error);
            }
        },
    };
    setup.live.metrics().answered();
    record.answered(setup.dialplan.name(), rang_ms);
    seat.state(CallState::Talking);
    let line = desk(leg.info(), &setup, &leg.info().from_user);
    let up = Up { media, session, archive, record, parties, facts, line, seat, acked, answered };
    let over = call(leg, &setup, up).run().await;
    let disposition = close(over, rang_ms, &setup).await?;
    drop((setup.permit, setup.tenant_permit));
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
    record: &Record,
) -> Result<String, CallError> {
    let (reason, error) = match unanswered {
        Unanswered::Ended(reason) => (reason, None),
        // The caller was faster.
        Unanswered::Broken(SipError::State { state: "over", .. }) => (EndReason::Cancelled, None),
        Unanswered::Broken(error) => (EndReason::Failed, Some(error)),
    };
    leg.hang_up(reason.cause()).await?;
    setup.store.finish_call(&setup.id, never_spoken(reason, None), &[]).await?;
    record.tell(Happening::ended(reason.as_str(), reason.as_str()));
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
    let parties = Parties::inbound(info);
    let header = parties.header(setup, BTreeMap::new());
    setup.store.begin_call(parties.row(setup, Some(info.call_id.clone()), started_at)).await?;
    let mut archive = setup.archives.create(&setup.dir, setup.record).await?;
    archive.line(journal::line(&header)?);
    Ok(Prepared { archive, header, session, rtp, rtcp, peer, started_at })
}

/// What second legs of a call are made with; `other` is the number of whom we talk to.
pub(super) fn desk(info: &LegInfo, setup: &Setup, other: &str) -> Desk {
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
        caller: other.to_owned(),
        caller_id: None,
        context,
    }
}

/// The wall clock of the machine's time zone: opening hours are the operator's.
pub(crate) fn local_now() -> PrimitiveDateTime {
    let now = jiff::Zoned::now();
    let offset = UtcOffset::from_whole_seconds(now.offset().seconds()).unwrap_or(UtcOffset::UTC);
    let local = OffsetDateTime::now_utc().to_offset(offset);
    PrimitiveDateTime::new(local.date(), local.time())
}

/// Our 200 OK carried an offer; its answer comes in the ACK.
async fn answer_in_ack<L: Leg>(
    leg: &mut L,
    session: &mut Session,
) -> Result<Negotiated, CallError> {
    loop {
        match timeout(ANSWER_IN_ACK, leg.next_event()).await {
            Ok(Some(LegEvent::Confirmed { answer })) => {
                return Ok(session.accept(answer.as_deref().unwrap_or_default())?);
            }
            Ok(Some(LegEvent::Ringing | LegEvent::Key { .. } | LegEvent::Reinvite(_))) => {}
            Ok(_) | Err(_) => return Err(CallError::Gone),
        }
    }
}
