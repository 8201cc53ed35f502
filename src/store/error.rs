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
    pub(super) fn from_sqlx(path: &Path, e: sqlx::Error) -> Self {
        let path = path.to_owned();
        if let sqlx::Error::Io(io) = &e {
            return Self::NotWritable { path, why: io.to_string() };
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
