//! Power and water.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted};

/// Nothing for a number that nobody has.
pub(super) async fn customer_by_phone(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query("SELECT * FROM utility_customers WHERE phone = ?1")
        .bind(wanted(with, "phone")?)
        .fetch_optional(db)
        .await?;
    let names = ["account", "name", "street", "zip"];
    Ok(row.map(|row| fields(names.map(|name| (name, row.get(name))))).unwrap_or_default())
}

pub(super) async fn outage_near(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query("SELECT * FROM outages WHERE zip = ?1")
        .bind(wanted(with, "zip")?)
        .fetch_optional(db)
        .await?;
    Ok(match row {
        Some(row) => fields(["state", "back_at"].map(|name| (name, row.get(name)))),
        None => fields([("state", "fine".to_owned())]),
    })
}

/// Nothing where nobody lives.
pub(super) async fn balance_at(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query("SELECT * FROM utility_customers WHERE zip = ?1 AND house = ?2")
        .bind(wanted(with, "zip")?)
        .bind(wanted(with, "house")?)
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(Fields::new()) };
    let mut given =
        fields(["account", "name", "amount", "due", "more"].map(|name| (name, row.get(name))));
    given.insert("usage".to_owned(), row.get::<i64, _>("usage").to_string());
    Ok(given)
}

pub(super) async fn create_plan(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let parts = wanted(with, "parts")?;
    let count: u8 = parts.parse().unwrap_or_default();
    if !(2..=3).contains(&count) {
        return Err(Refusal::Arguments(format!("`parts` is `{parts}`: two or three are possible")));
    }
    let account = wanted(with, "account")?;
    let done = sqlx::query(
        "INSERT INTO plans SELECT account, ?2, ?3, ?4 FROM utility_customers WHERE account = ?1
         ON CONFLICT (account) DO UPDATE SET parts = excluded.parts, share = excluded.share, first_due = excluded.first_due",
    )
    .bind(account)
    .bind(count)
    .bind(wanted(with, "share")?)
    .bind(wanted(with, "first_due")?)
    .execute(db)
    .await?;
    match done.rows_affected() {
        0 => Err(Refusal::State("there is no such account".to_owned())),
        _ => Ok(Fields::new()),
    }
}
