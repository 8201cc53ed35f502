//! A person dials in, speaks, and is answered: real SIP and RTP over loopback, real speech models.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{net::SocketAddr, num::NonZeroU8, path::Path, time::Duration};

use hotline::{
    audio::read_8k,
    call::{
        PortRange, SrtpPolicy,
        caller::{self, Report, Script, Turn},
    },
    conversation::journal,
    sdp::{self, Capabilities, LocalMedia, Security},
    service::{Config, Service},
    sip::{DialRequest, Leg, LegEvent, SipLeg, UserAgent, UserAgentConfig},
    speech::models::ModelDir,
    store::{CallFilter, CallRecord},
};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// A service for one number of the shipped configuration, on loopback, with its data in `data`.
async fn service(number: &str, data: &Path, max_calls: usize) -> Service {
    let mut config = Config::load(&Path::new(HERE).join("hotline.toml")).unwrap();
    config.sip.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
    config.sip.max_calls = max_calls;
    config.rtp.ports = "31000-31998".into();
    config.data.dir = data.to_owned();
    config.data.prompts = Some(ModelDir::default_location().root().join("../prompts"));
    config.numbers.retain(|n| n.number == number);
    // Two threads wait for each other, for seconds where other work has the second core.
    config.recognizer.values_mut().for_each(|recognizer| recognizer.threads = NonZeroU8::new(1));
    Service::start(config, None).await.unwrap()
}

/// Dials `number` and says the recorded turns of `callers`.
async fn call(
    address: SocketAddr,
    number: &str,
    srtp: SrtpPolicy,
    turns: Vec<Turn>,
) -> Result<Report, String> {
    let loopback = "127.0.0.1".parse().unwrap();
    let agent = UserAgent::bind(UserAgentConfig::new((loopback, 0).into())).await.unwrap();
    let ports: PortRange = "32000-32998".parse().unwrap();
    let sockets = ports.bind(loopback).await.unwrap();
    let port = sockets.0.local_addr().unwrap().port();
    let local = LocalMedia {
        address: loopback,
        port,
        session_id: 1,
        version: 1,
        security: srtp.security(),
        capabilities: Capabilities::default(),
    };
    let to = format!("sip:{number}@{address}");
    let request = DialRequest::new(&to, "sip:5550100@127.0.0.1", sdp::offer(&local));
    let leg = agent.dial(request).await.unwrap();
    let script = Script {
        turns,
        quiet: Duration::from_millis(900),
        patience: Duration::from_secs(20),
        over: None,
        echo: None,
    };
    caller::converse(leg, sockets, &local, script).await.map_err(|e| e.to_string())
}

fn recorded(lang: &str) -> Vec<Turn> {
    let dir = Path::new(HERE).join("examples/callers").join(lang);
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "wav"));
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let turn = |path: &std::path::PathBuf| Turn {
        name: name(path),
        audio: read_8k(path).unwrap(),
        keys: String::new(),
    };
    files.iter().map(turn).collect()
}

/// Places the whole recorded call and returns the report, the record and the recording.
async fn whole_call(
    number: &str,
    lang: &str,
    srtp: SrtpPolicy,
) -> (Report, CallRecord, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let service = service(number, data.path(), 4).await;
    let (address, store) = (service.address(), service.store().clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(service.run(async move {
        let _ = stopped.await;
    }));
    let report = call(address, number, srtp, recorded(lang)).await.unwrap();
    let _ = stop.send(());
    running.await.unwrap();
    let calls = store.calls(&CallFilter::default()).await.unwrap();
    assert_eq!(calls.len(), 1);
    let record = store.call(&calls[0].id).await.unwrap().unwrap();
    (report, record, data)
}

/// What must be true of every whole call.
fn check(report: &Report, record: &CallRecord, turns: usize) {
    assert!(report.bot_hung_up, "the bot says goodbye and hangs up");
    assert_eq!(report.turns.len(), turns, "every recorded turn was said");
    assert_eq!(record.summary.disposition.as_deref(), Some("resolved"));
    assert_eq!(record.summary.end_reason.as_deref(), Some("bot_hangup"));

    let recording = record.recording.as_ref().unwrap();
    let samples = hound::WavReader::open(recording).unwrap();
    assert_eq!(samples.spec().channels, 2);
    let recorded_ms = u64::from(samples.duration()) / 8;
    assert!(recorded_ms.abs_diff(record.summary.duration_ms) <= 20, "{recorded_ms} ms recorded");

    let text = std::fs::read_to_string(record.journal.as_ref().unwrap()).unwrap();
    assert_eq!(journal::replay(&text).unwrap().difference, None);

    let stamped = record.events.iter().filter(|event| event.kind == "turn").count();
    assert_eq!(stamped, turns, "each turn has its stage stamps");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_english_caller_gets_the_balance_of_the_account() {
    let (report, record, _data) = whole_call("1000", "en", SrtpPolicy::Required).await;
    check(&report, &record, recorded("en").len());
    assert!(record.slots.contains_key("account"), "{:?}", record.slots);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandarin_caller_is_answered_about_rent() {
    let (report, record, _data) = whole_call("2000", "zh", SrtpPolicy::Off).await;
    check(&report, &record, recorded("zh").len());
    let asked = record.events.iter().any(|event| event.data["node"] == "rent.house");
    assert!(asked, "the question about rent was understood");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_admitted_is_told_why() {
    let data = tempfile::tempdir().unwrap();
    let service = service("1000", data.path(), 1).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let address = service.address();
    let running = tokio::spawn(service.run(async move {
        let _ = stopped.await;
    }));
    let dial = |number: &'static str, sdp: Option<&'static str>| refused(address, number, sdp);

    assert_eq!(dial("9999", None).await, (404, None), "a number without a dialplan");
    let video = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio 32998 RTP/AVP 3\r\na=rtpmap:3 GSM/8000\r\n";
    assert_eq!(dial("1000", Some(video)).await.0, 488, "no codec in common");

    let first = held(address).await;
    let (code, retry_after) = dial("1000", None).await;
    assert_eq!(code, 503, "one call more than sip.max_calls");
    assert!(retry_after.is_some(), "with Retry-After");
    drop(first);
    let _ = stop.send(());
    running.await.unwrap();
}

async fn dialled(address: SocketAddr, number: &str, sdp: Option<&str>) -> (UserAgent, SipLeg) {
    let loopback = "127.0.0.1".parse().unwrap();
    let agent = UserAgent::bind(UserAgentConfig::new((loopback, 0).into())).await.unwrap();
    let local = LocalMedia {
        address: loopback,
        port: 32_998,
        session_id: 1,
        version: 1,
        security: Security::default(),
        capabilities: Capabilities::default(),
    };
    let offer = sdp.map_or_else(|| sdp::offer(&local), ToOwned::to_owned);
    let to = format!("sip:{number}@{address}");
    let leg = agent.dial(DialRequest::new(&to, "sip:5550100@127.0.0.1", offer)).await.unwrap();
    (agent, leg)
}

/// Dials and returns status code and Retry-After of the refusal.
async fn refused(address: SocketAddr, number: &str, sdp: Option<&str>) -> (u16, Option<Duration>) {
    let (_agent, mut leg) = dialled(address, number, sdp).await;
    loop {
        match leg.next_event().await {
            Some(LegEvent::Rejected { code, retry_after, .. }) => return (code, retry_after),
            Some(_) => {}
            None => panic!("the leg ended without a refusal"),
        }
    }
}

/// A call that is up until it is dropped.
async fn held(address: SocketAddr) -> (UserAgent, SipLeg) {
    let (agent, mut leg) = dialled(address, "1000", None).await;
    loop {
        match leg.next_event().await {
            Some(LegEvent::Answered { .. }) => return (agent, leg),
            Some(LegEvent::Ringing) => {}
            other => panic!("not answered: {other:?}"),
        }
    }
}
