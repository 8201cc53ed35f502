//! Being asked by the peer to go elsewhere (RFC 3515).

use rsipstack::{
    dialog::{dialog::TransactionHandle, invite_dialog::InviteDialog},
    sip::{Header, Request, StatusCode},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Driver;
use crate::sip::{LegEvent, Redacted, ReferRequest, Referral, message};

/// How long the peer is told that reports may come.
const REPORTING_S: u32 = 180;

/// The peer's REFERs in one dialog.
#[derive(Default)]
pub(super) struct Referred {
    /// Fires when the latest has come to its end, and another may come.
    settled: Option<CancellationToken>,
    /// How many were accepted for consideration.
    count: u32,
}

impl Driver {
    /// A bot does not let its callers dial at our cost: declined, unless the trunk that the call
    /// came by, or goes by, is allowed to.
    pub(super) async fn on_refer(&mut self, request: &Request, handle: TransactionHandle) {
        let Some(referral) = referral(request) else {
            let _ = handle.reply(StatusCode::BadRequest).await;
            return;
        };
        let busy = self.referred_by_peer.settled.as_ref().is_some_and(|end| !end.is_cancelled());
        if !self.may_refer || busy {
            let to = Redacted(&referral.to);
            tracing::warn!(id = %self.dialog.id(), %to, busy, "603: the peer asks us to go elsewhere");
            let _ = handle.reply(StatusCode::Decline).await;
            return;
        }
        tracing::info!(id = %self.dialog.id(), to = %Redacted(&referral.to), "asked to go elsewhere");
        let (asked, accepted) = ReferRequest::new(referral);
        let silent = message::header(&request.headers, "Refer-Sub")
            .is_some_and(|sub| sub.trim().eq_ignore_ascii_case("false"));
        // The first subscription of a dialog needs no name (section 2.4.6), and old phones know
        // of none.
        self.referred_by_peer.count += 1;
        let event = match self.referred_by_peer.count {
            1 => "refer".to_owned(),
            _ => format!("refer;id={}", message::cseq(request)),
        };
        let settled = CancellationToken::new();
        let under_way = Some(settled.clone().drop_guard());
        let reporter = Reporter { dialog: self.dialog.clone(), event, silent, under_way };
        self.referred_by_peer.settled = Some(settled);
        tokio::spawn(reporter.run(handle, accepted));
        // A holder that does not keep up drops the request: declined.
        self.leg.entry.offer(LegEvent::Refer(asked));
    }
}

/// Where a REFER wants us; `None` when it does not say so in one usable Refer-To.
fn referral(request: &Request) -> Option<Referral> {
    let mut to = request.headers.iter().filter(|h| matches!(h, Header::ReferTo(_)));
    let (Some(only), None) = (to.next(), to.next()) else { return None };
    let mut referral = Referral::parse(only.value())?;
    let by = message::header(&request.headers, "Referred-By");
    referral.headers.extend(by.map(|by| ("Referred-By".to_owned(), by.to_owned())));
    Some(referral)
}

/// Answers one REFER, and reports what comes of it.
struct Reporter {
    dialog: InviteDialog,
    event: String,
    /// The peer wants no reports (RFC 4488).
    silent: bool,
    under_way: Option<DropGuard>,
}

impl Reporter {
    async fn run(
        mut self,
        handle: TransactionHandle,
        accepted: oneshot::Receiver<mpsc::Receiver<u16>>,
    ) {
        let Ok(mut reports) = accepted.await else {
            self.under_way = None;
            let _ = handle.reply(StatusCode::Decline).await;
            return;
        };
        let no_reports = Header::Other("Refer-Sub".into(), "false".into());
        let headers = self.silent.then(|| vec![no_reports]);
        let _ = handle.respond(StatusCode::Accepted, headers, None).await;
        let mut code = 100;
        loop {
            if code >= 200 {
                // Who hears this may ask again at once.
                self.under_way = None;
            }
            if !self.silent {
                self.notify(code).await;
            }
            if code >= 200 {
                return;
            }
            code = reports.recv().await.unwrap_or(503);
        }
    }

    async fn notify(&self, code: u16) {
        let state = match code {
            ..200 => format!("active;expires={REPORTING_S}"),
            _ => "terminated;reason=noresource".to_owned(),
        };
        let headers = vec![
            Header::Event(self.event.clone().into()),
            Header::SubscriptionState(state.into()),
            Header::ContentType("message/sipfrag;version=2.0".into()),
        ];
        let status = StatusCode::from(code);
        let fragment = format!("SIP/2.0 {code} {}\r\n", status.text());
        let sent = self.dialog.notify(Some(headers), Some(fragment.into_bytes())).await;
        if let Err(error) = sent {
            tracing::debug!(id = %self.dialog.id(), %error, "NOTIFY failed");
        }
    }
}
