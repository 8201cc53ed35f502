//! A whole service on loopback, for the number 4001.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{path::Path, time::Duration};

use hotline::{
    call::{control::Calls, live::Live},
    service::{Config, Originator, Reloader, Service},
    speech::models::ModelDir,
    store::{CallFilter, CallRecord, Store},
};
use tokio::{net::UdpSocket, sync::oneshot, task::JoinHandle, time::timeout};

use crate::sip_support::{Peer, SDP, tag_of};

/// A service that runs until told otherwise; `None`, with the reason printed, where there are no
/// models.
pub(crate) struct Running {
    task: JoinHandle<()>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) cut: Option<oneshot::Sender<()>>,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) monitoring: Option<std::net::SocketAddr>,
    pub(crate) api: Option<std::net::SocketAddr>,
    pub(crate) reloader: Reloader,
    pub(crate) calls: Calls,
    pub(crate) originator: Originator,
    pub(crate) live: Live,
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) data: tempfile::TempDir,
}

impl Running {
    /// Starts one, configured as shipped and then by `configure`, which gets the one number there
    /// is. `ports` begin at that.
    pub(crate) async fn new(ports: u16, configure: impl Fn(&mut Config)) -> Option<Self> {
        Self::prepared(ports, configure, |_| {}).await
    }

    /// The same; `prepare` gets the service before it runs.
    pub(crate) async fn prepared(
        ports: u16,
        configure: impl Fn(&mut Config),
        prepare: impl FnOnce(&mut Service),
    ) -> Option<Self> {
        let models = ModelDir::default_location();
        if !models.root().join("moonshine-tiny-en").is_dir() {
            eprintln!("skipped: no models: run `hotline models pull`");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let toml = Path::new(env!("CARGO_MANIFEST_DIR")).join("hotline.toml");
        let mut config = Config::load(&toml).unwrap();
        config.sip.listen = vec!["127.0.0.1:0".parse().unwrap()];
        config.rtp.ports = format!("{ports}-{}", ports + 998);
        config.data.dir = data.path().to_owned();
        config.data.prompts = Some(models.root().join("../prompts"));
        config.numbers.retain(|n| n.number == "1000");
        config.numbers.iter_mut().for_each(|n| n.number = "4001".into());
        configure(&mut config);
        let mut service = Service::start(config.clone(), None).await.unwrap();
        prepare(&mut service);
        let (reloader, originator) = (service.reloader(), service.originator());
        let (calls, live) = (service.calls(), service.live().clone());
        let (monitoring, api) = (service.monitoring_address(), service.api_address());
        let (address, store) = (service.address(), service.store().clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let (cut, is_cut) = oneshot::channel::<()>();
        let task = tokio::spawn(service.run_until(
            async move {
                let _ = stopped.await;
            },
            async move {
                let _ = is_cut.await;
            },
        ));
        let (stop, cut) = (Some(stop), Some(cut));
        Some(Self {
            task,
            stop,
            cut,
            address,
            monitoring,
            api,
            reloader,
            calls,
            originator,
            live,
            config,
            store,
            data,
        })
    }

    /// A peer that has not called yet.
    pub(crate) async fn peer(&self, call_id: &str) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Peer { socket, agent: self.address, call_id: call_id.into(), tag: String::new() }
    }

    /// A call that is up.
    pub(crate) async fn call(&self, call_id: &str) -> Peer {
        let mut peer = self.peer(call_id).await;
        let ok = peer.ask("INVITE", 1, "inv", "Content-Type: application/sdp\r\n", SDP).await;
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        peer.tag = tag_of(&ok);
        peer.ack(1, "").await;
        peer
    }

    /// The record of a call, once it is over.
    pub(crate) async fn record(&self, call_id: &str) -> CallRecord {
        for _ in 0..100 {
            for call in self.store.calls(&CallFilter::default()).await.unwrap() {
                let record = self.store.call(&call.id).await.unwrap().unwrap();
                let over = record.summary.end_reason.is_some();
                if over && record.sip_call_id.as_deref() == Some(call_id) {
                    return record;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no record of {call_id} after 10 s");
    }

    /// Waits for the end of a service that was told to stop.
    pub(crate) async fn over(&mut self) {
        timeout(Duration::from_secs(15), &mut self.task).await.expect("still running").unwrap();
    }
}
