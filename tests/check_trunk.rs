//! `hotline check --trunk`: what it says of trunks that work, and of those that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod sip_support;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser;
use hotline::{
    audio::StereoRecorder,
    call::trial::test_tone,
    cli::check_trunk::{TrunkArgs, run},
    service::{Config, Finding, TestCall, Verdict, check_trunk},
};
use sip_support::{body_of, response_to};
use tokio::{net::UdpSocket, task::AbortHandle};

/// How a carrier behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// As it should be.
    Good,
    /// It knows another password than we do.
    Distrusts,
    /// It takes calls, and sends no RTP.
    Mute,
    /// It sends RTP, and reports that nothing comes.
    Deaf,
    /// It reports that a tenth of our packets is lost.
    Loses,
    /// It says nothing any more after half a second.
    Pauses,
}

/// A carrier that writes its messages by hand; it goes with the test.
struct Carrier {
    address: SocketAddr,
    /// Methods of the requests that it took, ACK aside.
    seen: Arc<Mutex<Vec<String>>>,
    running: AbortHandle,
}

impl Carrier {
    async fn new(manners: Manners) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let sees = Arc::clone(&seen);
        let running = tokio::spawn(async move {
            let mut media = None;
            let mut buf = [0; 8_192];
            loop {
                let (len, from) = socket.recv_from(&mut buf).await.unwrap();
                let request = String::from_utf8_lossy(&buf[..len]).into_owned();
                let method = request.split(' ').next().unwrap();
                let response = match method {
                    "ACK" => continue,
                    "INVITE" if proved(&request) => {
                        let (own, sdp) = answer().await;
                        media.replace(tokio::spawn(speak(
                            own,
                            body_of(&request).to_owned(),
                            manners,
                        )));
                        let headers = format!(
                            "Contact: <sip:{address}>\r\nContent-Type: application/sdp\r\n"
                        );
                        response_to(&request, "200 OK", &headers, &sdp)
                    }
                    "BYE" => {
                        media.take().inspect(|media| media.abort());
                        response_to(&request, "200 OK", "", "")
                    }
                    _ if proved(&request) && manners != Manners::Distrusts => {
                        response_to(&request, "200 OK", "Expires: 300\r\n", "")
                    }
                    _ => response_to(&request, "401 Unauthorized", CHALLENGE, ""),
                };
                if response.starts_with("SIP/2.0 200") {
                    sees.lock().unwrap().push(method.to_owned());
                }
                socket.send_to(response.as_bytes(), from).await.unwrap();
            }
        });
        Self { address, seen, running: running.abort_handle() }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.running.abort();
    }
}

const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n";

fn proved(request: &str) -> bool {
    request.contains("Authorization: Digest") && request.contains("username=\"account\"")
}

/// An even port, its neighbour for RTCP, and the description of both.
async fn answer() -> ((UdpSocket, UdpSocket), String) {
    loop {
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = rtp.local_addr().unwrap().port();
        if let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", port.saturating_add(1))).await {
            let sdp = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio {port} RTP/AVP 0\r\n"
            );
            return ((rtp, rtcp), sdp);
        }
    }
}

/// The carrier's side of a call's media.
async fn speak((rtp, rtcp): (UdpSocket, UdpSocket), offer: String, manners: Manners) {
    let line = offer.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port: u16 = line.split(' ').next().unwrap().parse().unwrap();
    let mut heard = [0; 2_048];
    for n in 0u32.. {
        if manners != Manners::Mute {
            let mut packet = vec![0x80, 0];
            packet.extend((n as u16).to_be_bytes());
            packet.extend((n * 160).to_be_bytes());
            packet.extend(7u32.to_be_bytes());
            let quiet = manners == Manners::Pauses && n > 25;
            packet.extend([if quiet { 0xFF } else { 0x10 }; 160]);
            let _ = rtp.send_to(&packet, ("127.0.0.1", port)).await;
        }
        let ours = rtp.try_recv(&mut heard).map(|_| [heard[8], heard[9], heard[10], heard[11]]);
        if n % 25 == 24
            && let Ok(ours) = ours
        {
            let report = receiver_report(ours, n, manners);
            let _ = rtcp.send_to(&report, ("127.0.0.1", port + 1)).await;
        }
        while rtp.try_recv(&mut heard).is_ok() {}
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// RFC 3550 section 6.4.2, on the source `ours`, which has sent some `sent` packets.
fn receiver_report(ours: [u8; 4], sent: u32, manners: Manners) -> Vec<u8> {
    let lost = if manners == Manners::Loses { sent / 10 } else { 0 };
    let (count, words) = if manners == Manners::Deaf { (0u8, 1u16) } else { (1, 7) };
    let mut report = vec![0x80 | count, 201];
    report.extend(words.to_be_bytes());
    report.extend(7u32.to_be_bytes());
    if count > 0 {
        report.extend(ours);
        report.extend(lost.to_be_bytes());
        report.extend([0; 16]);
    }
    report
}

/// A configuration with one trunk to `target`, and its password.
fn config(target: SocketAddr, ports: u16, folder: &tempfile::TempDir) -> PathBuf {
    let password = folder.path().join("password");
    std::fs::write(&password, "secret\n").unwrap();
    let path = folder.path().join("hotline.toml");
    let text = format!(
        "number = []\n[sip]\nlisten = \"127.0.0.1:0\"\n[rtp]\nports = \"{ports}-{}\"\n\
         [recognizer]\n[[trunk]]\nname = \"carrier\"\ntargets = [\"sip:{target}\"]\n\
         username = \"account\"\npassword_file = {password:?}\n\
         register = \"sip:account@example.net\"\n",
        ports + 19
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// What the check finds with such a carrier; a call is placed for `seconds`, if for any.
async fn check(manners: Manners, ports: u16, seconds: u64) -> Vec<Finding> {
    let carrier = Carrier::new(manners).await;
    let folder = tempfile::tempdir().unwrap();
    let config = Config::load(&config(carrier.address, ports, &folder)).unwrap();
    let call = TestCall {
        number: "4001".to_owned(),
        audio: test_tone(8_000),
        time: Duration::from_secs(seconds),
    };
    let mut found = Vec::new();
    let call = (seconds > 0).then_some(&call);
    check_trunk(&config, "carrier", call, &mut |finding| found.push(finding)).await.unwrap();
    found
}

fn has(found: &[Finding], verdict: Verdict, words: &str) {
    let listed: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.iter().any(|f| f.verdict == verdict && f.what.contains(words)),
        "no {verdict:?} with {words:?} in\n{}",
        listed.join("\n")
    );
}

fn faults(found: &[Finding]) -> usize {
    found.iter().filter(|finding| finding.verdict == Verdict::Bad).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_works_has_no_fault() {
    let found = check(Manners::Good, 28_000, 3).await;
    has(&found, Verdict::Good, "answers OPTIONS with 200");
    has(&found, Verdict::Good, "registered sip:account@example.net for 300 s");
    has(&found, Verdict::Note, "SDP will say 127.0.0.1");
    has(&found, Verdict::Good, "50 of 50 RTP packets came");
    has(&found, Verdict::Good, "the call was answered");
    has(&found, Verdict::Good, "we got 1");
    has(&found, Verdict::Good, "by RTCP they lost 0");
    assert_eq!(faults(&found), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_there_is_a_fault_and_nothing_else_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let config = Config::load(&config(nobody.local_addr().unwrap(), 28_020, &folder)).unwrap();
    let mut found = Vec::new();
    check_trunk(&config, "carrier", None, &mut |finding| found.push(finding)).await.unwrap();
    has(&found, Verdict::Bad, "no answer to OPTIONS");
    has(&found, Verdict::Note, "no target answers");
    assert_eq!(found.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named() {
    let found = check(Manners::Distrusts, 28_040, 0).await;
    has(&found, Verdict::Bad, "check username and password_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn audio_that_goes_one_way_only_is_named_with_its_direction() {
    let found = check(Manners::Mute, 28_060, 3).await;
    has(&found, Verdict::Bad, "one-way audio: we hear nothing");
    assert_eq!(faults(&found), 1);
    let found = check(Manners::Deaf, 28_080, 3).await;
    has(&found, Verdict::Bad, "one-way audio: they hear nothing");
    assert_eq!(faults(&found), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_that_the_peer_reports_is_told() {
    let found = check(Manners::Loses, 28_100, 3).await;
    has(&found, Verdict::Bad, "by RTCP they lost");
}

#[test]
fn the_command_fails_when_there_is_a_fault_or_no_such_trunk() {
    let other = tokio::runtime::Runtime::new().unwrap();
    let carriers = [Manners::Good, Manners::Distrusts].map(|m| other.block_on(Carrier::new(m)));
    let folder = tempfile::tempdir().unwrap();
    let args = |trunk: &str, carrier: &Carrier| TrunkArgs {
        trunk: Some(trunk.to_owned()),
        config: config(carrier.address, 28_120, &folder),
        ..TrunkArgs::default()
    };
    run(&args("", &carriers[0])).expect("all trunks work");
    assert_eq!(run(&args("carrier", &carriers[1])).unwrap_err().to_string(), "1 fault");
    let error = run(&args("other", &carriers[0])).unwrap_err().to_string();
    assert!(error.contains("`other`") && error.contains("carrier"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_service_that_runs_other_ports_are_taken() {
    let carrier = Carrier::new(Manners::Good).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::load(&config(carrier.address, 28_140, &folder)).unwrap();
    let service = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    config.sip.listen = vec![service.local_addr().unwrap().into()];
    let mut found = Vec::new();
    check_trunk(&config, "carrier", None, &mut |finding| found.push(finding)).await.unwrap();
    has(&found, Verdict::Note, "sip.listen is in use");
    assert_eq!(faults(&found), 0);
}

/// `hotline call` as it is typed.
#[derive(clap::Parser)]
struct Call {
    #[command(flatten)]
    args: hotline::cli::call::CallArgs,
}

#[test]
fn hotline_call_goes_by_the_trunk_with_its_account() {
    let other = tokio::runtime::Runtime::new().unwrap();
    let carrier = other.block_on(Carrier::new(Manners::Pauses));
    let folder = tempfile::tempdir().unwrap();
    let config = config(carrier.address, 28_160, &folder);
    let (said, both) = (folder.path().join("said.wav"), folder.path().join("both.wav"));
    let mut recorder = StereoRecorder::create(&said).unwrap();
    recorder.push(&test_tone(4_000), &test_tone(4_000)).unwrap();
    recorder.finish().unwrap();
    let typed = ["call", "4001", "--trunk", "carrier", "--patience", "1", "--quiet-ms", "300"];
    let files = [("--config", &config), ("--say", &said), ("--record", &both)];
    let files = files.iter().flat_map(|(flag, file)| [flag, file.to_str().unwrap()]);
    let call = Call::try_parse_from(typed.into_iter().chain(files)).unwrap();
    hotline::cli::call::run(call.args).unwrap();
    let mut seen = carrier.seen.lock().unwrap().clone();
    // The end of the call and the end of the registration do not wait for each other.
    seen[2..].sort();
    assert_eq!(seen, ["REGISTER", "INVITE", "BYE", "REGISTER"]);
    let mut both = hound::WavReader::open(&both).unwrap();
    let samples: Vec<i16> = both.samples::<i16>().map(Result::unwrap).collect();
    let loudest = |side: usize| samples.iter().skip(side).step_by(2).map(|s| s.abs()).max();
    assert!(loudest(0) > Some(5_000) && loudest(1) > Some(5_000), "both were heard");
    let mixed = Call::try_parse_from(["call", "4001", "--trunk", "carrier", "--from", "1"]);
    assert!(mixed.is_err(), "the trunk says who calls");
}
