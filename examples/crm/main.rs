//! A small CRM with the customers of Hotline's example dialplans: a process of its own, over gRPC, with a database of its
//! own. It shows what a CRM has to do, and the dialplans in `dialplans/` run against it as they are.
//!
//! ```text
//! hotline-crm --data data/crm.db
//! hotline serve                 # with [crm] url = "http://127.0.0.1:50051"
//! ```

mod ledger;
mod told;
mod tools;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::Parser;
use hotline::proto::{
    crm_server::CrmServer, event_sink_server::EventSinkServer, screen_pop_server::ScreenPopServer,
};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use ledger::Ledger;

/// A small CRM for Hotline's example dialplans.
#[derive(Debug, Parser)]
struct Args {
    /// Where to answer gRPC; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// The database; made with invented customers when it is not there. Without it, one in memory
    #[arg(long)]
    data: Option<PathBuf>,
    /// The day that the invented customers' dates count from, such as 2026-11-23; today unless given
    #[arg(long)]
    today: Option<String>,
    /// A file with a token that callers must send as `authorization: Bearer`
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Offer the tool `reset`, which puts the invented customers back as they were; for tests
    #[arg(long)]
    may_reset: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let token = args.token_file.as_ref().map(|path| {
        let text = std::fs::read_to_string(path);
        text.with_context(|| format!("cannot read the token in {}", path.display()))
    });
    let token = token.transpose()?.map(|token| token.trim().to_owned());
    let ledger = Ledger::open(args.data.as_deref(), args.today, args.may_reset).await?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    println!("answering gRPC on {}", listener.local_addr()?);
    let may_ask = ledger::may_ask(token);
    Server::builder()
        .add_service(CrmServer::with_interceptor(ledger.clone(), may_ask.clone()))
        .add_service(EventSinkServer::with_interceptor(ledger.clone(), may_ask.clone()))
        .add_service(ScreenPopServer::with_interceptor(ledger, may_ask))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
