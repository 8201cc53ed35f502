//! A dentist with a campaign.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted, weekday};

pub(super) async fn contact_of(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row =
        sqlx::query("SELECT title, source, consent_on AS \"on\" FROM contacts WHERE phone = ?1")
            .bind(wanted(with, "phone")?)
            .fetch_optional(db)
            .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no such contact".to_owned()))?;
    Ok(fields(["title", "source", "on"].map(|name| (name, row.get(name)))))
}

/// What is free after `after`, a day or a moment, as a dialplan's choice reads it; the first two in words.
pub(super) async fn free_slots(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let free: Vec<String> =
        sqlx::query_scalar("SELECT at FROM slots WHERE phone IS NULL AND at > ?1 ORDER BY at")
            .bind(wanted(with, "after")?)
            .fetch_all(db)
            .await?;
    if free.is_empty() {
        return Err(Refusal::State("nothing is free".to_owned()));
    }
    let nth = |n: usize| free.get(n).or(free.last()).map(|at| in_words(at)).unwrap_or_default();
    Ok(fields([("first", nth(0)), ("second", nth(1)), ("slots", free.join("; "))]))
}

pub(super) async fn price_of(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query("SELECT * FROM prices WHERE item = ?1")
        .bind(wanted(with, "item")?)
        .fetch_optional(db)
        .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no price for it".to_owned()))?;
    Ok(fields(["least", "most", "offer"].map(|name| (name, row.get(name)))))
}

/// `ok`, or `taken` when somebody was faster.
pub(super) async fn book_slot(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let done =
        sqlx::query("UPDATE slots SET phone = ?1 WHERE at = ?2 AND (phone IS NULL OR phone = ?1)")
            .bind(wanted(with, "phone")?)
            .bind(wanted(with, "slot")?)
            .execute(db)
            .await?;
    Ok(fields([("result", if done.rows_affected() == 1 { "ok" } else { "taken" }.to_owned())]))
}

pub(super) async fn cancel_slot(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    sqlx::query("UPDATE slots SET phone = NULL WHERE phone = ?1 AND at = ?2")
        .bind(wanted(with, "phone")?)
        .bind(wanted(with, "slot")?)
        .execute(db)
        .await?;
    Ok(Fields::new())
}

pub(super) async fn call_later(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    sqlx::query("UPDATE contacts SET call_at = ?2 WHERE phone = ?1")
        .bind(wanted(with, "phone")?)
        .bind(wanted(with, "at")?)
        .execute(db)
        .await?;
    Ok(Fields::new())
}

/// How likely the contact is to become a customer, A to F.
pub(super) async fn grade(with: &Arguments, db: &mut SqliteConnection) -> Result<Fields, Refusal> {
    sqlx::query("UPDATE contacts SET grade = ?2 WHERE phone = ?1")
        .bind(wanted(with, "phone")?)
        .bind(wanted(with, "grade")?)
        .execute(db)
        .await?;
    Ok(Fields::new())
}

/// 周三上午十点 for `2026-11-25 10:00`.
fn in_words(at: &str) -> String {
    let hours = ["零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];
    let (date, time) = at.split_once(' ').unwrap_or((at, ""));
    let (hour, minute) = time.split_once(':').unwrap_or((time, ""));
    let hour: usize = hour.parse().unwrap_or_default();
    let half = if hour < 12 { "上午" } else { "下午" };
    let hour = hours[if hour > 12 { hour - 12 } else { hour }.min(12)];
    let minute = match minute {
        "30" => "半".to_owned(),
        "00" | "" => String::new(),
        other => format!("{other}分"),
    };
    format!("{}{half}{hour}点{minute}", weekday(date).replace("星期", "周"))
}
