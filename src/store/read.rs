use std::{collections::BTreeMap, path::PathBuf};

use sqlx::{Row, any::AnyRow};
use time::OffsetDateTime;

use super::{
    CallDirection, CallEvent, CallFilter, CallRecord, CallSummary, Event, Store, StoreError,
    write::unix_ms,
};
use crate::audio::CallTime;

/// Candidates that an ambiguity error names.
const CANDIDATES: i64 = 5;

impl Store {
    /// Calls, latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub async fn calls(&self, filter: &CallFilter) -> Result<Vec<CallSummary>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM calls
             WHERE ($1 IS NULL OR tenant = $1)
               AND ($2 IS NULL OR started_at >= $2) AND ($3 IS NULL OR started_at < $3)
               AND ($4 IS NULL OR disposition = $4)
             ORDER BY started_at DESC, id LIMIT $5",
        )
        .bind(filter.tenant.clone())
        .bind(filter.since.map(unix_ms))
        .bind(filter.before.map(unix_ms))
        .bind(filter.disposition.clone())
        .bind(i64::from(filter.limit))
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.summary(row)).collect()
    }

    /// The call with that id, or the only one whose id begins with it; `None` when there is none. Of
    /// all tenants: for whoever owns the machine.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] when several ids begin with it.
    pub async fn call(&self, id_or_prefix: &str) -> Result<Option<CallRecord>, StoreError> {
        self.call_in(None, id_or_prefix).await
    }

    /// The same, of a tenant: calls of others are not there.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] when several ids of the tenant begin with it.
    pub async fn call_of(
        &self,
        tenant: &str,
        id_or_prefix: &str,
    ) -> Result<Option<CallRecord>, StoreError> {
        self.call_in(Some(tenant), id_or_prefix).await
    }

    async fn call_in(
        &self,
        tenant: Option<&str>,
        prefix: &str,
    ) -> Result<Option<CallRecord>, StoreError> {
        let Some(id) = self.resolve(tenant, prefix).await? else { return Ok(None) };
        let row = sqlx::query("SELECT * FROM calls WHERE id = $1")
            .bind(&id)
            .fetch_optional(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        let Some(row) = row else { return Ok(None) };
        let events = self.call_events(&id).await?;
        self.record(&row, events).map(Some)
    }

    async fn resolve(
        &self,
        tenant: Option<&str>,
        prefix: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM calls
             WHERE substr(id, 1, length($1)) = $1 AND ($3 IS NULL OR tenant = $3)
             ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, started_at DESC LIMIT $2",
        )
        .bind(prefix)
        .bind(CANDIDATES)
        .bind(tenant)
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        match ids.as_slice() {
            [] => Ok(None),
            [first, ..] if first == prefix || ids.len() == 1 => Ok(Some(ids.swap_remove(0))),
            _ => Err(StoreError::Ambiguous { prefix: prefix.to_owned(), candidates: ids }),
        }
    }

    /// What happened in a call, in order.
    async fn call_events(&self, id: &str) -> Result<Vec<CallEvent>, StoreError> {
        let rows = sqlx::query("SELECT * FROM events WHERE call_id = $1 ORDER BY seq")
            .bind(id)
            .fetch_all(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        rows.iter().map(|row| Ok(self.event(row)?.what)).collect()
    }

    pub(super) fn event(&self, row: &AnyRow) -> Result<Event, StoreError> {
        let call: String = self.get(row, "call_id")?;
        let time = self.moment(&call, "time", self.get(row, "time")?)?;
        Ok(Event {
            cursor: non_negative(self.get(row, "cursor")?),
            tenant: self.get(row, "tenant")?,
            seq: u32::try_from(self.get::<i64>(row, "seq")?).unwrap_or(u32::MAX),
            what: CallEvent {
                at: CallTime(non_negative(self.get(row, "at")?)),
                time,
                kind: self.get(row, "kind")?,
                data: self.json(row, &call, "data")?,
            },
            call,
        })
    }

    fn summary(&self, row: &AnyRow) -> Result<CallSummary, StoreError> {
        let id: String = self.get(row, "id")?;
        let direction: String = self.get(row, "direction")?;
        let ended_at: Option<i64> = self.get(row, "ended_at")?;
        Ok(CallSummary {
            direction: match direction.as_str() {
                "outbound" => CallDirection::Outbound,
                _ => CallDirection::Inbound,
            },
            tenant: self.get(row, "tenant")?,
            caller: self.get(row, "caller")?,
            called: self.get(row, "called")?,
            dialplan: self.get(row, "dialplan")?,
            dialplan_version: self.get(row, "dialplan_version")?,
            started_at: self.moment(&id, "started_at", self.get(row, "started_at")?)?,
            ended_at: ended_at.map(|ms| self.moment(&id, "ended_at", ms)).transpose()?,
            answered_ms: self.get::<Option<i64>>(row, "answered_ms")?.map(non_negative),
            duration_ms: non_negative(self.get(row, "duration_ms")?),
            end_reason: self.get(row, "end_reason")?,
            disposition: self.get(row, "disposition")?,
            turns: u32::try_from(self.get::<i64>(row, "turns")?).unwrap_or_default(),
            id,
        })
    }

    fn record(&self, row: &AnyRow, events: Vec<CallEvent>) -> Result<CallRecord, StoreError> {
        let summary = self.summary(row)?;
        let slots: BTreeMap<String, String> = self.json(row, &summary.id, "slots")?;
        Ok(CallRecord {
            sip_call_id: self.get(row, "sip_call_id")?,
            dialplan_hash: self.get(row, "dialplan_hash")?,
            slots,
            rtp: self.json(row, &summary.id, "rtp")?,
            recording: self.get::<Option<String>>(row, "recording")?.map(PathBuf::from),
            journal: self.get::<Option<String>>(row, "journal")?.map(PathBuf::from),
            events,
            summary,
        })
    }

    pub(super) fn get<'r, T>(&self, row: &'r AnyRow, column: &'static str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        row.try_get(column).map_err(|e| self.error(e))
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        row: &AnyRow,
        id: &str,
        column: &'static str,
    ) -> Result<T, StoreError> {
        let text: String = self.get(row, column)?;
        serde_json::from_str(&text).map_err(|e| self.bad_row(id, column, e.to_string()))
    }

    pub(super) fn moment(
        &self,
        id: &str,
        column: &'static str,
        ms: i64,
    ) -> Result<OffsetDateTime, StoreError> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
            .map_err(|e| self.bad_row(id, column, e.to_string()))
    }

    fn bad_row(&self, id: &str, column: &'static str, why: String) -> StoreError {
        StoreError::BadRow { path: self.db.path(), id: id.to_owned(), column, why }
    }
}

pub(super) fn non_negative(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
