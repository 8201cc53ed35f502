//! A web shop.

use sqlx::{Row, SqliteConnection};

use super::{Arguments, Fields, Refusal, fields, wanted};

/// Sums up to this many pence are refunded without the goods.
const KEEP_BELOW: i64 = 5_000;

/// The customer and all orders, as a dialplan's choice reads them: `78120077=headphones/headset; …`.
pub(super) async fn customer(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let phone = wanted(with, "phone")?;
    let name: Option<String> =
        sqlx::query_scalar("SELECT name FROM shop_customers WHERE phone = ?1")
            .bind(phone)
            .fetch_optional(&mut *db)
            .await?;
    let name = name.ok_or_else(|| Refusal::State("nobody has this number".to_owned()))?;
    let orders: Option<String> = sqlx::query_scalar(
        "SELECT group_concat(id || '=' || item || coalesce('/' || also, ''), '; ')
         FROM (SELECT * FROM orders WHERE phone = ?1 ORDER BY rowid)",
    )
    .bind(phone)
    .fetch_one(db)
    .await?;
    Ok(fields([("name", name), ("orders", orders.unwrap_or_default())]))
}

/// Whether what was heard is the customer's postcode; one letter may get lost on the line.
pub(super) async fn check_postcode(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let postcode: Option<String> =
        sqlx::query_scalar("SELECT postcode FROM shop_customers WHERE phone = ?1")
            .bind(wanted(with, "phone")?)
            .fetch_optional(db)
            .await?;
    let heard = spelled(wanted(with, "heard")?);
    let right = postcode.is_some_and(|postcode| differ_by_one(&heard, &postcode));
    Ok(fields([("result", if right { "ok" } else { "mismatch" }.to_owned())]))
}

pub(super) async fn order_of(
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let row = sqlx::query(
        "SELECT item, state, coalesce(expected, '') AS expected, amount, returnable,
           CAST(julianday(return_by) - julianday((SELECT today FROM clock)) AS INTEGER) AS days_left
         FROM orders WHERE id = ?1",
    )
    .bind(wanted(with, "order")?)
    .fetch_optional(db)
    .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no such order".to_owned()))?;
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let (amount, returnable): (String, bool) = (row.get("amount"), row.get("returnable"));
    let small = returnable && pence(&amount) < KEEP_BELOW;
    let mut given = fields(["item", "state", "expected"].map(|name| (name, row.get(name))));
    given.retain(|_, value: &mut String| !value.is_empty());
    given.extend(fields([
        ("amount", amount),
        ("returnable", yes(returnable)),
        ("refund_without_return", yes(small)),
        ("days_left", row.get::<i64, _>("days_left").to_string()),
    ]));
    Ok(given)
}

/// Refunds once; `already_refunded` afterwards.
pub(super) async fn refund(with: &Arguments, db: &mut SqliteConnection) -> Result<Fields, Refusal> {
    let (order, amount) = (wanted(with, "order")?, wanted(with, "amount")?);
    let row = sqlx::query("SELECT amount, refunded FROM orders WHERE id = ?1")
        .bind(order)
        .fetch_optional(&mut *db)
        .await?;
    let row = row.ok_or_else(|| Refusal::State("there is no such order".to_owned()))?;
    if row.get::<Option<String>, _>("refunded").is_some() {
        return Ok(fields([("result", "already_refunded".to_owned())]));
    }
    if pence(amount) > pence(&row.get::<String, _>("amount")) {
        return Err(Refusal::State(format!("{amount} is more than was paid")));
    }
    sqlx::query("UPDATE orders SET refunded = ?2 WHERE id = ?1")
        .bind(order)
        .bind(amount)
        .execute(db)
        .await?;
    Ok(fields([("result", "ok".to_owned())]))
}

/// A label, an interception, an exchange or a claim: kept with the order.
pub(super) async fn handle(
    what: &str,
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    let done = sqlx::query("UPDATE orders SET handling = ?2 WHERE id = ?1")
        .bind(wanted(with, "order")?)
        .bind(what)
        .execute(db)
        .await?;
    match done.rows_affected() {
        0 => Err(Refusal::State("there is no such order".to_owned())),
        _ => Ok(Fields::new()),
    }
}

/// Letters and digits of a postcode that was spelled out: "S W one A, two A A" is `SW1A2AA`.
fn spelled(heard: &str) -> String {
    let digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let words = heard.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let part = |word: &str| match word.to_lowercase().as_str() {
        "oh" => "0".to_owned(),
        lower => digits
            .iter()
            .position(|digit| *digit == lower)
            .map_or_else(|| word.to_uppercase(), |digit| digit.to_string()),
    };
    words.map(part).collect()
}

/// Whether one character at most is missing, too many, or another.
fn differ_by_one(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let rest = |text: &str, from: usize| text.get(from..).unwrap_or_default().to_owned();
    a == b
        || rest(a, same + 1) == rest(b, same + 1)
        || rest(a, same) == rest(b, same + 1)
        || rest(a, same + 1) == rest(b, same)
}

/// A sum such as `39.90` in hundredths.
fn pence(amount: &str) -> i64 {
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let hundredths = format!("{rest:0<2}");
    let parse = |text: &str| text.parse::<i64>().unwrap_or_default();
    parse(whole) * 100 + parse(hundredths.get(..2).unwrap_or_default())
}
