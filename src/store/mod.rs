//! Floor 6: what outlives a call, in SQLite or PostgreSQL.
//!
//! One row per call, and a log of what happened in all of them. A call is begun when it arrives and finished in one
//! transaction with its last events when it ends; a call that a crash left open is found and marked when its service opens
//! the store again. Numbers are stored in full: show them through [`masked`].

mod audit;
mod backup;
mod books;
mod database;
mod erase;
mod error;
mod event;
mod identity;
mod log;
mod masked;
mod outbox;
mod read;
mod record;
mod report;
mod retention;
mod tokens;
mod write;
mod writer;

use std::{path::Path, sync::Arc};

use tokio::sync::{mpsc, watch};

pub use audit::{AuditRow, AuditVerdict, Deed};
pub use database::Database;
pub use error::StoreError;
pub use event::{CallEvent, Event};
pub use identity::{Identity, Role};
pub use masked::masked;
pub use outbox::{Delivery, Settlement, SinkState};
pub use record::{
    CallDirection, CallEnd, CallFilter, CallRecord, CallSummary, DEFAULT_TENANT, NewCall,
};
pub use report::ReportedCall;
pub use retention::{CallFiles, Gone, Keep};
pub use tokens::Token;

use database::{Db, Owner};
use writer::Entry;

/// Orders that may wait to be written.
const QUEUE: usize = 8_192;

/// The database of calls. Cheap to clone; safe to share between tasks and processes.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    orders: mpsc::Sender<Entry>,
    newest: watch::Receiver<u64>,
    /// Held while this process is the one that tidies up after crashes.
    _owner: Option<Arc<Owner>>,
}

impl Store {
    /// Opens the SQLite file at `path`, creating it (not its directory) when there is none, and
    /// brings its schema up to date. Calls that a crash left unfinished get the end reason
    /// `interrupted`, unless another process has the database open and may still be in them.
    ///
    /// # Errors
    /// [`StoreError`] names the path and the remedy.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_database(&Database::sqlite(path)).await
    }

    /// Opens a database of either kind and brings its schema up to date. In PostgreSQL only a service
    /// ([`Database::for_service`]) marks what a crash left unfinished.
    ///
    /// # Errors
    /// [`StoreError`] names the database and the remedy.
    pub async fn open_database(database: &Database) -> Result<Self, StoreError> {
        let db = Db::connect(database).await?;
        let owner = Owner::claim(database, &db).await?.map(Arc::new);
        let (orders, queue) = mpsc::channel(QUEUE);
        let (tell, newest) = watch::channel(log::newest(&db).await?);
        let store = Self { db: db.clone(), orders, newest, _owner: owner };
        if store._owner.is_some() {
            store.mark_interrupted(database.node()).await?;
        }
        tell.send_replace(log::newest(&db).await?);
        tokio::spawn(writer::run(db, database.node().to_owned(), queue, tell));
        Ok(store)
    }

    /// Waits for everything ordered and for running statements, and closes the database. Without it that happens when
    /// the last clone is dropped.
    pub async fn close(self) {
        // It only fails when it is closed already.
        let _ = self.flush().await;
        self.db.pool.close().await;
    }

    fn error(&self, e: sqlx::Error) -> StoreError {
        self.db.error(e)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
