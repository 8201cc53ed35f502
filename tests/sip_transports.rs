//! Calls over TCP, TLS and IPv6, and what streams may bring.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use hotline::sip::{
    DialRequest, HangUpCause, Leg, LegEvent, ListenOn, SipError, SipLeg, TlsFiles, Transport,
    UserAgent, UserAgentConfig,
};
use sip_support::response_to;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

async fn agent(listen: &[&str], tls: TlsFiles) -> UserAgent {
    let listen: Vec<ListenOn> = listen.iter().map(|on| on.parse().unwrap()).collect();
    let config = UserAgentConfig::new(([127, 0, 0, 1], 0).into());
    UserAgent::bind(UserAgentConfig { listen, tls, ..config }).await.unwrap()
}

/// A certificate for that name, which is its own authority, and its key, as files.
fn certificate(dir: &Path, name: &str) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    TlsFiles { certificate: Some(certificate), key: Some(key), ..TlsFiles::default() }
}

/// Trusts what `files` is signed with.
fn trusting(files: &TlsFiles) -> TlsFiles {
    TlsFiles { ca: files.certificate.clone(), ..TlsFiles::default() }
}

/// Fails the test rather than hanging it.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), what).await.expect("nothing happened for 10 s")
}

fn address(agent: &UserAgent, transport: Transport) -> SocketAddr {
    agent.listening_on().iter().find(|on| on.transport == transport).unwrap().addr
}

async fn dial(caller: &UserAgent, uri: &str) -> Result<SipLeg, SipError> {
    soon(caller.dial(DialRequest::new(uri, "sip:1001@127.0.0.1", SDP.to_owned()))).await
}

/// A whole call: answered, and hung up by the callee, whose BYE takes the same way back.
async fn call(caller: &UserAgent, callee: &mut UserAgent, uri: &str) -> Transport {
    let mut out = dial(caller, uri).await.unwrap();
    let mut inc = soon(callee.next_invite()).await.unwrap();
    inc.answer(SDP.to_owned()).await.unwrap();
    let answered = soon(out.next_event()).await.unwrap();
    assert!(matches!(answered, LegEvent::Answered { .. }), "{answered:?}");
    let confirmed = soon(inc.next_event()).await.unwrap();
    assert!(matches!(confirmed, LegEvent::Confirmed { .. }), "{confirmed:?}");
    inc.hang_up(HangUpCause::Normal).await.unwrap();
    let over = soon(out.next_event()).await.unwrap();
    assert!(matches!(over, LegEvent::HungUp { .. }), "{over:?}");
    inc.info().transport
}

#[tokio::test]
async fn a_call_over_tcp() {
    let caller = agent(&["127.0.0.1:0"], TlsFiles::default()).await;
    let mut callee = agent(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let uri = format!("sip:4001@{};transport=tcp", address(&callee, Transport::Tcp));
    assert_eq!(call(&caller, &mut callee, &uri).await, Transport::Tcp);
    assert_eq!(call(&caller, &mut callee, &uri).await, Transport::Tcp, "on the same connection");
}

#[tokio::test]
async fn a_call_over_tls_to_a_name_that_the_certificate_has() {
    let dir = tempfile::tempdir().unwrap();
    let files = certificate(dir.path(), "localhost");
    let caller = agent(&["127.0.0.1:0"], trusting(&files)).await;
    let mut callee = agent(&["tls:127.0.0.1:0"], files).await;
    let port = callee.local_addr().port();
    for uri in
        [format!("sip:4001@localhost:{port};transport=tls"), format!("sips:4001@localhost:{port}")]
    {
        assert_eq!(call(&caller, &mut callee, &uri).await, Transport::Tls, "{uri}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_or_from_nobody_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let files = certificate(dir.path(), "sbc.example.com");
    let callee = agent(&["tls:127.0.0.1:0"], files.clone()).await;
    let uri = format!("sips:4001@{}", callee.local_addr());

    let knows_it = agent(&["127.0.0.1:0"], trusting(&files)).await;
    let error = dial(&knows_it, &uri).await.unwrap_err().to_string();
    assert!(error.contains("certificate is for another name"), "{error}");

    let stranger = certificate(dir.path(), "other.example.com");
    let knows_another = agent(&["127.0.0.1:0"], trusting(&stranger)).await;
    let error = dial(&knows_another, &uri).await.unwrap_err().to_string();
    assert!(error.contains("sip.tls.ca"), "{error}");
}

#[tokio::test]
async fn a_peer_without_the_certificate_that_we_ask_for_does_not_get_in() {
    let dir = tempfile::tempdir().unwrap();
    let files = certificate(dir.path(), "localhost");
    let closed = TlsFiles { client_certificate: true, ..trusting(&files) };
    let closed =
        TlsFiles { certificate: files.certificate.clone(), key: files.key.clone(), ..closed };
    let mut callee = agent(&["tls:127.0.0.1:0"], closed.clone()).await;
    let uri = format!("sips:4001@localhost:{}", callee.local_addr().port());

    let member = agent(&["127.0.0.1:0"], closed).await;
    assert_eq!(call(&member, &mut callee, &uri).await, Transport::Tls);
    let stranger = agent(&["127.0.0.1:0"], trusting(&files)).await;
    // TLS 1.3 tells a client of its refusal only later, so the dial itself may succeed.
    let _leg = dial(&stranger, &uri).await;
    assert!(timeout(Duration::from_millis(300), callee.next_invite()).await.is_err());
}

#[tokio::test]
async fn one_agent_serves_both_address_families_on_one_port() {
    let Ok(probe) = std::net::UdpSocket::bind("[::1]:0") else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let listen = [format!("udp:0.0.0.0:{port}"), format!("udp:[::]:{port}")];
    let mut callee = agent(&[&listen[0], &listen[1]], TlsFiles::default()).await;
    let caller = agent(&["127.0.0.1:0", "[::1]:0"], TlsFiles::default()).await;
    for host in ["127.0.0.1", "[::1]"] {
        let uri = format!("sip:4001@{host}:{port}");
        assert_eq!(call(&caller, &mut callee, &uri).await, Transport::Udp, "{host}");
    }
}

#[tokio::test]
async fn requests_name_the_listener_that_sends_them() {
    let Ok(peer) = tokio::net::UdpSocket::bind("[::1]:0").await else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let caller = agent(&["127.0.0.1:0", "[::1]:0"], TlsFiles::default()).await;
    let own = caller.listening_on()[1].addr;
    let uri = format!("sip:4001@{}", peer.local_addr().unwrap());
    let route = caller.dialer().route_to(&uri).await.unwrap();
    assert_eq!((route.local_ip, route.bind_ip), (own.ip(), own.ip()), "for media too");
    let _leg = dial(&caller, &uri).await.unwrap();
    let mut buf = [0; 8_192];
    let (len, from) = soon(peer.recv_from(&mut buf)).await.unwrap();
    let invite = String::from_utf8_lossy(&buf[..len]).into_owned();
    assert_eq!(from, own);
    assert!(invite.contains(&format!("\r\nVia: SIP/2.0/UDP {own};")), "{invite}");
    assert!(
        invite.contains(&format!("@{own}")) || invite.contains(&format!("<sip:{own}")),
        "{invite}"
    );
    let refused = response_to(&invite, "486 Busy Here", "", "");
    peer.send_to(refused.as_bytes(), from).await.unwrap();
    let ack = loop {
        let len = soon(peer.recv(&mut buf)).await.unwrap();
        let message = String::from_utf8_lossy(&buf[..len]).into_owned();
        if message.starts_with("ACK") {
            break message;
        }
    };
    let via = |message: &str| message.lines().find(|l| l.starts_with("Via:")).map(str::to_owned);
    assert_eq!(via(&ack), via(&invite), "the ACK of a refusal belongs to the INVITE");
}

#[tokio::test]
async fn a_call_over_tcp_and_ipv6() {
    let Ok(_) = std::net::UdpSocket::bind("[::1]:0") else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let caller = agent(&["[::1]:0"], TlsFiles::default()).await;
    let mut callee = agent(&["tcp:[::1]:0"], TlsFiles::default()).await;
    let uri = format!("sip:4001@{};transport=tcp", callee.local_addr());
    assert_eq!(call(&caller, &mut callee, &uri).await, Transport::Tcp);
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_named() {
    let caller = agent(&["127.0.0.1:0"], TlsFiles::default()).await;
    let error = dial(&caller, "sip:1@127.0.0.1:1;transport=tcp").await.unwrap_err().to_string();
    assert!(error.contains("tcp:127.0.0.1:1") && error.contains("firewall"), "{error}");
}

#[tokio::test]
async fn a_listener_for_tls_without_a_certificate_is_refused() {
    let config = UserAgentConfig::new(([127, 0, 0, 1], 0).into());
    let listen = vec!["tls:127.0.0.1:0".parse().unwrap()];
    let error = UserAgent::bind(UserAgentConfig { listen, ..config }).await.unwrap_err();
    assert!(error.to_string().contains("sip.tls.certificate"), "{error}");
}

fn options(cseq: u32, headers: &str) -> String {
    format!(
        "OPTIONS sip:4001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{cseq}\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: stream\r\n\
         CSeq: {cseq} OPTIONS\r\nMax-Forwards: 70\r\n{headers}\r\n"
    )
}

/// A stream to the agent.
async fn stream(agent: &UserAgent) -> TcpStream {
    TcpStream::connect(address(agent, Transport::Tcp)).await.unwrap()
}

/// Reads until `end` is there, or the stream ends.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buf = [0; 2_048];
    while !text.contains(end) {
        match soon(stream.read(&mut buf)).await.unwrap_or(0) {
            0 => break,
            len => text.push_str(&String::from_utf8_lossy(&buf[..len])),
        }
    }
    text
}

#[tokio::test]
async fn a_stream_in_single_bytes_is_understood() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    for byte in options(1, "Content-Length: 0\r\n").bytes() {
        stream.write_all(&[byte]).await.unwrap();
    }
    assert!(read_to(&mut stream, "\r\n\r\n").await.starts_with("SIP/2.0 200"));
}

#[tokio::test]
async fn two_requests_in_one_segment_get_two_answers() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    let both = [options(1, "l: 0\r\n"), options(2, "l: 0\r\n")].concat();
    stream.write_all(both.as_bytes()).await.unwrap();
    let answers = read_to(&mut stream, "CSeq: 2 OPTIONS").await;
    assert!(answers.contains("CSeq: 1 OPTIONS"), "{answers}");
}

#[tokio::test]
async fn a_keep_alive_is_answered() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_to(&mut stream, "\r\n").await, "\r\n");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_does_not_end_the_connection() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    let bad = options(1, "l: 0\r\n").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia");
    stream.write_all(bad.as_bytes()).await.unwrap();
    assert!(read_to(&mut stream, "\r\n\r\n").await.starts_with("SIP/2.0 505"));
    stream.write_all(options(2, "l: 0\r\n").as_bytes()).await.unwrap();
    assert!(read_to(&mut stream, "\r\n\r\n").await.starts_with("SIP/2.0 200"));
}

#[tokio::test]
async fn a_message_without_a_usable_length_is_answered_and_the_connection_closed() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    stream.write_all(options(1, "Content-Length: -7\r\n").as_bytes()).await.unwrap();
    let answer = read_to(&mut stream, "nothing more").await;
    assert!(answer.starts_with("SIP/2.0 400"), "{answer}");
}

#[tokio::test]
async fn a_stream_of_something_else_is_closed() {
    let agent = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&agent).await;
    stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!(read_to(&mut stream, "anything").await, "");
}

#[tokio::test]
async fn a_caller_whose_connection_is_gone_leaves_nothing_behind() {
    let mut callee = agent(&["tcp:127.0.0.1:0"], TlsFiles::default()).await;
    let mut stream = stream(&callee).await;
    let invite = options(1, "Contact: <sip:a@127.0.0.1:9;transport=tcp>\r\nl: 0\r\n");
    stream.write_all(invite.replace("OPTIONS", "INVITE").as_bytes()).await.unwrap();
    let mut leg = soon(callee.next_invite()).await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    leg.reject(hotline::sip::Rejection::not_found()).await.unwrap();
    drop(leg);
    // The ACK is waited for 32 s (RFC 3261 section 17.2.1, timer H).
    let gone = async {
        while callee.legs() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), gone).await.expect("the leg is still there after 60 s");
}
