//! Who did what: a chain of rows, each with the hash of the one before it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, any::AnyRow};
use time::OffsetDateTime;

use super::{Store, StoreError, read::non_negative, write::unix_ms};

/// What the first row has in place of a hash before it.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Rows that are looked at together.
const PAGE: i64 = 1_000;
/// The action that says which old rows were taken out.
pub(super) const PRUNED: &str = "audit.pruned";

/// Something to put on record.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Whose affairs it was about.
    pub tenant: String,
    /// Who did it: a token's id, or `cli`.
    pub who: String,
    /// What was done, such as `token.create` or `recording.read`.
    pub action: String,
    /// To what, such as a call's id. No phone numbers: the log outlives erasure.
    pub object: String,
    /// More about it. No personal data either.
    pub details: Value,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Counts from 1, without gaps.
    pub seq: u64,
    /// When.
    pub time: OffsetDateTime,
    /// What.
    pub deed: Deed,
    /// The hash of the row before.
    pub prev: String,
    /// SHA-256 over all of the above, in hexadecimal.
    pub hash: String,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// All rows fit; how many there are.
    Whole {
        /// Rows.
        rows: u64,
    },
    /// This is the first row that does not fit.
    Broken {
        /// Its number.
        seq: u64,
        /// What does not fit.
        why: String,
    },
}

impl Store {
    /// Puts a deed on record, after all that were before; returns its number.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written: then do not do it.
    pub async fn audit(&self, deed: Deed) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let seq = self.audit_in(&mut tx, deed).await?;
        tx.commit().await.map_err(|e| self.error(e))?;
        Ok(seq)
    }

    /// The same in a transaction that does the deed.
    pub(super) async fn audit_in(
        &self,
        tx: &mut AnyConnection,
        deed: Deed,
    ) -> Result<u64, StoreError> {
        // Held until the commit: rows are added one after the other.
        let sql = "UPDATE counters SET value = value + 1 WHERE name = 'audit' RETURNING value";
        let seq: i64 =
            sqlx::query_scalar(sql).fetch_one(&mut *tx).await.map_err(|e| self.error(e))?;
        let prev: Option<String> = sqlx::query_scalar("SELECT hash FROM audit WHERE seq = $1")
            .bind(seq - 1)
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| self.error(e))?;
        let prev = prev.unwrap_or_else(|| BEGINNING.to_owned());
        let (time, details) = (unix_ms(OffsetDateTime::now_utc()), deed.details.to_string());
        let hash = chained(seq, time, &deed, &details, &prev);
        sqlx::query(
            "INSERT INTO audit (seq, time, tenant, who, action, object, details, prev, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(seq)
        .bind(time)
        .bind(deed.tenant)
        .bind(deed.who)
        .bind(deed.action)
        .bind(deed.object)
        .bind(details)
        .bind(prev)
        .bind(hash)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.error(e))?;
        Ok(non_negative(seq))
    }

    /// Rows after number `after`, oldest first, at most `limit`; of a tenant, or of all without one.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn audit_rows(
        &self,
        tenant: Option<&str>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE seq > $1 AND ($2 IS NULL OR tenant = $2) ORDER BY seq LIMIT $3",
        )
        .bind(super::write::saturate(after))
        .bind(tenant)
        .bind(i64::from(limit))
        .fetch_all(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        rows.iter().map(|row| self.audit_row(row)).collect()
    }

    /// Looks whether each row's hash fits the row and the one before it, whether none is missing, and whether what is
    /// missing at the beginning was taken out as the log itself says.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        let written: i64 = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'audit'")
            .fetch_one(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        let mut chain = Chain::new(self.pruned().await?);
        loop {
            let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
                .bind(chain.seq)
                .bind(PAGE)
                .fetch_all(&self.db.pool)
                .await
                .map_err(|e| self.error(e))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if let Err(why) = chain.follow(&self.plain(row)?) {
                    return Ok(AuditVerdict::Broken { seq: non_negative(chain.seq + 1), why });
                }
            }
        }
        Ok(match chain.seq < written {
            true => AuditVerdict::Broken {
                seq: non_negative(chain.seq + 1),
                why: format!("it and all after it are missing: {written} rows were written"),
            },
            false => AuditVerdict::Whole { rows: chain.rows },
        })
    }

    /// The last row that was taken out, and its hash.
    async fn pruned(&self) -> Result<(i64, String), StoreError> {
        let sql = "SELECT details FROM audit WHERE action = $1 ORDER BY seq DESC LIMIT 1";
        let details: Option<String> = sqlx::query_scalar(sql)
            .bind(PRUNED)
            .fetch_optional(&self.db.pool)
            .await
            .map_err(|e| self.error(e))?;
        let details: Value =
            details.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(json!({}));
        let hash = details["hash"].as_str().unwrap_or(BEGINNING);
        Ok((details["through"].as_i64().unwrap_or(0), hash.to_owned()))
    }

    fn plain(&self, row: &AnyRow) -> Result<Plain, StoreError> {
        Ok(Plain {
            seq: self.get(row, "seq")?,
            time: self.get(row, "time")?,
            deed: Deed {
                tenant: self.get(row, "tenant")?,
                who: self.get(row, "who")?,
                action: self.get(row, "action")?,
                object: self.get(row, "object")?,
                details: Value::Null,
            },
            details: self.get(row, "details")?,
            prev: self.get(row, "prev")?,
            hash: self.get(row, "hash")?,
        })
    }

    fn audit_row(&self, row: &AnyRow) -> Result<AuditRow, StoreError> {
        let Plain { seq, time, deed, details, prev, hash } = self.plain(row)?;
        let name = format!("audit row {seq}");
        Ok(AuditRow {
            seq: non_negative(seq),
            time: self.moment(&name, "time", time)?,
            deed: Deed { details: serde_json::from_str(&details).unwrap_or(Value::Null), ..deed },
            prev,
            hash,
        })
    }
}

/// A row as it is written.
struct Plain {
    seq: i64,
    time: i64,
    deed: Deed,
    details: String,
    prev: String,
    hash: String,
}

/// How far the chain was followed.
struct Chain {
    seq: i64,
    hash: String,
    rows: u64,
}

impl Chain {
    fn new((seq, hash): (i64, String)) -> Self {
        Self { seq, hash, rows: 0 }
    }

    fn follow(&mut self, row: &Plain) -> Result<(), String> {
        if row.seq != self.seq + 1 {
            return Err(format!("it is missing: the next one is {}", row.seq));
        }
        if row.prev != self.hash {
            return Err("it does not follow the row before it".to_owned());
        }
        if chained(row.seq, row.time, &row.deed, &row.details, &row.prev) != row.hash {
            return Err("it was changed: its hash does not fit".to_owned());
        }
        (self.seq, self.rows) = (row.seq, self.rows + 1);
        self.hash.clone_from(&row.hash);
        Ok(())
    }
}

/// The fields as a JSON array, so that no two rows have the same text.
fn chained(seq: i64, time: i64, deed: &Deed, details: &str, prev: &str) -> String {
    let Deed { tenant, who, action, object, .. } = deed;
    let text = json!([seq, time, tenant, who, action, object, details, prev]).to_string();
    super::hex(&Sha256::digest(text))
}
