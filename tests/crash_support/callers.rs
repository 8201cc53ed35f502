//! Callers who call, listen until the bot hangs up, and shrug when nobody answers.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use tokio::{
    net::UdpSocket,
    task::JoinSet,
    time::{sleep, timeout},
};

/// An offer of PCMU to a port that nobody reads.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
/// How long a caller listens.
const PATIENCE: Duration = Duration::from_secs(15);

/// Calls on their way.
pub(crate) struct Callers {
    calls: JoinSet<Option<String>>,
}

impl Callers {
    /// `count` calls, spread over `time`; a caller whom nobody answers calls again.
    pub(crate) fn begin(service: SocketAddr, count: u32, time: Duration) -> Self {
        let mut calls = JoinSet::new();
        for n in 0..count {
            calls.spawn(async move {
                sleep(time * n / count).await;
                for attempt in 0..20 {
                    let id = format!("{n}-{attempt}-{:08x}", rand::random::<u32>());
                    if call(service, &id).await {
                        return Some(id);
                    }
                    sleep(Duration::from_millis(500)).await;
                }
                None
            });
        }
        Self { calls }
    }

    /// Waits for all of them; the Call-IDs of those that were answered.
    pub(crate) async fn end(self) -> BTreeSet<String> {
        let results = self.calls.join_all().await;
        let missed = results.iter().filter(|id| id.is_none()).count();
        assert_eq!(missed, 0, "callers who were never answered");
        results.into_iter().flatten().collect()
    }
}

/// One call: true when it was answered.
async fn call(service: SocketAddr, id: &str) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let own = socket.local_addr().unwrap();
    let request = |method: &str, tag: &str, body: &str| {
        let len = body.len();
        format!(
            "{method} sip:1000@{service} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{method}{id}\r\n\
             From: <sip:4155550134@{own}>;tag=caller\r\nTo: <sip:1000@{service}>{tag}\r\nCall-ID: {id}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:4155550134@{own}>\r\nMax-Forwards: 70\r\n\
             Content-Type: application/sdp\r\nContent-Length: {len}\r\n\r\n{body}"
        )
    };
    let invite = request("INVITE", "", SDP);
    let Some(ok) = answer(&socket, service, &invite).await else { return false };
    let tag = ok.lines().find(|line| line.starts_with("To:")).and_then(|to| to.split_once(";tag="));
    let tag = format!(";tag={}", tag.map_or("", |(_, tag)| tag.trim()));
    let _ = socket.send_to(request("ACK", &tag, "").as_bytes(), service).await;
    let hung_up = async {
        loop {
            let Some(message) = receive(&socket).await else { return };
            if message.starts_with("BYE ") {
                let _ = socket.send_to(accepted(&message).as_bytes(), service).await;
                return;
            }
        }
    };
    // A service that died says no BYE.
    let _ = timeout(PATIENCE, hung_up).await;
    true
}

/// The 200 to an INVITE that is sent again as RFC 3261 says, for some seconds.
async fn answer(socket: &UdpSocket, service: SocketAddr, invite: &str) -> Option<String> {
    for wait in [500, 1_000, 2_000] {
        socket.send_to(invite.as_bytes(), service).await.ok()?;
        let answered = async {
            loop {
                let message = receive(socket).await?;
                if message.starts_with("SIP/2.0 200") && message.contains(" INVITE") {
                    return Some(message);
                }
                if message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") {
                    return None;
                }
            }
        };
        if let Ok(answered) = timeout(Duration::from_millis(wait), answered).await {
            return answered;
        }
    }
    None
}

async fn receive(socket: &UdpSocket) -> Option<String> {
    let mut buffer = [0; 8_192];
    let length = socket.recv(&mut buffer).await.ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

fn accepted(request: &str) -> String {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let headers: Vec<&str> =
        request.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).collect();
    format!("SIP/2.0 200 OK\r\n{}\r\nContent-Length: 0\r\n\r\n", headers.join("\r\n"))
}
