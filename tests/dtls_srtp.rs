//! Calls whose media is protected by DTLS-SRTP: a whole service and our own caller, over loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{fs, net::IpAddr, time::Duration};

use hotline::{
    audio::{Hz8k, Pcm, level::rms_dbfs},
    call::{
        PortRange, SrtpPolicy,
        caller::{self, Report, Script, Turn},
    },
    sdp::{self, Capabilities, LocalMedia, Security},
    service::Config,
    sip::{DialRequest, UserAgent, UserAgentConfig},
    store::{CallFilter, CallRecord},
};
use service_support::Running;

const PLAN: &str = r#"dialplan: keys
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
defaults:
  wait: 5s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    ask: {ask: "Is it?", yes: bye, no: other}
    bye: {say: "Goodbye.", hang_up: yes_it_is}
    other: {say: "Goodbye.", hang_up: no_it_is_not}
"#;

/// A service that hears keys only, with that policy.
async fn service(ports: u16, srtp: SrtpPolicy) -> Option<(Running, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let dialplan = dir.path().join("keys.yaml");
    fs::write(&dialplan, PLAN).unwrap();
    let configure = |config: &mut Config| {
        config.recognizer.clear();
        config.rtp.srtp = srtp;
        config.numbers.truncate(1);
        config.numbers[0].dialplan = dialplan.clone();
    };
    Some((Running::new(ports, configure).await?, dir))
}

/// Calls, presses 2 when the bot has asked, and listens. `bend` changes what we offer on its way.
async fn call(
    service: &Running,
    ports: &str,
    security: Security,
    bend: impl Fn(String) -> String,
) -> Result<Report, String> {
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    let agent = UserAgent::bind(UserAgentConfig::new((loopback, 0).into())).await.unwrap();
    let sockets = ports.parse::<PortRange>().unwrap().bind(loopback).await.unwrap();
    let local = LocalMedia {
        address: loopback,
        port: sockets.0.local_addr().unwrap().port(),
        session_id: 1,
        version: 1,
        security,
        capabilities: Capabilities::default(),
    };
    let to = format!("sip:4001@{}", service.address);
    let request = DialRequest::new(&to, "sip:5550100@127.0.0.1", bend(sdp::offer(&local)));
    let leg = agent.dial(request).await.unwrap();
    let no = Turn { name: "no".into(), audio: Pcm::silence(0), keys: "2".into() };
    let (quiet, patience) = (Duration::from_millis(600), Duration::from_secs(15));
    let script = Script { turns: vec![no], quiet, patience, over: None, echo: None };
    caller::converse(leg, sockets, &local, script).await.map_err(|e| e.to_string())
}

/// The record of the only call, once that is over.
async fn only_record(service: &Running) -> CallRecord {
    for _ in 0..100 {
        let calls = service.store.calls(&CallFilter::default()).await.unwrap();
        assert_eq!(calls.len(), 1);
        if calls[0].end_reason.is_some() {
            return service.store.call(&calls[0].id).await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the call does not end");
}

/// Both heard each other: our key was understood, and the bot's words came.
async fn understood(service: &Running, report: &Report) {
    assert!(report.bot_hung_up, "{report:?}");
    let loudest =
        report.audio.1.samples().chunks(160).map(|c| rms_dbfs(&Pcm::<Hz8k>::new(c.to_vec())));
    assert!(loudest.fold(f32::MIN, f32::max) > -30.0, "the bot was not heard");
    let record = only_record(service).await;
    assert_eq!(record.summary.disposition.as_deref(), Some("no_it_is_not"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_offers_a_handshake_is_heard_and_hears_the_first_word() {
    let Some((service, _dir)) = service(38_000, SrtpPolicy::Optional).await else { return };
    let security = SrtpPolicy::Dtls.security();
    let report = call(&service, "39000-39098", security, |offer| offer).await.unwrap();
    understood(&service, &report).await;
    // The bot waited for the keys: nothing of its first word was sent before there were any.
    let recorded = only_record(&service).await.recording.unwrap();
    let bot: Vec<i16> = hound::WavReader::open(recorded)
        .unwrap()
        .samples::<i16>()
        .skip(1)
        .step_by(2)
        .map(Result::unwrap)
        .collect();
    let energy = |samples: &[i16]| samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    let (sent, heard) = (energy(&bot), energy(report.audio.1.samples()));
    assert!((heard / sent - 1.0).abs() < 0.1, "of {sent:.0} that was said {heard:.0} was heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_wants_handshakes_gets_them_and_refuses_everything_else() {
    let Some((service, _dir)) = service(38_000, SrtpPolicy::Dtls).await else { return };
    for other in [SrtpPolicy::Off, SrtpPolicy::Required] {
        let refused = call(&service, "39100-39198", other.security(), |offer| offer).await;
        let error = refused.unwrap_err();
        assert!(error.contains("488"), "{other:?}: {error}");
    }
    let security = SrtpPolicy::DtlsOptional.security();
    let report = call(&service, "39100-39198", security, |offer| offer).await.unwrap();
    understood(&service, &report).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_another_certificate_than_its_sdp_names_is_not_talked_to() {
    let Some((service, _dir)) = service(38_000, SrtpPolicy::Optional).await else { return };
    let named = "sha-256 ".to_owned() + &["AB"; 32].join(":");
    let lie = |offer: String| {
        let line = |l: &str| match l.starts_with("a=fingerprint:") {
            true => format!("a=fingerprint:{named}\r\n"),
            false => format!("{l}\r\n"),
        };
        offer.lines().map(line).collect()
    };
    let security = SrtpPolicy::Dtls.security();
    let report = call(&service, "39200-39298", security, lie).await.unwrap();
    assert!(report.bot_hung_up && report.greeting_ms.is_none(), "{report:?}");
    let record = only_record(&service).await;
    assert_eq!(record.summary.end_reason.as_deref(), Some("unprotected"));
    let told = record.events.iter().find(|event| event.kind == "unprotected").expect("a reason");
    let problem = told.data["problem"].as_str().unwrap();
    assert!(problem.contains("not who its SDP says") && problem.contains(&named), "{problem}");
}
