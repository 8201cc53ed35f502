//! The scripted calls of the example dialplans run against the reference CRM, a process of its own, over gRPC.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use hotline::{
    cli::simulate::{SimulateArgs, run},
    proto::{DeliverRequest, Event, event_sink_client::EventSinkClient},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

/// The day that the scripts are written for.
const TODAY: &str = "2026-11-23";

/// A running CRM, ended with the test.
struct ReferenceCrm {
    process: Child,
    url: String,
}

impl ReferenceCrm {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_hotline-crm"))
            .args(["--listen", "127.0.0.1:0", "--today", TODAY, "--may-reset"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built with the tests");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap();
        Self { url: format!("http://{address}"), process }
    }
}

impl Drop for ReferenceCrm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn as_written(dialplan: &str) {
    let crm = ReferenceCrm::start();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    let args = SimulateArgs {
        paths: vec![root.join(format!("{dialplan}.test.yaml"))],
        test: true,
        crm: Some(crm.url.clone()),
        crm_before: Some("reset".to_owned()),
        ..SimulateArgs::default()
    };
    run(&args).unwrap();
}

#[test]
fn the_housing_fund_runs_on_it() {
    as_written("fund-crm-zh");
}

#[test]
fn the_power_company_runs_on_it() {
    as_written("utility-crm-en");
}

#[test]
fn the_web_shop_runs_on_it() {
    as_written("shop-en-zh");
}

#[test]
fn promises_to_pay_are_recorded_in_it() {
    as_written("collection-zh");
}

#[test]
fn the_dentist_books_in_it() {
    as_written("dental-campaign-zh");
}

#[test]
fn the_clinic_moves_appointments_in_it() {
    as_written("clinic-reminder-zh");
}

#[tokio::test]
async fn an_event_that_comes_twice_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("crm.db");
    let crm = ReferenceCrm::start_with(&["--data", data.to_str().unwrap()]);
    let mut sink = EventSinkClient::connect(crm.url.clone()).await.unwrap();
    let event =
        Event { call_id: "call-1".into(), seq: 3, kind: "call.ended".into(), ..Event::default() };
    let request = DeliverRequest { event: Some(event), idempotency_key: "default/call-1/3".into() };
    for _ in 0..2 {
        sink.deliver(request.clone()).await.unwrap();
    }
    let options = SqliteConnectOptions::new().filename(&data).read_only(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let kept: Vec<(String, String, i64)> = sqlx::query_as("SELECT kind, call_id, seq FROM events")
        .fetch_all(&mut database)
        .await
        .unwrap();
    assert_eq!(kept, [("call.ended".to_owned(), "call-1".to_owned(), 3)]);
}
