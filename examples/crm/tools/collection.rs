//! A lender.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted};

pub(super) async fn case_of(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query(
        "SELECT *, CAST(julianday((SELECT today FROM clock)) - julianday(overdue_since) AS INTEGER) AS days
         FROM debts WHERE phone = ?1",
    )
    .bind(wanted(with, "phone")?)
    .fetch_optional(db)
    .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no case of this number".to_owned()))?;
    let names = ["name", "title", "account", "due", "fee", "partner"];
    let mut given = fields(names.map(|name| (name, row.get(name))));
    given.insert("days".to_owned(), row.get::<i64, _>("days").to_string());
    Ok(given)
}

pub(super) async fn record_promise(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let done =
        sqlx::query("UPDATE debts SET promise_date = ?2, promise_amount = ?3 WHERE phone = ?1")
            .bind(wanted(with, "phone")?)
            .bind(wanted(with, "date")?)
            .bind(wanted(with, "amount")?)
            .execute(db)
            .await?;
    match done.rows_affected() {
        0 => Err(Refusal::State("there is no case of this number".to_owned())),
        _ => Ok(Fields::new()),
    }
}

/// Whether something was paid on that day or later.
pub(super) async fn check_payment(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let found = sqlx::query("SELECT 1 FROM payments WHERE phone = ?1 AND date >= ?2")
        .bind(wanted(with, "phone")?)
        .bind(with.get("date").map_or("", String::as_str))
        .fetch_optional(db)
        .await?;
    Ok(fields([("found", if found.is_some() { "yes" } else { "no" }.to_owned())]))
}
