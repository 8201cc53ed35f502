//! What is forgotten when somebody asks for it.

use serde_json::{Value, json};
use sqlx::{Any, AnyConnection, Transaction};

use super::{CallFiles, Deed, Store, StoreError, masked};

/// Kinds of events that hold what was said or asked, in words or values.
const WORDS: &str = "('said', 'heard', 'backchannel', 'slot', 'unanswered', 'invoke', 'invoked', 'keys', 'feedback')";

impl Store {
    /// Finished calls of somebody, who called from this number or was called at it, of a
    /// tenant or of all: what an erasure is about.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn calls_with(
        &self,
        tenant: Option<&str>,
        number: &str,
    ) -> Result<Vec<CallFiles>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, recording, journal FROM calls WHERE end_reason IS NOT NULL
                AND ((direction = 'inbound' AND caller = $1) OR (direction = 'outbound' AND called = $1))
                AND ($2 IS NULL OR tenant = $2) ORDER BY started_at",
        )
        .bind(number)
        .bind(tenant)
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.files(row)).collect()
    }

    /// Forgets who took part in a call and what was said, once its files are gone: numbers become `erased`, slots, words
    /// and values go. Times, dialplan, disposition and the numbers of turns stay, for statistics. `who` has it on record in
    /// the same transaction.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn erase_call(&self, id: &str, number: &str, who: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let tenant: Option<String> = sqlx::query_scalar("SELECT tenant FROM calls WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| self.error(e))?;
        let tenant = tenant.ok_or_else(|| StoreError::NotUnderWay { id: id.to_owned() })?;
        sqlx::query(
            "UPDATE calls SET recording = NULL, journal = NULL, slots = '{}', sip_call_id = NULL,
                caller = CASE WHEN caller = $2 THEN 'erased' ELSE caller END,
                called = CASE WHEN called = $2 THEN 'erased' ELSE called END
             WHERE id = $1",
        )
        .bind(id)
        .bind(number)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.error(e))?;
        self.forget_words(&mut tx, id).await?;
        self.forget_number(&mut tx, id, number).await?;
        let deed = Deed {
            tenant,
            who: who.to_owned(),
            action: "call.erase".to_owned(),
            object: id.to_owned(),
            details: json!({ "number": masked(number) }),
        };
        self.audit_in(&mut tx, deed).await?;
        tx.commit().await.map_err(|e| self.error(e))
    }

    /// Events that hold words or values keep their place and lose their data.
    pub(super) async fn forget_words(
        &self,
        tx: &mut AnyConnection,
        id: &str,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE events SET data = '{{\"erased\":true}}' WHERE call_id = $1 AND kind IN {WORDS}"
        );
        let done = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).execute(tx).await;
        done.map(|_| ()).map_err(|e| self.error(e))
    }

    /// A number goes out of events' data, and slots out of the outcome, wherever they stand.
    async fn forget_number(
        &self,
        tx: &mut Transaction<'static, Any>,
        id: &str,
        number: &str,
    ) -> Result<(), StoreError> {
        let sql = "SELECT seq, data FROM events WHERE call_id = $1";
        let rows = sqlx::query(sql).bind(id).fetch_all(&mut **tx).await;
        for row in rows.map_err(|e| self.error(e))? {
            let (seq, text): (i64, String) = (self.get(&row, "seq")?, self.get(&row, "data")?);
            let mut data: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            strip(&mut data, number);
            let data = data.to_string();
            if data == text {
                continue;
            }
            sqlx::query("UPDATE events SET data = $3 WHERE call_id = $1 AND seq = $2")
                .bind(id)
                .bind(seq)
                .bind(data)
                .execute(&mut **tx)
                .await
                .map_err(|e| self.error(e))?;
        }
        Ok(())
    }
}

/// Takes a number out of texts, and slots out of outcomes.
fn strip(data: &mut Value, number: &str) {
    match data {
        Value::String(text) if text.contains(number) => *text = text.replace(number, "erased"),
        Value::Array(values) => values.iter_mut().for_each(|value| strip(value, number)),
        Value::Object(fields) => {
            if let Some(slots) = fields.get_mut("slots") {
                *slots = json!({});
            }
            fields.values_mut().for_each(|value| strip(value, number));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_wherever_it_stands() {
        let mut data =
            json!({"caller": "+86138", "to": ["sip:+86138@pbx", 5], "slots": {"name": "Li"}});
        strip(&mut data, "+86138");
        assert_eq!(data, json!({"caller": "erased", "to": ["sip:erased@pbx", 5], "slots": {}}));
    }
}
