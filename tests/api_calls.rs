//! Live calls, driven through the API of a whole service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{fs, path::Path, process::Command, time::Duration};

use hotline::{
    proto::{
        CallState, CallsGetRequest, CallsHangUpRequest, CallsListRequest, CallsSayRequest,
        CallsSetVariableRequest, CallsStartRequest, CallsWatchRequest, EventsSubscribeRequest,
        calls_client::CallsClient, calls_watch_response::What, events_client::EventsClient,
        events_subscribe_response::Content,
    },
    service::Config,
    store::Role,
};
use service_support::Running;
use tokio::time::timeout;
use tonic::{
    Code, Request,
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

const PLAN: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
slots:
  account: {type: digits, length: 7, sensitive: true}
defaults:
  wait: 60s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    ask: {ask: "Please enter your account number.", slot: account, next: bye}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

/// A service with an API and a number that keys can answer; and a token for it.
async fn served(ports: u16, dir: &Path) -> Option<(Running, Channel, String)> {
    let dialplan = dir.join("desk.yaml");
    fs::write(&dialplan, PLAN).unwrap();
    let configure = |config: &mut Config| {
        config.recognizer.clear();
        config.numbers.truncate(1);
        config.numbers[0].dialplan = dialplan.clone();
        config.api.listen = Some(([127, 0, 0, 1], 0).into());
    };
    let service = Running::new(ports, configure).await?;
    let url = format!("http://{}", service.api.unwrap());
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let (_, token) = service.store.create_token("default", Role::Admin, None).await.unwrap();
    Some((service, channel, token))
}

fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value: AsciiMetadataValue = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_placed_watched_spoken_in_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let Some((service, channel, token)) = served(41_000, dir.path()).await else { return };
    let mut calls = CallsClient::new(channel.clone());
    let mut events = EventsClient::new(channel);
    let following = with_token(&token, EventsSubscribeRequest::default());
    let mut following = events.subscribe(following).await.unwrap().into_inner();

    // It calls itself: a call out, and one that comes in.
    let to = format!("sip:4001@{}", service.address);
    let request = CallsStartRequest {
        to,
        dialplan: "desk".to_owned(),
        variables: [("account".to_owned(), "4417902".to_owned())].into(),
        idempotency_key: "k".to_owned(),
        ..CallsStartRequest::default()
    };
    let started = calls.start(with_token(&token, request.clone())).await.unwrap().into_inner();
    let again = calls.start(with_token(&token, request)).await.unwrap().into_inner();
    assert_eq!(started, again, "one call, however often it is asked for");
    let call_id = started.call_id;
    let mut wait_for = async |kind: &str, fits: &dyn Fn(&str) -> bool| {
        let waiting = async {
            loop {
                let message = following.message().await.unwrap().unwrap();
                if let Some(Content::Event(event)) = message.content
                    && event.call_id == call_id
                    && event.kind == kind
                    && fits(&format!("{:?}", event.data))
                {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("no {kind}"));
    };
    wait_for("call.answered", &|_| true).await;

    let live = CallsListRequest { live_only: true, ..CallsListRequest::default() };
    let live = calls.list(with_token(&token, live)).await.unwrap().into_inner().calls;
    assert_eq!(live.len(), 2, "{live:?}");
    assert!(live.iter().all(|call| call.state() == CallState::Talking), "{live:?}");

    let watch = CallsWatchRequest { call_id: call_id.clone() };
    let mut watching = calls.watch(with_token(&token, watch)).await.unwrap().into_inner();
    let say = CallsSayRequest {
        call_id: call_id.clone(),
        text: "Your agent is on the way.".to_owned(),
        interrupt: true,
        ..CallsSayRequest::default()
    };
    calls.say(with_token(&token, say)).await.unwrap();
    wait_for("said", &|data| data.contains("Your agent is on the way")).await;
    let wrong = CallsSetVariableRequest {
        call_id: call_id.clone(),
        name: "acount".to_owned(),
        value: "1".to_owned(),
        ..Default::default()
    };
    let wrong = calls.set_variable(with_token(&token, wrong)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::FailedPrecondition, "{}", wrong.message());
    assert!(wrong.message().contains("`account`"), "it tells which may be meant: {wrong:?}");

    let end = CallsHangUpRequest {
        call_id: call_id.clone(),
        disposition: "ended_by_desk".to_owned(),
        ..Default::default()
    };
    calls.hang_up(with_token(&token, end)).await.unwrap();
    wait_for("call.ended", &|data| data.contains("ended_by_desk")).await;
    let mut said = false;
    loop {
        let Some(message) = watching.message().await.unwrap() else { panic!("it never ended") };
        match message.what.unwrap() {
            What::Saying(saying) => said |= saying.text.contains("Your agent"),
            What::Ended(_) => break,
            _ => {}
        }
    }
    assert!(said, "a watcher hears of what is said");
    assert_eq!(watching.message().await.unwrap(), None, "the stream ends with the call");
    let get = CallsGetRequest { call_id, unmasked: false };
    let call = calls.get(with_token(&token, get)).await.unwrap().into_inner().call.unwrap();
    assert_eq!((call.state(), &*call.disposition), (CallState::Ended, "ended_by_desk"));
    assert!(call.has_recording && !call.slots.values().any(|v| v.contains("4417902")), "{call:?}");
}

/// The reference and the guide are enough for a client in another language.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_in_python_does_what_it_says() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let Some((service, _, token)) = served(42_000, dir.path()).await else { return };
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(dir.path().join("token"), token).unwrap();
    let target = service.api.unwrap().to_string();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients/python");
    let run = async |script: &str, arguments: Vec<String>| {
        let mut command = Command::new(&python);
        command.arg(clients.join(script)).args(["--target", &target]).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(output.status.success(), "{script}: {}{err}", String::from_utf8_lossy(&out));
        String::from_utf8_lossy(&out).into_owned()
    };
    let services = run("browse.py", Vec::new()).await;
    assert!(services.lines().any(|line| line == "hotline.v1.Calls"), "{services}");
    let methods = run("browse.py", vec!["hotline.v1.Calls".to_owned()]).await;
    assert!(methods.contains("Say(hotline.v1.CallsSayRequest)"), "{methods}");

    let to = format!("sip:4001@{}", service.address);
    let arguments = [
        ("--token-file", at("token")),
        ("--to", to.clone()),
        ("--dialplan", "desk".to_owned()),
        ("--say", "An agent will be with you in a moment.".to_owned()),
        ("--transfer-to", to),
        ("--hang-up-after", "3".to_owned()),
        ("--recording", at("call.wav")),
    ];
    let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    let printed = run("client.py", arguments.collect()).await;
    assert!(printed.contains("said\n") && printed.contains("transferred, and over"), "{printed}");
    let wav = fs::read(dir.path().join("call.wav")).unwrap();
    assert!(wav.starts_with(b"RIFF") && wav.len() > 20_000, "{} bytes", wav.len());
}

/// A Python that has what the clients need; `None`, with the reason printed, where it cannot be had.
fn python() -> Option<std::path::PathBuf> {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients/python");
    let venv = clients.join("venv");
    let python = venv.join("bin/python");
    let ready = |python: &Path| {
        let probe =
            Command::new(python).args(["-c", "import grpc_tools, grpc_reflection"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    if ready(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).output();
    let requirements = clients.join("requirements.txt");
    let install =
        Command::new(&python).args(["-m", "pip", "install", "-q", "-r"]).arg(requirements).output();
    let said = |output: std::io::Result<std::process::Output>| match output {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    if ready(&python) {
        return Some(python);
    }
    eprintln!("skipped: no Python with grpcio: {} {}", said(made), said(install));
    None
}
