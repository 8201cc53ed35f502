//! We put a caller on hold: the other phone is asked, hears music, and the call waits.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;
mod transfer_support;

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use hotline::{
    call::control::{CallState, Command, ControlError},
    conversation::journal,
};
use service_support::Running;
use sip_support::{Peer, body_of};
use tokio::{net::UdpSocket, task::JoinHandle};
use transfer_support::{SDP, asked, caller, came_to, hear, loud_mu, record, sdp};

const PLAN: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
defaults:
  wait: 4s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    ask: {ask: "Is it?", yes: bye, no: bye}
    bye: {say: "Goodbye.", hang_up: done}
"#;

/// A second of a loud tone.
fn music(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    (0..8_000)
        .for_each(|n| wav.write_sample(if n / 8 % 2 == 0 { 9_000i16 } else { -9_000 }).unwrap());
    wav.finalize().unwrap();
}

struct Scene {
    service: Running,
    peer: Peer,
    rtp: Arc<UdpSocket>,
    _bot: SocketAddr,
    id: String,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn new(ports: u16, call_id: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (file, tone) = (dir.path().join("desk.yaml"), dir.path().join("music.wav"));
        fs::write(&file, PLAN).unwrap();
        music(&tone);
        let service = Running::new(ports, |config| {
            config.recognizer.clear();
            config.numbers[0].dialplan.clone_from(&file);
            config.hold.music = Some(tone.clone());
        })
        .await?;
        let (peer, rtp, bot) = caller(&service, call_id).await;
        let id = service.calls.list()[0].id.clone();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        Some(Self { service, peer, rtp, _bot: bot, id, _dir: dir })
    }

    fn tell(&self, command: Command) -> JoinHandle<Result<(), ControlError>> {
        let (calls, id) = (self.service.calls.clone(), self.id.clone());
        tokio::spawn(async move { calls.command(&id, command).await })
    }

    /// Answers the next re-INVITE, which must say `direction`.
    async fn answers(&self, direction: &str, status: &str, answer: &str) {
        let invite = self.peer.request("INVITE").await;
        assert!(body_of(&invite).contains(&format!("a={direction}")), "{invite}");
        let own = self.peer.socket.local_addr().unwrap();
        let body = match answer {
            "" => String::new(),
            answer => format!("{}a={answer}\r\n", sdp(&self.rtp, 0)),
        };
        let kind = if body.is_empty() { "" } else { SDP };
        let headers = format!("Contact: <sip:1001@{own}>\r\n{kind}");
        self.peer.respond(&invite, status, &headers, &body).await;
        self.peer.request("ACK").await;
    }

    fn state(&self) -> CallState {
        self.service.calls.get(&self.id).unwrap().state
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_caller_hears_music_and_the_call_waits() {
    let Some(scene) = Scene::new(53_000, "held").await else { return };
    let told = scene.tell(Command::Hold);
    scene.answers("sendonly", "200 OK", "recvonly").await;
    assert_eq!(told.await.unwrap(), Ok(()));
    assert_eq!(scene.state(), CallState::Held);
    hear(&scene.rtp, 0, loud_mu).await;
    // Longer than a silent caller is waited for.
    tokio::time::sleep(Duration::from_secs(6)).await;
    hear(&scene.rtp, 0, loud_mu).await;
    let again = scene.tell(Command::Hold).await.unwrap().unwrap_err().to_string();
    assert!(again.contains("already"), "{again}");

    let told = scene.tell(Command::Resume);
    scene.answers("sendrecv", "200 OK", "sendrecv").await;
    assert_eq!(told.await.unwrap(), Ok(()));
    assert_eq!(scene.state(), CallState::Talking);
    let dtmf = "Content-Type: application/dtmf\r\n";
    scene.peer.send(&scene.peer.message("INFO", 2, "key2", dtmf, "1")).await;
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    let record = record(&mut service, "held").await;
    assert_eq!(came_to(&record), ("bot_hangup", "done"));
    let silent = record.events.iter().filter(|e| e.data["event"] == "no_input").count();
    assert_eq!(silent, 0, "nobody was asked whether they are there");
    assert!(record.summary.duration_ms < 9_000, "the call's time stood still: {record:?}");
    let text = fs::read_to_string(record.journal.as_ref().unwrap()).unwrap();
    assert_eq!(journal::replay(&text).unwrap().difference, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_does_not_want_to_be_held_is_not() {
    let Some(scene) = Scene::new(54_000, "unheld").await else { return };
    let resume = scene.tell(Command::Resume).await.unwrap().unwrap_err().to_string();
    assert!(resume.contains("not on hold"), "{resume}");
    let told = scene.tell(Command::Hold);
    scene.answers("sendonly", "488 Not Acceptable Here", "").await;
    let refused = told.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("488"), "{refused}");
    assert_eq!(scene.state(), CallState::Talking);
    scene.tell(Command::HangUp { disposition: None }).await.unwrap().unwrap();
    asked(&scene.peer, "BYE", "200 OK").await;
    let Scene { mut service, .. } = scene;
    assert_eq!(came_to(&record(&mut service, "unheld").await), ("operator_hangup", ""));
}
