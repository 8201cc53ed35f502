//! Nothing that happened in calls is lost or told wrongly when the service, the database or the receiver of events dies at any
//! moment. Here with a few deaths; `scripts/crash` does the same with many, and prints figures.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod crash_support;
mod receiver_support;
mod store_support;

use std::time::Duration;

use crash_support::{Callers, Rig};
use store_support::Home;

/// How much of it: a little in tests, a lot by `scripts/crash`.
fn times(few: u32, variable: &str) -> u32 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_at_any_moment_loses_no_outcome_sqlite() {
    killed_service(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_at_any_moment_loses_no_outcome_postgres() {
    killed_service(Home::postgres()).await;
}

async fn killed_service(home: Home) {
    let (kills, calls) = (times(3, "CRASH_KILLS"), times(12, "CRASH_CALLS"));
    let Some(mut rig) = Rig::new(home).await else { return };
    rig.start().await;
    let callers = Callers::begin(rig.sip, calls, rig.pace(kills, calls));
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(rand::random_range(100..1_500))).await;
        rig.kill();
        rig.start().await;
    }
    let answered = callers.end().await;
    rig.settle().await;
    rig.judge(&answered, kills, "kill -9 of the service").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_is_killed_loses_no_outcome() {
    let (kills, calls) = (times(2, "CRASH_DB_KILLS"), times(12, "CRASH_CALLS"));
    let Some(mut rig) = Rig::new(Home::postgres()).await else { return };
    rig.start().await;
    let callers = Callers::begin(rig.sip, calls, rig.pace(kills, calls));
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(rand::random_range(300..2_500))).await;
        let server = rig.home.server.as_mut().unwrap();
        server.kill();
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..1_500))).await;
        server.resume();
    }
    let answered = callers.end().await;
    rig.settle().await;
    let figures = rig.judge(&answered, kills, "kill of PostgreSQL").await;
    assert_eq!(figures.interrupted, 0, "the service lived on: it knew how each call ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_gets_everything_when_it_is_back() {
    let (seconds, calls) = (times(4, "CRASH_AWAY_S"), times(12, "CRASH_CALLS"));
    let Some(mut rig) = Rig::new(Home::sqlite()).await else { return };
    rig.start().await;
    let callers = Callers::begin(rig.sip, calls, Duration::from_secs(u64::from(seconds) / 2));
    rig.receiver.stop();
    rig.crm_away();
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    rig.receiver.resume().await;
    rig.crm_back().await;
    let answered = callers.end().await;
    rig.settle().await;
    let what = format!("webhook and CRM away for {seconds} s");
    rig.judge(&answered, 1, &what).await;
}
