//! Tokens of those who use the API.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sqlx::{Row, any::AnyRow};
use time::OffsetDateTime;

use super::{Identity, Role, Store, StoreError, write::unix_ms};

/// Random bytes of a token's secret.
const SECRET: usize = 32;

/// A token as it is listed: what it may do, but not what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Names it in lists and in the audit log.
    pub id: String,
    /// Its tenant.
    pub tenant: String,
    /// Its role.
    pub role: Role,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it is good; `None` for ever.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl Store {
    /// Makes a token and returns its text, which is kept nowhere: the store has its SHA-256 alone.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn create_token(
        &self,
        tenant: &str,
        role: Role,
        expires_at: Option<OffsetDateTime>,
    ) -> Result<(Token, String), StoreError> {
        let id = format!("{:08x}", rand::random::<u32>());
        let secret: [u8; SECRET] = rand::random();
        let text = format!("hl_{id}_{}", URL_SAFE_NO_PAD.encode(secret));
        let created_at = OffsetDateTime::now_utc();
        sqlx::query(
            "INSERT INTO tokens (id, hash, tenant, role, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.clone())
        .bind(hash(&text))
        .bind(tenant)
        .bind(role.as_str())
        .bind(unix_ms(created_at))
        .bind(expires_at.map(unix_ms))
        .execute(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        let tenant = tenant.to_owned();
        Ok((Token { id, tenant, role, created_at, expires_at, revoked_at: None }, text))
    }

    /// Whose token this is; `None` when it is none, was revoked, or is no longer good.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn identify(&self, token: &str) -> Result<Option<Identity>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM tokens
             WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(hash(token))
        .bind(unix_ms(OffsetDateTime::now_utc()))
        .fetch_optional(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        row.map(|row| {
            let Token { id: token_id, tenant, role, .. } = self.token(&row)?;
            Ok(Identity { tenant, role, token_id })
        })
        .transpose()
    }

    /// Makes a token worthless from now on; false when there is none of that id, or it is so already. Of a tenant, or
    /// of all without one.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn revoke(&self, tenant: Option<&str>, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE tokens SET revoked_at = $3
             WHERE id = $1 AND ($2 IS NULL OR tenant = $2) AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(tenant)
        .bind(unix_ms(OffsetDateTime::now_utc()))
        .execute(&self.db.pool)
        .await
        .map_err(|e| self.error(e))?;
        Ok(done.rows_affected() > 0)
    }

    /// Tokens, the oldest first; of a tenant, or of all without one.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn list_tokens(&self, tenant: Option<&str>) -> Result<Vec<Token>, StoreError> {
        let sql = "SELECT * FROM tokens WHERE $1 IS NULL OR tenant = $1 ORDER BY created_at, id";
        let rows = sqlx::query(sql).bind(tenant).fetch_all(&self.db.pool).await;
        rows.map_err(|e| self.error(e))?.iter().map(|row| self.token(row)).collect()
    }

    fn token(&self, row: &AnyRow) -> Result<Token, StoreError> {
        let id: String = self.get(row, "id")?;
        let moment = |column| {
            let ms: Option<i64> = row.try_get(column).map_err(|e| self.error(e))?;
            ms.map(|ms| self.moment(&id, column, ms)).transpose()
        };
        Ok(Token {
            tenant: self.get(row, "tenant")?,
            role: self.get::<String>(row, "role")?.parse()?,
            created_at: self.moment(&id, "created_at", self.get(row, "created_at")?)?,
            expires_at: moment("expires_at")?,
            revoked_at: moment("revoked_at")?,
            id,
        })
    }
}

/// Enough for a secret of 256 random bits: there is nothing to guess that a slow hash would protect.
fn hash(token: &str) -> String {
    super::hex(&Sha256::digest(token))
}
