//! What changes something: done once, on record, and refused with a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod api_support;

use api_support::{Served, monday, with_token};
use hotline::{
    proto::{
        AdminCreateTokenRequest, AdminListTokensRequest, AdminRevokeTokenRequest,
        AdminVerifyAuditRequest, CallsHangUpRequest, CallsListRequest, CallsSendKeysRequest,
        DispositionsCorrectRequest, FeedbackGiveRequest, RecordingsEraseRequest,
        RecordingsGetTranscriptRequest, Role as ProtoRole, admin_client::AdminClient,
        calls_client::CallsClient, dispositions_client::DispositionsClient,
        feedback_client::FeedbackClient, recordings_client::RecordingsClient,
    },
    store::{AuditVerdict, CallEnd, Role},
};
use tonic::Code;

fn correcting(disposition: &str, key: &str) -> DispositionsCorrectRequest {
    DispositionsCorrectRequest {
        call_id: "call-1".to_owned(),
        disposition: disposition.to_owned(),
        reason: "the agent heard otherwise".to_owned(),
        idempotency_key: key.to_owned(),
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_alike_and_done_once() {
    let served = Served::new().await;
    served.call("acme", "call-1").await;
    let token = served.token("acme", Role::Operator).await;
    let mut client = DispositionsClient::new(served.channel().await);
    for _ in 0..3 {
        let request = with_token(&token, correcting("callback_agreed", "k1"));
        let answer = client.correct(request).await.unwrap().into_inner();
        assert_eq!(answer.former, "resolved", "the first answer again, not `callback_agreed`");
    }
    let record = served.store.call("call-1").await.unwrap().unwrap();
    assert_eq!(record.summary.disposition.as_deref(), Some("callback_agreed"));
    let changed = record.events.iter().filter(|e| e.kind == "disposition.changed").count();
    assert_eq!(changed, 1);
    assert_eq!(served.store.audit_rows(Some("acme"), 0, 10).await.unwrap().len(), 1);

    let other = client.correct(with_token(&token, correcting("other", "k1"))).await.unwrap_err();
    assert!(other.message().starts_with("idempotency_key:"), "{}", other.message());
    let again = client.correct(with_token(&token, correcting("other", "k2"))).await.unwrap();
    assert_eq!(again.into_inner().former, "callback_agreed");
}

#[tokio::test]
async fn a_request_that_failed_may_be_tried_again_with_its_key() {
    let served = Served::new().await;
    served.begin("acme", "call-1", monday()).await;
    let token = served.token("acme", Role::Operator).await;
    let mut client = DispositionsClient::new(served.channel().await);
    let early = client.correct(with_token(&token, correcting("x", "k"))).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition, "{}", early.message());
    served.end("call-1", "resolved", &[]).await;
    client.correct(with_token(&token, correcting("x", "k"))).await.unwrap();
    let rows = served.store.audit_rows(Some("acme"), 0, 10).await.unwrap();
    let details: Vec<String> = rows.iter().map(|row| row.deed.details.to_string()).collect();
    assert_eq!(details, ["{}", "{\"failed\":\"FailedPrecondition\"}", "{}"]);
}

#[tokio::test]
async fn wrong_fields_are_named_and_calls_that_are_over_are_not_driven() {
    let served = Served::new().await;
    served.call("acme", "call-1").await;
    let token = served.token("acme", Role::Operator).await;
    let mut calls = CallsClient::new(served.channel().await);
    let over = CallsHangUpRequest { call_id: "call-1".to_owned(), ..Default::default() };
    let over = calls.hang_up(with_token(&token, over)).await.unwrap_err();
    assert_eq!(over.code(), Code::FailedPrecondition, "{}", over.message());
    let none = CallsSendKeysRequest { call_id: String::new(), ..Default::default() };
    let none = calls.send_keys(with_token(&token, none)).await.unwrap_err();
    assert_eq!((none.code(), none.message()), (Code::InvalidArgument, "call_id: is needed"));
    let page = CallsListRequest { page_token: "nonsense".to_owned(), ..Default::default() };
    let page = calls.list(with_token(&token, page)).await.unwrap_err();
    assert!(page.message().starts_with("page_token:"), "{}", page.message());
}

#[tokio::test]
async fn a_token_is_made_used_and_ended() {
    let served = Served::new().await;
    let channel = served.channel().await;
    let mut client = AdminClient::new(channel.clone());
    let admin = served.token("acme", Role::Admin).await;
    let request = AdminCreateTokenRequest {
        role: ProtoRole::Operator.into(),
        idempotency_key: "k".to_owned(),
        ..AdminCreateTokenRequest::default()
    };
    let made = client.create_token(with_token(&admin, request.clone())).await.unwrap().into_inner();
    let again = client.create_token(with_token(&admin, request)).await.unwrap().into_inner();
    assert_eq!(made, again, "one token, however often it is asked for");
    let mut calls = CallsClient::new(channel);
    calls.list(with_token(&made.secret, CallsListRequest::default())).await.unwrap();

    let token_id = made.token.unwrap().token_id;
    let listed = client.list_tokens(with_token(&admin, AdminListTokensRequest {})).await.unwrap();
    let listed = listed.into_inner().tokens;
    assert_eq!(listed.iter().filter(|token| token.token_id == token_id).count(), 1);
    let ending = AdminRevokeTokenRequest { token_id, idempotency_key: String::new() };
    client.revoke_token(with_token(&admin, ending.clone())).await.unwrap();
    let refused = calls.list(with_token(&made.secret, CallsListRequest::default())).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let twice = client.revoke_token(with_token(&admin, ending)).await.unwrap_err();
    assert_eq!(twice.code(), Code::NotFound);

    let verdict =
        client.verify_audit(with_token(&admin, AdminVerifyAuditRequest {})).await.unwrap();
    assert!(verdict.get_ref().intact, "{verdict:?}");
    assert!(matches!(served.store.verify_audit().await.unwrap(), AuditVerdict::Whole { rows: 4 }));
}

#[tokio::test]
async fn what_is_erased_is_nowhere_any_more() {
    let served = Served::new().await;
    let channel = served.channel().await;
    let path = served.dir.path().join("recording.wav");
    std::fs::write(&path, b"RIFF").unwrap();
    served.begin("acme", "call-1", monday()).await;
    let end = CallEnd {
        recording: Some(path.clone()),
        disposition: Some("resolved".to_owned()),
        ..api_support::ended()
    };
    let events = api_support::conversation();
    served.store.finish_call("call-1", end, &events).await.unwrap();
    let supervisor = served.token("acme", Role::Supervisor).await;
    let mut client = RecordingsClient::new(channel);
    let request = RecordingsEraseRequest {
        call_id: "call-1".to_owned(),
        reason: "request 17".to_owned(),
        idempotency_key: "e".to_owned(),
    };
    client.erase(with_token(&supervisor, request)).await.unwrap();
    assert!(!path.exists());
    let record = served.store.call("call-1").await.unwrap().unwrap();
    let left = format!("{record:?}");
    for personal in ["13912345678", "4417902", "account number", "recording.wav"] {
        assert!(!left.contains(personal), "{personal} is left in {left}");
    }
    assert_eq!(record.summary.disposition.as_deref(), Some("resolved"));
    assert_eq!((record.summary.duration_ms, &*record.summary.called), (42_000, "4001"));
    let log = served.store.events_after(Some("acme"), 0, 100).await.unwrap();
    assert!(!format!("{log:?}").contains("4417902"));
    let request = RecordingsGetTranscriptRequest { call_id: "call-1".to_owned(), unredacted: true };
    let said = client.get_transcript(with_token(&supervisor, request)).await.unwrap();
    assert_eq!(said.into_inner().utterances, []);
}

#[tokio::test]
async fn what_agents_say_of_the_bot_is_in_the_record_for_the_review() {
    let served = Served::new().await;
    served.call("acme", "call-1").await;
    let token = served.token("acme", Role::Operator).await;
    let mut client = FeedbackClient::new(served.channel().await);
    let request = FeedbackGiveRequest {
        call_id: "call-1".to_owned(),
        utterance: "我想把押金要回来".to_owned(),
        understood_as: "balance".to_owned(),
        should_be: "intent:deposit".to_owned(),
        idempotency_key: "f".to_owned(),
    };
    client.give(with_token(&token, request)).await.unwrap();
    let record = served.store.call("call-1").await.unwrap().unwrap();
    let feedback = record.events.iter().find(|event| event.kind == "feedback").unwrap();
    assert_eq!(feedback.data["utterance"], "我想把押金要回来");
    assert_eq!(feedback.data["should_be"], "intent:deposit");
}
