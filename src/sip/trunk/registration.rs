//! Being registered with a trunk, so that it knows where to send calls (RFC 3261 section 10).

use std::{sync::Arc, time::Duration};

use rsipstack::sip::{Header, Method, Response, StatusCodeKind, Uri};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{RegisterConfig, Trunk, TrunkTarget, wrong};
use crate::sip::{
    SipError,
    agent::Shared,
    dial, message,
    request::{self, Outside},
};

/// A registrar that does not answer within this is passed over.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Registers, refreshes, and takes the registration back on `leave`.
pub(super) async fn run(
    shared: Arc<Shared>,
    trunk: Arc<Trunk>,
    config: RegisterConfig,
    leave: CancellationToken,
) {
    let mut registering = Registering::new(&config);
    let mut sender = Sender { shared, trunk, account: config.account, cseq: 0, call_id: call_id() };
    loop {
        let outcome = sender.register(registering.asked).await;
        let Next { registered, after, problem } = registering.next(outcome.as_ref());
        sender.tell(registered, &problem);
        // Clients that were cut off together shall not come back together.
        let after = after.mul_f64(rand::random_range(0.9..=1.0));
        tokio::select! {
            () = leave.cancelled() => break,
            () = sleep(after) => {}
        }
    }
    if registering.is_registered {
        // The registrar forgets us anyway; this only makes it sooner.
        let _ = sender.register(Duration::ZERO).await;
    }
}

/// A registration that was made by hand, to be taken back by hand.
pub struct Registration {
    sender: Sender,
    granted: Duration,
}

impl Registration {
    /// How long the registrar keeps it.
    pub fn granted(&self) -> Duration {
        self.granted
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`SipError::Trunk`] when the registrar refuses, else why it cannot be reached.
    pub async fn take_back(mut self) -> Result<(), SipError> {
        let response = self.sender.register(Duration::ZERO).await?;
        match response.status_code.kind() {
            StatusCodeKind::Successful => Ok(()),
            _ => Err(wrong(
                &self.sender.trunk.config.name,
                format!("the registration was not taken back: {}", response.status_code),
            )),
        }
    }
}

/// Registers with `trunk` now, and once; `None` when it has no account to register.
///
/// # Errors
/// [`SipError::Trunk`] with what the registrar answered, else why it cannot be reached.
pub(super) async fn once(
    shared: Arc<Shared>,
    trunk: Arc<Trunk>,
) -> Result<Option<Registration>, SipError> {
    let Some(config) = trunk.config.register.clone() else { return Ok(None) };
    let mut registering = Registering::new(&config);
    let mut sender = Sender { shared, trunk, account: config.account, cseq: 0, call_id: call_id() };
    loop {
        let response = sender.register(registering.asked).await?;
        let next = registering.next(Ok(&response));
        if next.registered {
            let granted = granted(&response).unwrap_or(registering.asked);
            return Ok(Some(Registration { sender, granted }));
        }
        // A registrar that only wants longer registrations is asked again at once.
        if !next.after.is_zero() {
            return Err(wrong(&sender.trunk.config.name, next.problem));
        }
    }
}

fn call_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Decides when to register again.
struct Registering {
    asked: Duration,
    failures: u32,
    is_registered: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Next {
    registered: bool,
    after: Duration,
    problem: String,
}

impl Registering {
    fn new(config: &RegisterConfig) -> Self {
        Self { asked: config.expires, failures: 0, is_registered: false }
    }

    fn next(&mut self, outcome: Result<&Response, &SipError>) -> Next {
        let problem = match outcome {
            Ok(response) if response.status_code.kind() == StatusCodeKind::Successful => {
                (self.failures, self.is_registered) = (0, true);
                let granted = granted(response).unwrap_or(self.asked);
                // Early enough for a few tries before it ends.
                let after = (granted * 3 / 4).max(Duration::from_secs(1));
                return Next { registered: true, after, problem: String::new() };
            }
            Ok(response) if response.status_code.code() == 423 && self.failures < 3 => {
                if let Some(min) = seconds(response, "Min-Expires").filter(|m| *m > self.asked) {
                    (self.asked, self.failures) = (min, self.failures + 1);
                    let problem = "the registration was too short".to_owned();
                    return Next { registered: self.is_registered, after: Duration::ZERO, problem };
                }
                "423 Interval Too Brief without Min-Expires".to_owned()
            }
            Ok(response) => {
                let code = response.status_code.code();
                let hint = match code {
                    401 | 403 | 407 => ": check the account's user name and password",
                    404 => ": check the account's name",
                    _ => "",
                };
                format!("{code} {}{hint}", response.status_code.text())
            }
            Err(error) => error.to_string(),
        };
        self.is_registered = false;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures += 1;
        let told = outcome.ok().and_then(|response| seconds(response, "Retry-After"));
        let after = told.unwrap_or(pause).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        Next { registered: false, after, problem }
    }
}

/// How long the registrar keeps the registration: what it says of our contact, else of all.
fn granted(response: &Response) -> Option<Duration> {
    let contact = message::header(&response.headers, "Contact");
    let own = contact.and_then(|value| {
        let after = &value[value.to_ascii_lowercase().find("expires=")? + "expires=".len()..];
        after.split([';', ',', ' ', '>']).next()?.parse().ok()
    });
    own.map(Duration::from_secs).or_else(|| seconds(response, "Expires"))
}

fn seconds(response: &Response, header: &str) -> Option<Duration> {
    let value = message::header(&response.headers, header)?;
    value.split([';', '(', ' ']).next()?.trim().parse().ok().map(Duration::from_secs)
}

/// Sends REGISTERs of one registration: one Call-ID, rising CSeq numbers.
struct Sender {
    shared: Arc<Shared>,
    trunk: Arc<Trunk>,
    account: String,
    cseq: u32,
    call_id: String,
}

impl Sender {
    /// Registers with the first target that answers.
    async fn register(&mut self, expires: Duration) -> Result<Response, SipError> {
        let account = dial::parse(&self.account)?;
        let trunk = self.trunk.clone();
        let mut failed = None;
        for target in trunk.best_first() {
            match self.register_at(target, &account, expires).await {
                Ok(response) if response.status_code.code() != 503 => return Ok(response),
                Ok(_) => failed = Some(wrong(&trunk.config.name, "503 Service Unavailable")),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(SipError::Closed))
    }

    async fn register_at(
        &mut self,
        target: &TrunkTarget,
        account: &Uri,
        expires: Duration,
    ) -> Result<Response, SipError> {
        let shared = &self.shared;
        let addresses = shared.resolver.resolve(&target.uri).await?;
        let address = addresses.first().ok_or(SipError::Closed)?;
        let (transport, peer) = (address.transport, address.addr);
        let connector = &shared.connector;
        let own = connector.ensure(&shared.endpoint, transport, peer, &address.host).await?;
        let contact =
            Uri { auth: account.auth.clone(), ..shared.contact_for(peer.ip(), transport, own) };
        let registrar = Uri { auth: None, ..account.clone() };
        let request = Outside {
            method: Method::Register,
            uri: registrar,
            from: account.clone(),
            to: account.clone(),
            headers: vec![
                Header::Contact(format!("<{contact}>").into()),
                Header::Expires(expires.as_secs().to_string().into()),
                Header::Allow(message::ALLOW.into()),
            ],
            credentials: self.trunk.config.credentials.clone(),
            call_id: Some(self.call_id.clone()),
            cseq: self.cseq + 1,
        };
        // Even a request without an answer has used its number, and one more for a challenge.
        self.cseq += 2;
        let (response, cseq) = request::send(shared, request, address, ANSWER_WITHIN).await?;
        self.cseq = self.cseq.max(cseq);
        Ok(response)
    }

    fn tell(&self, registered: bool, problem: &str) {
        let was = *super::lock(&self.trunk.registered) == Some(true);
        self.trunk.set_registered(registered);
        let trunk = &self.trunk.config.name;
        match (was, registered) {
            (false, true) => tracing::info!(%trunk, "registered"),
            (_, false) => tracing::warn!(%trunk, problem, "not registered"),
            (true, true) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(code: u16, headers: &str) -> Response {
        let text = format!(
            "SIP/2.0 {code} X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:a@192.0.2.1>;tag=2\r\nCall-ID: 1\r\n\
             CSeq: 1 REGISTER\r\n{headers}\r\n"
        );
        Response::try_from(text.as_str()).unwrap()
    }

    fn registering() -> Registering {
        let expires = Duration::from_secs(600);
        Registering::new(&RegisterConfig { account: "sip:a@b".to_owned(), expires })
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_registration_is_refreshed_at_three_quarters_of_what_was_granted() {
        for (headers, after) in [
            ("Contact: <sip:a@192.0.2.1:5060>;expires=120\r\nExpires: 300\r\n", 90),
            ("Expires: 300\r\n", 225),
            ("", 450),
            ("Expires: 0\r\n", 1),
        ] {
            let next = registering().next(Ok(&response(200, headers)));
            assert!(next.registered);
            let floor = if after == 1 { secs(1) } else { secs(after) };
            assert_eq!(next.after, floor, "{headers}");
        }
    }

    #[test]
    fn failures_are_tried_again_at_growing_intervals_up_to_five_minutes() {
        let mut registering = registering();
        let pauses: Vec<u64> =
            (0..8).map(|_| registering.next(Err(&SipError::Closed)).after.as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!(registering.next(Ok(&response(200, ""))).registered);
        assert_eq!(registering.next(Err(&SipError::Closed)).after, secs(5), "counted anew");
    }

    #[test]
    fn a_registrar_that_wants_longer_registrations_gets_them() {
        let mut registering = registering();
        let next = registering.next(Ok(&response(423, "Min-Expires: 3600\r\n")));
        assert_eq!((next.after, registering.asked), (Duration::ZERO, secs(3_600)));
        let next = registering.next(Ok(&response(423, "")));
        assert!(next.after >= FIRST_PAUSE, "no loop with a registrar that does not say how long");
    }

    #[test]
    fn a_wrong_password_is_told_and_tried_again_with_patience() {
        let next = registering().next(Ok(&response(403, "")));
        assert!(!next.registered && next.problem.contains("password"), "{next:?}");
        let next = registering().next(Ok(&response(503, "Retry-After: 60\r\n")));
        assert_eq!(next.after, secs(60));
    }
}
