//! 公积金: a housing fund.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted};

/// Whether a member has that number on file or calls from it.
pub(super) async fn lookup_by_phone(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let known = sqlx::query("SELECT 1 FROM fund_members WHERE phone = ?1 OR calls_from = ?1")
        .bind(wanted(with, "phone")?)
        .fetch_optional(db)
        .await?;
    Ok(fields([("known", if known.is_some() { "yes" } else { "no" }.to_owned())]))
}

pub(super) async fn get_accounts(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query("SELECT * FROM fund_members WHERE phone = ?1 AND locked_hours IS NULL")
        .bind(wanted(with, "phone")?)
        .fetch_optional(db)
        .await?;
    let row = row.ok_or_else(|| Refusal::State("no account that may be told".to_owned()))?;
    Ok(fields(["balance", "monthly", "last_deposit"].map(|name| (name, row.get(name)))))
}

/// After wrong attempts nobody learns anything of this number for some hours.
pub(super) async fn lock_identity(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let hours = wanted(with, "hours")?;
    let hours: u32 = hours.parse().map_err(|_| {
        Refusal::Arguments(format!("`hours` is `{hours}`: give a whole number of hours"))
    })?;
    sqlx::query("UPDATE fund_members SET locked_hours = ?2 WHERE phone = ?1")
        .bind(wanted(with, "phone")?)
        .bind(hours)
        .execute(db)
        .await?;
    Ok(Fields::new())
}
