//! What is kept for how long.

use std::path::PathBuf;

use serde_json::json;
use sqlx::{AnyConnection, Row};
use time::{Duration, OffsetDateTime};

use super::{Deed, Store, StoreError, audit::PRUNED, write::unix_ms};

/// Calls that are dealt with in one transaction.
const BATCH: i64 = 200;

/// Days that each class of data is kept; `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Recordings.
    pub recordings: Option<u32>,
    /// What was said, asked and understood: journals, and the events that hold words or values.
    pub transcripts: Option<u32>,
    /// Events of calls, except those that were not delivered yet.
    pub events: Option<u32>,
    /// Rows of calls, with everything else of them.
    pub calls: Option<u32>,
    /// The audit log.
    pub audit: Option<u32>,
}

/// What is due to go, or has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gone {
    /// Recordings.
    pub recordings: u64,
    /// Journals.
    pub journals: u64,
    /// Events.
    pub events: u64,
    /// Rows of calls.
    pub calls: u64,
    /// Rows of the audit log.
    pub audit: u64,
}

/// A call's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFiles {
    /// The call.
    pub id: String,
    /// Its recording.
    pub recording: Option<PathBuf>,
    /// Its journal.
    pub journal: Option<PathBuf>,
}

impl Store {
    /// How much is older than it is kept, as of `now`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn overdue(&self, keep: &Keep, now: OffsetDateTime) -> Result<Gone, StoreError> {
        let calls = before(now, keep.calls);
        let of = |days| before(now, sooner(days, keep.calls));
        let finished =
            "SELECT count(*) FROM calls WHERE end_reason IS NOT NULL AND started_at < $1";
        Ok(Gone {
            recordings: self
                .count(
                    "SELECT count(*) FROM calls
                     WHERE end_reason IS NOT NULL AND recording IS NOT NULL AND started_at < $1",
                    of(keep.recordings),
                )
                .await?,
            journals: self
                .count(
                    "SELECT count(*) FROM calls
                     WHERE end_reason IS NOT NULL AND journal IS NOT NULL AND started_at < $1",
                    of(keep.transcripts),
                )
                .await?,
            events: self
                .count("SELECT count(*) FROM events WHERE time < $1", of(keep.events))
                .await?,
            calls: self.count(finished, calls).await?,
            audit: self
                .count("SELECT count(*) FROM audit WHERE time < $1", before(now, keep.audit))
                .await?,
        })
    }

    async fn count(&self, sql: &'static str, before: Option<i64>) -> Result<u64, StoreError> {
        let Some(before) = before else { return Ok(0) };
        let count: i64 = sqlx::query_scalar(sql)
            .bind(before)
            .fetch_one(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        Ok(count.unsigned_abs())
    }

    /// Calls whose recordings (or, with `journals`, whose journals) are older than `days`, some at a time: remove the
    /// files, then call [`Store::forget_files`].
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn overdue_files(
        &self,
        journals: bool,
        days: u32,
        now: OffsetDateTime,
    ) -> Result<Vec<CallFiles>, StoreError> {
        let sql = match journals {
            false => {
                "SELECT id, recording, journal FROM calls
                 WHERE end_reason IS NOT NULL AND recording IS NOT NULL AND started_at < $1 ORDER BY started_at LIMIT $2"
            }
            true => {
                "SELECT id, recording, journal FROM calls
                 WHERE end_reason IS NOT NULL AND journal IS NOT NULL AND started_at < $1 ORDER BY started_at LIMIT $2"
            }
        };
        let rows = sqlx::query(sql)
            .bind(before(now, Some(days)).unwrap_or(0))
            .bind(BATCH)
            .fetch_all(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.files(row)).collect()
    }

    /// Writes that a call's recording, or with `journal` its journal and the words in its events, are gone.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn forget_files(&self, id: &str, journal: bool) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        match journal {
            false => {
                self.run(&mut tx, "UPDATE calls SET recording = NULL WHERE id = $1", id).await?
            }
            true => {
                self.run(
                    &mut tx,
                    "UPDATE calls SET journal = NULL, slots = '{}' WHERE id = $1",
                    id,
                )
                .await?;
                self.forget_words(&mut tx, id).await?;
            }
        }
        tx.commit().await.map_err(|e| self.error(e))
    }

    /// Removes rows of calls with their events, of events, and of the audit log that are older than they are kept; events
    /// that one of `sinks` has not taken stay. Files have to go before: rows of calls that have some stay, too.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn prune(
        &self,
        keep: &Keep,
        sinks: &[String],
        now: OffsetDateTime,
    ) -> Result<Gone, StoreError> {
        let mut gone = Gone::default();
        let taken = self.taken_by_all(sinks).await?;
        if let Some(before) = before(now, sooner(keep.events, keep.calls)) {
            let sql = "DELETE FROM events WHERE time < $1 AND cursor <= $2
                       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.cursor = events.cursor)";
            let done = sqlx::query(sql).bind(before).bind(taken).execute(&self.db.pool).await;
            gone.events = done.map_err(|e| self.error(e))?.rows_affected();
        }
        if let Some(before) = before(now, keep.calls) {
            let sql = "DELETE FROM calls WHERE end_reason IS NOT NULL AND started_at < $1
                       AND recording IS NULL AND journal IS NULL
                       AND NOT EXISTS (SELECT 1 FROM events e WHERE e.call_id = calls.id)";
            let done = sqlx::query(sql).bind(before).execute(&self.db.pool).await;
            gone.calls = done.map_err(|e| self.error(e))?.rows_affected();
        }
        if let Some(before) = before(now, keep.audit) {
            gone.audit = self.prune_audit(before).await?;
        }
        Ok(gone)
    }

    /// The cursor up to which every one of `sinks` has read.
    async fn taken_by_all(&self, sinks: &[String]) -> Result<i64, StoreError> {
        let mut taken = i64::MAX;
        for sink in sinks {
            taken = taken.min(super::write::saturate(self.sink_position(sink).await?));
        }
        Ok(taken)
    }

    /// The log itself says what was taken out, so that the rest can still be verified.
    async fn prune_audit(&self, before: i64) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT seq, hash FROM audit WHERE time < $1 ORDER BY seq DESC LIMIT 1";
        let last = sqlx::query(sql).bind(before).fetch_optional(&mut *tx).await;
        let Some(last) = last.map_err(|e| self.error(e))? else { return Ok(0) };
        let through: i64 = self.get(&last, "seq")?;
        let hash: String = self.get(&last, "hash")?;
        let deed = Deed {
            tenant: super::DEFAULT_TENANT.to_owned(),
            who: "retention".to_owned(),
            action: PRUNED.to_owned(),
            object: "audit".to_owned(),
            details: json!({ "through": through, "hash": hash }),
        };
        self.audit_in(&mut tx, deed).await?;
        let done =
            sqlx::query("DELETE FROM audit WHERE seq <= $1").bind(through).execute(&mut *tx).await;
        let gone = done.map_err(|e| self.error(e))?.rows_affected();
        tx.commit().await.map_err(|e| self.error(e))?;
        Ok(gone)
    }

    async fn run(
        &self,
        tx: &mut AnyConnection,
        sql: &'static str,
        id: &str,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(sql).bind(id).execute(tx).await;
        done.map(|_| ()).map_err(|e| self.error(e))
    }

    pub(super) fn files(&self, row: &sqlx::any::AnyRow) -> Result<CallFiles, StoreError> {
        let path = |column| {
            let path: Option<String> = row.try_get(column).map_err(|e| self.error(e))?;
            Ok::<_, StoreError>(path.map(PathBuf::from))
        };
        let (recording, journal) = (path("recording")?, path("journal")?);
        Ok(CallFiles { id: self.get(row, "id")?, recording, journal })
    }
}

/// The moment before which something is older than `days`.
fn before(now: OffsetDateTime, days: Option<u32>) -> Option<i64> {
    days.map(|days| unix_ms(now.checked_sub(Duration::days(days.into())).unwrap_or(now)))
}

/// A class that belongs to another one is kept no longer than that.
fn sooner(days: Option<u32>, whole: Option<u32>) -> Option<u32> {
    match (days, whole) {
        (Some(days), Some(whole)) => Some(days.min(whole)),
        (days, whole) => days.or(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_call_is_kept_no_longer_than_the_call() {
        assert_eq!(sooner(Some(90), Some(30)), Some(30));
        assert_eq!(sooner(None, Some(30)), Some(30));
        assert_eq!(sooner(Some(90), None), Some(90));
        assert_eq!(sooner(None, None), None);
    }
}
