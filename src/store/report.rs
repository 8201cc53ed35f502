//! What reports count of calls.

use sqlx::any::AnyRow;
use time::OffsetDateTime;
use tokio_stream::StreamExt;

use super::{CallDirection, Store, StoreError, read::non_negative, write::unix_ms};

/// What reports count of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCall {
    /// When the INVITE came or went.
    pub started_at: OffsetDateTime,
    /// Our number in it.
    pub number: String,
    /// Name of the dialplan.
    pub dialplan: String,
    /// The outcome; empty when there is none.
    pub disposition: String,
    /// Whether it was answered.
    pub answered: bool,
    /// Whether it is over.
    pub over: bool,
    /// Whether the caller was handed over to a person.
    pub transferred: bool,
    /// Milliseconds from the answer to the end.
    pub duration_ms: u64,
    /// Turns taken by the caller.
    pub turns: u64,
    /// Questions to which nothing was said.
    pub no_input: u64,
    /// Turns that were not understood.
    pub no_match: u64,
}

impl Store {
    /// Gives `take` every call of a tenant that started from `from` on and before `before`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn each_reported_call(
        &self,
        tenant: &str,
        from: OffsetDateTime,
        before: OffsetDateTime,
        mut take: impl FnMut(ReportedCall),
    ) -> Result<(), StoreError> {
        let mut rows = sqlx::query(
            "SELECT c.id, c.started_at, c.direction, c.caller, c.called, c.dialplan, c.disposition, c.answered_ms,
                c.duration_ms, c.end_reason, c.turns,
                (SELECT count(*) FROM events e WHERE e.call_id = c.id AND e.kind = 'no_input') AS no_input,
                (SELECT count(*) FROM events e WHERE e.call_id = c.id AND e.kind = 'no_match') AS no_match,
                (SELECT count(*) FROM events e WHERE e.call_id = c.id AND e.kind = 'transferred'
                    AND e.data LIKE '%\"done\"%') AS transferred
             FROM calls c WHERE c.tenant = $1 AND c.started_at >= $2 AND c.started_at < $3
             ORDER BY c.started_at, c.id",
        )
        .bind(tenant)
        .bind(unix_ms(from))
        .bind(unix_ms(before))
        .fetch(&self.db.pool);
        while let Some(row) = rows.next().await {
            take(self.reported(&row.map_err(|e| self.error(e))?)?);
        }
        Ok(())
    }

    fn reported(&self, row: &AnyRow) -> Result<ReportedCall, StoreError> {
        let id: String = self.get(row, "id")?;
        let count = |column| self.get::<i64>(row, column).map(non_negative);
        let direction: String = self.get(row, "direction")?;
        let outbound = direction == CallDirection::Outbound.as_str();
        Ok(ReportedCall {
            started_at: self.moment(&id, "started_at", self.get(row, "started_at")?)?,
            number: self.get(row, if outbound { "caller" } else { "called" })?,
            dialplan: self.get(row, "dialplan")?,
            disposition: self.get::<Option<String>>(row, "disposition")?.unwrap_or_default(),
            answered: self.get::<Option<i64>>(row, "answered_ms")?.is_some(),
            over: self.get::<Option<String>>(row, "end_reason")?.is_some(),
            transferred: count("transferred")? > 0,
            duration_ms: count("duration_ms")?,
            turns: count("turns")?,
            no_input: count("no_input")?,
            no_match: count("no_match")?,
        })
    }
}
