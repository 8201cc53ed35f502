//! A service that is told to stop takes no new calls and lets running ones come to their end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod service_support;
mod sip_support;

use std::time::Duration;

use service_support::Running;

#[tokio::test(flavor = "multi_thread")]
async fn running_calls_go_on_and_new_ones_go_elsewhere_until_told_twice() {
    let Some(mut service) = Running::new(34_000, |config| config.sip.drain_s = 60).await else {
        return;
    };
    let (leaves, stays) = (service.call("leaves").await, service.call("stays").await);
    let _ = service.stop.take().unwrap().send(());

    let newcomer = service.peer("newcomer").await;
    for (cseq, method) in (1..).zip(["OPTIONS", "INVITE"]) {
        // The first may be there before the service knows that it stops.
        let refused = loop {
            let answer = newcomer.ask(method, cseq, &format!("{method}{cseq}"), "", "").await;
            if method == "INVITE" || !answer.starts_with("SIP/2.0 200") {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(refused.starts_with("SIP/2.0 503"), "{refused}");
        assert!(refused.contains("Retry-After: "), "{refused}");
    }

    let reason = "Reason: Q.850;cause=31;text=\"Normal, unspecified\"\r\n";
    let gone = leaves.ask("BYE", 2, "bye", reason, "").await;
    assert!(gone.starts_with("SIP/2.0 200"), "{gone}");

    let _ = service.cut.take().unwrap().send(());
    let bye = stays.request("BYE").await;
    assert!(bye.contains("cause=42"), "{bye}");
    stays.respond(&bye, "200 OK", "", "").await;
    service.over().await;

    let left = service.record("leaves").await;
    assert_eq!(left.summary.end_reason.as_deref(), Some("caller_hangup"));
    let why = left.events.iter().find(|e| e.kind == "peer_reason").expect("the BYE's reason");
    assert_eq!((&why.data["q850"], &why.data["text"]), (&31.into(), &"Normal, unspecified".into()));
    assert_eq!(service.record("stays").await.summary.end_reason.as_deref(), Some("shutdown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_does_not_end_in_time_is_ended() {
    let Some(mut service) = Running::new(35_000, |config| config.sip.drain_s = 1).await else {
        return;
    };
    let caller = service.call("endless").await;
    let _ = service.stop.take().unwrap().send(());
    let bye = caller.request("BYE").await;
    caller.respond(&bye, "200 OK", "", "").await;
    service.over().await;
    assert_eq!(service.record("endless").await.summary.end_reason.as_deref(), Some("shutdown"));
}
