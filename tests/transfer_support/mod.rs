//! Somebody to hand a caller over to, and a service that does.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hotline::{service::Trunk, store::CallRecord};
use tokio::{net::UdpSocket, task::AbortHandle, time::timeout};

use crate::{
    service_support::Running,
    sip_support::{Peer, body_of, tag_of},
};

pub(crate) const SDP: &str = "Content-Type: application/sdp\r\n";

/// Somebody who may be called: a socket for signalling and one for media, messages by hand.
pub(crate) struct Callee {
    pub(crate) socket: UdpSocket,
    pub(crate) rtp: Arc<UdpSocket>,
    pub(crate) invite: String,
}

impl Callee {
    pub(crate) async fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { socket, rtp: media().await, invite: String::new() }
    }

    pub(crate) fn uri(&self) -> String {
        format!("sip:4002@{}", self.socket.local_addr().unwrap())
    }

    /// The next request of that method.
    pub(crate) async fn request(&self, method: &str) -> (String, SocketAddr) {
        let mut buf = [0; 8_192];
        loop {
            let wait = timeout(Duration::from_secs(20), self.socket.recv_from(&mut buf));
            let (n, from) = wait.await.expect("nothing for 20 s").unwrap();
            let message = String::from_utf8_lossy(&buf[..n]).into_owned();
            if message.starts_with(method) {
                return (message, from);
            }
        }
    }

    pub(crate) async fn invited(&mut self) -> SocketAddr {
        let (invite, from) = self.request("INVITE").await;
        self.invite = invite;
        from
    }

    pub(crate) async fn respond(&self, to: SocketAddr, request: &str, status: &str, body: &str) {
        self.respond_with(to, request, status, "", body).await;
    }

    /// The same with further headers.
    pub(crate) async fn respond_with(
        &self,
        to: SocketAddr,
        request: &str,
        status: &str,
        headers: &str,
        body: &str,
    ) {
        let mut lines: Vec<String> = ["Via:", "From:", "Call-ID:", "CSeq:"]
            .iter()
            .flat_map(|name| request.lines().filter(move |line| line.starts_with(name)))
            .map(str::to_owned)
            .collect();
        let tag = if header(request, "To:").contains("tag=") { "" } else { ";tag=callee" };
        lines.push(format!("To: {}{tag}", header(request, "To:")));
        lines.push(format!("Contact: <{}>", self.uri()));
        if !body.is_empty() {
            lines.push("Content-Type: application/sdp".into());
        }
        let head = lines.join("\r\n");
        let response = format!(
            "SIP/2.0 {status}\r\n{head}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send_to(response.as_bytes(), to).await.unwrap();
    }

    /// Rings and answers in A-law.
    pub(crate) async fn answer(&mut self) -> SocketAddr {
        let from = self.invited().await;
        self.respond(from, &self.invite, "180 Ringing", "").await;
        self.respond(from, &self.invite, "200 OK", &sdp(&self.rtp, 8)).await;
        self.request("ACK").await;
        from
    }

    pub(crate) async fn hang_up(&self, to: SocketAddr) {
        self.send(to, "BYE", 9, "", "").await;
    }

    /// A request within the call.
    pub(crate) async fn send(
        &self,
        to: SocketAddr,
        method: &str,
        cseq: u32,
        headers: &str,
        body: &str,
    ) {
        let own = self.socket.local_addr().unwrap();
        let request = format!(
            "{method} sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{method}{cseq}\r\n\
             From: {};tag=callee\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <{}>\r\nMax-Forwards: 70\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            header(&self.invite, "To:"),
            header(&self.invite, "From:"),
            header(&self.invite, "Call-ID:"),
            self.uri(),
            body.len(),
        );
        self.socket.send_to(request.as_bytes(), to).await.unwrap();
    }

    /// Waits for the NOTIFY with that status, answering those before it too.
    pub(crate) async fn told(&self, status: &str) {
        loop {
            let (notify, from) = self.request("NOTIFY").await;
            self.respond(from, &notify, "200 OK", "").await;
            if body_of(&notify).starts_with(status) {
                return;
            }
        }
    }
}

pub(crate) fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

pub(crate) async fn media() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap())
}

pub(crate) fn sdp(rtp: &UdpSocket, payload: u8) -> String {
    let port = rtp.local_addr().unwrap().port();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {payload} 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// Where a description wants its media.
pub(crate) fn media_of(sdp: &str) -> SocketAddr {
    let line = sdp.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port = line.split(' ').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Sends `code` in every sample until told to stop; presses `5` after two seconds.
pub(crate) fn talk(rtp: &Arc<UdpSocket>, to: SocketAddr, payload: u8, code: u8) -> AbortHandle {
    let rtp = Arc::clone(rtp);
    let task = tokio::spawn(async move {
        for n in 0u32.. {
            let key = (100..110).contains(&n).then(|| n - 100);
            let (kind, at) = (if key.is_some() { 101 } else { payload }, n - key.unwrap_or(0));
            let mut packet = vec![0x80, kind];
            packet.extend((n as u16).to_be_bytes());
            packet.extend((at * 160).to_be_bytes());
            packet.extend(7u32.to_be_bytes());
            match key {
                Some(past) => {
                    let length = ((past + 1) * 160) as u16;
                    packet.extend([5, if past >= 7 { 0x8A } else { 0x0A }]);
                    packet.extend(length.min(1_280).to_be_bytes());
                }
                // Loud and quiet by turns, as speech is.
                None => packet.extend([if n % 2 == 0 { code } else { code ^ 0x80 }; 160]),
            }
            let _ = rtp.send_to(&packet, to).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    task.abort_handle()
}

/// Waits for packets of that payload type until `wanted` likes what one carries.
pub(crate) async fn hear(rtp: &UdpSocket, payload: u8, wanted: impl Fn(&[u8]) -> bool) {
    let heard = async {
        let mut packet = [0; 2_048];
        loop {
            let len = rtp.recv(&mut packet).await.unwrap();
            if packet[1] & 0x7F == payload && wanted(&packet[12..len]) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), heard).await.expect("not heard for 20 s");
}

pub(crate) fn loud_mu(audio: &[u8]) -> bool {
    audio.iter().filter(|code| **code & 0x7F < 0x40).count() > 80
}

pub(crate) fn loud_a(audio: &[u8]) -> bool {
    audio.iter().filter(|code| (**code ^ 0x55) & 0x7F > 0x40).count() > 80
}

/// A service whose one dialplan hands every caller over to `callee`.
pub(crate) async fn service(
    ports: u16,
    callee: &Callee,
    mode: &str,
) -> Option<(Running, tempfile::TempDir)> {
    service_by(ports, callee, mode, Vec::new()).await
}

/// The same with trunks.
pub(crate) async fn service_by(
    ports: u16,
    callee: &Callee,
    mode: &str,
    trunks: Vec<Trunk>,
) -> Option<(Running, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("desk.yaml");
    let plan = format!(
        "dialplan: desk\nversion: 1\nlanguage: en\nvoices: {{en: en-hibari}}\nstart: main.person\n\
         flows:\n  main:\n    person: {{transfer: \"{}\", mode: {mode}, ring: 3s, say: One moment., \
         busy: busy, no_answer: nobody, failed: failed}}\n    \
         busy: {{say: The desk is busy., hang_up: desk_busy}}\n    \
         nobody: {{say: Nobody is there., hang_up: desk_silent}}\n    \
         failed: {{say: It did not work., hang_up: desk_failed}}\n",
        callee.uri()
    );
    std::fs::write(&file, plan).unwrap();
    let running = Running::new(ports, |config| {
        config.numbers[0].dialplan.clone_from(&file);
        config.trunks.clone_from(&trunks);
        config.transfer.summary_url = Some("https://crm.example/calls/{id}".into());
    });
    Some((running.await?, dir))
}

/// A trunk for desks: that one, and whoever calls; their REFERs are followed.
pub(crate) fn desks(desk: &Callee) -> Trunk {
    let target = desk.socket.local_addr().unwrap();
    toml::from_str(&format!(
        "name = \"desks\"\ntargets = [\"sip:{target}\"]\naccept_from = [\"127.0.0.0/8\"]\n\
         allow_refer = true\nping_s = 0\n"
    ))
    .unwrap()
}

/// A caller whose call is up, and where the service takes its media.
pub(crate) async fn caller(service: &Running, call_id: &str) -> (Peer, Arc<UdpSocket>, SocketAddr) {
    let (mut peer, rtp) = (service.peer(call_id).await, media().await);
    let ok = peer.ask("INVITE", 1, "inv", SDP, &sdp(&rtp, 0)).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    peer.tag = tag_of(&ok);
    peer.ack(1, "").await;
    (peer, rtp, media_of(body_of(&ok)))
}

/// The next request of that method to the caller, answered.
pub(crate) async fn asked(peer: &Peer, method: &str, status: &str) -> String {
    loop {
        let mut buf = [0; 8_192];
        let wait = timeout(Duration::from_secs(20), peer.socket.recv(&mut buf));
        let n = wait.await.expect("nothing for 20 s").unwrap();
        let message = String::from_utf8_lossy(&buf[..n]).into_owned();
        if !message.starts_with(method) {
            continue;
        }
        let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let keep = |line: &&str| kept.iter().any(|name| line.starts_with(name));
        let head = message.lines().filter(keep).collect::<Vec<_>>().join("\r\n");
        peer.send(&format!("SIP/2.0 {status}\r\n{head}\r\nContent-Length: 0\r\n\r\n")).await;
        return message;
    }
}

pub(crate) async fn report(peer: &Peer, cseq: u32, fragment: &str) {
    let headers = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n\
                   Content-Type: message/sipfrag\r\n";
    let answer = peer.ask("NOTIFY", cseq, &format!("n{cseq}"), headers, fragment).await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

/// The record, once the service has written it.
pub(crate) async fn record(service: &mut Running, call_id: &str) -> CallRecord {
    let _ = service.stop.take().unwrap().send(());
    service.over().await;
    service.record(call_id).await
}

pub(crate) fn came_to(record: &CallRecord) -> (&str, &str) {
    let (end, outcome) = (&record.summary.end_reason, &record.summary.disposition);
    (end.as_deref().unwrap_or_default(), outcome.as_deref().unwrap_or_default())
}
