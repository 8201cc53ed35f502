//! A clinic.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted, weekday};

pub(super) async fn appointment_of(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query(
        "SELECT * FROM patients JOIN appointments USING (phone) WHERE phone = ?1 ORDER BY date, time",
    )
    .bind(wanted(with, "phone")?)
    .fetch_optional(db)
    .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no appointment".to_owned()))?;
    let names = ["name", "title", "date", "time", "doctor", "bring", "contact"];
    let mut given = fields(names.map(|name| (name, row.get(name))));
    given.insert("weekday".to_owned(), weekday(&row.get::<String, _>("date")).to_owned());
    Ok(given)
}

/// The first that is free after that day.
pub(super) async fn next_free(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query(
        "SELECT date, time FROM appointments WHERE phone IS NULL AND date > ?1 ORDER BY date, time",
    )
    .bind(wanted(with, "after")?)
    .fetch_optional(db)
    .await?;
    let row = row.ok_or_else(|| Refusal::State("nothing is free".to_owned()))?;
    let date: String = row.get("date");
    let weekday = weekday(&date).to_owned();
    Ok(fields([("date", date), ("time", row.get("time")), ("weekday", weekday)]))
}

pub(super) async fn is_free(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let free =
        sqlx::query("SELECT 1 FROM appointments WHERE date = ?1 AND time = ?2 AND phone IS NULL")
            .bind(wanted(with, "date")?)
            .bind(wanted(with, "time")?)
            .fetch_optional(db)
            .await?;
    Ok(fields([("free", if free.is_some() { "yes" } else { "no" }.to_owned())]))
}

pub(super) async fn book(with: &Arguments, db: &mut SqliteConnection) -> Result<Fields, Refusal> {
    let done = sqlx::query(
        "UPDATE appointments SET phone = ?1 WHERE date = ?2 AND time = ?3 AND (phone IS NULL OR phone = ?1)",
    )
    .bind(wanted(with, "phone")?)
    .bind(wanted(with, "date")?)
    .bind(wanted(with, "time")?)
    .execute(db)
    .await?;
    match done.rows_affected() {
        0 => Err(Refusal::State("that time is not free".to_owned())),
        _ => Ok(Fields::new()),
    }
}

pub(super) async fn cancel(with: &Arguments, db: &mut SqliteConnection) -> Result<Fields, Refusal> {
    sqlx::query(
        "UPDATE appointments SET phone = NULL WHERE phone = ?1 AND date = ?2 AND time = ?3",
    )
    .bind(wanted(with, "phone")?)
    .bind(wanted(with, "date")?)
    .bind(wanted(with, "time")?)
    .execute(db)
    .await?;
    Ok(Fields::new())
}
