//! Calls between two user agents over loopback UDP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::time::Duration;

use hotline::sip::{
    DialRequest, HangUpCause, Leg, LegEvent, Permits, Rejection, SipError, SipLeg, UserAgent,
    UserAgentConfig,
};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";

async fn agent() -> UserAgent {
    UserAgent::bind(UserAgentConfig::new("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

/// Fails the test rather than hanging it.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("nothing happened for 10 s")
}

async fn dial(caller: &UserAgent, callee: &UserAgent) -> SipLeg {
    let to = format!("sip:4001@{}", callee.local_addr());
    let request = DialRequest::new(&to, "sip:+8613812345678@caller.example", OFFER.to_owned());
    caller.dial(request).await.unwrap()
}

async fn event(leg: &mut SipLeg) -> LegEvent {
    soon(leg.next_event()).await.expect("the leg is over")
}

async fn over(leg: &mut SipLeg) {
    let event = soon(leg.next_event()).await;
    assert!(event.is_none(), "one event too many: {event:?}");
}

/// A call that is up: the caller's leg and the callee's.
async fn connected(caller: &UserAgent, callee: &mut UserAgent) -> (SipLeg, SipLeg) {
    let mut out = dial(caller, callee).await;
    let mut inc = soon(callee.next_invite()).await.unwrap();
    inc.answer(ANSWER.to_owned()).await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::Answered { .. }));
    assert!(matches!(event(&mut inc).await, LegEvent::Confirmed { answer: None }));
    (out, inc)
}

async fn all_freed(agents: [&UserAgent; 2]) {
    soon(async {
        while agents.iter().any(|a| a.legs() > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_rings_is_answered_and_the_caller_hangs_up() {
    let (caller, mut callee) = (agent().await, agent().await);
    let mut out = dial(&caller, &callee).await;
    let mut inc = soon(callee.next_invite()).await.unwrap();
    let info = inc.info().clone();
    assert_eq!(info.offer.as_deref(), Some(OFFER));
    assert_eq!((info.from_user.as_str(), info.to_user.as_str()), ("+8613812345678", "4001"));
    assert_eq!(info.remote, caller.local_addr());
    assert_eq!(info.local_ip, callee.local_addr().ip());

    inc.ring().await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::Ringing));
    inc.answer(ANSWER.to_owned()).await.unwrap();
    match event(&mut out).await {
        LegEvent::Answered { sdp } => assert_eq!(sdp, ANSWER),
        other => panic!("{other:?}"),
    }
    assert!(matches!(event(&mut inc).await, LegEvent::Confirmed { answer: None }));

    out.hang_up(HangUpCause::Normal).await.unwrap();
    match event(&mut inc).await {
        LegEvent::HungUp { reason } => assert_eq!(reason.unwrap().q850, Some(16)),
        other => panic!("{other:?}"),
    }
    over(&mut inc).await;
    over(&mut out).await;
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn the_callee_can_hang_up() {
    let (caller, mut callee) = (agent().await, agent().await);
    let (mut out, mut inc) = connected(&caller, &mut callee).await;
    inc.hang_up(HangUpCause::MediaTimeout).await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::HungUp { reason: Some(_) }));
    over(&mut inc).await;
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn hanging_up_right_after_the_answer_waits_for_the_ack() {
    let (caller, mut callee) = (agent().await, agent().await);
    let mut out = dial(&caller, &callee).await;
    let mut inc = soon(callee.next_invite()).await.unwrap();
    inc.answer(ANSWER.to_owned()).await.unwrap();
    inc.hang_up(HangUpCause::Normal).await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::Answered { .. }));
    assert!(matches!(event(&mut out).await, LegEvent::HungUp { .. }));
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn a_caller_who_gives_up_while_it_rings_cancels_the_call() {
    let (caller, mut callee) = (agent().await, agent().await);
    let mut out = dial(&caller, &callee).await;
    let mut inc = soon(callee.next_invite()).await.unwrap();
    inc.ring().await.unwrap();
    assert!(matches!(event(&mut out).await, LegEvent::Ringing));
    out.hang_up(HangUpCause::Normal).await.unwrap();
    assert!(matches!(event(&mut inc).await, LegEvent::Cancelled));
    over(&mut inc).await;
    over(&mut out).await;
    let late = inc.answer(ANSWER.to_owned()).await;
    assert!(matches!(late, Err(SipError::State { .. })), "{late:?}");
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn a_rejection_carries_its_code_and_retry_after() {
    let (caller, mut callee) = (agent().await, agent().await);
    for (rejection, code, wait) in [
        (Rejection::not_found(), 404, None),
        (Rejection::not_acceptable(), 488, None),
        (Rejection::busy(Duration::from_millis(7_200)), 503, Some(Duration::from_secs(8))),
    ] {
        let mut out = dial(&caller, &callee).await;
        let mut inc = soon(callee.next_invite()).await.unwrap();
        inc.reject(rejection).await.unwrap();
        match event(&mut out).await {
            LegEvent::Rejected { code: got, retry_after, .. } => {
                assert_eq!((got, retry_after), (code, wait));
            }
            other => panic!("{other:?}"),
        }
        over(&mut out).await;
        over(&mut inc).await;
    }
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn calls_beyond_the_permits_get_503_and_a_place_freed_serves_the_next() {
    let (caller, mut callee) = (agent().await, agent().await);
    let permits = Permits::new(1);
    let mut first = dial(&caller, &callee).await;
    let mut first_in = soon(callee.next_invite()).await.unwrap();
    let place = permits.try_acquire().unwrap();
    first_in.answer(ANSWER.to_owned()).await.unwrap();
    assert!(matches!(event(&mut first).await, LegEvent::Answered { .. }));

    let mut second = dial(&caller, &callee).await;
    let mut second_in = soon(callee.next_invite()).await.unwrap();
    assert!(permits.try_acquire().is_none());
    second_in.reject(Rejection::busy(Duration::from_secs(3))).await.unwrap();
    assert!(matches!(event(&mut second).await, LegEvent::Rejected { code: 503, .. }));

    drop((first_in, place));
    assert!(matches!(event(&mut first).await, LegEvent::HungUp { .. }));
    assert!(permits.try_acquire().is_some());
}

#[tokio::test]
async fn a_dropped_leg_that_is_up_sends_bye() {
    let (caller, mut callee) = (agent().await, agent().await);
    let (mut out, inc) = connected(&caller, &mut callee).await;
    drop(inc);
    assert!(matches!(event(&mut out).await, LegEvent::HungUp { .. }));
    let (out, mut inc) = connected(&caller, &mut callee).await;
    drop(out);
    assert!(matches!(event(&mut inc).await, LegEvent::HungUp { .. }));
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn a_dropped_leg_that_is_not_answered_is_rejected_or_cancelled() {
    let (caller, mut callee) = (agent().await, agent().await);
    let mut out = dial(&caller, &callee).await;
    drop(soon(callee.next_invite()).await.unwrap());
    assert!(matches!(event(&mut out).await, LegEvent::Rejected { code: 480, .. }));

    let out = dial(&caller, &callee).await;
    let mut inc = soon(callee.next_invite()).await.unwrap();
    drop(out);
    assert!(matches!(event(&mut inc).await, LegEvent::Cancelled));
    all_freed([&caller, &callee]).await;
}

#[tokio::test]
async fn waiting_for_events_can_be_given_up_and_taken_up_again() {
    let (caller, mut callee) = (agent().await, agent().await);
    let (out, mut inc) = connected(&caller, &mut callee).await;
    for _ in 0..50 {
        let gave_up = tokio::time::timeout(Duration::from_micros(200), inc.next_event()).await;
        assert!(gave_up.is_err());
    }
    drop(out);
    assert!(matches!(event(&mut inc).await, LegEvent::HungUp { .. }));
}

#[tokio::test]
async fn shutdown_refuses_new_calls_and_ends_those_that_stay() {
    let (caller, mut callee) = (agent().await, agent().await);
    let (mut out, _inc) = connected(&caller, &mut callee).await;
    callee.refuse_new();
    let mut refused = dial(&caller, &callee).await;
    match event(&mut refused).await {
        LegEvent::Rejected { code: 503, retry_after, .. } => assert!(retry_after.is_some()),
        other => panic!("{other:?}"),
    }
    soon(callee.shutdown(Duration::from_millis(50))).await;
    match event(&mut out).await {
        LegEvent::HungUp { reason } => assert_eq!(reason.unwrap().q850, Some(42)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_leg_learns_that_its_agent_is_gone() {
    let (caller, mut callee) = (agent().await, agent().await);
    let (_out, mut inc) = connected(&caller, &mut callee).await;
    drop(callee);
    assert!(matches!(event(&mut inc).await, LegEvent::Failed { .. }));
    over(&mut inc).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_remedy() {
    let first = agent().await;
    let error = UserAgent::bind(UserAgentConfig::new(first.local_addr())).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&first.local_addr().to_string()) && text.contains("port"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_called_is_refused_without_showing_the_number() {
    let caller = agent().await;
    for to in ["mailto:13812345678@x", "tel:+8613812345678", "sip:a@b\r\nEvil: 1", ""] {
        let request = DialRequest::new(to, "sip:me@here", OFFER.to_owned());
        let error = caller.dial(request).await.unwrap_err();
        assert!(matches!(error, SipError::Uri { .. }), "{error}");
        assert!(!error.to_string().contains("13812345678"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_leave_nothing_behind() {
    let (caller, mut callee) = (agent().await, agent().await);
    for _ in 0..10 {
        let mut legs = Vec::new();
        for _ in 0..10 {
            legs.push(dial(&caller, &callee).await);
        }
        for _ in 0..10 {
            let mut leg = soon(callee.next_invite()).await.unwrap();
            tokio::spawn(async move {
                leg.answer(ANSWER.to_owned()).await.unwrap();
                while leg.next_event().await.is_some() {}
            });
        }
        for leg in &mut legs {
            assert!(matches!(event(leg).await, LegEvent::Answered { .. }));
            leg.hang_up(HangUpCause::Normal).await.unwrap();
        }
    }
    all_freed([&caller, &callee]).await;
}
