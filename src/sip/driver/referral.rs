//! Sending the peer elsewhere by REFER (RFC 3515).

use std::{future, time::Duration};

use rsipstack::{
    dialog::dialog::TransactionHandle,
    sip::{Header, Request, Response, StatusCode, StatusCodeKind, headers::ReferTo},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Driver, Phase, session::wait};
use crate::sip::{
    LegEvent, Redacted, ReferProgress, SipError, message,
    refer::{Referral, sipfrag_status},
};

/// Silence after the REFER, or between the reports, after which none is waited for.
const FIRST_REPORT: Duration = Duration::from_secs(32);
const NEXT_REPORT: Duration = Duration::from_secs(180);

/// A REFER of ours and the reports that follow it.
#[derive(Default)]
pub(super) struct Referring {
    sent: Option<JoinHandle<Option<Response>>>,
    /// Reports are taken until then.
    until: Option<Instant>,
}

/// What happened to it by itself.
pub(super) enum Happened {
    /// The REFER was answered; without a response it could not be sent.
    Answered(Option<Response>),
    /// No report came in time.
    Silent,
}

impl Referring {
    /// The next thing that happens; never, while nothing is under way. Cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        tokio::select! {
            response = wait(&mut self.sent) => {
                self.sent = None;
                Happened::Answered(response.ok().flatten())
            }
            () = async { match self.until {
                Some(until) => sleep_until(until).await,
                None => future::pending().await,
            }} => Happened::Silent,
        }
    }
}

impl Driver {
    /// Sends a REFER; what comes of it are events.
    pub(super) fn refer(&mut self, referral: Referral) -> Result<(), SipError> {
        let state = match self.phase {
            Phase::Up if self.referring.until.is_none() => None,
            Phase::Up => Some("being referred already"),
            phase => Some(phase.name()),
        };
        if let Some(state) = state {
            return Err(SipError::State { action: "refer", state });
        }
        tracing::info!(id = %self.dialog.id(), to = %Redacted(&referral.to), "REFER");
        let refer_to = ReferTo::new(referral.refer_to());
        let headers = referral.headers.into_iter().map(|(k, v)| Header::Other(k, v)).collect();
        let dialog = self.dialog.clone();
        // Reports may overtake the answer (RFC 3515 section 2.4.4): they are taken from now on.
        self.referring.until = Some(Instant::now() + FIRST_REPORT);
        self.referring.sent = Some(tokio::spawn(async move {
            let sent = dialog.refer(refer_to, Some(headers), None).await;
            sent.inspect_err(|e| tracing::debug!(error = %e, "REFER failed")).ok().flatten()
        }));
        Ok(())
    }

    pub(super) fn on_referring(&mut self, happened: Happened) {
        match happened {
            Happened::Silent => self.referred(ReferProgress::Unknown),
            // The last report was faster.
            Happened::Answered(_) if self.referring.until.is_none() => {}
            Happened::Answered(None) => self.referred(ReferProgress::Refused(408)),
            Happened::Answered(Some(response)) => {
                if response.status_code.kind() != StatusCodeKind::Successful {
                    self.referred(ReferProgress::Refused(response.status_code.code()));
                } else if message::header(&response.headers, "Refer-Sub")
                    .is_some_and(|sub| sub.trim().eq_ignore_ascii_case("false"))
                {
                    // RFC 4488: no reports will come.
                    self.referred(ReferProgress::Unknown);
                }
            }
        }
    }

    /// NOTIFY: a report on our REFER, or nothing that we asked for.
    pub(super) async fn on_notify(&mut self, request: &Request, handle: TransactionHandle) {
        let value = |name, short| {
            let headers = &request.headers;
            message::header(headers, name).or_else(|| message::header(headers, short))
        };
        let event = value("Event", "o").unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim();
        let code = match (package.eq_ignore_ascii_case("refer"), self.referring.until) {
            (false, _) => 489.into(),
            (true, None) => StatusCode::CallTransactionDoesNotExist,
            (true, Some(_)) => StatusCode::OK,
        };
        let known = code == StatusCode::OK;
        let _ = handle.reply(code).await;
        if !known {
            return;
        }
        let state = message::header(&request.headers, "Subscription-State").unwrap_or_default();
        let ended = state.trim_start().to_ascii_lowercase().starts_with("terminated");
        match sipfrag_status(&request.body) {
            Some(code) if code >= 200 => self.referred(ReferProgress::Done(code)),
            _ if ended => self.referred(ReferProgress::Unknown),
            Some(code) => {
                self.referring.until = Some(Instant::now() + NEXT_REPORT);
                self.leg.entry.offer(LegEvent::Referred(ReferProgress::Trying(code)));
            }
            None => {}
        }
    }

    fn referred(&mut self, last: ReferProgress) {
        self.referring.until = None;
        self.leg.entry.emit(LegEvent::Referred(last));
    }
}
