//! Trunks: who may call, whom we register with, and what happens when a target does not answer.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{net::SocketAddr, time::Duration};

use hotline::sip::{
    Credentials, DialRequest, InboundConfig, Leg, LegEvent, RegisterConfig, Rejection, SipError,
    SipLeg, TrunkCall, TrunkConfig, UserAgent, UserAgentConfig,
};
use tokio::{net::UdpSocket, time::timeout};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

async fn agent(trunks: Vec<TrunkConfig>) -> UserAgent {
    let config = UserAgentConfig::new(([127, 0, 0, 1], 0).into());
    UserAgent::bind(UserAgentConfig { trunks, ..config }).await.unwrap()
}

/// Fails the test rather than hanging it.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.expect("nothing happened for 20 s")
}

fn to(agent: &UserAgent) -> String {
    format!("sip:{}", agent.local_addr())
}

fn password() -> Credentials {
    Credentials { username: "pbx".to_owned(), password: "correct horse".to_owned() }
}

fn call() -> TrunkCall {
    let number = "+8613812345678".to_owned();
    TrunkCall { number, offer: SDP.to_owned(), caller_id: None, headers: Vec::new() }
}

async fn event(leg: &mut SipLeg) -> LegEvent {
    soon(leg.next_event()).await.expect("the leg is over")
}

/// Calls `callee` directly and gives what came of it; the callee answers if it is asked.
async fn outcome(callee: &mut UserAgent, credentials: Option<Credentials>) -> LegEvent {
    let caller = agent(Vec::new()).await;
    let uri = format!("sip:4001@{}", callee.local_addr());
    let request = DialRequest::new(&uri, "sip:1001@127.0.0.1", SDP.to_owned());
    let mut out = caller.dial(DialRequest { credentials, ..request }).await.unwrap();
    tokio::select! {
        event = event(&mut out) => event,
        inc = callee.next_invite() => {
            let mut inc = inc.unwrap();
            inc.answer(SDP.to_owned()).await.unwrap();
            event(&mut out).await
        }
    }
}

fn code(event: &LegEvent) -> u16 {
    match event {
        LegEvent::Answered { .. } => 200,
        LegEvent::Rejected { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}

fn inbound(networks: &[&str], credentials: Option<Credentials>) -> TrunkConfig {
    let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
    let inbound = InboundConfig { networks, credentials, trust_identity: true };
    TrunkConfig { inbound, ..TrunkConfig::new("pbx", Vec::new()) }
}

#[tokio::test]
async fn calls_come_in_from_a_trunks_network_and_from_nowhere_else() {
    let mut open = agent(vec![inbound(&["127.0.0.0/8"], None)]).await;
    assert_eq!(code(&outcome(&mut open, None).await), 200);
    let mut closed = agent(vec![inbound(&["192.0.2.0/24"], None)]).await;
    assert_eq!(code(&outcome(&mut closed, None).await), 403);
}

#[tokio::test]
async fn calls_come_in_with_a_trunks_password() {
    let mut callee = agent(vec![inbound(&[], Some(password()))]).await;
    assert_eq!(code(&outcome(&mut callee, None).await), 401);
    let wrong = Credentials { password: "guess".to_owned(), ..password() };
    assert_eq!(code(&outcome(&mut callee, Some(wrong)).await), 401);
    assert_eq!(code(&outcome(&mut callee, Some(password())).await), 200);
}

#[tokio::test]
async fn a_trunk_may_want_both_network_and_password() {
    let mut callee = agent(vec![inbound(&["127.0.0.1/32"], Some(password()))]).await;
    assert_eq!(code(&outcome(&mut callee, None).await), 401);
    assert_eq!(code(&outcome(&mut callee, Some(password())).await), 200);
}

#[tokio::test]
async fn a_call_beyond_a_trunks_limit_is_told_to_come_back() {
    let limited = TrunkConfig { max_calls: 1, ..inbound(&["127.0.0.0/8"], None) };
    let mut callee = agent(vec![limited]).await;
    let caller = agent(Vec::new()).await;
    let uri = format!("sip:4001@{}", callee.local_addr());
    let request = || DialRequest::new(&uri, "sip:1001@127.0.0.1", SDP.to_owned());
    let _first = caller.dial(request()).await.unwrap();
    let inc = soon(callee.next_invite()).await.unwrap();
    assert_eq!(inc.info().trunk.as_deref(), Some("pbx"));
    assert_eq!(callee.trunks()[0].calls, 1);
    let mut second = caller.dial(request()).await.unwrap();
    match event(&mut second).await {
        LegEvent::Rejected { code: 503, retry_after: Some(_), .. } => {}
        other => panic!("{other:?}"),
    }
    drop(inc);
    soon(async {
        while callee.trunks()[0].calls > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_dead_target_is_passed_over_and_tried_last_from_then_on() {
    let dead = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut alive = agent(Vec::new()).await;
    let targets = vec![format!("sip:{}", dead.local_addr().unwrap()), to(&alive)];
    let caller = agent(vec![TrunkConfig::new("carrier", targets)]).await;
    for turn in ["the first call waits for the dead target", "the second does not"] {
        let dialling = async { soon(caller.dial_trunk("carrier", call())).await.unwrap() };
        let answering = async {
            let mut inc = soon(alive.next_invite()).await.unwrap();
            inc.answer(SDP.to_owned()).await.unwrap();
            inc
        };
        let (mut out, inc) = tokio::join!(dialling, answering);
        assert!(matches!(event(&mut out).await, LegEvent::Answered { .. }), "{turn}");
        assert_eq!(inc.info().to_user, "+8613812345678");
    }
    let state = &caller.trunks()[0];
    assert_eq!(state.targets.iter().map(|(_, up)| *up).collect::<Vec<_>>(), [false, true]);
    let mut buf = [0; 4_096];
    let mut invites = Vec::new();
    while let Ok(len) = dead.try_recv(&mut buf) {
        let text = String::from_utf8_lossy(&buf[..len]).into_owned();
        let id = text.lines().find(|line| line.starts_with("Call-ID")).unwrap().to_owned();
        if text.starts_with("INVITE") && !invites.contains(&id) {
            invites.push(id);
        }
    }
    assert_eq!(invites.len(), 1, "only the first call went to the dead target");
}

/// Dials over two targets, of which the first refuses with `code`; the second answers.
async fn refused_first(code: u16) -> LegEvent {
    let (mut first, mut second) = (agent(Vec::new()).await, agent(Vec::new()).await);
    let caller = agent(vec![TrunkConfig::new("carrier", vec![to(&first), to(&second)])]).await;
    let answering = async {
        let mut inc = soon(first.next_invite()).await.unwrap();
        inc.reject(Rejection::code(code)).await.unwrap();
        let mut inc = second.next_invite().await.unwrap();
        inc.answer(SDP.to_owned()).await.unwrap();
        std::future::pending::<()>().await;
    };
    let dialling = async {
        let mut out = soon(caller.dial_trunk("carrier", call())).await.unwrap();
        event(&mut out).await
    };
    tokio::select! {
        event = dialling => event,
        () = answering => unreachable!(),
    }
}

#[tokio::test]
async fn a_target_that_is_not_available_is_passed_over_and_a_busy_callee_is_not() {
    assert_eq!(code(&refused_first(503).await), 200);
    assert_eq!(code(&refused_first(486).await), 486);
}

#[tokio::test]
async fn calls_beyond_a_trunks_pace_or_places_are_not_begun() {
    let callee = agent(Vec::new()).await;
    let carrier = TrunkConfig::new("carrier", vec![to(&callee)]);
    let slow = TrunkConfig { max_calls_per_second: 0, ..carrier.clone() };
    let none = TrunkConfig { max_calls: 0, name: "none".to_owned(), ..carrier };
    let caller = agent(vec![slow, none]).await;
    for trunk in ["carrier", "none"] {
        let error = caller.dial_trunk(trunk, call()).await.unwrap_err();
        assert!(matches!(error, SipError::TrunkFull { .. }), "{error}");
    }
    let error = caller.dial_trunk("other", call()).await.unwrap_err().to_string();
    assert!(error.contains("carrier, none"), "{error}");
    let bad = TrunkCall { number: "1@evil\r\nX: y".to_owned(), ..call() };
    assert!(matches!(caller.dial_trunk("carrier", bad).await, Err(SipError::Trunk { .. })));
}

/// A peer that is written by hand.
struct Wire(UdpSocket);

impl Wire {
    async fn new() -> Self {
        Self(UdpSocket::bind("127.0.0.1:0").await.unwrap())
    }

    fn uri(&self) -> String {
        format!("sip:{}", self.0.local_addr().unwrap())
    }

    async fn request(&self, method: &str) -> (String, SocketAddr) {
        let mut buf = [0; 8_192];
        soon(async {
            loop {
                let (len, from) = self.0.recv_from(&mut buf).await.unwrap();
                let text = String::from_utf8_lossy(&buf[..len]).into_owned();
                if text.starts_with(method) {
                    return (text, from);
                }
            }
        })
        .await
    }

    async fn answer(&self, (request, from): &(String, SocketAddr), status: &str, headers: &str) {
        let kept = ["Via", "From", "To", "Call-ID", "CSeq"];
        let mut text = format!("SIP/2.0 {status}\r\n");
        for line in request.lines().filter(|l| kept.contains(&l.split(':').next().unwrap())) {
            let tag = if line.starts_with("To:") { ";tag=wire" } else { "" };
            text += &format!("{line}{tag}\r\n");
        }
        text += &format!("{headers}Content-Length: 0\r\n\r\n");
        self.0.send_to(text.as_bytes(), from).await.unwrap();
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

#[tokio::test]
async fn a_registration_is_proved_refreshed_and_taken_back() {
    let registrar = Wire::new().await;
    let register = RegisterConfig {
        account: "sip:pbx@example.com".to_owned(),
        expires: Duration::from_secs(300),
    };
    let trunk = TrunkConfig {
        credentials: Some(password()),
        register: Some(register),
        ..TrunkConfig::new("carrier", vec![registrar.uri()])
    };
    let agent = agent(vec![trunk]).await;
    assert_eq!(agent.trunks()[0].registered, Some(false));

    let first = registrar.request("REGISTER").await;
    assert!(first.0.starts_with("REGISTER sip:example.com SIP/2.0"), "{}", first.0);
    let challenge =
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n";
    registrar.answer(&first, "401 Unauthorized", challenge).await;
    let proved = registrar.request("REGISTER").await;
    assert!(header(&proved.0, "Authorization").contains("username=\"pbx\""), "{}", proved.0);
    assert_eq!(header(&proved.0, "Call-ID"), header(&first.0, "Call-ID"));
    let contact = header(&proved.0, "Contact").to_owned();
    assert!(contact.contains(&format!("pbx@{}", agent.local_addr())), "{contact}");
    registrar.answer(&proved, "200 OK", &format!("Contact: {contact};expires=1\r\n")).await;

    let refresh = registrar.request("REGISTER").await;
    assert_eq!(agent.trunks()[0].registered, Some(true));
    assert_eq!(header(&refresh.0, "Call-ID"), header(&first.0, "Call-ID"));
    registrar.answer(&refresh, "200 OK", "Expires: 300\r\n").await;
    soon(async {
        while agent.trunks()[0].registered != Some(true) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // Give the answer time to be taken before the agent goes.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let going = tokio::spawn(agent.shutdown(Duration::ZERO));
    let last = registrar.request("REGISTER").await;
    assert_eq!(header(&last.0, "Expires"), "0");
    registrar.answer(&last, "200 OK", "").await;
    soon(going).await.unwrap();
}

#[tokio::test]
async fn a_target_that_does_not_answer_pings_is_down_until_it_does() {
    let target = Wire::new().await;
    let trunk = TrunkConfig {
        ping: Some(Duration::from_millis(50)),
        ..TrunkConfig::new("carrier", vec![target.uri()])
    };
    let agent = agent(vec![trunk]).await;
    let up = async |wanted: bool| {
        soon(async {
            while agent.trunks()[0].targets[0].1 != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    };
    let ping = target.request("OPTIONS").await;
    target.answer(&ping, "503 Service Unavailable", "").await;
    up(false).await;
    let ping = target.request("OPTIONS").await;
    target.answer(&ping, "404 Not Found", "").await;
    up(true).await;
}

/// The INVITE of a call by a trunk with that caller id.
async fn invite(hide_caller_id: bool) -> String {
    let target = Wire::new().await;
    let trunk = TrunkConfig {
        caller_id: Some("+861085550000".to_owned()),
        hide_caller_id,
        ..TrunkConfig::new("carrier", vec![target.uri()])
    };
    let caller = agent(vec![trunk]).await;
    tokio::select! {
        _ = caller.dial_trunk("carrier", call()) => unreachable!("nobody answers"),
        (invite, _) = target.request("INVITE") => invite,
    }
}

#[tokio::test]
async fn the_callee_sees_our_number_or_not_as_the_trunk_says() {
    let shown = invite(false).await;
    assert!(header(&shown, "From").contains("sip:+861085550000@127.0.0.1"), "{shown}");
    assert!(header(&shown, "P-Asserted-Identity").contains("+861085550000"), "{shown}");
    let hidden = invite(true).await;
    assert!(header(&hidden, "From").contains("anonymous@anonymous.invalid"), "{hidden}");
    assert_eq!(header(&hidden, "Privacy"), "id");
    assert!(header(&hidden, "P-Asserted-Identity").contains("+861085550000"), "{hidden}");
}

#[tokio::test]
async fn a_trunk_that_cannot_be_is_refused_by_name() {
    let named = |config: TrunkConfig| async {
        let agent = UserAgentConfig::new(([127, 0, 0, 1], 0).into());
        let bound = UserAgent::bind(UserAgentConfig { trunks: vec![config], ..agent }).await;
        bound.unwrap_err().to_string()
    };
    let error = named(TrunkConfig::new("empty", Vec::new())).await;
    assert!(error.contains("`empty`") && error.contains("neither targets"), "{error}");
    let error = named(TrunkConfig::new("odd", vec!["http://h".to_owned()])).await;
    assert!(error.contains("`odd`") && error.contains("sip:"), "{error}");
    let error = named(TrunkConfig::new("user", vec!["sip:a@h".to_owned()])).await;
    assert!(error.contains("a target has no user"), "{error}");
}
