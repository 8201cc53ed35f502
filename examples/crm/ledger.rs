//! What is promised to Hotline: an invocation is carried out once, whatever is lost on the way.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use hotline::proto::{InvokeRequest, InvokeResponse, crm_server::Crm};
use sqlx::{
    Row, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
    types::Json,
};
use tonic::{Request, Response, Status};

use crate::tools::{self, Refusal};

/// The database, behind the services that Hotline calls.
#[derive(Clone)]
pub(crate) struct Ledger {
    pool: SqlitePool,
    today: Option<String>,
    may_reset: bool,
}

impl Ledger {
    /// Opens the database at `path`, or one in memory, and fills it when it is new.
    pub(crate) async fn open(
        path: Option<&Path>,
        today: Option<String>,
        may_reset: bool,
    ) -> anyhow::Result<Self> {
        let options = match path {
            Some(path) => SqliteConnectOptions::new().filename(path).create_if_missing(true),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        // One connection: one in memory is a database, and writes of SQLite are one after the other in any case.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.journal_mode(SqliteJournalMode::Wal))
            .await
            .with_context(|| format!("cannot open the database {path:?}"))?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        let ledger = Self { pool, today, may_reset };
        let is_new = sqlx::query("SELECT 1 FROM clock").fetch_optional(&ledger.pool).await?;
        if is_new.is_none() {
            let mut tx = ledger.pool.begin().await?;
            ledger.fill(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(ledger)
    }

    /// The database.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// The invented customers, as they are in the beginning.
    async fn fill(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *db).await?;
        // Rows that refer to others go first.
        sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *db).await?;
        for table in tables {
            let delete = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
            sqlx::query(delete).execute(&mut *db).await?;
        }
        sqlx::query("INSERT INTO clock VALUES (coalesce(?1, date('now', 'localtime')))")
            .bind(&self.today)
            .execute(&mut *db)
            .await?;
        sqlx::raw_sql(include_str!("fixtures.sql")).execute(&mut *db).await?;
        Ok(())
    }

    /// Carries out what was not carried out before, and keeps the answer in the same transaction.
    async fn once(&self, request: &InvokeRequest) -> Result<BTreeMap<String, String>, Refusal> {
        let mut tx = self.pool.begin().await?;
        let known = sqlx::query("SELECT tool, answer FROM done WHERE key = ?1")
            .bind(&request.idempotency_key)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(known) = known {
            if known.get::<String, _>("tool") != request.tool {
                let why = "this idempotency_key was used for another tool".to_owned();
                return Err(Refusal::Arguments(why));
            }
            return Ok(known.get::<Json<_>, _>("answer").0);
        }
        let arguments: BTreeMap<String, String> = request.arguments.clone().into_iter().collect();
        let answer = tools::carry_out(&request.tool, &arguments, &mut tx).await?;
        sqlx::query(
            "INSERT INTO done (key, call_id, tool, arguments, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&request.idempotency_key)
        .bind(&request.call_id)
        .bind(&request.tool)
        .bind(Json(&arguments))
        .bind(Json(&answer))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn reset(&self) -> Result<(), Refusal> {
        let mut tx = self.pool.begin().await?;
        self.fill(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

#[tonic::async_trait]
impl Crm for Ledger {
    async fn invoke(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        let request = request.into_inner();
        if request.idempotency_key.is_empty() {
            return Err(Status::invalid_argument("idempotency_key is empty"));
        }
        if self.may_reset && request.tool == "reset" {
            self.reset().await?;
            return Ok(Response::new(InvokeResponse::default()));
        }
        let fields = self.once(&request).await?;
        Ok(Response::new(InvokeResponse { fields: fields.into_iter().collect() }))
    }
}

/// Lets in who sends `token`, where there is one.
pub(crate) fn may_ask(
    token: Option<String>,
) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone {
    let wanted = token.map(|token| format!("Bearer {token}"));
    move |request| {
        let sent = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        match &wanted {
            Some(wanted) if sent != Some(wanted) => {
                Err(Status::unauthenticated("send the token as `authorization: Bearer …`"))
            }
            _ => Ok(request),
        }
    }
}
