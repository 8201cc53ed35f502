//! The scripted calls of the example dialplans run against the reference CRM, a process of its own, over gRPC.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use hotline::cli::simulate::{SimulateArgs, run};

/// The day that the scripts are written for.
const TODAY: &str = "2026-11-23";

/// A running CRM, ended with the test.
struct ReferenceCrm {
    process: Child,
    url: String,
}

impl ReferenceCrm {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_hotline-crm"))
            .args(["--listen", "127.0.0.1:0", "--today", TODAY, "--may-reset"])
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
