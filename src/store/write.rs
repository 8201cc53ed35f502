use sqlx::{SqliteConnection, types::Json};
use time::OffsetDateTime;

use super::{CallEnd, CallEvent, NewCall, Store, StoreError};

impl Store {
    /// Writes that a call has begun.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the id is taken.
    pub async fn begin_call(&self, call: NewCall) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO calls (id, direction, caller, called, sip_call_id, dialplan,
                dialplan_version, dialplan_hash, started_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&call.id)
        .bind(call.direction.as_str())
        .bind(&call.caller)
        .bind(&call.called)
        .bind(&call.sip_call_id)
        .bind(&call.dialplan)
        .bind(&call.dialplan_version)
        .bind(&call.dialplan_hash)
        .bind(unix_ms(call.started_at))
        .execute(&self.pool)
        .await
        .map_err(|e| self.error(e))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists { id: call.id });
        }
        Ok(())
    }

    /// Appends events to a call that is under way, in the order given.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call.
    pub async fn append_events(&self, id: &str, events: &[CallEvent]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.require_under_way(&mut tx, id).await?;
        insert_events(&mut tx, id, events).await.map_err(|e| self.error(e))?;
        tx.commit().await.map_err(|e| self.error(e))
    }

    /// Writes that a call is over, with the events not yet appended: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::NotUnderWay`] when there is no such call, or it is finished already.
    pub async fn finish_call(
        &self,
        id: &str,
        end: CallEnd,
        events: &[CallEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.require_under_way(&mut tx, id).await?;
        sqlx::query(
            "UPDATE calls SET ended_at = ?2, answered_ms = ?3, duration_ms = ?4, end_reason = ?5,
                disposition = ?6, slots = ?7, turns = ?8, rtp = ?9, recording = ?10, journal = ?11
             WHERE id = ?1",
        )
        .bind(id)
        .bind(unix_ms(end.ended_at))
        .bind(end.answered_ms.map(saturate))
        .bind(saturate(end.duration_ms))
        .bind(&end.end_reason)
        .bind(&end.disposition)
        .bind(Json(&end.slots))
        .bind(end.turns)
        .bind(Json(&end.rtp))
        .bind(end.recording.map(|p| p.to_string_lossy().into_owned()))
        .bind(end.journal.map(|p| p.to_string_lossy().into_owned()))
        .execute(&mut *tx)
        .await
        .map_err(|e| self.error(e))?;
        insert_events(&mut tx, id, events).await.map_err(|e| self.error(e))?;
        tx.commit().await.map_err(|e| self.error(e))
    }

    /// Marks calls that were never finished.
    pub(super) async fn mark_interrupted(&self) -> Result<(), StoreError> {
        let done =
            sqlx::query("UPDATE calls SET end_reason = 'interrupted' WHERE end_reason IS NULL")
                .execute(&self.pool)
                .await
                .map_err(|e| self.error(e))?;
        if done.rows_affected() > 0 {
            tracing::warn!(calls = done.rows_affected(), "calls were interrupted by a crash");
        }
        Ok(())
    }

    /// A transaction that takes the write lock at once, so that it cannot fail half way.
    async fn begin(&self) -> Result<sqlx::SqliteTransaction<'static>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.error(e))
    }

    async fn require_under_way(
        &self,
        tx: &mut SqliteConnection,
        id: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM calls WHERE id = ?1 AND end_reason IS NULL")
            .bind(id)
            .fetch_optional(tx)
            .await
            .map_err(|e| self.error(e))?
            .map(|_| ())
            .ok_or_else(|| StoreError::NotUnderWay { id: id.to_owned() })
    }
}

async fn insert_events(
    tx: &mut SqliteConnection,
    id: &str,
    events: &[CallEvent],
) -> Result<(), sqlx::Error> {
    let next = "SELECT coalesce(max(seq) + 1, 0) FROM events WHERE call_id = ?1";
    let first: i64 = sqlx::query_scalar(next).bind(id).fetch_one(&mut *tx).await?;
    for (event, seq) in events.iter().zip(first..) {
        sqlx::query(
            "INSERT INTO events (call_id, seq, at, kind, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(id)
        .bind(seq)
        .bind(saturate(event.at.samples()))
        .bind(&event.kind)
        .bind(Json(&event.data))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub(super) fn unix_ms(t: OffsetDateTime) -> i64 {
    // The years that OffsetDateTime covers fit.
    (t.unix_timestamp_nanos() / 1_000_000) as i64
}

fn saturate(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
