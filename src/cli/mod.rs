//! Floor 10: the command line. One file a command: its `Args` and its `run`.

pub mod api;
pub mod audit;
pub mod backup;
pub mod call;
pub mod calls;
pub mod check;
pub mod check_trunk;
pub mod demo;
pub mod dial;
pub mod diff;
pub mod eval;
pub mod graph;
pub mod load;
pub mod models;
pub mod outbox;
pub mod publish;
pub mod replay;
pub mod retention;
pub mod review;
pub mod say;
pub mod serve;
pub mod simulate;
pub mod token;

use std::{path::Path, process::ExitCode};

use clap::{Parser, Subcommand};
use time::{OffsetDateTime, macros::format_description};
use tracing_subscriber::EnvFilter;

use crate::{
    dialplan::{Dialplan, DialplanError},
    service::{Config, Data},
    store::Store,
};

/// A voice call-center engine: it answers the phone, listens, talks, and keeps the record.
#[derive(Debug, Parser)]
#[command(name = "hotline", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer calls, as hotline.toml says.
    Serve(serve::ServeArgs),
    /// Place one call, to a URI or by a trunk, and say recorded turns.
    Call(call::CallArgs),
    /// Place one call that a dialplan talks in, and tell what came of it.
    Dial(dial::DialArgs),
    /// Place many calls at once, to find out how many a service can take.
    Load(load::LoadArgs),
    /// Show one whole call on this machine: a service, a caller, a transcript.
    Demo(demo::DemoArgs),
    /// Say what is wrong with dialplans, or try a trunk: names, OPTIONS, registration, media.
    Check(check::CheckArgs),
    /// Talk to a dialplan in writing, or have scripted callers talk to it.
    Simulate(simulate::SimulateArgs),
    /// What changed between two dialplans.
    Diff(diff::DiffArgs),
    /// Keep a dialplan as a version that numbers can answer with.
    Publish(publish::PublishArgs),
    /// Go back to an earlier published version.
    Rollback(publish::RollbackArgs),
    /// Draw a dialplan.
    Graph(graph::GraphArgs),
    /// List calls, or show one.
    Calls(calls::CallsArgs),
    /// What callers said that was not understood, as proposals for the dialplan.
    Review(review::ReviewArgs),
    /// Run call journals again and compare.
    Replay(replay::ReplayArgs),
    /// Say something into a WAV file, to hear a voice.
    Say(say::SayArgs),
    /// List, fetch and verify speech models.
    Models(models::ModelsArgs),
    /// Make, list or revoke the tokens of those who use the API.
    Token(token::TokenArgs),
    /// What sinks of events have not taken: look, retry, drop, replay.
    Outbox(outbox::OutboxArgs),
    /// Remove what was kept long enough, as [retention] says.
    Retention(retention::RetentionArgs),
    /// Forget somebody: recordings, journals, numbers, words.
    Erase(retention::EraseArgs),
    /// Copy the database and the calls' files into a directory while the service runs.
    Backup(backup::BackupArgs),
    /// Bring a backup back.
    Restore(backup::BackupArgs),
    /// Who did what; whether that record is whole.
    Audit(audit::AuditArgs),
    /// Measure recognition and understanding on recordings and texts of your own.
    Eval(eval::EvalArgs),
    /// Write the reference of the gRPC API, and what it promises to keep.
    Api(api::ApiArgs),
}

/// What is logged. The stack warns of each listener for streams that it does not serve it; we do.
const DEFAULT_FILTER: &str =
    "warn,hotline=info,rsipstack::transport::transport_layer=error,hickory_resolver=error";

/// Runs the command line of this process; prints an error with its causes and returns failure.
pub fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("HOTLINE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match std::env::var("HOTLINE_LOG_FORMAT").as_deref() {
        Ok("json") => logs.json().init(),
        _ => logs.init(),
    }
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Call(args) => call::run(args),
        Command::Dial(args) => dial::run(args),
        Command::Load(args) => load::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Check(args) => check::run(args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Rollback(args) => publish::roll_back(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Calls(args) => calls::run(args),
        Command::Review(args) => review::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Say(args) => say::run(args),
        Command::Models(args) => models::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Token(args) => token::run(args),
        Command::Outbox(args) => outbox::run(args),
        Command::Retention(args) => retention::run(args),
        Command::Erase(args) => retention::run_erase(args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => backup::run_restore(args),
        Command::Audit(args) => audit::run(args),
        Command::Api(args) => api::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// An async runtime for commands that need one.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Loads a dialplan; the error has everything that is wrong with it.
fn dialplan(path: &Path) -> anyhow::Result<Dialplan> {
    Dialplan::load(path).map_err(|found| listed(&found))
}

/// All findings in a file as one error, a finding with its remedy on lines of its own.
fn listed(found: &[DialplanError]) -> anyhow::Error {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("\n{}", lines.join("\n"))
}

/// The store in the data directory `data`, else the one that `config` names.
///
/// # Errors
/// When the configuration is wrong, or no call has been recorded.
async fn recorded(config: &Path, data: Option<&Path>) -> anyhow::Result<Store> {
    let data = match data {
        Some(dir) => Data { dir: dir.to_owned(), ..Data::default() },
        None => Config::load(config)?.data,
    };
    if data.database.is_none() && !data.file().exists() {
        anyhow::bail!("{}: no call has been recorded there yet", data.file().display());
    }
    Ok(Store::open_database(&data.database()?).await?)
}

/// A moment in UTC, to the second.
fn moment(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.format(&format).unwrap_or_else(|_| at.to_string())
}
