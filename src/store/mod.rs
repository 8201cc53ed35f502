//! Floor 6: what outlives a call, in SQLite.
//!
//! One row per call and its events. A call is begun when it arrives and finished in one
//! transaction when it ends; a call that a crash left open is found and marked at the next
//! [`Store::open`]. Numbers are stored in full: show them through [`masked`].

mod error;
mod masked;
mod read;
mod record;
mod write;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use error::StoreError;
pub use masked::masked;
pub use record::{CallDirection, CallEnd, CallEvent, CallFilter, CallRecord, CallSummary, NewCall};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// How long a statement waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The database of calls. Cheap to clone; safe to share between tasks and processes.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
    /// Held while this process is the one that tidies up after crashes.
    _owner: Option<std::sync::Arc<File>>,
}

impl Store {
    /// Opens the database at `path`, creating it (not its directory) when there is none, and
    /// brings its schema up to date. Calls that a crash left unfinished get the end reason
    /// `interrupted`, unless another process has the database open and may still be in them.
    ///
    /// # Errors
    /// [`StoreError`] names the path and the remedy.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(|e| StoreError::from_sqlx(&path, e))?;
        migrate(&pool, &path).await?;
        let owner = own(&path);
        let store = Self { pool, path, _owner: owner.map(std::sync::Arc::new) };
        if store._owner.is_some() {
            store.mark_interrupted().await?;
        }
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for running statements and closes the file. Without it the file is closed when the
    /// last clone is dropped.
    pub async fn close(self) {
        self.pool.close().await;
    }

    fn error(&self, e: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, e)
    }
}

async fn migrate(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    MIGRATIONS.run(pool).await.map_err(|e| match e {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0),
        },
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => {
            StoreError::from_sqlx(path, e)
        }
        other => StoreError::Schema { path: path.to_owned(), why: other.to_string() },
    })
}

/// Locks a file beside the database; `None` when another process has it, or it cannot be made.
fn own(path: &Path) -> Option<File> {
    let mut name = path.as_os_str().to_owned();
    name.push("-owner");
    let file = File::create(name).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}
