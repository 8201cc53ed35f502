//! Whoever takes a caller is told of the call before their phone rings, and is not waited for when they do not listen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, and when something was told"
)]

mod service_support;
mod sip_support;
mod transfer_support;

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use hotline::call::{HandOver, HandOverReason, Pushed, ScreenPop, Speaker};
use service_support::Running;
use sip_support::Peer;
use transfer_support::{Callee, asked, caller, came_to, record};

/// A CRM that takes its time.
#[derive(Debug, Default)]
struct Crm {
    takes: Duration,
    told: Mutex<Vec<(HandOver, Instant)>>,
}

impl ScreenPop for Crm {
    fn push(&self, hand_over: HandOver) -> Pushed<'_> {
        self.told.lock().unwrap().push((hand_over, Instant::now()));
        Box::pin(async {
            tokio::time::sleep(self.takes).await;
            Ok(())
        })
    }
}

/// A service whose dialplan hands callers over to `callee` in that way once they have keyed in an account.
async fn service(
    ports: u16,
    callee: &Callee,
    mode: &str,
    crm: &Arc<Crm>,
) -> Option<(Running, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("desk.yaml");
    let plan = format!(
        "dialplan: desk\nversion: 1\nlanguage: en\nvoices: {{en: en-hibari}}\nstart: main.account\n\
         defaults:\n  wait: 30s\n  no_input: [\"Hello?\"]\n  no_match: [\"Sorry?\"]\n  give_up: main.bye\n\
         slots:\n  account: {{type: digits, length: 6, sensitive: true}}\n  \
         identity: {{type: choice, options: {{verified: {{en: [verified]}}, unknown: {{en: [unknown]}}}}}}\n\
         flows:\n  main:\n    account: {{ask: Your account number?, slot: account, next: read}}\n    \
         read: {{say: \"You said {{account}}.\", next: known}}\n    \
         known: {{set: {{identity: verified}}, next: person}}\n    \
         person: {{transfer: \"{}\", mode: {mode}, ring: 3s, say: One moment., busy: bye, no_answer: bye, failed: bye}}\n    \
         bye: {{say: Goodbye., hang_up: done}}\n",
        callee.uri()
    );
    fs::write(&file, plan).unwrap();
    let told: Arc<dyn ScreenPop> = Arc::clone(crm) as Arc<dyn ScreenPop>;
    let running = Running::prepared(
        ports,
        |config| {
            config.recognizer.clear();
            config.numbers[0].dialplan.clone_from(&file);
        },
        move |service| service.tell_hand_overs(told),
    );
    Some((running.await?, dir))
}

async fn keys(peer: &Peer, digits: &str) {
    for (cseq, digit) in (2..).zip(digits.chars()) {
        let dtmf = "Content-Type: application/dtmf\r\n";
        peer.ask("INFO", cseq, &format!("key{cseq}"), dtmf, &digit.to_string()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_knows_the_call_before_its_phone_rings() {
    let mut desk = Callee::new().await;
    let crm = Arc::new(Crm { takes: Duration::from_millis(200), ..Crm::default() });
    let Some((mut service, _dir)) = service(55_000, &desk, "bridge", &crm).await else { return };
    let (peer, ..) = caller(&service, "told").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    keys(&peer, "472915").await;
    let from = desk.invited().await;
    let rang = Instant::now();
    let (hand_over, told) = crm.told.lock().unwrap().pop().expect("told before it rang");
    assert!(rang - told >= Duration::from_millis(200), "it rang before the CRM had taken it");
    assert_eq!(
        (&*hand_over.caller, &*hand_over.called, &*hand_over.tenant),
        ("1001", "4001", "default")
    );
    assert_eq!((&hand_over.to, &hand_over.reason), (&desk.uri(), &HandOverReason::Dialplan));
    assert_eq!(
        (&*hand_over.slots["account"], hand_over.identity.as_deref()),
        ("****15", Some("verified"))
    );
    let lines: Vec<(Speaker, &str)> =
        hand_over.transcript.iter().map(|line| (line.who, line.text.as_str())).collect();
    assert_eq!(
        lines,
        [
            (Speaker::Bot, "Your account number?"),
            (Speaker::Caller, "[…]"),
            (Speaker::Bot, "You said ****15."),
            (Speaker::Bot, "One moment.")
        ]
    );
    assert!(hand_over.summary.contains("account ****15"), "{}", hand_over.summary);

    desk.respond(from, &desk.invite, "486 Busy Here", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "told").await;
    assert_eq!(came_to(&record), ("bot_hangup", "done"));
    let event = |kind: &str| &record.events.iter().find(|e| e.kind == kind).expect(kind).data;
    assert_eq!(event("screen_pop")["accepted"], true);
    let kept = event("hand_over").to_string();
    assert!(
        kept.contains("****15") && !kept.contains("472915") && !kept.contains("1001"),
        "{kept}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_that_does_not_listen_is_not_waited_for() {
    let mut desk = Callee::new().await;
    let crm = Arc::new(Crm { takes: Duration::from_secs(60), ..Crm::default() });
    let Some((mut service, _dir)) = service(56_000, &desk, "bridge", &crm).await else { return };
    let (peer, ..) = caller(&service, "deaf").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    keys(&peer, "472915").await;
    let from = desk.invited().await;
    let waited = crm.told.lock().unwrap()[0].1.elapsed();
    assert!((800..2_000).contains(&waited.as_millis()), "{waited:?}");
    desk.respond(from, &desk.invite, "486 Busy Here", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "deaf").await;
    let told = record.events.iter().find(|e| e.kind == "screen_pop").expect("on record");
    assert_eq!(told.data["accepted"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_is_referred_is_announced_too() {
    let desk = Callee::new().await;
    let crm = Arc::new(Crm::default());
    let Some((mut service, _dir)) = service(57_000, &desk, "refer", &crm).await else { return };
    let (peer, ..) = caller(&service, "refer").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    keys(&peer, "472915").await;
    asked(&peer, "REFER", "202 Accepted").await;
    assert_eq!(crm.told.lock().unwrap().len(), 1);
    peer.ask("BYE", 20, "bye", "", "").await;
    let record = record(&mut service, "refer").await;
    assert!(record.events.iter().any(|e| e.kind == "screen_pop"));
}
