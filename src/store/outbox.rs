//! How far each sink of events has come, and what it has not taken yet.

use sqlx::{AnyConnection, any::AnyRow};
use time::OffsetDateTime;

use super::{
    Event, Store, StoreError,
    read::non_negative,
    write::{saturate, unix_ms},
};

/// An event that a sink has not taken, and when it is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// Attempts so far.
    pub attempts: u32,
    /// When it may be tried again.
    pub next_at: OffsetDateTime,
    /// Whether it was given up: it waits for somebody to retry or drop it.
    pub dead: bool,
    /// What went wrong last.
    pub problem: String,
}

/// What came of some attempts. What is in none of the lists was taken.
#[derive(Debug, Clone, Default)]
pub struct Settlement {
    /// The sink's position when its events were read, and the one it has now.
    pub moved: Option<(u64, u64)>,
    /// Cursors of deliveries that waited, and were taken now.
    pub taken: Vec<u64>,
    /// What is to be tried again, or is dead.
    pub left: Vec<Delivery>,
}

/// How a sink stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkState {
    /// Everything up to this cursor was taken, waits or is dead.
    pub position: u64,
    /// Events of all kinds after it, and those that wait.
    pub behind: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// When the oldest event that was not taken happened, dead ones left out.
    pub oldest: Option<OffsetDateTime>,
}

impl Store {
    /// Makes a sink known. One that is new begins with the events that come from now on.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn add_sink(&self, sink: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sinks (name, position) SELECT $1, value FROM counters WHERE name = 'events'
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(sink)
        .execute(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        Ok(())
    }

    /// Sinks that were ever made known.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn sinks(&self) -> Result<Vec<String>, StoreError> {
        let names = sqlx::query_scalar("SELECT name FROM sinks ORDER BY name");
        names.fetch_all(&self.db.pool).await.map_err(|e| self.error(e))
    }

    /// Takes a sink for a service until then, or keeps it; false when another one has it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn lease_sink(
        &self,
        sink: &str,
        node: &str,
        until: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sinks SET lease_node = $2, lease_until = $3
             WHERE name = $1 AND (lease_node = $2 OR lease_until < $4)",
        )
        .bind(sink)
        .bind(node)
        .bind(unix_ms(until))
        .bind(unix_ms(OffsetDateTime::now_utc()))
        .execute(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        Ok(done.rows_affected() > 0)
    }

    /// The cursor up to which a sink's events were read.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no such sink.
    pub async fn sink_position(&self, sink: &str) -> Result<u64, StoreError> {
        let position: Option<i64> =
            sqlx::query_scalar("SELECT position FROM sinks WHERE name = $1")
                .bind(sink)
                .fetch_optional(&self.db.pool)
                .await
                .map_err(|e| self.error(e))?;
        position.map(non_negative).ok_or_else(|| unknown(sink))
    }

    /// What waits and is due, in order; of a call nothing, as long as its first is not due.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn due_deliveries(
        &self,
        sink: &str,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.*, d.attempts, d.next_at, d.dead, d.problem
             FROM deliveries d JOIN events e ON e.cursor = d.cursor
             WHERE d.sink = $1 AND d.dead = 0 AND d.next_at <= $2 AND NOT EXISTS (
                SELECT 1 FROM deliveries p WHERE p.sink = d.sink AND p.dead = 0
                    AND p.call_id = d.call_id AND p.cursor < d.cursor AND p.next_at > $2)
             ORDER BY d.cursor LIMIT $3",
        )
        .bind(sink)
        .bind(unix_ms(OffsetDateTime::now_utc()))
        .bind(i64::from(limit))
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.delivery(row)).collect()
    }

    /// Calls of which something waits: their next events wait, too.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn calls_held(&self, sink: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT call_id FROM deliveries WHERE sink = $1 AND dead = 0";
        let held = sqlx::query_scalar(sql).bind(sink).fetch_all(&self.db.pool).await;
        held.map_err(|e| self.error(e))
    }

    /// Writes what came of attempts, all of it or nothing; false when the sink was moved meanwhile (a replay): then
    /// nothing was written, and what was taken may be delivered again.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn settle(&self, sink: &str, what: &Settlement) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        if let Some((from, to)) = what.moved {
            let done =
                sqlx::query("UPDATE sinks SET position = $3 WHERE name = $1 AND position = $2")
                    .bind(sink)
                    .bind(saturate(from))
                    .bind(saturate(to))
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| self.error(e))?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
        }
        for cursor in &what.taken {
            self.delete_delivery(&mut tx, sink, *cursor).await?;
        }
        for delivery in &what.left {
            self.write_delivery(&mut tx, sink, delivery).await?;
        }
        tx.commit().await.map_err(|e| self.error(e))?;
        Ok(true)
    }

    /// How a sink stands.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no such sink.
    pub async fn sink_state(&self, sink: &str) -> Result<SinkState, StoreError> {
        let position = self.sink_position(sink).await?;
        let row = sqlx::query(
            "SELECT
                (SELECT count(*) FROM events WHERE cursor > $2) AS ahead,
                (SELECT min(time) FROM events WHERE cursor > $2) AS oldest_ahead,
                (SELECT count(*) FROM deliveries WHERE sink = $1 AND dead = 0) AS waiting,
                (SELECT min(e.time) FROM deliveries d JOIN events e ON e.cursor = d.cursor
                    WHERE d.sink = $1 AND d.dead = 0) AS oldest_waiting,
                (SELECT count(*) FROM deliveries WHERE sink = $1 AND dead = 1) AS dead",
        )
        .bind(sink)
        .bind(saturate(position))
        .fetch_one(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        let count = |column| self.get::<i64>(&row, column).map(non_negative);
        let ahead: Option<i64> = self.get(&row, "oldest_ahead")?;
        let waiting: Option<i64> = self.get(&row, "oldest_waiting")?;
        let oldest = ahead.into_iter().chain(waiting).min();
        Ok(SinkState {
            position,
            behind: count("ahead")? + count("waiting")?,
            dead: count("dead")?,
            oldest: oldest.map(|ms| self.moment(sink, "time", ms)).transpose()?,
        })
    }

    /// What a sink has not taken: what waits, and what is dead; the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn deliveries(&self, sink: &str, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.*, d.attempts, d.next_at, d.dead, d.problem
             FROM deliveries d JOIN events e ON e.cursor = d.cursor
             WHERE d.sink = $1 ORDER BY d.cursor LIMIT $2",
        )
        .bind(sink)
        .bind(i64::from(limit))
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.delivery(row)).collect()
    }

    /// Has what waits or is dead tried again at once: the event at `cursor`, or all. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn retry_deliveries(
        &self,
        sink: &str,
        cursor: Option<u64>,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE deliveries SET dead = 0, next_at = 0, attempts = 0
                   WHERE sink = $1 AND ($2 IS NULL OR cursor = $2)";
        let done = sqlx::query(sql).bind(sink).bind(cursor.map(saturate));
        Ok(done.execute(&self.db.pool).await.map_err(|e| self.error(e))?.rows_affected())
    }

    /// Gives up dead letters for good: the one at `cursor`, or all. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn drop_deliveries(
        &self,
        sink: &str,
        cursor: Option<u64>,
    ) -> Result<u64, StoreError> {
        let sql =
            "DELETE FROM deliveries WHERE sink = $1 AND dead = 1 AND ($2 IS NULL OR cursor = $2)";
        let done = sqlx::query(sql).bind(sink).bind(cursor.map(saturate));
        Ok(done.execute(&self.db.pool).await.map_err(|e| self.error(e))?.rows_affected())
    }

    /// Has a sink get everything from `cursor` on again, as far as it is kept.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no such sink.
    pub async fn replay(&self, sink: &str, cursor: u64) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let before = saturate(cursor.saturating_sub(1));
        let moved = sqlx::query("UPDATE sinks SET position = $2 WHERE name = $1 AND position > $2")
            .bind(sink)
            .bind(before)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.error(e))?;
        if moved.rows_affected() == 0 {
            return Err(StoreError::Refused {
                what: "sink",
                value: sink.to_owned(),
                problem: format!(
                    "is none, or has not come to {cursor} yet: `hotline outbox list` shows them"
                ),
            });
        }
        sqlx::query("DELETE FROM deliveries WHERE sink = $1 AND cursor > $2")
            .bind(sink)
            .bind(before)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.error(e))?;
        tx.commit().await.map_err(|e| self.error(e))
    }

    async fn delete_delivery(
        &self,
        tx: &mut AnyConnection,
        sink: &str,
        cursor: u64,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM deliveries WHERE sink = $1 AND cursor = $2";
        let done = sqlx::query(sql).bind(sink).bind(saturate(cursor)).execute(tx).await;
        done.map(|_| ()).map_err(|e| self.error(e))
    }

    async fn write_delivery(
        &self,
        tx: &mut AnyConnection,
        sink: &str,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO deliveries (sink, cursor, call_id, attempts, next_at, dead, problem)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (sink, cursor) DO UPDATE SET attempts = excluded.attempts,
                next_at = excluded.next_at, dead = excluded.dead, problem = excluded.problem",
        )
        .bind(sink)
        .bind(saturate(delivery.event.cursor))
        .bind(delivery.event.call.clone())
        .bind(i64::from(delivery.attempts))
        .bind(unix_ms(delivery.next_at))
        .bind(i64::from(delivery.dead))
        .bind(delivery.problem.replace('\0', ""))
        .execute(tx)
        .await
        .map(|_| ())
        .map_err(|e| self.error(e))
    }

    fn delivery(&self, row: &AnyRow) -> Result<Delivery, StoreError> {
        let event = self.event(row)?;
        Ok(Delivery {
            attempts: u32::try_from(self.get::<i64>(row, "attempts")?).unwrap_or(u32::MAX),
            next_at: self.moment(&event.call, "next_at", self.get(row, "next_at")?)?,
            dead: self.get::<i64>(row, "dead")? != 0,
            problem: self.get(row, "problem")?,
            event,
        })
    }
}

fn unknown(sink: &str) -> StoreError {
    StoreError::Refused {
        what: "sink",
        value: sink.to_owned(),
        problem: "is none: `hotline outbox list` shows them".to_owned(),
    }
}
