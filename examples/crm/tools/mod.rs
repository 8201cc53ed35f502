//! What dialplans ask: one function a tool, over the tables of one business each.

mod clinic;
mod collection;
mod common;
mod dental;
mod fund;
mod shop;
mod utility;

use std::collections::BTreeMap;

use sqlx::SqliteConnection;
use tonic::Status;

/// What a tool is given.
type Arguments = BTreeMap<String, String>;
/// What it gives.
type Fields = BTreeMap<String, String>;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such tool.
    Tool(String),
    /// What was given cannot be meant.
    Arguments(String),
    /// It cannot be done as things are, and the bot should say so.
    State(String),
    /// The database failed.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Tool(tool) => Self::not_found(format!("there is no tool `{tool}`")),
            Refusal::Arguments(why) => Self::invalid_argument(why),
            Refusal::State(why) => Self::failed_precondition(why),
            // Hotline repeats what may be repeated.
            Refusal::Database(error) => Self::unavailable(error.to_string()),
        }
    }
}

/// Carries out `tool` in the transaction that `db` is in.
pub(crate) async fn carry_out(
    tool: &str,
    with: &Arguments,
    db: &mut SqliteConnection,
) -> Result<Fields, Refusal> {
    match tool {
        "lookup_by_phone" => fund::lookup_by_phone(with, db).await,
        "get_accounts" => fund::get_accounts(with, db).await,
        "lock_identity" => fund::lock_identity(with, db).await,
        "verify_identity" => common::verify_identity(with, db).await,
        "send_sms" => common::send_sms(with, db).await,
        "create_ticket" | "ticket" => common::ticket(with, db).await,
        "save_survey" => common::save_survey(with, db).await,
        "stop_calls" | "flag_number" => common::stop_calls(with, db).await,
        "customer_by_phone" => utility::customer_by_phone(with, db).await,
        "outage_near" => utility::outage_near(with, db).await,
        "balance_at" => utility::balance_at(with, db).await,
        "create_plan" => utility::create_plan(with, db).await,
        "customer" => shop::customer(with, db).await,
        "check_postcode" => shop::check_postcode(with, db).await,
        "order_of" => shop::order_of(with, db).await,
        "refund" => shop::refund(with, db).await,
        "return_label" | "intercept" | "exchange" | "claim" => shop::handle(tool, with, db).await,
        "case_of" => collection::case_of(with, db).await,
        "record_promise" => collection::record_promise(with, db).await,
        "check_payment" => collection::check_payment(with, db).await,
        "contact_of" => dental::contact_of(with, db).await,
        "free_slots" => dental::free_slots(with, db).await,
        "price_of" => dental::price_of(with, db).await,
        "book_slot" => dental::book_slot(with, db).await,
        "cancel_slot" => dental::cancel_slot(with, db).await,
        "call_later" => dental::call_later(with, db).await,
        "grade" => dental::grade(with, db).await,
        "appointment_of" => clinic::appointment_of(with, db).await,
        "next_free" => clinic::next_free(with, db).await,
        "is_free" => clinic::is_free(with, db).await,
        "book" => clinic::book(with, db).await,
        "cancel" => clinic::cancel(with, db).await,
        _ => Err(Refusal::Tool(tool.to_owned())),
    }
}

/// An argument that must be there.
fn wanted<'a>(with: &'a Arguments, name: &str) -> Result<&'a str, Refusal> {
    let value = with.get(name).map(String::as_str);
    value.ok_or_else(|| Refusal::Arguments(format!("the argument `{name}` is missing")))
}

/// Fields of an answer, in the words of a dialplan's `gives`.
fn fields<const N: usize>(pairs: [(&str, String); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// 星期三 for `2026-11-25`; empty for what is no date.
fn weekday(date: &str) -> &'static str {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let names = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
    let day = time::Date::parse(date, &format);
    day.map_or("", |day| names[usize::from(day.weekday().number_days_from_monday())])
}
