//! What every business has: identity, messages, tickets, surveys, numbers that are not called again.

use sqlx::SqliteConnection;

use super::{Arguments, Fields, Refusal, fields, wanted};

/// Whether the number and the last digits of the identity number belong together; `title` when they do.
pub(super) async fn verify_identity(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let (phone, tail) = (wanted(with, "phone")?, wanted(with, "id_tail")?);
    let found: Option<String> = sqlx::query_scalar(
        "SELECT title FROM (SELECT phone, title, id_number FROM fund_members
           UNION ALL SELECT phone, title, id_number FROM debts)
         WHERE phone = ?1 AND length(?2) >= 4 AND substr(id_number, -length(?2)) = ?2",
    )
    .bind(phone)
    .bind(tail.to_uppercase())
    .fetch_optional(db)
    .await?;
    Ok(match found {
        Some(title) => fields([("result", "ok".to_owned()), ("title", title)]),
        None => fields([("result", "mismatch".to_owned())]),
    })
}

pub(super) async fn send_sms(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    sqlx::query("INSERT INTO messages VALUES (?1, ?2)")
        .bind(wanted(with, "to")?)
        .bind(wanted(with, "template")?)
        .execute(db)
        .await?;
    Ok(Fields::new())
}

pub(super) async fn ticket(with: &Arguments, db: &mut SqliteConnection) -> Result<Fields, Refusal> {
    let text = with.get("message").or_else(|| with.get("note"));
    sqlx::query("INSERT INTO tickets (phone, reason, text) VALUES (?1, ?2, ?3)")
        .bind(wanted(with, "phone")?)
        .bind(wanted(with, "reason")?)
        .bind(text.map_or("", String::as_str))
        .execute(db)
        .await?;
    Ok(Fields::new())
}

pub(super) async fn save_survey(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let answer = with.get("csat").or_else(|| with.get("answer"));
    sqlx::query("INSERT INTO surveys VALUES (?1, ?2)")
        .bind(wanted(with, "phone")?)
        .bind(answer.map_or("", String::as_str))
        .execute(db)
        .await?;
    Ok(Fields::new())
}

/// The number is not called again.
pub(super) async fn stop_calls(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    sqlx::query("INSERT INTO stopped_numbers VALUES (?1, ?2) ON CONFLICT (phone) DO UPDATE SET reason = excluded.reason")
        .bind(wanted(with, "phone")?)
        .bind(wanted(with, "reason")?)
        .execute(db)
        .await?;
    Ok(Fields::new())
}
