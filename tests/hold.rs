//! A caller puts the bot on hold and comes back: nothing that was to be said is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::{net::SocketAddr, path::Path, time::Duration};

use hotline::{
    conversation::journal,
    service::{Config, Service},
    speech::models::ModelDir,
    store::CallFilter,
};
use sip_support::{Peer, body_of, tag_of};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout},
};

const SDP: &str = "Content-Type: application/sdp\r\n";

/// A caller with an RTP socket, who says nothing.
struct Caller {
    peer: Peer,
    rtp: UdpSocket,
    version: u32,
}

impl Caller {
    async fn new(service: &Service, number: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer = Peer {
            socket,
            agent: service.address(),
            call_id: format!("hold-{number}"),
            tag: String::new(),
        };
        Self { peer, rtp: UdpSocket::bind("127.0.0.1:0").await.unwrap(), version: 0 }
    }

    /// Our description, with this connection address and direction.
    fn sdp(&mut self, address: &str, direction: &str) -> String {
        self.version += 1;
        let (version, port) = (self.version, self.rtp.local_addr().unwrap().port());
        format!(
            "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0\r\na={direction}\r\n"
        )
    }

    /// INVITE or re-INVITE, and its ACK; gives the body of the 200 OK.
    async fn invite(&mut self, address: &str, direction: &str) -> String {
        let sdp = self.sdp(address, direction);
        let cseq = self.version;
        let ok = self.peer.ask("INVITE", cseq, &format!("i{cseq}"), SDP, &sdp).await;
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        self.peer.tag = tag_of(&ok);
        self.peer.ack(cseq, "").await;
        body_of(&ok).to_owned()
    }

    /// Whether the next packet, if one comes within `wait`, can be heard (PCMU).
    async fn packet(&self, wait: Duration) -> Option<bool> {
        let mut packet = [0; 512];
        let len = timeout(wait, self.rtp.recv(&mut packet)).await.ok()?.unwrap();
        // Within +-8 codes of zero lies the faint noise of a silent line.
        Some(packet[12..len].iter().any(|code| code & 0x7F < 0x70))
    }

    /// Waits until the bot has been heard for `frames` packets.
    async fn listen(&self, frames: usize) {
        let mut heard = 0;
        while heard < frames {
            let audible = self.packet(Duration::from_secs(5)).await.expect("no audio for 5 s");
            heard += usize::from(audible);
        }
    }

    /// Nothing may come for that long, after what is under way.
    async fn hear_nothing_for(&self, time: Duration) {
        while self.packet(Duration::from_millis(40)).await.is_some() {}
        assert_eq!(self.packet(time).await, None, "audio while the call is held");
    }

    /// Waits until the bot has said what it has to say.
    async fn hear_out(&self) {
        let mut last = Instant::now();
        while last.elapsed() < Duration::from_millis(1_500) {
            if self.packet(Duration::from_secs(5)).await.expect("no audio for 5 s") {
                last = Instant::now();
            }
        }
    }
}

/// A service for one number of the shipped configuration; `None`, with the reason printed, where
/// there are no models.
async fn service(number: &str, data: &Path) -> Option<Service> {
    let mut config =
        Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("hotline.toml")).unwrap();
    config.sip.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
    config.rtp.ports = "33000-33998".into();
    config.data.dir = data.to_owned();
    config.data.prompts = Some(ModelDir::default_location().root().join("../prompts"));
    config.numbers.retain(|n| n.number == number);
    // What the peer dials.
    config.numbers.iter_mut().for_each(|n| n.number = "4001".into());
    let model = ModelDir::default_location().root().join("moonshine-tiny-en");
    if !model.is_dir() {
        eprintln!("skipped: no {}: run `hotline models pull`", model.display());
        return None;
    }
    Some(Service::start(config, None).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_waits_for_the_end_of_the_hold() {
    let data = tempfile::tempdir().unwrap();
    let Some(service) = service("1000", data.path()).await else { return };
    let mut caller = Caller::new(&service, "1000").await;
    let store = service.store().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(service.run(async move {
        let _ = stopped.await;
    }));
    let begun = Instant::now();

    caller.invite("127.0.0.1", "sendrecv").await;
    for (address, direction, answered) in [
        ("127.0.0.1", "sendonly", "a=recvonly"),
        ("127.0.0.1", "inactive", "a=inactive"),
        ("0.0.0.0", "sendrecv", "a=recvonly"),
    ] {
        caller.listen(20).await;
        let answer = caller.invite(address, direction).await;
        assert!(answer.contains(answered), "{direction}: {answer}");
        caller.hear_nothing_for(Duration::from_secs(2)).await;
        let answer = caller.invite("127.0.0.1", "sendrecv").await;
        assert!(!answer.contains("a=recvonly") && !answer.contains("a=inactive"), "{answer}");
    }
    caller.hear_out().await;
    let cseq = caller.version + 1;
    caller.peer.ask("BYE", cseq, "bye", "", "").await;
    let lasted = begun.elapsed();
    let _ = stop.send(());
    running.await.unwrap();

    let calls = store.calls(&CallFilter::default()).await.unwrap();
    let record = store.call(&calls[0].id).await.unwrap().unwrap();
    assert_eq!(record.summary.end_reason.as_deref(), Some("caller_hangup"));
    let recorded = hound::WavReader::open(record.recording.as_ref().unwrap()).unwrap().duration();
    let recorded = Duration::from_millis(u64::from(recorded) / 8);
    assert!(recorded + Duration::from_secs(6) < lasted, "holds are not part of the recording");
    let text = std::fs::read_to_string(record.journal.as_ref().unwrap()).unwrap();
    assert_eq!(journal::replay(&text).unwrap().difference, None);
    let first = text.lines().find(|line| line.contains("playback_ended")).unwrap_or_default();
    let number = |key: &str| {
        let digits = first.split(&format!("\"{key}\":")).nth(1).unwrap_or_default();
        digits.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    assert!(!number("total").is_empty(), "no prompt ended: {text}");
    assert_eq!(number("played"), number("total"), "the greeting was said to its end");
}
