//! Running calls are listed, and driven from outside: over real SIP and RTP on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, which give up after a while"
)]

mod service_support;
mod sip_support;
mod transfer_support;

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hotline::{
    audio::Pcm,
    call::control::{CallState, Command, ControlError, Side},
    conversation::journal,
    dialog::TransferMode,
    store::{CallDirection, CallRecord},
};
use service_support::Running;
use sip_support::{Peer, body_of};
use tokio::net::UdpSocket;
use transfer_support::{
    Callee, asked, caller, came_to, hear, loud_a, loud_mu, media_of, record, talk,
};

const PLAN: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
defaults:
  wait: 30s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
  resume: "Now then."
slots:
  name: {type: text, given: true}
flows:
  main:
    ask: {ask: "Is it?", yes: bye, no: other}
    bye: {say: "Goodbye, {name}.", hang_up: yes_it_is}
    other: {say: "Goodbye.", hang_up: no_it_is_not}
"#;

const RING: Duration = Duration::from_secs(10);

/// A service that keys alone answer, and a caller whose call is up.
struct Scene {
    service: Running,
    peer: Peer,
    rtp: Arc<UdpSocket>,
    bot: SocketAddr,
    id: String,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn new(ports: u16, call_id: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("desk.yaml");
        fs::write(&file, PLAN).unwrap();
        let service = Running::new(ports, |config| {
            config.recognizer.clear();
            config.numbers.truncate(1);
            config.numbers[0].dialplan.clone_from(&file);
        })
        .await?;
        let (peer, rtp, bot) = caller(&service, call_id).await;
        let id = service.calls.list().first().expect("the call is listed").id.clone();
        let scene = Self { service, peer, rtp, bot, id, _dir: dir };
        // The question has been asked when the second prompt could begin.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        Some(scene)
    }

    async fn told(&self, command: Command) -> Result<(), ControlError> {
        self.service.calls.command(&self.id, command).await
    }

    fn state(&self) -> Option<CallState> {
        self.service.calls.get(&self.id).map(|status| status.state)
    }

    async fn comes_to(&self, state: CallState) {
        let until = Instant::now() + Duration::from_secs(10);
        while self.state() != Some(state) {
            assert!(Instant::now() < until, "the call is {:?}, not {state:?}", self.state());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The caller presses a key, by SIP INFO.
    async fn press(&self, cseq: u32, key: &str) {
        let headers = "Content-Type: application/dtmf\r\n";
        let answer = self.peer.ask("INFO", cseq, &format!("key{cseq}"), headers, key).await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }
}

fn say(text: &str) -> Command {
    Command::Say { text: text.into(), lang: None, interrupt: false, barge_in: true }
}

/// Everything that was said to its end, with the node that said it.
fn said(record: &CallRecord) -> Vec<(String, String)> {
    let said = record.events.iter().filter(|e| e.kind == "said" && e.data["complete"] == true);
    said.map(|e| (e.data["node"].as_str().unwrap().into(), e.data["text"].as_str().unwrap().into()))
        .collect()
}

fn commands(record: &CallRecord) -> Vec<&str> {
    let commands = record.events.iter().filter(|e| e.kind == "command");
    commands.map(|e| e.data["command"].as_str().unwrap()).collect()
}

fn replays(record: &CallRecord) {
    let text = fs::read_to_string(record.journal.as_ref().unwrap()).unwrap();
    assert_eq!(journal::replay(&text).unwrap().difference, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_listed_says_what_it_is_told_and_ends_when_it_is_told() {
    let Some(scene) = Scene::new(41_000, "told").await else { return };
    let status = scene.service.calls.get(&scene.id).unwrap();
    assert_eq!((status.direction, status.state), (CallDirection::Inbound, CallState::Talking));
    assert_eq!((&*status.caller, &*status.called, &*status.dialplan), ("1001", "4001", "desk"));
    assert_eq!(&*status.tenant, "default");

    scene.told(say("Your agent is on the way.")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let set = |slot: &str| Command::SetVariable { slot: slot.into(), value: "Ms Li".into() };
    scene.told(set("name")).await.unwrap();
    let unknown = scene.told(set("nome")).await.unwrap_err().to_string();
    assert!(unknown.contains("`nome`") && unknown.contains("`name`"), "{unknown}");
    assert!(scene.told(say("?")).await.is_err());
    assert!(scene.told(Command::GiveBack).await.unwrap_err().to_string().contains("taken over"));
    let keys = |keys: &str| Command::SendKeys { keys: keys.into() };
    assert!(scene.told(keys("12x")).await.is_err());

    let disposition = Some("spam".to_owned());
    scene.told(Command::HangUp { disposition }).await.unwrap();
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, id, .. } = scene;
    let record = record(&mut service, "told").await;
    assert_eq!(came_to(&record), ("operator_hangup", "spam"));
    assert_eq!(record.slots["name"], "Ms Li");
    assert!(said(&record).contains(&("operator".into(), "Your agent is on the way.".into())));
    assert_eq!(commands(&record), ["say", "set_variable", "hang_up"]);
    replays(&record);
    let gone = service.calls.command(&id, Command::GiveBack).await;
    assert_eq!(gone, Err(ControlError::NoSuchCall { id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_taken_over_and_given_back() {
    let Some(scene) = Scene::new(42_000, "over").await else { return };
    let mut operator = Callee::new().await;
    let by = Some(operator.uri());
    scene.told(Command::TakeOver { by, ring: RING }).await.unwrap();
    let from = operator.answer().await;
    scene.comes_to(CallState::TakenOver).await;
    let there = media_of(body_of(&operator.invite));
    let speaks = talk(&scene.rtp, scene.bot, 0, 0x10);
    let replies = talk(&operator.rtp, there, 8, 0x35);
    hear(&operator.rtp, 8, loud_a).await;
    hear(&scene.rtp, 0, loud_mu).await;
    let refused = scene.told(say("Hello?")).await.unwrap_err().to_string();
    assert!(refused.contains("somebody else"), "{refused}");

    // A caller who is muted is not heard by the operator either.
    scene.told(Command::Mute { side: Side::Caller, on: true }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    while operator.rtp.try_recv(&mut [0; 2_048]).is_ok() {}
    let mut packet = [0; 2_048];
    for _ in 0..25 {
        let len = operator.rtp.recv(&mut packet).await.unwrap();
        assert!(packet[1] & 0x7F != 8 || !loud_a(&packet[12..len]), "the caller is heard");
    }
    scene.told(Command::Mute { side: Side::Caller, on: false }).await.unwrap();
    hear(&operator.rtp, 8, loud_a).await;

    scene.told(Command::GiveBack).await.unwrap();
    let (bye, _) = operator.request("BYE").await;
    operator.respond(from, &bye, "200 OK", "").await;
    scene.comes_to(CallState::Talking).await;
    speaks.abort();
    replies.abort();
    // "Now then. Is it?"
    tokio::time::sleep(Duration::from_secs(4)).await;
    scene.press(2, "1").await;
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "over").await;
    assert_eq!(came_to(&record), ("bot_hangup", "yes_it_is"));
    let said: Vec<String> = said(&record).into_iter().map(|(_, text)| text).collect();
    assert_eq!(said, ["Is it?", "Now then.", "Is it?", "Goodbye, ."]);
    replays(&record);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_took_a_call_over_ends_it_by_hanging_up() {
    let Some(scene) = Scene::new(43_000, "ends").await else { return };
    let mut operator = Callee::new().await;
    let by = Some(operator.uri());
    scene.told(Command::TakeOver { by, ring: RING }).await.unwrap();
    let from = operator.answer().await;
    scene.comes_to(CallState::TakenOver).await;
    operator.hang_up(from).await;
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "ends").await;
    assert_eq!(came_to(&record), ("transferred", "taken_over"));
    replays(&record);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_by_command_that_fails_comes_back_to_the_question() {
    let Some(scene) = Scene::new(44_000, "back").await else { return };
    let mut desk = Callee::new().await;
    let transfer = || Command::Transfer { to: desk.uri(), mode: TransferMode::Bridge, ring: RING };
    let nobody = Command::Transfer { to: "not one".into(), mode: TransferMode::Bridge, ring: RING };
    assert!(scene.told(nobody).await.is_err());
    scene.told(transfer()).await.unwrap();
    assert_eq!(scene.state(), Some(CallState::HandingOver));
    let from = desk.invited().await;
    desk.respond(from, &desk.invite, "486 Busy Here", "").await;
    scene.comes_to(CallState::Talking).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    scene.press(2, "2").await;
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "back").await;
    assert_eq!(came_to(&record), ("bot_hangup", "no_it_is_not"));
    replays(&record);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_by_command_connects_and_ends_the_dialog() {
    let Some(scene) = Scene::new(45_000, "gone").await else { return };
    let mut desk = Callee::new().await;
    let transfer = Command::Transfer { to: desk.uri(), mode: TransferMode::Bridge, ring: RING };
    scene.told(transfer).await.unwrap();
    let from = desk.answer().await;
    scene.comes_to(CallState::HandedOver).await;
    desk.hang_up(from).await;
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "gone").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
    replays(&record);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_recorded_audio_reach_the_caller_and_a_pause_is_silent_on_the_recording() {
    let Some(scene) = Scene::new(46_000, "sounds").await else { return };
    let speaks = talk(&scene.rtp, scene.bot, 0, 0x10);
    hear(&scene.rtp, 0, |_| true).await;
    let name = Command::SetVariable { slot: "name".into(), value: "Ms Li".into() };
    scene.told(name).await.unwrap();
    scene.told(Command::SendKeys { keys: "5".into() }).await.unwrap();
    hear(&scene.rtp, 101, |event| event[0] == 5).await;
    let beep: Vec<i16> = (0..8_000).map(|n| if n / 8 % 2 == 0 { 9_000 } else { -9_000 }).collect();
    let audio = Arc::new(Pcm::new(beep));
    scene.told(Command::Play { name: "beep".into(), audio, interrupt: true }).await.unwrap();
    hear(&scene.rtp, 0, loud_mu).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    scene.told(Command::Record { on: false }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene.told(Command::Record { on: true }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.told(Command::HangUp { disposition: None }).await.unwrap();
    asked(&scene.peer, "BYE", "200 OK").await;
    speaks.abort();
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "sounds").await;
    assert_eq!(came_to(&record), ("operator_hangup", ""));
    assert!(said(&record).contains(&("operator".into(), "[beep]".into())));
    assert_eq!(record.slots["name"], "Ms Li", "kept without an outcome");
    replays(&record);

    let mut wav = hound::WavReader::open(record.recording.as_ref().unwrap()).unwrap();
    let samples: Vec<i16> = wav.samples::<i16>().map(Result::unwrap).collect();
    let at = |kind: &str| {
        let event = record.events.iter().find(|e| e.data["command"] == kind).unwrap();
        event.at.samples() as usize
    };
    let (paused, resumed) = (at("pause_recording"), at("resume_recording"));
    let caller = |from: usize, to: usize| samples[2 * from..2 * to].iter().step_by(2);
    assert!(resumed - paused > 14_000, "{paused} {resumed}");
    assert!(caller(paused - 4_000, paused - 400).any(|s| s.abs() > 5_000));
    assert!(caller(paused + 400, resumed - 400).all(|s| *s == 0), "the pause is silent");
    assert!(caller(resumed + 400, resumed + 4_000).any(|s| s.abs() > 5_000));
}
