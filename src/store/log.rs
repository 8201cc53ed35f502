//! The log of all calls' events, for those who follow it.

use tokio::sync::watch;

use super::{Event, Store, StoreError, database::Db, read::non_negative, write::saturate};

/// Events that one question may ask for.
const MOST: u32 = 10_000;

impl Store {
    /// Events after `cursor`, oldest first, at most `limit` (10,000 at most); of a tenant, or of all without one.
    /// Begin with 0 for everything that is kept, and go on with the last cursor you got: no event is ever
    /// committed at or before a cursor that was read.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn events_after(
        &self,
        tenant: Option<&str>,
        cursor: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM events WHERE cursor > $1 AND ($2 IS NULL OR tenant = $2)
             ORDER BY cursor LIMIT $3",
        )
        .bind(saturate(cursor))
        .bind(tenant)
        .bind(i64::from(limit.min(MOST)))
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.event(row)).collect()
    }

    /// The cursor of the newest event, told whenever there is a newer one: at once for those of this process, within
    /// a second for those of others.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }
}

/// The cursor of the newest event.
pub(super) async fn newest(db: &Db) -> Result<u64, StoreError> {
    let newest: i64 = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'events'")
        .fetch_one(&db.pool)
        .await
        .map_err(|e| db.error(e))?;
    Ok(non_negative(newest))
}
