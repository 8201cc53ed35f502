//! Tokens and the audit log, in both kinds of database.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod store_support;

use hotline::store::{AuditVerdict, Deed, Identity, Role, Store};
use serde_json::json;
use store_support::Home;
use time::{Duration, OffsetDateTime};

on_both!(
    a_token_says_whose_it_is_until_it_is_revoked,
    an_expired_token_says_nothing,
    the_audit_log_is_whole_however_many_write_it,
    a_row_that_was_changed_is_named,
    a_row_that_was_taken_out_is_named,
    rows_taken_off_the_end_are_missed,
);

async fn a_token_says_whose_it_is_until_it_is_revoked(home: Home) {
    let store = home.open().await;
    let (token, text) = store.create_token("acme", Role::Integrator, None).await.unwrap();
    let identity =
        Identity { tenant: "acme".to_owned(), role: Role::Integrator, token_id: token.id.clone() };
    assert_eq!(store.identify(&text).await.unwrap(), Some(identity));
    assert_eq!(store.identify(&text[..text.len() - 1]).await.unwrap(), None);
    assert_eq!(store.identify("").await.unwrap(), None);
    assert!(!store.revoke(Some("bank"), &token.id).await.unwrap(), "not another tenant's");
    assert!(store.revoke(Some("acme"), &token.id).await.unwrap());
    assert_eq!(store.identify(&text).await.unwrap(), None);
    let listed = store.list_tokens(Some("acme")).await.unwrap();
    assert!(listed[0].revoked_at.is_some());
    assert!(store.list_tokens(Some("bank")).await.unwrap().is_empty());
}

async fn an_expired_token_says_nothing(home: Home) {
    let store = home.open().await;
    let until = OffsetDateTime::now_utc() - Duration::seconds(1);
    let (_, text) = store.create_token("acme", Role::Admin, Some(until)).await.unwrap();
    assert_eq!(store.identify(&text).await.unwrap(), None);
    let until = OffsetDateTime::now_utc() + Duration::hours(1);
    let (_, text) = store.create_token("acme", Role::Admin, Some(until)).await.unwrap();
    assert!(store.identify(&text).await.unwrap().is_some());
}

fn deed(n: usize) -> Deed {
    Deed {
        tenant: "acme".to_owned(),
        who: "cli".to_owned(),
        action: "recording.read".to_owned(),
        object: format!("call-{n}"),
        details: json!({ "bytes": n, "text": "你好\"" }),
    }
}

async fn written(store: &Store, rows: usize) {
    for n in 0..rows {
        store.audit(deed(n)).await.unwrap();
    }
}

/// Does something to the database that no program of ours would.
async fn tamper(home: &Home, sql: &'static str) {
    match &home.server {
        Some(server) => {
            let pool = sqlx::PgPool::connect(&server.url()).await.unwrap();
            sqlx::query(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
        None => {
            let file = home.dir.path().join("calls.db");
            let pool = sqlx::SqlitePool::connect(file.to_str().unwrap()).await.unwrap();
            sqlx::query(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

async fn the_audit_log_is_whole_however_many_write_it(home: Home) {
    let (store, second) = (home.open().await, home.look().await);
    let (store, second) = (&store, &second);
    tokio::join!(written(store, 20), written(second, 20), written(store, 20));
    assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Whole { rows: 60 });
    let rows = store.audit_rows(Some("acme"), 58, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [59, 60]);
    assert_eq!(rows[0].deed.details["text"], "你好\"");
    assert!(store.audit_rows(Some("bank"), 0, 10).await.unwrap().is_empty());
}

async fn a_row_that_was_changed_is_named(home: Home) {
    let store = home.open().await;
    written(&store, 9).await;
    tamper(&home, "UPDATE audit SET object = 'another' WHERE seq = 5").await;
    let verdict = store.verify_audit().await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Broken { seq: 5, .. }), "{verdict:?}");
}

async fn a_row_that_was_taken_out_is_named(home: Home) {
    let store = home.open().await;
    written(&store, 9).await;
    tamper(&home, "DELETE FROM audit WHERE seq = 4").await;
    let verdict = store.verify_audit().await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Broken { seq: 4, .. }), "{verdict:?}");
}

async fn rows_taken_off_the_end_are_missed(home: Home) {
    let store = home.open().await;
    written(&store, 9).await;
    tamper(&home, "DELETE FROM audit WHERE seq > 7").await;
    let verdict = store.verify_audit().await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Broken { seq: 8, .. }), "{verdict:?}");
}
