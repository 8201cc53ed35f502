//! `hotline dial` places one call with a service of its own and tells what came of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;
mod transfer_support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use hotline::speech::models::ModelDir;
use serde_json::Value;
use tokio::task::JoinHandle;
use transfer_support::{Callee, header, sdp};

const PLAN: &str = r#"dialplan: reminder
version: 1
language: en
voices: {en: en-hibari}
start: main.ask
defaults:
  wait: 30s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
slots:
  name: {type: text, given: true}
flows:
  main:
    ask: {ask: "{name}, will you come?", yes: kept, no: bye}
    kept: {say: "See you then.", hang_up: kept}
    bye: {say: "Goodbye.", hang_up: not_kept}
"#;

/// Runs `hotline dial` to `callee` in `dir`; what it prints, when it is over.
fn dial(dir: &Path, ports: u16, callee: &Callee, set: &str) -> Option<JoinHandle<(bool, String)>> {
    let models = ModelDir::default_location();
    if !models.root().join("moonshine-tiny-en").is_dir() {
        eprintln!("skipped: no models: run `hotline models pull`");
        return None;
    }
    let (plan, config) = (dir.join("reminder.yaml"), dir.join("hotline.toml"));
    fs::write(&plan, PLAN).unwrap();
    let target = callee.socket.local_addr().unwrap();
    let prompts = models.root().join("../prompts");
    let voices = Path::new(env!("CARGO_MANIFEST_DIR")).join("voices");
    let text = format!(
        "[sip]\nlisten = \"127.0.0.1:5060\"\n[rtp]\nports = \"{ports}-{}\"\n[data]\ndir = \"data\"\nprompts = {prompts:?}\n\
         [voices]\ndir = {voices:?}\n[[trunk]]\nname = \"carrier\"\ntargets = [\"sip:{target}\"]\nping_s = 0\n",
        ports + 98
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["dial", "13900001234", "--ring", "10", "--set", set, "--dialplan"]).arg(plan);
    command.arg("--config").arg(config).stderr(Stdio::piped());
    Some(tokio::task::spawn_blocking(move || {
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].map(|out| String::from_utf8(out).unwrap());
        (
            output.status.success(),
            if output.status.success() { text[0].clone() } else { text[1].clone() },
        )
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_answered_is_told_with_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let mut callee = Callee::new().await;
    let Some(dialled) = dial(dir.path(), 58_000, &callee, "name=Ms Li") else { return };
    let from = callee.invited().await;
    assert!(callee.invite.starts_with("INVITE sip:13900001234@"), "{}", callee.invite);
    callee.respond(from, &callee.invite, "200 OK", &sdp(&callee.rtp, 0)).await;
    callee.request("ACK").await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    callee.send(from, "INFO", 2, "Content-Type: application/dtmf\r\n", "1").await;
    let (bye, _) = callee.request("BYE").await;
    callee.respond(from, &bye, "200 OK", "").await;
    let (worked, text) = dialled.await.unwrap();
    assert!(worked, "{text}");
    let outcome: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&outcome["disposition"], &outcome["slots"]["name"]),
        (&"kept".into(), &"Ms Li".into())
    );
    assert_eq!(
        (&outcome["to"], &outcome["dialled"]["result"]),
        (&"********234".into(), &"answered".into())
    );
    assert!(Path::new(outcome["recording"].as_str().unwrap()).exists());
    assert!(header(&callee.invite, "X-Hotline-Call-Id:") == outcome["call"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_is_an_outcome_and_a_wrong_value_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut callee = Callee::new().await;
    let Some(dialled) = dial(dir.path(), 58_200, &callee, "name=Ms Li") else { return };
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "486 Busy Here", "").await;
    let (worked, text) = dialled.await.unwrap();
    assert!(worked, "{text}");
    let outcome: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&outcome["disposition"], &outcome["dialled"]["sip"]),
        (&"busy".into(), &486.into())
    );

    let (worked, text) = dial(dir.path(), 58_200, &callee, "nome=Ms Li").unwrap().await.unwrap();
    assert!(!worked && text.contains("did you mean `name`?"), "{text}");
}
