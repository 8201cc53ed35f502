//! The session while the call is up: changes asked for by the peer, and its timer (RFC 4028).

use std::{future, time::Duration};

use rsipstack::{
    dialog::dialog::TransactionHandle,
    sip::{Header, Method, Request, Response, StatusCode, StatusCodeKind, prelude::HasHeaders},
};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Driver, change::Offered, outbound::EarlyAnswers};
use crate::sip::{
    Direction, HangUpCause, LegEvent, Reinvite, SipError, message,
    session_timer::{self, Due, SessionTimer, SessionTimerConfig, Terms},
};

/// What is under way in a session.
#[derive(Default)]
pub(super) struct Session {
    timer: Option<SessionTimer>,
    /// Terms of an answer whose ACK is still to come.
    answered: Option<Terms>,
    /// A change of the peer's that is being answered; tells the terms and our new description
    /// once it is accepted.
    change: Option<oneshot::Receiver<Option<(Terms, String)>>>,
    /// A refresh of ours; tells the final response.
    refresh: Option<JoinHandle<Option<Response>>>,
    /// A change of ours that the peer has yet to answer.
    pub(super) offered: Option<Offered>,
    /// When to refresh again, after one of ours met one of the peer's.
    again: Option<Instant>,
    /// Our latest description, to send again with a refresh.
    sdp: String,
    peer_has_update: bool,
    /// What was described before the answer to an outbound call.
    pub(super) early: EarlyAnswers,
}

/// What happened in a session by itself.
pub(super) enum Change {
    /// The peer's change was answered, with these terms and this description when accepted.
    Answered(Option<(Terms, String)>),
    /// A change of ours was answered.
    Changed(Option<Response>),
    /// Our refresh was answered.
    Refreshed(Option<Response>),
    /// A refresh of ours that met a change of the peer's is to be sent again.
    Again,
    /// The timer has something to say.
    Timer,
}

impl Session {
    /// The next thing that happens; never, while nothing is under way. Cancel-safe.
    pub(super) async fn next(&mut self) -> Change {
        tokio::select! {
            accepted = wait(&mut self.change) => {
                self.change = None;
                Change::Answered(accepted.ok().flatten())
            }
            response = wait(&mut self.refresh) => {
                self.refresh = None;
                Change::Refreshed(response.ok().flatten())
            }
            response = offered(&mut self.offered) => Change::Changed(response),
            () = until(self.again) => {
                self.again = None;
                Change::Again
            }
            () = until(self.timer.as_ref().map(SessionTimer::deadline)) => Change::Timer,
        }
    }

    /// The session of an outbound call, which offers `sdp`.
    pub(super) fn outbound(sdp: String) -> Self {
        Self { sdp, ..Self::default() }
    }

    /// An outbound call was answered with `response`.
    pub(super) fn begin_outbound(&mut self, response: &Response, config: &SessionTimerConfig) {
        self.peer_has_update = allows_update(response.headers());
        self.run(Terms::of_response(response, config));
    }

    /// Whether a change or a refresh is under way.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some() || self.refresh.is_some() || self.offered.is_some()
    }

    /// What a request of ours says of the session's length.
    pub(super) fn refresh_headers(&self) -> Vec<Header> {
        self.timer.as_ref().map(|timer| timer.terms().refresh()).unwrap_or_default()
    }

    /// The peer accepted `sdp`, with these terms; one without the extension says nothing of them: they stay.
    pub(super) fn changed(&mut self, sdp: String, terms: Option<Terms>) {
        self.sdp = sdp;
        let before = self.timer.as_ref().map(|timer| *timer.terms());
        self.run(terms.or(before));
    }

    /// The ACK to our answer has come.
    pub(super) fn confirmed(&mut self) {
        let terms = self.answered.take();
        self.run(terms);
    }

    fn run(&mut self, terms: Option<Terms>) {
        self.again = None;
        self.timer = terms.map(|terms| SessionTimer::new(terms, Instant::now()));
    }
}

impl Driver {
    /// Answers an inbound call with 200 OK.
    pub(super) fn accept(&mut self, sdp: String) -> Result<(), SipError> {
        let invite = self.dialog.initial_request();
        self.session.peer_has_update = allows_update(invite.headers());
        let mut headers = message::sdp_headers();
        // Too short a session was refused before the leg began.
        if let Ok(terms) = Terms::of_request(&invite, &self.shared.session_timer) {
            headers.extend(terms.answer());
            self.session.answered = Some(terms);
        }
        self.session.sdp.clone_from(&sdp);
        Ok(self.dialog.accept(Some(headers), Some(sdp.into_bytes()))?)
    }

    /// re-INVITE or UPDATE.
    pub(super) async fn on_session_change(&mut self, request: &Request, handle: TransactionHandle) {
        if self.session.change.is_some() {
            // RFC 3261 section 14.2: the one before is not answered yet.
            let headers = vec![message::retry_after(Duration::from_secs(2))];
            let _ = handle.respond(StatusCode::ServerInternalError, Some(headers), None).await;
            return;
        }
        if self.session.refresh.is_some() || self.session.offered.is_some() {
            // Ours is under way: the peer tries again later (section 14.2).
            let _ = handle.reply(StatusCode::RequestPending).await;
            return;
        }
        let terms = match Terms::of_request(request, &self.shared.session_timer) {
            Ok(terms) => terms,
            Err(too_short) => {
                let code = StatusCode::SessionIntervalTooSmall;
                let _ = handle.respond(code, Some(too_short.headers()), None).await;
                return;
            }
        };
        let offer = message::sdp_of(request);
        if offer.is_none() && request.method == Method::Update {
            // A session refresh that changes nothing.
            let _ = handle.respond(StatusCode::OK, Some(terms.answer()), None).await;
            return self.session.run(Some(terms));
        }
        let (reply, answer) = oneshot::channel();
        let (done, change) = oneshot::channel();
        self.session.change = Some(change);
        tokio::spawn(async move {
            let answer = answer.await.unwrap_or(Err(488));
            let accepted = answer.clone().ok().map(|sdp| (terms, sdp));
            answer_session_change(&handle, answer, &terms).await;
            let _ = done.send(accepted);
        });
        // When the holder does not keep up, the refused event drops `reply`: 488.
        self.leg.entry.offer(LegEvent::Reinvite(Reinvite::new(offer, reply)));
    }

    pub(super) async fn on_session(&mut self, change: Change) {
        match change {
            Change::Answered(Some((terms, sdp))) => {
                self.session.sdp = sdp;
                self.session.run(Some(terms));
            }
            Change::Answered(None) => {}
            Change::Changed(response) => self.on_changed(response).await,
            Change::Refreshed(response) => self.on_refreshed(response).await,
            // The peer's own change has refreshed the session meanwhile, or is under way.
            Change::Again if self.session.is_changing() => self.again(),
            Change::Again => self.refresh(),
            Change::Timer => {
                let timer = self.session.timer.as_mut();
                match timer.and_then(|timer| timer.due(Instant::now())) {
                    // A change of ours refreshes the session as well.
                    Some(Due::Refresh) if self.session.offered.is_some() => self.again(),
                    Some(Due::Refresh) => self.refresh(),
                    Some(Due::End) => self.expired("the session was not refreshed in time").await,
                    None => {}
                }
            }
        }
    }

    fn refresh(&mut self) {
        let Some(timer) = &self.session.timer else { return };
        let mut headers = timer.terms().refresh();
        let (dialog, sdp) = (self.dialog.clone(), self.session.sdp.clone());
        let update = self.session.peer_has_update;
        tracing::debug!(id = %dialog.id(), update, "refreshing the session");
        self.session.refresh = Some(tokio::spawn(async move {
            let sent = if update {
                dialog.update(Some(headers), None).await
            } else {
                headers.extend(message::sdp_headers());
                dialog.reinvite(Some(headers), Some(sdp.into_bytes())).await
            };
            sent.inspect_err(|e| tracing::debug!(error = %e, "session refresh failed"))
                .ok()
                .flatten()
        }));
    }

    async fn on_refreshed(&mut self, response: Option<Response>) {
        let Some(response) = response else { return };
        match response.status_code.kind() {
            StatusCodeKind::Successful => {
                let terms = Terms::of_response(&response, &self.shared.session_timer);
                let before = self.session.timer.as_ref().map(|timer| *timer.terms());
                // A peer without the extension says nothing of it: the terms stay.
                self.session.run(terms.or(before));
            }
            // Both changed the session at once (RFC 3261 section 14.1).
            _ if response.status_code.code() == 491 => self.again(),
            _ if self.raise(&response) => self.refresh(),
            _ if matches!(response.status_code.code(), 408 | 481) => {
                self.expired("the peer no longer knows the call").await;
            }
            // The peer could not now; without another refresh the timer ends the call.
            _ => {}
        }
    }

    fn again(&mut self) {
        self.session.again = Some(Instant::now() + glare_wait(self.direction));
    }

    /// Whether the peer wants longer sessions than we asked for.
    fn raise(&mut self, response: &Response) -> bool {
        let Some(timer) = &mut self.session.timer else { return false };
        let raised = session_timer::too_short(response).and_then(|min| timer.terms().raised(min));
        raised.map(|terms| timer.change(terms)).is_some()
    }

    pub(super) async fn expired(&mut self, why: &str) {
        tracing::info!(id = %self.dialog.id(), why, "session expired");
        self.leg.entry.finish(Some(LegEvent::Failed { why: why.to_owned() }));
        self.end(HangUpCause::SessionExpired).await;
    }
}

async fn answer_session_change(
    handle: &TransactionHandle,
    answer: Result<String, u16>,
    terms: &Terms,
) {
    // The stack answers by itself when the handle is too late.
    let _ = match answer {
        Ok(sdp) => {
            let headers = [message::sdp_headers(), terms.answer()].concat();
            handle.respond(StatusCode::OK, Some(headers), Some(sdp.into_bytes())).await
        }
        Err(code) => handle.reply(code.clamp(400, 699).into()).await,
    };
}

/// How long to wait after 491: those who made the Call-ID wait longer than those who did not
/// (RFC 3261 section 14.1).
fn glare_wait(direction: Direction) -> Duration {
    let hundredths = match direction {
        Direction::Outbound => rand::random_range(210..=400),
        Direction::Inbound => rand::random_range(0..=200),
    };
    Duration::from_millis(10 * hundredths)
}

/// What the peer answers to our change; never, without one.
async fn offered(offered: &mut Option<Offered>) -> Option<Response> {
    match offered {
        Some(offered) => offered.answered().await,
        None => future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}

fn allows_update(headers: &rsipstack::sip::Headers) -> bool {
    message::header(headers, "Allow")
        .is_some_and(|allow| allow.split(',').any(|m| m.trim().eq_ignore_ascii_case("UPDATE")))
}

/// What `task` gives; never, without one.
pub(super) async fn wait<F: Future + Unpin>(task: &mut Option<F>) -> F::Output {
    match task {
        Some(task) => task.await,
        None => future::pending().await,
    }
}
