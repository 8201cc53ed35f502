use std::path::{Path, PathBuf};

/// What can go wrong with the store. Each message names the file and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is something else.
    #[error("{path} is not a SQLite database: move it away, or name another file")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A newer Hotline wrote the file.
    #[error(
        "{path} has schema version {found}, this build knows up to {known}: upgrade hotline, or \
         name another file"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Version found in the file.
        found: i64,
        /// Latest version of this build.
        known: i64,
    },
    /// The schema in the file is not what its version says.
    #[error(
        "{path}: its schema does not fit this build ({why}): restore a backup, or name another file"
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The file or its directory cannot be written or opened.
    #[error(
        "cannot write {path} ({why}): create its directory, and make both writable for this user \
         (SQLite also writes {path}-wal and {path}-shm)"
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The disk is full.
    #[error(
        "no space left for {path}: free some, or move the store; calls go on, but are not recorded"
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Another process held the database for too long.
    #[error(
        "{path} is locked by another process for more than 5 s: find it (fuser {path}) and stop it"
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A call with this id is there already.
    #[error("call {id} is in the store already: call ids must be unique")]
    Exists {
        /// The id.
        id: String,
    },
    /// No call has this id, or it was finished already.
    #[error("no call {id} is under way: begin it first, and finish it once")]
    NotUnderWay {
        /// The id.
        id: String,
    },
    /// More than one call id begins like that.
    #[error("`{prefix}` could be {}: give more of it", list(candidates))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// Ids that begin with it, a few at most.
        candidates: Vec<String>,
    },
    /// A row that this build cannot read.
    #[error("{path}: call {id} has a bad {column} ({why}): repair or delete that row")]
    BadRow {
        /// The file.
        path: PathBuf,
        /// The call.
        id: String,
        /// The column.
        column: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A server of the database cannot be reached, or does not let us in.
    #[error(
        "{server} cannot be used ({why}): does it run there, and are user and password right (data.database)?"
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// Another service that shares the database has the same name.
    #[error("{path}: another service is `{node}` already: stop it, or give each its own data.node")]
    NodeInUse {
        /// The name.
        node: String,
        /// The database.
        path: PathBuf,
    },
    /// What was given cannot be written; it is not the database's fault.
    #[error("{what} `{value}` {problem}")]
    Refused {
        /// What was given.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The store was closed.
    #[error("the store is closed: the service is stopping")]
    Closed,
    /// Anything else that a server says.
    #[error("{server}: {source}")]
    Server {
        /// Its address.
        server: String,
        /// What it said.
        source: sqlx::Error,
    },
    /// Anything else that SQLite says.
    #[error("{path}: {source}; check the file with `sqlite3 {path} 'PRAGMA integrity_check'`")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Whether the same may succeed in a moment.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::DiskFull { .. } | Self::Unreachable { .. } => true,
            Self::Sqlite { source, .. } => matches!(source, sqlx::Error::PoolTimedOut),
            _ => false,
        }
    }

    /// Whether it says something about one thing to write and nothing about the database.
    pub(super) fn is_of_one_order(&self) -> bool {
        matches!(self, Self::Exists { .. } | Self::NotUnderWay { .. } | Self::Refused { .. })
    }

    pub(super) fn from_postgres(server: &str, e: sqlx::Error) -> Self {
        let server = server.to_owned();
        let code = e.as_database_error().and_then(|d| d.code().map(|c| c.into_owned()));
        // Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html that are about the
        // server and not about what it was asked: connection, resources, shutdown, failover, deadlock.
        let passing = |code: &str| {
            ["08", "53", "57", "40"].contains(&&code[..code.len().min(2)]) || code == "25006"
        };
        match (&e, code) {
            (sqlx::Error::Database(_), Some(code)) if passing(&code) || code.starts_with("28") => {
                Self::Unreachable { server, why: e.to_string() }
            }
            (sqlx::Error::Database(_), _) => Self::Server { server, source: e },
            (
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::WorkerCrashed,
                _,
            ) => Self::Unreachable { server, why: e.to_string() },
            _ => Self::Server { server, source: e },
        }
    }

    pub(super) fn from_sqlite(path: &Path, e: sqlx::Error) -> Self {
        let path = path.to_owned();
        if let sqlx::Error::Io(io) = &e {
            return Self::NotWritable { path, why: io.to_string() };
        }
        if matches!(e, sqlx::Error::PoolClosed) {
            return Self::Closed;
        }
        // Primary result codes, https://sqlite.org/rescode.html; the high bits say more.
        let code = e.as_database_error().and_then(|d| d.code()?.parse::<u32>().ok());
        match code.map(|c| c & 0xff) {
            Some(5 | 6) => Self::Busy { path },
            Some(3 | 8 | 14) => Self::NotWritable { path, why: e.to_string() },
            Some(13) => Self::DiskFull { path },
            Some(26) => Self::NotADatabase { path },
            _ => Self::Sqlite { path, source: e },
        }
    }
}

fn list(ids: &[String]) -> String {
    ids.join(", ")
}
