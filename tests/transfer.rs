//! A service hands its caller over: by REFER, by a bridge, attended; and comes back when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hotline::store::CallRecord;
use service_support::Running;
use sip_support::{Peer, body_of, tag_of};
use tokio::{net::UdpSocket, task::AbortHandle, time::timeout};

const SDP: &str = "Content-Type: application/sdp\r\n";

/// Somebody who may be called: a socket for signalling and one for media, messages by hand.
struct Callee {
    socket: UdpSocket,
    rtp: Arc<UdpSocket>,
    invite: String,
}

impl Callee {
    async fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { socket, rtp: media().await, invite: String::new() }
    }

    fn uri(&self) -> String {
        format!("sip:4002@{}", self.socket.local_addr().unwrap())
    }

    /// The next request of that method.
    async fn request(&self, method: &str) -> (String, SocketAddr) {
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

    async fn invited(&mut self) -> SocketAddr {
        let (invite, from) = self.request("INVITE").await;
        self.invite = invite;
        from
    }

    async fn respond(&self, to: SocketAddr, request: &str, status: &str, body: &str) {
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
        let response =
            format!("SIP/2.0 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.socket.send_to(response.as_bytes(), to).await.unwrap();
    }

    /// Rings and answers in A-law.
    async fn answer(&mut self) -> SocketAddr {
        let from = self.invited().await;
        self.respond(from, &self.invite, "180 Ringing", "").await;
        self.respond(from, &self.invite, "200 OK", &sdp(&self.rtp, 8)).await;
        self.request("ACK").await;
        from
    }

    async fn hang_up(&self, to: SocketAddr) {
        let own = self.socket.local_addr().unwrap();
        let bye = format!(
            "BYE sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKbye\r\n\
             From: {};tag=callee\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n",
            header(&self.invite, "To:"),
            header(&self.invite, "From:"),
            header(&self.invite, "Call-ID:"),
        );
        self.socket.send_to(bye.as_bytes(), to).await.unwrap();
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

async fn media() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap())
}

fn sdp(rtp: &UdpSocket, payload: u8) -> String {
    let port = rtp.local_addr().unwrap().port();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {payload} 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// Where a description wants its media.
fn media_of(sdp: &str) -> SocketAddr {
    let line = sdp.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port = line.split(' ').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Sends `code` in every sample until told to stop; presses `5` after two seconds.
fn talk(rtp: &Arc<UdpSocket>, to: SocketAddr, payload: u8, code: u8) -> AbortHandle {
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
async fn hear(rtp: &UdpSocket, payload: u8, wanted: impl Fn(&[u8]) -> bool) {
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

fn loud_mu(audio: &[u8]) -> bool {
    audio.iter().filter(|code| **code & 0x7F < 0x40).count() > 80
}

fn loud_a(audio: &[u8]) -> bool {
    audio.iter().filter(|code| (**code ^ 0x55) & 0x7F > 0x40).count() > 80
}

/// A service whose one dialplan hands every caller over to `callee`.
async fn service(ports: u16, callee: &Callee, mode: &str) -> Option<(Running, tempfile::TempDir)> {
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
        config.transfer.summary_url = Some("https://crm.example/calls/{id}".into());
    });
    Some((running.await?, dir))
}

/// A caller whose call is up, and where the service takes its media.
async fn caller(service: &Running, call_id: &str) -> (Peer, Arc<UdpSocket>, SocketAddr) {
    let (mut peer, rtp) = (service.peer(call_id).await, media().await);
    let ok = peer.ask("INVITE", 1, "inv", SDP, &sdp(&rtp, 0)).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    peer.tag = tag_of(&ok);
    peer.ack(1, "").await;
    (peer, rtp, media_of(body_of(&ok)))
}

/// The next request of that method to the caller, answered.
async fn asked(peer: &Peer, method: &str, status: &str) -> String {
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

async fn report(peer: &Peer, cseq: u32, fragment: &str) {
    let headers = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n\
                   Content-Type: message/sipfrag\r\n";
    let answer = peer.ask("NOTIFY", cseq, &format!("n{cseq}"), headers, fragment).await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

/// The record, once the service has written it.
async fn record(service: &mut Running, call_id: &str) -> CallRecord {
    let _ = service.stop.take().unwrap().send(());
    service.over().await;
    service.record(call_id).await
}

fn came_to(record: &CallRecord) -> (&str, &str) {
    let (end, outcome) = (&record.summary.end_reason, &record.summary.disposition);
    (end.as_deref().unwrap_or_default(), outcome.as_deref().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_carries_audio_and_keys_both_ways_and_is_recorded() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(34_000, &callee, "bridge").await else { return };
    let (peer, rtp, bot) = caller(&service, "bridge").await;
    let from = callee.invited().await;
    assert!(header(&callee.invite, "X-Hotline-Call-Id:").starts_with("20"), "{}", callee.invite);
    let summary = header(&callee.invite, "X-Hotline-Summary:");
    assert!(summary.starts_with("https://crm.example/calls/20"), "{summary}");
    assert!(header(&callee.invite, "From:").contains("sip:1001@"), "{}", callee.invite);

    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    hear(&rtp, 0, loud_mu).await; // the ring-back tone
    callee.respond(from, &callee.invite, "200 OK", &sdp(&callee.rtp, 8)).await;
    callee.request("ACK").await;
    let there = media_of(body_of(&callee.invite));
    let (speaks, replies) = (talk(&rtp, bot, 0, 0x10), talk(&callee.rtp, there, 8, 0x35));
    hear(&callee.rtp, 8, loud_a).await;
    hear(&rtp, 0, loud_mu).await;
    hear(&callee.rtp, 101, |event| event[0] == 5).await;
    hear(&rtp, 101, |event| event[0] == 5).await;

    callee.hang_up(from).await;
    asked(&peer, "BYE", "200 OK").await;
    speaks.abort();
    replies.abort();
    let record = record(&mut service, "bridge").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
    let mut wav = hound::WavReader::open(record.recording.as_ref().unwrap()).unwrap();
    let samples: Vec<i16> = wav.samples::<i16>().map(Result::unwrap).collect();
    let last = &samples[samples.len() - 16_000..];
    let loudest = |side: usize| last.iter().skip(side).step_by(2).map(|s| s.abs()).max();
    // The ring-back tone is fainter.
    assert!(loudest(0) > Some(7_000) && loudest(1) > Some(7_000), "both are on the recording");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_desk_brings_the_caller_back_to_the_dialog() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(35_000, &callee, "bridge").await else { return };
    let (peer, ..) = caller(&service, "busy").await;
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "486 Busy Here", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "busy").await;
    assert_eq!(came_to(&record), ("bot_hangup", "desk_busy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_does_not_answer_is_cancelled() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(36_000, &callee, "bridge").await else { return };
    let (peer, ..) = caller(&service, "silent").await;
    let from = callee.invited().await;
    callee.respond(from, &callee.invite, "180 Ringing", "").await;
    let (cancel, _) = callee.request("CANCEL").await;
    callee.respond(from, &cancel, "200 OK", "").await;
    callee.respond(from, &callee.invite, "487 Request Terminated", "").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "silent").await;
    assert_eq!(came_to(&record), ("bot_hangup", "desk_silent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_in_the_bridge_ends_both_legs() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(37_000, &callee, "bridge").await else { return };
    let (peer, rtp, bot) = caller(&service, "left").await;
    let from = callee.answer().await;
    let speaks = talk(&rtp, bot, 0, 0x10);
    hear(&callee.rtp, 8, loud_a).await;
    speaks.abort();
    peer.ask("BYE", 2, "bye", "", "").await;
    let (bye, _) = callee.request("BYE").await;
    callee.respond(from, &bye, "200 OK", "").await;
    let record = record(&mut service, "left").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_transfer_ends_the_call_or_falls_back() {
    let callee = Callee::new().await;
    for (ports, call_id, fragment, outcome) in [
        (38_000, "blind", "SIP/2.0 200 OK", ("transferred", "transferred")),
        (39_000, "blind-busy", "SIP/2.0 486 Busy Here", ("bot_hangup", "desk_busy")),
    ] {
        let Some((mut service, _dir)) = service(ports, &callee, "refer").await else { return };
        let (peer, ..) = caller(&service, call_id).await;
        let refer = asked(&peer, "REFER", "202 Accepted").await;
        assert_eq!(header(&refer, "Refer-To:"), format!("<{}>", callee.uri()));
        assert!(header(&refer, "Referred-By:").contains("sip:"), "{refer}");
        report(&peer, 2, fragment).await;
        asked(&peer, "BYE", "200 OK").await;
        assert_eq!(came_to(&record(&mut service, call_id).await), outcome);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attended_transfer_names_the_call_to_take_over() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(40_000, &callee, "attended").await else { return };
    let (peer, ..) = caller(&service, "attended").await;
    let from = callee.answer().await;
    let refer = asked(&peer, "REFER", "202 Accepted").await;
    let refer_to = header(&refer, "Refer-To:");
    let id = header(&callee.invite, "Call-ID:").replace('@', "%40");
    assert!(refer_to.starts_with(&format!("<{}?Replaces={id}%3B", callee.uri())), "{refer_to}");
    assert!(refer_to.contains("to-tag%3Dcallee"), "{refer_to}");
    // The caller's phone has taken our place there.
    callee.hang_up(from).await;
    report(&peer, 2, "SIP/2.0 200 OK").await;
    asked(&peer, "BYE", "200 OK").await;
    let record = record(&mut service, "attended").await;
    assert_eq!(came_to(&record), ("transferred", "transferred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_phone_takes_the_callers_place_in_a_bridge() {
    let mut callee = Callee::new().await;
    let Some((mut service, _dir)) = service(41_000, &callee, "bridge").await else { return };
    let (old, ..) = caller(&service, "first").await;
    let from = callee.answer().await;
    let (mut new, rtp) = (service.peer("second").await, media().await);
    let replaces = format!("Replaces: first;to-tag={};from-tag=peer\r\n{SDP}", old.tag);
    let ok = new.ask("INVITE", 1, "inv", &replaces, &sdp(&rtp, 0)).await;
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    new.tag = tag_of(&ok);
    new.ack(1, "").await;
    asked(&old, "BYE", "200 OK").await;
    let replies = talk(&callee.rtp, media_of(body_of(&callee.invite)), 8, 0x35);
    hear(&rtp, 0, loud_mu).await;
    callee.hang_up(from).await;
    asked(&new, "BYE", "200 OK").await;
    replies.abort();
    assert_eq!(came_to(&record(&mut service, "first").await), ("transferred", "transferred"));
}
