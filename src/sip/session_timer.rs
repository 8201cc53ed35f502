//! Session timers (RFC 4028): a session that nobody refreshes ends, so that a call whose peer has
//! vanished does not stay up for ever. Pure: the time is passed in.

use std::time::Duration;

use rsipstack::sip::{Header, Headers, Request, Response, prelude::HasHeaders};
use tokio::time::Instant;

use super::message;

/// What we ask of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimerConfig {
    /// How long a session lasts without a refresh, when the peer does not want it shorter.
    pub expires: Duration,
    /// The shortest that we agree to; the RFC allows no less than 90 s.
    pub min: Duration,
}

impl Default for SessionTimerConfig {
    /// 30 minutes, as the RFC recommends, and 90 s.
    fn default() -> Self {
        Self { expires: Duration::from_secs(1_800), min: Duration::from_secs(90) }
    }
}

/// A peer's minimum above this would leave the session without a timer in effect: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// No session may be shorter (section 4), whoever asks for it.
const LEAST: Duration = Duration::from_secs(90);

/// What two sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    expires: Duration,
    we_refresh: bool,
    peer_knows: bool,
    /// The shortest session that the peer or a proxy has told us.
    floor: Option<Duration>,
}

/// The peer wants a session shorter than we allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooShort {
    min: Duration,
}

impl TooShort {
    /// Headers of the 422 response.
    pub(super) fn headers(self) -> Vec<Header> {
        vec![min_se(self.min)]
    }
}

impl Terms {
    /// The terms of our answer to `request`, an INVITE or UPDATE. A peer that does not know the
    /// extension leaves the refreshing to us.
    pub(super) fn of_request(
        request: &Request,
        config: &SessionTimerConfig,
    ) -> Result<Self, TooShort> {
        let headers = request.headers();
        let peer_knows = message::lists(headers, "Supported", "timer")
            || message::lists(headers, "Require", "timer");
        let asked = expires(headers);
        let expires = match asked {
            Some((seconds, _)) if seconds < config.min && peer_knows => {
                return Err(TooShort { min: config.min });
            }
            // What a proxy has asked for may not be raised (section 9).
            Some((seconds, _)) => seconds.max(LEAST.min(config.min)).min(config.expires),
            None => config.expires,
        };
        let floor = seconds(headers, "Min-SE").unwrap_or_default().min(LONGEST);
        let we_refresh = match asked.and_then(|(_, refresher)| refresher) {
            Some(Refresher::Uas) => true,
            Some(Refresher::Uac) | None => !peer_knows,
        };
        Ok(Self { expires: expires.max(floor), we_refresh, peer_knows, floor: None })
    }

    /// The terms that `response`, a 2xx to our INVITE or UPDATE, sets; `None` for no timer.
    /// A peer that sets less than our minimum, which it has been told, gets the minimum.
    pub(super) fn of_response(response: &Response, config: &SessionTimerConfig) -> Option<Self> {
        let (expires, refresher) = expires(response.headers())?;
        let we_refresh = refresher != Some(Refresher::Uas);
        Some(Self { expires: expires.max(config.min), we_refresh, peer_knows: true, floor: None })
    }

    /// Headers of our 2xx.
    pub(super) fn answer(&self) -> Vec<Header> {
        let refresher = if self.we_refresh { Refresher::Uas } else { Refresher::Uac };
        let mut headers = vec![supported(), session_expires(self.expires, Some(refresher))];
        if self.peer_knows {
            headers.push(Header::Require("timer".into()));
        }
        headers
    }

    /// Headers of a request of ours that refreshes the session.
    pub(super) fn refresh(&self) -> Vec<Header> {
        let refresher = self.we_refresh.then_some(Refresher::Uac);
        let mut headers = vec![supported(), session_expires(self.expires, refresher)];
        headers.extend(self.floor.map(min_se));
        headers
    }

    /// Sessions must last `floor` at least; `None` when they did already.
    pub(super) fn raised(self, floor: Duration) -> Option<Self> {
        let raised = Self { expires: self.expires.max(floor), floor: Some(floor), ..self };
        (self.floor != raised.floor).then_some(raised)
    }
}

/// Headers of an INVITE of ours, after one that was refused because sessions must last `floor`.
pub(super) fn offer(config: &SessionTimerConfig, floor: Duration) -> Vec<Header> {
    vec![
        supported(),
        session_expires(config.expires.max(floor), None),
        min_se(config.min.max(floor)),
    ]
}

/// The shortest session that a peer allows who refused ours with 422 (section 7.4); `None` for
/// other responses, and for one that is unreasonable.
pub(super) fn too_short(response: &Response) -> Option<Duration> {
    let refused = response.status_code.code() == 422;
    seconds(response.headers(), "Min-SE").filter(|min| refused && *min <= LONGEST)
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Refresh the session.
    Refresh,
    /// End it: no refresh came, or ours did not get through.
    End,
}

/// The timer of one session.
#[derive(Debug)]
pub(super) struct SessionTimer {
    terms: Terms,
    refreshed: Instant,
    refreshing: bool,
}

impl SessionTimer {
    /// Runs from `now`, when the session was set up or refreshed.
    pub(super) fn new(terms: Terms, now: Instant) -> Self {
        Self { terms, refreshed: now, refreshing: false }
    }

    /// What it runs by.
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// From now on it runs by these; the refresh that is under way is to be sent again.
    pub(super) fn change(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// When [`due`](Self::due) is to be asked next.
    pub(super) fn deadline(&self) -> Instant {
        if self.terms.we_refresh && !self.refreshing {
            self.refreshed + self.terms.expires / 2
        } else {
            self.end()
        }
    }

    /// What is due at `now`; each refresh is said once.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        if now >= self.end() {
            return Some(Due::End);
        }
        if now < self.deadline() || self.refreshing || !self.terms.we_refresh {
            return None;
        }
        self.refreshing = true;
        Some(Due::Refresh)
    }

    /// The end comes before the expiry, so that the BYE is not crossed by the peer's.
    fn end(&self) -> Instant {
        let expires = self.terms.expires;
        self.refreshed + expires - (expires / 3).min(Duration::from_secs(32))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

/// The value of Session-Expires, or of its compact form `x`.
fn expires(headers: &Headers) -> Option<(Duration, Option<Refresher>)> {
    let value = message::header(headers, "Session-Expires").or(message::header(headers, "x"))?;
    let mut parts = value.split(';').map(str::trim);
    let seconds = parts.next()?.parse::<u32>().ok()?;
    let refresher = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is = |wanted: &str| value.trim().eq_ignore_ascii_case(wanted);
        match name.trim().eq_ignore_ascii_case("refresher") {
            true if is("uac") => Some(Refresher::Uac),
            true if is("uas") => Some(Refresher::Uas),
            _ => None,
        }
    });
    Some((Duration::from_secs(seconds.into()), refresher))
}

fn seconds(headers: &Headers, name: &str) -> Option<Duration> {
    let value = message::header(headers, name)?.split(';').next()?.trim();
    value.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()))
}

fn supported() -> Header {
    Header::Supported("replaces, timer".into())
}

fn min_se(min: Duration) -> Header {
    Header::MinSE(min.as_secs().to_string().into())
}

fn session_expires(expires: Duration, refresher: Option<Refresher>) -> Header {
    let refresher = match refresher {
        Some(Refresher::Uac) => ";refresher=uac",
        Some(Refresher::Uas) => ";refresher=uas",
        None => "",
    };
    Header::SessionExpires(format!("{}{refresher}", expires.as_secs()).into())
}

#[cfg(test)]
mod tests;
