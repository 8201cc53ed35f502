//! Takes requests from the stack, answers what needs no call, and starts or finds legs.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rsipstack::{
    dialog::{DialogId, dialog::Dialog, invite_dialog::InviteDialog},
    sip::{
        Header, Method, Request, StatusCode,
        headers::{ToTypedHeader, typed},
        prelude::HeadersExt,
    },
    transaction::{TransactionReceiver, transaction::Transaction},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Direction, LegEvent, LegInfo, Reason, Redacted, Replacement, SipLeg, Transport,
    agent::Shared,
    driver::{Driver, InviteOutcome},
    keys, message,
    registry::Entry,
    replaces::replaced_leg,
    session_timer::Terms,
    trunk::Admission,
};

/// For so many times 20 ms a request waits for the end of the INVITE transaction before it.
const SETTLING: u32 = 10;
/// What a peer that we cannot serve now is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(5);

pub(super) async fn run(
    shared: Arc<Shared>,
    mut incoming: TransactionReceiver,
    invites: mpsc::Sender<SipLeg>,
    stop: CancellationToken,
) {
    loop {
        let tx = tokio::select! {
            () = stop.cancelled() => return,
            tx = incoming.recv() => match tx {
                Some(tx) => tx,
                None => return,
            },
        };
        let method = tx.original.method;
        let handled = if message::is_in_dialog(&tx.original) {
            in_dialog(&shared, tx).await
        } else {
            out_of_dialog(&shared, tx, &invites).await
        };
        if let Err(e) = handled {
            // One peer's bad message is no reason to stop; the peer gets no answer and retries.
            tracing::debug!(%method, error = %e, "request not answered");
        }
    }
}

async fn out_of_dialog(
    shared: &Arc<Shared>,
    mut tx: Transaction,
    invites: &mpsc::Sender<SipLeg>,
) -> rsipstack::Result<()> {
    if let Some(unknown) = message::unsupported_extensions(&tx.original) {
        let headers = vec![Header::Unsupported(unknown.into())];
        return tx.reply_with(StatusCode::BadExtension, headers, None).await;
    }
    match tx.original.method {
        Method::Invite => invite(shared, tx, invites).await,
        Method::Options if shared.refusing.load(Ordering::Relaxed) => unavailable(&mut tx).await,
        Method::Options => tx.reply_with(StatusCode::OK, message::capabilities(), None).await,
        Method::Ack => Ok(()),
        m if message::is_allowed(m) => tx.reply(StatusCode::CallTransactionDoesNotExist).await,
        _ => refuse_method(&mut tx).await,
    }
}

async fn invite(
    shared: &Arc<Shared>,
    mut tx: Transaction,
    invites: &mpsc::Sender<SipLeg>,
) -> rsipstack::Result<()> {
    let request = &tx.original;
    if message::has_foreign_body(request) {
        return tx
            .reply_with(StatusCode::UnsupportedMediaType, message::capabilities(), None)
            .await;
    }
    if let Err(too_short) = Terms::of_request(request, &shared.session_timer) {
        let code = StatusCode::SessionIntervalTooSmall;
        return tx.reply_with(code, too_short.headers(), None).await;
    }
    let Some((mut info, from_tag)) = leg_info(shared, &tx) else {
        return tx.reply(StatusCode::BadRequest).await;
    };
    let trunk_place = match shared.trunks.admit(request, info.remote.ip()) {
        Admission::Refused(code, headers) => return tx.reply_with(code, headers, None).await,
        Admission::Admitted(None) => None,
        Admission::Admitted(Some((trunk, place))) => {
            if let Some(user) = shared.trunks.asserted_user(&trunk, request) {
                info.from_user = user;
            }
            info.trunk = Some(trunk);
            Some(place)
        }
    };
    let cseq = message::cseq(request);
    if shared.registry.is_merged(&info.call_id, &from_tag, cseq) {
        return tx.reply(StatusCode::LoopDetected).await;
    }
    let replaced = match replaced_leg(shared, request) {
        Ok(replaced) => replaced,
        Err(code) => return tx.reply(code).await,
    };
    let refusing = shared.refusing.load(Ordering::Relaxed);
    let Some(place) = invites.try_reserve().ok().filter(|_| !refusing) else {
        return unavailable(&mut tx).await;
    };

    let contact = shared.contact_for(info.remote.ip(), info.transport, None);
    let (state_tx, states) = shared.layer.new_dialog_state_channel();
    let dialog = shared.layer.get_or_create_server_invite(&tx, state_tx, None, Some(contact));
    let mut dialog = match dialog {
        Ok(dialog) => dialog,
        // The stack wants a Contact that it can call back.
        Err(_) => return tx.reply(StatusCode::BadRequest).await,
    };
    tracing::info!(
        call_id = %info.call_id, from = %Redacted(&info.from), to = %Redacted(&info.to),
        remote = %info.remote, "incoming call"
    );
    let responder = tx.tu_sender.clone();
    let (mut leg, driver) =
        Driver::inbound(shared, info, dialog.clone(), responder, (from_tag, cseq));
    if let Some(place) = trunk_place {
        leg.hold_place(place);
    }
    let outcome = async move {
        match dialog.handle(&mut tx).await {
            Ok(()) => InviteOutcome::Response(None),
            Err(e) => InviteOutcome::Broken(e.to_string()),
        }
    };
    tokio::spawn(driver.run(states, Box::pin(outcome)));
    match replaced {
        // A holder that does not keep up drops the new leg: 480.
        Some(old) => drop(old.offer(LegEvent::Replaced(Replacement::new(leg)))),
        None => place.send(leg),
    }
    Ok(())
}

async fn in_dialog(shared: &Arc<Shared>, mut tx: Transaction) -> rsipstack::Result<()> {
    let method = tx.original.method;
    if method == Method::Ack {
        return Ok(());
    }
    let Some(Dialog::Invite(dialog)) = shared.layer.match_dialog(&tx) else {
        // A call of ours that is not answered: the stack knows no tag of the callee's yet.
        return match find_leg(shared, &tx) {
            Some(_) if matches!(method, Method::Refer | Method::Notify) => {
                once_up(shared, tx).await
            }
            Some(_) => not_yet(&mut tx).await,
            None => tx.reply(StatusCode::CallTransactionDoesNotExist).await,
        };
    };
    if message::cseq(&tx.original) < dialog.snapshot().remote_cseq {
        // RFC 3261 section 12.2.2: out of order.
        return tx.reply(StatusCode::ServerInternalError).await;
    }
    match method {
        Method::Options => tx.reply_with(StatusCode::OK, message::capabilities(), None).await,
        Method::Info => info(shared, &mut tx).await,
        Method::Bye => {
            if let Some(leg) = find_leg(shared, &tx) {
                leg.set_bye_reason(Reason::of(&tx.original.headers));
                if let (Some(statistics), id) = (leg.statistics(), dialog.id()) {
                    shared.last_words.prepare(&id.call_id, &id.local_tag, statistics);
                }
            }
            hand_to_dialog(shared, dialog, tx).await
        }
        Method::PRack => early(shared, tx).await,
        Method::Invite | Method::Update if !dialog.state().is_confirmed() => {
            early(shared, tx).await
        }
        Method::Refer | Method::Notify if !dialog.state().is_confirmed() => {
            once_up(shared, tx).await
        }
        Method::Invite | Method::Update | Method::Refer | Method::Notify => {
            hand_to_dialog(shared, dialog, tx).await
        }
        _ => refuse_method(&mut tx).await,
    }
}

/// The driver knows what was said before the answer.
async fn early(shared: &Shared, mut tx: Transaction) -> rsipstack::Result<()> {
    let Some(leg) = find_leg(shared, &tx) else {
        return tx.reply(StatusCode::CallTransactionDoesNotExist).await;
    };
    match leg.early(Box::new(tx)) {
        Ok(()) => Ok(()),
        Err(mut tx) => unavailable(&mut tx).await,
    }
}

/// The peer is to try again.
async fn not_yet(tx: &mut Transaction) -> rsipstack::Result<()> {
    let headers = vec![message::retry_after(Duration::from_secs(1))];
    tx.reply_with(StatusCode::ServerInternalError, headers, None).await
}

/// Not before the INVITE is finished. That may be known within a moment: a peer sends its next request
/// as soon as it has our ACK, and may be faster than our own note of having sent it.
async fn once_up(shared: &Arc<Shared>, mut tx: Transaction) -> rsipstack::Result<()> {
    let Ok(place) = shared.open_requests.clone().try_acquire_owned() else {
        return unavailable(&mut tx).await;
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for _ in 0..SETTLING {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Some(Dialog::Invite(dialog)) = shared.layer.match_dialog(&tx)
                && dialog.state().is_confirmed()
            {
                drop(place);
                return hand_to_dialog(&shared, dialog, tx).await;
            }
        }
        not_yet(&mut tx).await
    });
    Ok(())
}

/// Lets the dialog answer, in a task of its own: it waits for its ACK or for us.
async fn hand_to_dialog(
    shared: &Arc<Shared>,
    mut dialog: InviteDialog,
    mut tx: Transaction,
) -> rsipstack::Result<()> {
    let Ok(place) = shared.open_requests.clone().try_acquire_owned() else {
        return unavailable(&mut tx).await;
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Err(e) = dialog.handle(&mut tx).await {
            tracing::debug!(id = %dialog.id(), error = %e, "in-dialog request failed");
        }
        if tx.original.method == Method::Bye {
            let id = dialog.id();
            shared.last_words.forget(&id.call_id, &id.local_tag);
        }
        drop(place);
    });
    Ok(())
}

/// Keys by INFO go straight to the leg, whether its ACK has arrived or not.
async fn info(shared: &Shared, tx: &mut Transaction) -> rsipstack::Result<()> {
    let request = &tx.original;
    if request.body.is_empty() {
        return tx.reply(StatusCode::OK).await;
    }
    let content_type = message::header(&request.headers, "Content-Type").unwrap_or("");
    let body = String::from_utf8_lossy(&request.body);
    let Some((key, duration)) = keys::parse_info(content_type, &body) else {
        return tx
            .reply_with(StatusCode::UnsupportedMediaType, message::capabilities(), None)
            .await;
    };
    match find_leg(shared, tx) {
        Some(leg) if leg.offer(LegEvent::Key { key, duration }) => tx.reply(StatusCode::OK).await,
        Some(_) => unavailable(tx).await,
        None => tx.reply(StatusCode::CallTransactionDoesNotExist).await,
    }
}

fn find_leg(shared: &Shared, tx: &Transaction) -> Option<Arc<Entry>> {
    DialogId::try_from(tx).ok().and_then(|id| shared.registry.find(&id))
}

async fn unavailable(tx: &mut Transaction) -> rsipstack::Result<()> {
    let headers = vec![message::retry_after(RETRY_AFTER)];
    tx.reply_with(StatusCode::ServiceUnavailable, headers, None).await
}

async fn refuse_method(tx: &mut Transaction) -> rsipstack::Result<()> {
    tx.reply_with(StatusCode::MethodNotAllowed, message::capabilities(), None).await
}

/// What the INVITE says, and its From tag; `None` when it lacks what a call needs.
fn leg_info(shared: &Shared, tx: &Transaction) -> Option<(LegInfo, String)> {
    let request: &Request = &tx.original;
    let from: typed::From = request.from_header().ok()?.clone().typed().ok()?;
    let to: typed::To = request.to_header().ok()?.clone().typed().ok()?;
    let from_tag = message::from_tag(request);
    let source = tx.connection.as_ref()?.get_remote_addr()?;
    let remote: SocketAddr = source.get_socketaddr().ok()?;
    if from_tag.is_empty() {
        return None;
    }
    let info = LegInfo {
        call_id: message::header(&request.headers, "Call-ID")?.to_owned(),
        direction: Direction::Inbound,
        from_user: from.uri.user().unwrap_or_default().to_owned(),
        to_user: request.uri.user().unwrap_or_default().to_owned(),
        from: from.uri.to_string(),
        to: to.uri.to_string(),
        remote,
        transport: Transport::of_stack(source.r#type),
        trunk: None,
        local_ip: shared.ip_for(remote.ip()),
        offer: message::sdp_of(request),
    };
    Some((info, from_tag))
}
