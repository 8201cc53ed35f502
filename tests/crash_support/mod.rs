//! A real service that may die, callers who do not mind, and a judge.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod callers;
mod crm;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use hotline::{
    speech::models::ModelDir,
    store::{CallFilter, Event, Store},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

pub(crate) use callers::Callers;
use crm::CrmSink;

use crate::{receiver_support::Receiver, store_support::Home};

/// Says a word and hangs up.
const PLAN: &str = r#"dialplan: short
version: 1
language: en
voices: {en: en-hibari}
start: main.bye
flows:
  main:
    bye: {say: "Goodbye.", hang_up: done}
"#;

/// A service in a process of its own, and where its events go.
pub(crate) struct Rig {
    pub(crate) home: Home,
    pub(crate) receiver: Receiver,
    crm: CrmSink,
    pub(crate) sip: SocketAddr,
    monitoring: SocketAddr,
    service: Option<Child>,
    starts: Vec<Duration>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) interrupted: usize,
}

impl Rig {
    /// `None`, with the reason printed, where there are no voices.
    pub(crate) async fn new(home: Home) -> Option<Self> {
        let models = ModelDir::default_location();
        if !models.root().join("hibari-en").is_dir()
            && !models.root().join("moonshine-tiny-en").is_dir()
        {
            eprintln!("skipped: no models: run `hotline models pull`");
            return None;
        }
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let monitoring = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (receiver, crm) = (Receiver::start().await, CrmSink::start().await);
        let rig = Self { home, receiver, crm, sip, monitoring, service: None, starts: Vec::new() };
        rig.configure(&models);
        Some(rig)
    }

    fn configure(&self, models: &ModelDir) {
        let dir = self.home.dir.path();
        fs::write(dir.join("plan.yaml"), PLAN).unwrap();
        fs::write(dir.join("secret"), crate::receiver_support::SECRET).unwrap();
        let database = match &self.home.server {
            Some(server) => format!("database = \"{}\"\n", server.url()),
            None => String::new(),
        };
        let voices = Path::new(env!("CARGO_MANIFEST_DIR")).join("voices");
        let prompts = models.root().join("../prompts");
        let toml = format!(
            "[sip]\nlisten = \"{}\"\nmax_calls = 400\n[rtp]\nports = \"46000-47999\"\n\
             [data]\ndir = \"data\"\nprompts = \"{}\"\n{database}\
             [voices]\ndir = \"{}\"\n[monitoring]\nlisten = \"{}\"\n\
             [crm]\nurl = \"{}\"\nevents = true\n\
             [[webhook]]\nname = \"test\"\nurl = \"{}\"\nsecret_file = \"secret\"\n\
             [[number]]\nnumber = \"1000\"\ndialplan = \"plan.yaml\"\n",
            self.sip,
            prompts.display(),
            voices.display(),
            self.monitoring,
            self.crm.url(),
            self.receiver.url(),
        );
        fs::write(dir.join("hotline.toml"), toml).unwrap();
    }

    /// Starts the service and waits until it takes calls.
    pub(crate) async fn start(&mut self) {
        let begun = Instant::now();
        let dir = self.home.dir.path();
        let log = fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["serve", "--config"])
            .arg(dir.join("hotline.toml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.service = Some(child);
        while !self.is_ready().await {
            let ended = self.service.as_mut().unwrap().try_wait().unwrap();
            let late = begun.elapsed() > Duration::from_secs(60);
            assert!(ended.is_none() && !late, "the service did not start:\n{}", self.log());
            sleep(Duration::from_millis(20)).await;
        }
        self.starts.push(begun.elapsed());
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.monitoring).await else { return false };
        let ask = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(ask).await.is_ok()
            && stream.read_to_string(&mut answer).await.is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.dir.path().join("log")).unwrap_or_default()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.service.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn crm_away(&mut self) {
        self.crm.stop();
    }

    pub(crate) async fn crm_back(&mut self) {
        self.crm.resume().await;
    }

    /// The time in which calls shall come, so that all deaths fall among them.
    pub(crate) fn pace(&self, deaths: u32, _calls: u32) -> Duration {
        let one = self.starts[0] + Duration::from_millis(800);
        one * deaths
    }

    async fn store(&self) -> Store {
        match &self.home.server {
            Some(_) => self.home.look().await,
            None => Store::open(self.home.dir.path().join("data/hotline.db")).await.unwrap(),
        }
    }

    /// Waits until running calls are over and the sinks have everything.
    pub(crate) async fn settle(&mut self) {
        let store = self.store().await;
        let calm = async || {
            let calls = store.calls(&all()).await.unwrap();
            let mut behind = 0;
            for sink in store.sinks().await.unwrap() {
                let state = store.sink_state(&sink).await.unwrap();
                behind += state.behind + state.dead;
            }
            behind == 0 && calls.iter().all(|call| call.end_reason.is_some())
        };
        let begun = Instant::now();
        while !calm().await {
            if begun.elapsed() > Duration::from_secs(90) {
                let sinks = store.sinks().await.unwrap();
                let state = store.sink_state(&sinks[0]).await.unwrap();
                panic!("calls are stuck or events not delivered: {state:?}\n{}", self.log());
            }
            sleep(Duration::from_millis(100)).await;
        }
        println!(
            "  everything delivered {:.1} s after the last caller",
            begun.elapsed().as_secs_f64()
        );
    }

    /// No outcome is missing, none was told in two ways, and no call is stuck.
    pub(crate) async fn judge(
        &mut self,
        answered: &BTreeSet<String>,
        deaths: u32,
        what: &str,
    ) -> Figures {
        let store = self.store().await;
        let calls = store.calls(&all()).await.unwrap();
        let events = everything(&store).await;
        self.kill();
        let mut figures = Figures::default();
        let mut known = BTreeSet::new();
        for call in &calls {
            let record = store.call(&call.id).await.unwrap().unwrap();
            known.extend(record.sip_call_id);
            assert!(call.end_reason.is_some(), "{} is stuck", call.id);
            figures.interrupted += usize::from(call.end_reason.as_deref() == Some("interrupted"));
            let own: Vec<&Event> = events.iter().filter(|event| event.call == call.id).collect();
            assert!(
                own.iter().map(|e| e.seq).eq(0..own.len() as u32),
                "{} has gaps: {own:?}",
                call.id
            );
            let ends = own.iter().filter(|event| event.what.kind == "call.ended").count();
            assert_eq!(ends, 1, "{} has {ends} outcomes", call.id);
        }
        let missing: Vec<_> = answered.difference(&known).collect();
        assert!(missing.is_empty(), "answered, and not in the store: {missing:?}");
        self.receiver.assert_each_call_is_in_order();
        let (by_webhook, by_crm) = (self.receiver.distinct(), self.crm.distinct());
        assert_eq!(by_webhook, events.len(), "events at the webhook");
        assert_eq!(by_crm, events.len(), "events at the CRM");
        println!(
            "{what}: {deaths} deaths, {} calls in the store ({} answered, {} interrupted), {} events; \
             delivered to the webhook {} times, to the CRM {} times; missing 0, told in two ways 0, stuck 0",
            calls.len(),
            answered.len(),
            figures.interrupted,
            events.len(),
            self.receiver.count(),
            self.crm.count(),
        );
        figures
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
    }
}

fn all() -> CallFilter {
    CallFilter { limit: 100_000, ..CallFilter::default() }
}

async fn everything(store: &Store) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let cursor = events.last().map_or(0, |event| event.cursor);
        let more = store.events_after(None, cursor, 10_000).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

/// Keys and what came under them: panics when that was not always the same.
pub(crate) fn distinct<V: PartialEq + std::fmt::Debug>(got: &[(String, V)]) -> usize {
    let mut by_key: BTreeMap<&str, &V> = BTreeMap::new();
    for (key, value) in got {
        let before = by_key.insert(key, value);
        assert!(before.is_none_or(|before| before == value), "{key} came with other content");
    }
    by_key.len()
}
