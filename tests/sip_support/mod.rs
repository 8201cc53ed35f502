//! A peer that writes its own SIP messages, and the agent it writes them to.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{net::SocketAddr, time::Duration};

use hotline::sip::{Leg, LegEvent, SipLeg, UserAgent, UserAgentConfig};
use tokio::net::UdpSocket;

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// A peer with a socket and nothing else; it writes every message by hand.
pub(crate) struct Peer {
    pub(crate) socket: UdpSocket,
    pub(crate) agent: SocketAddr,
    pub(crate) call_id: String,
    /// The agent's To tag, once it is known.
    pub(crate) tag: String,
}

impl Peer {
    pub(crate) async fn new(agent: &UserAgent, call_id: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let call_id = call_id.to_owned();
        Self { socket, agent: agent.local_addr(), call_id, tag: String::new() }
    }

    pub(crate) fn message(
        &self,
        method: &str,
        cseq: u32,
        branch: &str,
        headers: &str,
        body: &str,
    ) -> String {
        let (own, agent, id) = (self.socket.local_addr().unwrap(), self.agent, &self.call_id);
        let tag = if self.tag.is_empty() { String::new() } else { format!(";tag={}", self.tag) };
        let len = body.len();
        format!(
            "{method} sip:4001@{agent} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{branch}\r\n\
             From: <sip:1001@{own}>;tag=peer\r\nTo: <sip:4001@{agent}>{tag}\r\nCall-ID: {id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:1001@{own}>\r\nMax-Forwards: 70\r\n{headers}\
             Content-Length: {len}\r\n\r\n{body}"
        )
    }

    pub(crate) async fn send(&self, message: &str) {
        self.socket.send_to(message.as_bytes(), self.agent).await.unwrap();
    }

    /// Sends a request and gives its final response.
    pub(crate) async fn ask(
        &self,
        method: &str,
        cseq: u32,
        branch: &str,
        headers: &str,
        body: &str,
    ) -> String {
        self.send(&self.message(method, cseq, branch, headers, body)).await;
        self.answer_to(&format!("CSeq: {cseq} {method}")).await
    }

    /// The next final response with that CSeq; 2xx to other requests are passed over.
    pub(crate) async fn answer_to(&self, cseq: &str) -> String {
        loop {
            let message = self.receive().await;
            if message.contains(cseq) && !message.starts_with("SIP/2.0 1") {
                return message;
            }
        }
    }

    pub(crate) async fn receive(&self) -> String {
        let mut buf = [0; 8_192];
        let wait = tokio::time::timeout(Duration::from_secs(10), self.socket.recv(&mut buf));
        let n = wait.await.expect("no message for 10 s").unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    }

    /// The next request with that method; other messages are passed over.
    pub(crate) async fn request(&self, method: &str) -> String {
        loop {
            let message = self.receive().await;
            if message.starts_with(&format!("{method} ")) {
                return message;
            }
        }
    }

    /// Responds to a request of the agent's, such as `200 OK`.
    pub(crate) async fn respond(&self, request: &str, status: &str, headers: &str, body: &str) {
        self.send(&response_to(request, status, headers, body)).await;
    }

    /// Reads for a while: only retransmissions of `last` may come.
    pub(crate) async fn nothing_but(&self, last: &str) {
        let until = tokio::time::Instant::now() + Duration::from_millis(300);
        while let Ok(message) = tokio::time::timeout_at(until, self.receive()).await {
            assert_eq!(message, last);
        }
    }

    /// Calls and waits for the answer, which the agent's side gives with `sdp`.
    pub(crate) async fn call(&mut self, agent: &mut UserAgent, body: &str, sdp: &str) -> SipLeg {
        let headers = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.send(&self.message("INVITE", 1, "inv", headers, body)).await;
        let mut leg = agent.next_invite().await.unwrap();
        leg.answer(sdp.to_owned()).await.unwrap();
        let ok = self.answer_to("CSeq: 1 INVITE").await;
        self.tag = tag_of(&ok);
        leg
    }

    pub(crate) async fn ack(&self, cseq: u32, body: &str) {
        let headers = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.send(&self.message("ACK", cseq, &format!("ack{cseq}"), headers, body)).await;
    }

    /// A call that is up.
    pub(crate) async fn connect(agent: &mut UserAgent, call_id: &str) -> (Self, SipLeg) {
        let mut peer = Self::new(agent, call_id).await;
        let mut leg = peer.call(agent, SDP, SDP).await;
        peer.ack(1, "").await;
        assert!(matches!(event(&mut leg).await, LegEvent::Confirmed { answer: None }));
        (peer, leg)
    }
}

/// A response with the headers that it copies; its To gets the tag `peer` unless it has one.
pub(crate) fn response_to(request: &str, status: &str, headers: &str, body: &str) -> String {
    let copied: String = request
        .lines()
        .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|h| line.starts_with(h)))
        .map(|line| match line.starts_with("To:") && !line.contains(";tag=") {
            true => format!("{line};tag=peer\r\n"),
            false => format!("{line}\r\n"),
        })
        .collect();
    let len = body.len();
    format!("SIP/2.0 {status}\r\n{copied}{headers}Content-Length: {len}\r\n\r\n{body}")
}

pub(crate) async fn agent() -> UserAgent {
    UserAgent::bind(UserAgentConfig::new("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

pub(crate) async fn event(leg: &mut SipLeg) -> LegEvent {
    tokio::time::timeout(Duration::from_secs(10), leg.next_event())
        .await
        .expect("no event for 10 s")
        .expect("the leg is over")
}

pub(crate) fn tag_of(response: &str) -> String {
    let to = response.lines().find(|l| l.starts_with("To:")).unwrap();
    to.split(";tag=").nth(1).unwrap().to_owned()
}

pub(crate) fn body_of(message: &str) -> &str {
    message.split_once("\r\n\r\n").unwrap().1
}
