use super::*;

const CONFIG: SessionTimerConfig =
    SessionTimerConfig { expires: Duration::from_secs(1_800), min: Duration::from_secs(90) };

fn invite(lines: &[&str]) -> Request {
    let head = [
        "INVITE sip:1000@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
        "From: <sip:a@192.0.2.7>;tag=1",
        "To: <sip:1000@192.0.2.1>",
        "Call-ID: 1",
        "CSeq: 1 INVITE",
    ];
    let text: String =
        head.iter().chain(lines).map(|line| format!("{line}\r\n")).chain(["\r\n".into()]).collect();
    Request::try_from(text.as_str()).unwrap()
}

fn shown(headers: &[Header]) -> Vec<String> {
    headers.iter().map(ToString::to_string).collect()
}

fn answered(lines: &[&str]) -> Vec<String> {
    shown(&Terms::of_request(&invite(lines), &CONFIG).unwrap().answer())
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_caller_that_knows_timers_refreshes_unless_it_asks_us() {
    for (asked, agreed) in [
        ("Session-Expires: 600", "Session-Expires: 600;refresher=uac"),
        ("x: 600", "Session-Expires: 600;refresher=uac"),
        ("Session-Expires: 600;refresher=uac", "Session-Expires: 600;refresher=uac"),
        ("Session-Expires: 600 ; refresher=UAS", "Session-Expires: 600;refresher=uas"),
        ("Session-Expires: 7200", "Session-Expires: 1800;refresher=uac"),
    ] {
        let headers = answered(&["Supported: 100rel, timer", asked]);
        assert_eq!(headers, ["Supported: replaces, timer", agreed, "Require: timer"], "{asked}");
    }
}

#[test]
fn a_caller_that_does_not_know_timers_is_refreshed_by_us() {
    let headers = answered(&[]);
    assert_eq!(headers, ["Supported: replaces, timer", "Session-Expires: 1800;refresher=uas"]);
}

#[test]
fn what_a_proxy_asks_for_a_caller_without_timers_is_not_raised() {
    let config = SessionTimerConfig { expires: secs(1_800), min: secs(300) };
    for (asked, agreed) in [(200, 200), (1_000, 1_000), (7_200, 1_800), (30, 90)] {
        let request = invite(&[&format!("Session-Expires: {asked}")]);
        let terms = Terms::of_request(&request, &config).unwrap();
        assert_eq!(terms.expires, secs(agreed), "asked for {asked}");
        assert!(terms.we_refresh);
    }
}

#[test]
fn a_session_too_short_is_refused_with_our_minimum() {
    let request = invite(&["Supported: replaces, timer", "Session-Expires: 60"]);
    let refused = Terms::of_request(&request, &CONFIG).unwrap_err();
    assert_eq!(shown(&refused.headers()), ["Min-SE: 90"]);
}

#[test]
fn a_callers_minimum_is_kept() {
    let config = SessionTimerConfig { expires: secs(120), ..CONFIG };
    let request = invite(&["Supported: replaces, timer", "Session-Expires: 3600", "Min-SE: 300"]);
    let terms = Terms::of_request(&request, &config).unwrap();
    assert_eq!(terms.expires, secs(300));
}

#[test]
fn a_peer_cannot_make_the_session_endless_or_end_it_at_once() {
    let request =
        invite(&["Supported: replaces, timer", "Session-Expires: 600", "Min-SE: 4294967295"]);
    assert_eq!(Terms::of_request(&request, &CONFIG).unwrap().expires, LONGEST);
    let response = |line: &str| {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.7>;tag=2\r\n\
             Call-ID: 1\r\nCSeq: 1 INVITE\r\n{line}\r\n\r\n"
        );
        Terms::of_response(&Response::try_from(text.as_str()).unwrap(), &CONFIG)
    };
    assert_eq!(response("Session-Expires: 0").unwrap().expires, CONFIG.min);
    assert!(response("Session-Expires: 300;refresher=uac").unwrap().we_refresh);
    assert!(!response("Session-Expires: 300;refresher=uas").unwrap().we_refresh);
    assert_eq!(response("X-Other: 1"), None);
}

#[test]
fn the_refresher_refreshes_at_half_time_and_again_after_success() {
    let start = Instant::now();
    let terms = Terms { expires: secs(90), we_refresh: true, peer_knows: true, floor: None };
    let mut timer = SessionTimer::new(terms, start);
    assert_eq!(timer.deadline(), start + secs(45));
    assert_eq!(timer.due(start + secs(44)), None);
    assert_eq!(timer.due(start + secs(45)), Some(Due::Refresh));
    assert_eq!(timer.due(start + secs(46)), None);
    let mut timer = SessionTimer::new(terms, start + secs(46));
    assert_eq!(timer.due(start + secs(90)), None);
    assert_eq!(timer.due(start + secs(91)), Some(Due::Refresh));
}

#[test]
fn a_session_that_is_not_refreshed_ends_a_little_early() {
    let start = Instant::now();
    for (expires, ends) in [(90, 60), (1_800, 1_768)] {
        for we_refresh in [false, true] {
            let terms = Terms { expires: secs(expires), we_refresh, peer_knows: true, floor: None };
            let mut timer = SessionTimer::new(terms, start);
            let early = timer.due(start + secs(ends - 1));
            assert_eq!(early, we_refresh.then_some(Due::Refresh));
            assert_eq!(timer.deadline(), start + secs(ends));
            assert_eq!(timer.due(start + secs(ends)), Some(Due::End));
        }
    }
}

#[test]
fn headers_that_are_no_timers_are_passed_over() {
    for line in ["Session-Expires: soon", "Session-Expires: -1", "Session-Expires:", "x: 1e9"] {
        let headers = answered(&["Supported: replaces, timer", line]);
        assert_eq!(headers[1], "Session-Expires: 1800;refresher=uac", "{line}");
    }
}

#[test]
fn a_peers_minimum_raises_what_is_refreshed_once() {
    let terms = Terms { expires: secs(300), we_refresh: true, peer_knows: true, floor: None };
    let raised = terms.raised(secs(600)).unwrap();
    let headers =
        ["Supported: replaces, timer", "Session-Expires: 600;refresher=uac", "Min-SE: 600"];
    assert_eq!(shown(&raised.refresh()), headers);
    assert_eq!(raised.raised(secs(600)), None, "the peer would say the same for ever");
}
