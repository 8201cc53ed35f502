//! A service places calls that a dialplan talks in, over real SIP and RTP on loopback; what is not answered has a
//! record too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;
mod transfer_support;

use std::{collections::BTreeMap, fs, time::Duration};

use hotline::{
    call::{
        control::{CallState, Command},
        live::{Happening, LiveEvent},
    },
    conversation::journal,
    service::{OriginateError, OutboundCall, PlacedDialplan, Tenant, Trunk},
    store::{CallDirection, CallRecord},
};
use service_support::Running;
use sip_support::body_of;
use tokio::{sync::broadcast::Receiver, time::timeout};
use transfer_support::{Callee, header, hear, loud_mu, media_of, sdp, talk};

const PLAN: &str = r#"dialplan: reminder
version: 1
language: en
voices: {en: en-hibari}
start: main.way
defaults:
  wait: 30s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
slots:
  day: {type: date, given: true}
flows:
  main:
    way:
      when: [{value: call.direction, one_of: [outbound], next: ask}]
      else: bye
    ask: {ask: "You have an appointment on {day}. Will you come?", yes: kept, no: bye}
    kept: {say: "See you then.", hang_up: kept}
    bye: {say: "Goodbye.", hang_up: not_kept}
"#;

/// A service that answers no number and has a trunk to `callee`.
async fn service(ports: u16, callee: &Callee) -> Option<(Running, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reminder.yaml");
    fs::write(&file, PLAN).unwrap();
    let target = callee.socket.local_addr().unwrap();
    let trunk: Trunk = toml::from_str(&format!(
        "name = \"carrier\"\ntargets = [\"sip:{target}\"]\ncaller_id = \"4000\"\nping_s = 0\nmax_calls = 1\n"
    ))
    .unwrap();
    let running = Running::new(ports, |config| {
        config.recognizer.clear();
        config.numbers.clear();
        config.tenants = vec![Tenant { name: "acme".to_owned(), max_calls: None }];
        config.dialplans =
            vec![PlacedDialplan { file: file.clone(), tenant: "default".to_owned(), record: true }];
        config.trunks = vec![trunk.clone()];
    });
    Some((running.await?, dir))
}

fn call(to: &str) -> OutboundCall {
    OutboundCall {
        tenant: "acme".into(),
        to: to.to_owned(),
        trunk: Some("carrier".to_owned()),
        caller_id: None,
        dialplan: "reminder".to_owned(),
        variables: BTreeMap::from([("day".to_owned(), "2026-12-01".to_owned())]),
        ring: Duration::from_secs(3),
        idempotency_key: None,
        reference: Some("row 7".to_owned()),
    }
}

/// Follows the call to its end: what happened, without notes and sentences.
async fn happened(live: &mut Receiver<LiveEvent>, id: &str) -> Vec<Happening> {
    let mut all = Vec::new();
    let followed = timeout(Duration::from_secs(40), async {
        loop {
            let event = live.recv().await.unwrap();
            if event.call != id {
                continue;
            }
            assert_eq!(&*event.tenant, "acme");
            match event.what {
                Happening::Note(_) | Happening::Saying { .. } => {}
                Happening::Ended { .. } => return all.push(event.what),
                what => all.push(what),
            }
        }
    });
    followed.await.expect("the call does not end");
    all
}

async fn record(service: &mut Running, id: &str) -> CallRecord {
    let _ = service.stop.take().unwrap().send(());
    service.over().await;
    service.store.call(id).await.unwrap().expect("a record")
}

fn dialled(record: &CallRecord) -> &serde_json::Value {
    &record.events.iter().find(|event| event.kind == "dialled").expect("what came of dialling").data
}

fn outcome(record: &CallRecord) -> (&str, &str) {
    let (end, outcome) = (&record.summary.end_reason, &record.summary.disposition);
    (end.as_deref().unwrap_or_default(), outcome.as_deref().unwrap_or_default())
}

/// What came of a call that the callee refuses so.
async fn refused(ports: u16, status: &str, headers: &str) -> Option<CallRecord> {
    let mut callee = Callee::new().await;
    let (mut service, _dir) = service(ports, &callee).await?;
    let mut live = service.live.watch();
    let id = service.originator.start(call("13900001234")).await.unwrap();
    let from = callee.invited().await;
    callee.respond_with(from, &callee.invite, status, headers, "").await;
    let happened = happened(&mut live, &id).await;
    assert!(
        matches!(happened[..], [Happening::Started { .. }, Happening::Ended { .. }]),
        "{happened:?}"
    );
    Some(record(&mut service, &id).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placed_call_is_talked_in_and_recorded() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(47_000, &callee).await else { return };
    let mut live = service.live.watch();
    let id = service.originator.start(call("13900001234")).await.unwrap();
    assert_eq!(
        service.calls.get(&id).map(|status| status.direction),
        Some(CallDirection::Outbound)
    );

    let from = callee.invited().await;
    assert!(callee.invite.starts_with("INVITE sip:13900001234@"), "{}", callee.invite);
    assert!(header(&callee.invite, "From:").contains("sip:4000@"), "{}", callee.invite);
    assert_eq!(header(&callee.invite, "X-Hotline-Call-Id:"), id);
    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    // An announcement of the network, before the answer.
    callee.respond(from, &callee.invite, "183 Session Progress", &sdp(&callee.rtp, 0)).await;
    let there = media_of(body_of(&callee.invite));
    let announcement = talk(&callee.rtp, there, 0, 0x10);
    tokio::time::sleep(Duration::from_secs(1)).await;
    announcement.abort();
    tokio::time::sleep(Duration::from_millis(700)).await;
    callee.respond(from, &callee.invite, "200 OK", &sdp(&callee.rtp, 0)).await;
    callee.request("ACK").await;
    hear(&callee.rtp, 0, loud_mu).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let dtmf = "Content-Type: application/dtmf\r\n";
    callee.send(from, "INFO", 2, dtmf, "1").await;
    let (bye, _) = callee.request("BYE").await;
    callee.respond(from, &bye, "200 OK", "").await;

    let happened = happened(&mut live, &id).await;
    let Happening::Started { called, direction, .. } = &happened[0] else { panic!("{happened:?}") };
    assert_eq!((called.to_string(), *direction), ("********234".into(), CallDirection::Outbound));
    assert_eq!(happened[1..3], [Happening::Ringing, Happening::EarlyMedia]);
    assert!(matches!(happened[3], Happening::Answered { .. }), "{happened:?}");
    let record = record(&mut service, &id).await;
    assert_eq!(outcome(&record), ("bot_hangup", "kept"));
    assert_eq!(record.summary.direction, CallDirection::Outbound);
    assert_eq!((&*record.summary.called, &*record.summary.dialplan), ("13900001234", "reminder"));
    assert!(record.summary.answered_ms.is_some_and(|ms| ms >= 1_000), "{record:?}");
    assert_eq!(record.slots["day"], "2026-12-01");
    let dialled = dialled(&record);
    assert_eq!((&dialled["result"], &dialled["rang"]), (&"answered".into(), &true.into()));
    assert_eq!((&dialled["trunk"], &dialled["reference"]), (&"carrier".into(), &"row 7".into()));
    let text = fs::read_to_string(record.journal.as_ref().unwrap()).unwrap();
    assert!(text.contains("You have an appointment on"));
    assert_eq!(journal::replay(&text).unwrap().difference, None);

    // The bot says nothing before the answer, and lets the callee speak first.
    let first = record.events.iter().find(|event| event.kind == "said").unwrap();
    assert!(first.data["from"].as_u64().unwrap() >= 7_000, "{}", first.data);
    let early = record.recording.as_ref().unwrap().with_file_name("early.wav");
    let mut wav = hound::WavReader::open(early).unwrap();
    let loudest = wav.samples::<i16>().step_by(2).map(|s| s.unwrap().abs()).max();
    assert!(loudest > Some(5_000), "the announcement was kept: {loudest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_callee_is_on_record_with_the_cause_of_the_network() {
    let headers = "Reason: Q.850;cause=17;text=\"User busy\"\r\n";
    let Some(record) = refused(48_000, "486 Busy Here", headers).await else { return };
    assert_eq!(outcome(&record), ("not_connected", "busy"));
    assert_eq!(record.summary.answered_ms, None);
    let dialled = dialled(&record);
    assert_eq!((&dialled["sip"], &dialled["reason"]["q850"]), (&486.into(), &17.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_number_is_told_from_a_temporary_failure() {
    let headers = "Reason: Q.850;cause=1\r\n";
    let Some(record) = refused(49_000, "480 Temporarily Unavailable", headers).await else {
        return;
    };
    assert_eq!(outcome(&record), ("not_connected", "invalid_number"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callee_who_does_not_answer_is_given_up() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(50_000, &callee).await else { return };
    let mut live = service.live.watch();
    let id = service.originator.start(call("13900001234")).await.unwrap();
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    // The trunk's one place is taken; somebody else's call is not lost.
    let second = service.originator.start(call("13900005678")).await.unwrap();
    let (cancel, _) = callee.request("CANCEL").await;
    callee.respond(from, &cancel, "200 OK", "").await;
    callee.respond(from, &callee.invite, "487 Request Terminated", "").await;
    let happened = happened(&mut live, &id).await;
    assert_eq!(happened[1], Happening::Ringing);
    let record = record(&mut service, &id).await;
    assert_eq!(outcome(&record), ("not_connected", "no_answer"));
    assert_eq!(dialled(&record)["rang"], true);
    let second = service.store.call(&second).await.unwrap().expect("a record");
    assert_eq!(outcome(&second), ("not_connected", "congestion"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callee_of_whom_nothing_is_heard_is_unreachable() {
    let callee = Callee::new().await;
    let Some((mut service, _dir)) = service(59_000, &callee).await else { return };
    let mut live = service.live.watch();
    let silent = OutboundCall { trunk: None, ring: Duration::from_secs(2), ..call(&callee.uri()) };
    let id = service.originator.start(silent).await.unwrap();
    happened(&mut live, &id).await;
    let record = record(&mut service, &id).await;
    assert_eq!(outcome(&record), ("not_connected", "unreachable"));
    assert_eq!(record.summary.called, "4002");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_rings_can_be_given_up() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(51_000, &callee).await else { return };
    let mut live = service.live.watch();
    let id = service.originator.start(call("13900001234")).await.unwrap();
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(service.calls.get(&id).map(|status| status.state), Some(CallState::Ringing));
    service.calls.command(&id, Command::HangUp { disposition: None }).await.unwrap();
    let (cancel, _) = callee.request("CANCEL").await;
    callee.respond(from, &cancel, "200 OK", "").await;
    callee.respond(from, &callee.invite, "487 Request Terminated", "").await;
    happened(&mut live, &id).await;
    let record = record(&mut service, &id).await;
    assert_eq!(outcome(&record), ("not_connected", "cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_placed_is_refused_at_once_and_a_key_is_one_call() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(52_000, &callee).await else { return };
    let start = |call: OutboundCall| service.originator.start(call);
    let known = call("13900001234");
    let unknown = start(OutboundCall { dialplan: "remainder".into(), ..known.clone() }).await;
    assert!(unknown.unwrap_err().to_string().contains("reminder"));
    let trunk = start(OutboundCall { trunk: Some("carier".into()), ..known.clone() }).await;
    assert_eq!(trunk, Err(OriginateError::Trunk { name: "carier".into() }));
    let variables = BTreeMap::from([("day".to_owned(), "tomorrow".to_owned())]);
    let misfit = start(OutboundCall { variables, ..known.clone() }).await.unwrap_err();
    assert!(misfit.to_string().contains("`day`") && misfit.to_string().contains("2026-11-28"));
    assert_eq!(
        start(OutboundCall { to: "a b\r\n".into(), ..known.clone() }).await,
        Err(OriginateError::Number)
    );
    let ring = Duration::from_secs(0);
    assert_eq!(start(OutboundCall { ring, ..known.clone() }).await, Err(OriginateError::Ring));

    // The only trunk need not be named.
    let once = OutboundCall { idempotency_key: Some("k".into()), trunk: None, ..known.clone() };
    let id = start(once.clone()).await.unwrap();
    assert_eq!(start(once).await.as_ref(), Ok(&id));
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "603 Decline", "").await;
    let record = record(&mut service, &id).await;
    assert_eq!(outcome(&record), ("not_connected", "rejected"));
    assert_eq!(service.originator.start(known).await, Err(OriginateError::Stopped));
}
