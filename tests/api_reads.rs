//! Calls, transcripts, recordings and reports as clients get them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod api_support;

use std::{collections::BTreeMap, time::Duration};

use api_support::{MONDAY, Served, conversation, ended, happened, monday, with_token};
use hotline::{
    proto::{
        Call, CallsGetRequest, CallsListRequest, CallsListResponse, RecordingsGetRequest,
        RecordingsGetTranscriptRequest, ReportDimension, ReportRow, ReportsQueryRequest,
        calls_client::CallsClient, recordings_client::RecordingsClient,
        reports_client::ReportsClient,
    },
    store::{CallEnd, CallFilter, Role},
};
use prost_types::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::{Code, Status, transport::Channel};

async fn list(channel: &Channel, token: &str, request: CallsListRequest) -> CallsListResponse {
    let mut client = CallsClient::new(channel.clone());
    client.list(with_token(token, request)).await.unwrap().into_inner()
}

async fn get(channel: &Channel, token: &str, id: &str, unmasked: bool) -> Result<Call, Status> {
    let mut client = CallsClient::new(channel.clone());
    let request = CallsGetRequest { call_id: id.to_owned(), unmasked };
    client.get(with_token(token, request)).await.map(|got| got.into_inner().call.unwrap())
}

#[tokio::test]
async fn pages_have_every_call_once_also_those_of_one_moment() {
    let served = Served::new().await;
    let (channel, token) = (served.channel().await, served.token("acme", Role::Operator).await);
    for n in 0..23_u64 {
        let started_at = monday() + Duration::from_secs(n / 6);
        served.begin("acme", &format!("call-{n:02}"), started_at).await;
        served.begin("bank", &format!("other-{n:02}"), started_at).await;
    }
    let (mut ids, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let request = CallsListRequest { page_size: 5, page_token, ..CallsListRequest::default() };
        let page = list(&channel, &token, request).await;
        ids.extend(page.calls.into_iter().map(|call| call.call_id));
        (page_token, pages) = (page.next_page_token, pages + 1);
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((ids.len(), pages), (23, 5));
    let mut sorted: Vec<String> = (0..23).map(|n| format!("call-{n:02}")).collect();
    sorted.sort_by_key(|id| (std::cmp::Reverse(id[5..].parse::<u64>().unwrap() / 6), id.clone()));
    assert_eq!(ids, sorted);
}

#[tokio::test]
async fn numbers_are_masked_unless_somebody_who_may_asks_and_that_is_on_record() {
    let served = Served::new().await;
    let channel = served.channel().await;
    served.call("acme", "call-1").await;
    let operator = served.token("acme", Role::Operator).await;
    let supervisor = served.token("acme", Role::Supervisor).await;
    let masked = get(&channel, &supervisor, "call-1", false).await.unwrap();
    assert_eq!((&*masked.caller, &*masked.called), ("********678", "4001"));
    assert!(served.store.audit_rows(Some("acme"), 0, 10).await.unwrap().is_empty());
    let refused = get(&channel, &operator, "call-1", true).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let full = get(&channel, &supervisor, "call-1", true).await.unwrap();
    assert_eq!(full.caller, "13912345678");
    let rows = served.store.audit_rows(Some("acme"), 0, 10).await.unwrap();
    let deeds: Vec<_> = rows.iter().map(|row| (&*row.deed.action, &*row.deed.object)).collect();
    assert_eq!(deeds, [("Calls.Get", "call-1")]);
}

#[tokio::test]
async fn a_transcript_has_who_said_what_when_without_numbers() {
    let served = Served::new().await;
    let channel = served.channel().await;
    served.call("acme", "call-1").await;
    let client = RecordingsClient::new(channel);
    let said = |token: String, unredacted| {
        let request = RecordingsGetTranscriptRequest { call_id: "call-1".to_owned(), unredacted };
        let mut client = client.clone();
        async move { client.get_transcript(with_token(&token, request)).await }
    };
    let operator = served.token("acme", Role::Operator).await;
    let redacted = said(operator.clone(), false).await.unwrap().into_inner();
    let lines: Vec<(u64, &str)> =
        redacted.utterances.iter().map(|u| (u.at_ms, u.text.as_str())).collect();
    assert_eq!(
        lines,
        [
            (125, "What is your account number?"),
            (3_000, "It is *******."),
            (8_000, "You owe ***.**.")
        ]
    );
    assert_eq!(said(operator, true).await.unwrap_err().code(), Code::PermissionDenied);
    let supervisor = served.token("acme", Role::Supervisor).await;
    let full = said(supervisor, true).await.unwrap().into_inner();
    assert_eq!(full.utterances[1].text, "It is 4417902.");
}

#[tokio::test]
async fn a_recording_comes_whole_and_in_ranges() {
    let served = Served::new().await;
    let channel = served.channel().await;
    let data: Vec<u8> = (0..200_001_u32).map(|n| (n % 251) as u8).collect();
    let path = served.dir.path().join("recording.wav");
    std::fs::write(&path, &data).unwrap();
    served.begin("acme", "call-1", monday()).await;
    let supervisor = served.token("acme", Role::Supervisor).await;
    let fetch = async |offset: u64, length: u64| -> Result<(Vec<u8>, String), Status> {
        let request = RecordingsGetRequest { call_id: "call-1".to_owned(), offset, length };
        let mut client = RecordingsClient::new(channel.clone());
        let mut pieces = client.get(with_token(&supervisor, request)).await?.into_inner();
        let (mut got, mut digest) = (Vec::new(), String::new());
        while let Some(piece) = pieces.message().await? {
            assert_eq!(piece.offset, offset + got.len() as u64);
            assert_eq!(piece.total_size, data.len() as u64);
            got.extend(piece.data);
            digest += &piece.sha256;
        }
        Ok((got, digest))
    };
    assert_eq!(fetch(0, 0).await.unwrap_err().code(), Code::FailedPrecondition, "it still runs");
    let end = CallEnd { recording: Some(path.clone()), ..ended() };
    served.store.finish_call("call-1", end, &[]).await.unwrap();

    let (whole, digest) = fetch(0, 0).await.unwrap();
    assert_eq!(whole, data);
    let expected: String = Sha256::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, expected);
    for (offset, length) in [(0, 1), (65_535, 2), (70_000, 100_000), (200_000, 0), (200_001, 5)] {
        let (part, _) = fetch(offset, length).await.unwrap();
        let end = if length == 0 { data.len() } else { data.len().min((offset + length) as usize) };
        assert_eq!(part, data[offset as usize..end], "{offset} {length}");
    }
    let beyond = fetch(200_002, 0).await.unwrap_err();
    assert!(beyond.message().starts_with("offset:"), "{}", beyond.message());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(fetch(0, 0).await.unwrap_err().code(), Code::NotFound);
}

/// Calls of three days with everything that reports count.
async fn three_days(served: &Served) {
    for n in 0..60_u64 {
        let id = format!("call-{n:02}");
        let started_at = monday() + Duration::from_secs(n * 3_700);
        served.begin(if n % 7 == 0 { "bank" } else { "acme" }, &id, started_at).await;
        let mut events = conversation();
        for _ in 0..n % 3 {
            events.push(happened(9_500, "no_input", json!({"count": 1})));
        }
        for _ in 0..n % 4 {
            events.push(happened(9_600, "no_match", json!({"count": 1})));
        }
        if n % 5 == 0 {
            events.push(happened(9_700, "transferred", json!({"result": "done"})));
        }
        if n % 5 == 1 {
            events.push(happened(9_700, "transferred", json!({"result": "busy"})));
        }
        let end = CallEnd {
            answered_ms: (n % 6 != 0).then_some(2_000),
            duration_ms: if n % 6 == 0 { 0 } else { n * 1_001 },
            disposition: (n % 2 == 0).then(|| "resolved".to_owned()),
            turns: (n % 9) as u32,
            ..ended()
        };
        if n != 59 {
            served.store.finish_call(&id, end, &events).await.unwrap();
        }
    }
}

fn query(group_by: &[ReportDimension]) -> ReportsQueryRequest {
    ReportsQueryRequest {
        started_from: Some(Timestamp { seconds: MONDAY, nanos: 0 }),
        started_before: Some(Timestamp { seconds: MONDAY + 300_000, nanos: 0 }),
        group_by: group_by.iter().map(|by| (*by).into()).collect(),
        utc_offset_minutes: 480,
        ..ReportsQueryRequest::default()
    }
}

/// The same figures from the records of the calls, one by one.
async fn recomputed(served: &Served) -> BTreeMap<(String, String), ReportRow> {
    let mut rows: BTreeMap<(String, String), ReportRow> = BTreeMap::new();
    let filter =
        CallFilter { tenant: Some("acme".to_owned()), limit: 1_000, ..CallFilter::default() };
    for call in served.store.calls(&filter).await.unwrap() {
        let record = served.store.call(&call.id).await.unwrap().unwrap();
        let day = (call.started_at + time::Duration::hours(8)).date().to_string();
        let disposition = call.disposition.clone().unwrap_or_default();
        let row = rows.entry((day, disposition)).or_default();
        let happened = |kind: &str| record.events.iter().filter(|e| e.kind == kind).count() as u64;
        let handed_over =
            record.events.iter().any(|e| e.kind == "transferred" && e.data["result"] == "done");
        row.calls += 1;
        row.turns += u64::from(call.turns);
        row.no_input += happened("no_input");
        row.no_match += happened("no_match");
        if call.answered_ms.is_some() {
            row.answered += 1;
            row.handling_ms += call.duration_ms;
            row.transferred += u64::from(handed_over);
            row.contained += u64::from(!handed_over && call.end_reason.is_some());
        }
    }
    rows
}

#[tokio::test]
async fn a_report_is_what_the_records_of_the_calls_add_up_to() {
    let served = Served::new().await;
    three_days(&served).await;
    let mut client = ReportsClient::new(served.channel().await);
    let token = served.token("acme", Role::Supervisor).await;
    let by = [ReportDimension::Day, ReportDimension::Disposition];
    let answer = client.query(with_token(&token, query(&by))).await.unwrap().into_inner();
    let expected: Vec<ReportRow> = recomputed(&served)
        .await
        .into_iter()
        .map(|((day, disposition), row)| ReportRow { group: vec![day, disposition], ..row })
        .collect();
    assert_eq!(answer.rows, expected);
    assert!(expected.len() >= 6, "three days, with and without an outcome");

    let total = client.query(with_token(&token, query(&[]))).await.unwrap().into_inner();
    assert_eq!(total.total, answer.total);
    assert_eq!(total.rows, [total.total.clone().unwrap()]);
    let sum: u64 = expected.iter().map(|row| row.calls).sum();
    assert_eq!(answer.total.unwrap().calls, sum);
}

#[tokio::test]
async fn a_report_is_of_the_calls_that_are_asked_for() {
    let served = Served::new().await;
    three_days(&served).await;
    let mut client = ReportsClient::new(served.channel().await);
    let token = served.token("acme", Role::Integrator).await;
    let request = ReportsQueryRequest { disposition: "resolved".to_owned(), ..query(&[]) };
    let resolved = client.query(with_token(&token, request)).await.unwrap().into_inner();
    assert_eq!(resolved.total.unwrap().calls, 25);
    let request = ReportsQueryRequest { number: "4002".to_owned(), ..query(&[]) };
    let other = client.query(with_token(&token, request)).await.unwrap().into_inner();
    assert_eq!((other.rows.len(), other.total.unwrap().calls), (0, 0));
    for (request, field) in [
        (ReportsQueryRequest { started_from: None, ..query(&[]) }, "started_from"),
        (ReportsQueryRequest { utc_offset_minutes: 841, ..query(&[]) }, "utc_offset_minutes"),
        (query(&[ReportDimension::Unspecified]), "group_by"),
        (
            ReportsQueryRequest {
                started_before: Some(Timestamp { seconds: MONDAY + 401 * 86_400, nanos: 0 }),
                ..query(&[])
            },
            "started_before",
        ),
    ] {
        let status = client.query(with_token(&token, request)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
    }
}
