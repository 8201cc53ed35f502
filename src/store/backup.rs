//! A copy of the database while calls go on.

use std::path::Path;

use sqlx::AssertSqlSafe;

use super::{Database, Store, StoreError};

impl Store {
    /// Writes a whole and consistent copy of a SQLite database into `file`, which must not be there. Calls go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for PostgreSQL, which has `pg_dump` for that, and when the file is there.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let refused = |problem: &str| StoreError::Refused {
            what: "backup",
            value: file.display().to_string(),
            problem: problem.to_owned(),
        };
        if self.db.is_server() {
            return Err(refused("is for SQLite: take PostgreSQL's own pg_dump"));
        }
        if file.exists() {
            return Err(refused("is there already: name another directory"));
        }
        let sql = format!("VACUUM INTO '{}'", file.to_string_lossy().replace('\'', "''"));
        let done = sqlx::query(AssertSqlSafe(sql)).execute(&self.db.pool).await;
        done.map(|_| ()).map_err(|e| self.error(e))
    }

    /// Whether the file of a backup is a whole database that this build can use.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with it.
    pub async fn check_backup(file: &Path) -> Result<(), StoreError> {
        let store = Self::open_database(&Database::sqlite(file)).await?;
        let found: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&store.db.pool)
            .await
            .map_err(|e| store.error(e))?;
        store.close().await;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(StoreError::Schema { path: file.to_owned(), why: found }),
        }
    }
}
