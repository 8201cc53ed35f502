//! What the writer's transactions are made of.

use std::{collections::HashMap, path::PathBuf};

use serde_json::json;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row, Transaction, any::AnyArguments, query::Query};

use super::{
    CallEnd, CallEvent, NewCall, StoreError,
    database::Db,
    write::{saturate, unix_ms},
    writer::{Entry, Order, When},
};
use crate::audio::CallTime;

/// Events in one statement.
const ROWS: usize = 100;
/// Columns of an event.
const COLUMNS: usize = 8;

/// What the writer knows, and how it is written.
pub(super) struct Books {
    db: Db,
    node: String,
    /// Calls under way that this process began.
    open: HashMap<String, Open>,
    /// Calls that were refused although their beginning may have been written.
    abandoned: Vec<String>,
}

#[derive(Debug, Clone)]
struct Open {
    tenant: String,
    /// The next event's number.
    next: i64,
    over: bool,
}

/// What one transaction adds.
#[derive(Default)]
pub(super) struct Page {
    calls: HashMap<String, Open>,
    events: Vec<NewEvent>,
}

struct NewEvent {
    tenant: String,
    call: String,
    seq: i64,
    what: CallEvent,
}

impl Page {
    fn add(&mut self, call: &str, events: impl IntoIterator<Item = CallEvent>) {
        let Some(open) = self.calls.get_mut(call) else { return };
        for what in events {
            let (tenant, call) = (open.tenant.clone(), call.to_owned());
            self.events.push(NewEvent { tenant, call, seq: open.next, what });
            open.next += 1;
        }
    }
}

impl Books {
    pub(super) fn new(db: Db, node: String) -> Self {
        Self { db, node, open: HashMap::new(), abandoned: Vec::new() }
    }

    /// One transaction with all of `batch`: the result of each, and the cursor of the newest event. `again`
    /// says that an attempt before may have been committed although its answer was lost.
    pub(super) async fn attempt(
        &mut self,
        batch: &[Entry],
        again: bool,
    ) -> Result<(Vec<Result<(), StoreError>>, u64), StoreError> {
        let mut tx = self.db.begin().await?;
        let mut page = Page::default();
        for id in self.abandoned.clone() {
            self.end_without_record(&mut tx, &mut page, &id, "failed").await?;
        }
        let mut results = Vec::with_capacity(batch.len());
        for entry in batch {
            match self.apply(&mut tx, &mut page, &entry.order, again).await {
                Ok(()) => results.push(Ok(())),
                Err(error) if error.is_of_one_order() => results.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        let newest = self.insert(&mut tx, &page).await?;
        tx.commit().await.map_err(|e| self.db.error(e))?;
        self.abandoned.clear();
        for (id, open) in page.calls {
            match open.over {
                true => drop(self.open.remove(&id)),
                false => drop(self.open.insert(id, open)),
            }
        }
        Ok((results, newest))
    }

    async fn apply(
        &self,
        tx: &mut Transaction<'static, Any>,
        page: &mut Page,
        order: &Order,
        again: bool,
    ) -> Result<(), StoreError> {
        match order {
            Order::Begin { call, .. } => self.begin(tx, page, call, again).await,
            Order::Events { call, events, when } => {
                let over = self.look_up(tx, page, call).await?;
                if over && *when == When::UnderWay {
                    return Err(StoreError::NotUnderWay { id: call.clone() });
                }
                page.add(call, events.iter().cloned());
                Ok(())
            }
            Order::Finish { call, end, events } => {
                self.finish(tx, page, call, end, events, again).await
            }
            Order::Correct { call, disposition, event } => {
                if !self.look_up(tx, page, call).await? {
                    return Err(StoreError::NotUnderWay { id: call.clone() });
                }
                let sql = "UPDATE calls SET disposition = $2 WHERE id = $1";
                let done = sqlx::query(sql).bind(call.clone()).bind(disposition.clone());
                done.execute(&mut **tx).await.map_err(|e| self.db.error(e))?;
                page.add(call, [event.clone()]);
                Ok(())
            }
            Order::Flush => Ok(()),
        }
    }

    async fn begin(
        &self,
        tx: &mut AnyConnection,
        page: &mut Page,
        call: &NewCall,
        again: bool,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO calls (id, tenant, node, direction, caller, called, sip_call_id, dialplan,
                dialplan_version, dialplan_hash, started_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        )
        .bind(call.id.clone())
        .bind(call.tenant.clone())
        .bind(self.node.clone())
        .bind(call.direction.as_str())
        .bind(clean(&call.caller))
        .bind(clean(&call.called))
        .bind(call.sip_call_id.as_deref().map(clean))
        .bind(call.dialplan.clone())
        .bind(call.dialplan_version.clone())
        .bind(call.dialplan_hash.clone())
        .bind(unix_ms(call.started_at))
        .execute(tx)
        .await
        .map_err(|e| self.db.error(e))?;
        if done.rows_affected() == 0 && !again {
            return Err(StoreError::Exists { id: call.id.clone() });
        }
        let open = Open { tenant: call.tenant.clone(), next: 0, over: false };
        page.calls.insert(call.id.clone(), open);
        page.add(&call.id, [started(call)]);
        Ok(())
    }

    async fn finish(
        &self,
        tx: &mut Transaction<'static, Any>,
        page: &mut Page,
        id: &str,
        end: &CallEnd,
        events: &[CallEvent],
        again: bool,
    ) -> Result<(), StoreError> {
        let over = self.look_up(tx, page, id).await?;
        if over && again && self.ended_at(tx, id).await? == Some(unix_ms(end.ended_at)) {
            return Ok(());
        }
        if over {
            return Err(StoreError::NotUnderWay { id: id.to_owned() });
        }
        let path = |p: &Option<PathBuf>| p.as_ref().map(|p| p.to_string_lossy().into_owned());
        sqlx::query(
            "UPDATE calls SET ended_at = $2, answered_ms = $3, duration_ms = $4, end_reason = $5,
                disposition = $6, slots = $7, turns = $8, rtp = $9, recording = $10, journal = $11
             WHERE id = $1",
        )
        .bind(id)
        .bind(unix_ms(end.ended_at))
        .bind(end.answered_ms.map(saturate))
        .bind(saturate(end.duration_ms))
        .bind(end.end_reason.clone())
        .bind(end.disposition.clone())
        .bind(json!(end.slots).to_string())
        .bind(i64::from(end.turns))
        .bind(end.rtp.to_string())
        .bind(path(&end.recording))
        .bind(path(&end.journal))
        .execute(&mut **tx)
        .await
        .map_err(|e| self.db.error(e))?;
        page.add(id, events.iter().cloned().chain(ending(end)));
        if let Some(open) = page.calls.get_mut(id) {
            open.over = true;
        }
        Ok(())
    }

    async fn ended_at(&self, tx: &mut AnyConnection, id: &str) -> Result<Option<i64>, StoreError> {
        let ended = sqlx::query_scalar("SELECT ended_at FROM calls WHERE id = $1").bind(id);
        ended.fetch_one(tx).await.map_err(|e| self.db.error(e))
    }

    /// Ends a call of which nothing more is known, if it is still under way.
    pub(super) async fn end_without_record(
        &self,
        tx: &mut Transaction<'static, Any>,
        page: &mut Page,
        id: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        match self.look_up(tx, page, id).await {
            Ok(false) => {}
            Ok(true) | Err(StoreError::NotUnderWay { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        sqlx::query("UPDATE calls SET end_reason = $2 WHERE id = $1")
            .bind(id)
            .bind(reason)
            .execute(&mut **tx)
            .await
            .map_err(|e| self.db.error(e))?;
        let data = json!({ "end_reason": reason, "disposition": null });
        page.add(id, [CallEvent::now(CallTime::ZERO, "call.ended", data)]);
        if let Some(open) = page.calls.get_mut(id) {
            open.over = true;
        }
        Ok(())
    }

    /// Has a call's tenant and next number on the page; returns whether the call is over.
    async fn look_up(
        &self,
        tx: &mut AnyConnection,
        page: &mut Page,
        id: &str,
    ) -> Result<bool, StoreError> {
        if let Some(open) = page.calls.get(id) {
            return Ok(open.over);
        }
        if let Some(open) = self.open.get(id) {
            page.calls.insert(id.to_owned(), open.clone());
            return Ok(open.over);
        }
        let row = sqlx::query(
            "SELECT tenant, end_reason,
                (SELECT coalesce(max(seq) + 1, 0) FROM events WHERE call_id = calls.id) AS next
             FROM calls WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(tx)
        .await
        .map_err(|e| self.db.error(e))?;
        let row = row.ok_or_else(|| StoreError::NotUnderWay { id: id.to_owned() })?;
        let read = |e| self.db.error(e);
        let over = row.try_get::<Option<String>, _>("end_reason").map_err(read)?.is_some();
        let tenant = row.try_get("tenant").map_err(read)?;
        let next = row.try_get("next").map_err(read)?;
        page.calls.insert(id.to_owned(), Open { tenant, next, over });
        Ok(over)
    }

    /// Inserts a page's events; returns the newest cursor. Those that an attempt before has written stay.
    pub(super) async fn insert(
        &mut self,
        tx: &mut AnyConnection,
        page: &Page,
    ) -> Result<u64, StoreError> {
        let count = i64::try_from(page.events.len()).unwrap_or(i64::MAX);
        // Held until the commit: others get their cursors after we are done, so a reader who has seen a
        // cursor has seen all before it.
        let last: i64 = sqlx::query_scalar(
            "UPDATE counters SET value = value + $1 WHERE name = 'events' RETURNING value",
        )
        .bind(count)
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| self.db.error(e))?;
        let mut cursor = last - count;
        for events in page.events.chunks(ROWS) {
            let sql = AssertSqlSafe(insert_statement(events.len()));
            let mut query = sqlx::query(sql).persistent(events.len() == ROWS || events.len() < 4);
            for event in events {
                cursor += 1;
                query = bind_event(query, cursor, event);
            }
            query.execute(&mut *tx).await.map_err(|e| self.db.error(e))?;
        }
        Ok(last.unsigned_abs())
    }

    /// A call whose beginning may have been written after all, and that nobody will finish.
    pub(super) fn abandon(&mut self, id: String) {
        self.abandoned.push(id);
    }

    /// The database is away.
    pub(super) fn away(&self, why: &str) -> StoreError {
        let server = self.db.path().display().to_string();
        StoreError::Unreachable { server, why: why.to_owned() }
    }

    /// The newest event's cursor.
    pub(super) async fn newest(&self) -> Result<u64, StoreError> {
        super::log::newest(&self.db).await
    }
}

fn insert_statement(rows: usize) -> String {
    let row = |at: usize| {
        let columns: Vec<String> =
            (1..=COLUMNS).map(|c| format!("${}", at * COLUMNS + c)).collect();
        format!("({})", columns.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO events (cursor, tenant, call_id, seq, at, time, kind, data) VALUES {}
         ON CONFLICT (call_id, seq) DO NOTHING",
        rows.join(", ")
    )
}

type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

fn bind_event<'q>(query: AnyQuery<'q>, cursor: i64, event: &NewEvent) -> AnyQuery<'q> {
    query
        .bind(cursor)
        .bind(event.tenant.clone())
        .bind(event.call.clone())
        .bind(event.seq)
        .bind(saturate(event.what.at.samples()))
        .bind(unix_ms(event.what.time))
        .bind(event.what.kind.clone())
        .bind(event.what.data.to_string())
}

fn started(call: &NewCall) -> CallEvent {
    let data = json!({
        "direction": call.direction.as_str(), "caller": call.caller, "called": call.called,
        "dialplan": call.dialplan, "dialplan_version": call.dialplan_version,
    });
    CallEvent { at: CallTime::ZERO, time: call.started_at, kind: "call.started".to_owned(), data }
}

fn ending(end: &CallEnd) -> impl Iterator<Item = CallEvent> {
    let event = |kind: &str, data| CallEvent {
        at: CallTime::from_ms(end.duration_ms),
        time: end.ended_at,
        kind: kind.to_owned(),
        data,
    };
    let data = json!({
        "end_reason": end.end_reason, "disposition": end.disposition, "slots": end.slots,
        "turns": end.turns, "answered_ms": end.answered_ms, "duration_ms": end.duration_ms,
    });
    let recorded = end.recording.is_some().then(|| event("recording.ready", json!({})));
    [event("call.ended", data)].into_iter().chain(recorded)
}

/// PostgreSQL has no text with a NUL in it.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
