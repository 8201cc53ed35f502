//! Expressions in CEL, the Common Expression Language: conditions and sums that a table of cases cannot say.
//!
//! Money is counted in hundredths, as whole numbers, so that sums are exact.

use std::{collections::BTreeMap, fmt, sync::Arc};

use cel::{Context, ExecutionError, Program, Value};
use time::{Date, Duration, macros::format_description};

use super::hours::Hours;

/// Longest text, and deepest nesting of brackets: the parser recurses.
const LONGEST: usize = 400;
const DEEPEST: usize = 16;

/// An expression that parses.
#[derive(Clone)]
pub(crate) struct Expression {
    text: String,
    program: Arc<Program>,
    /// The slots, tables, tools and `call` that it names.
    names: Vec<String>,
    asks_hours: bool,
}

/// A value that an expression works with, or its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// What is not known.
    Nothing,
    Flag(bool),
    /// A number; of money the hundredths.
    Whole(i64),
    Text(String),
    /// Values by name: the columns of a row, the fields that a tool gave.
    Fields(BTreeMap<String, Operand>),
}

impl Expression {
    /// Parses `text`.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST || depth(text) > DEEPEST {
            return Err(format!("it is longer than {LONGEST} characters or nested too deep"));
        }
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.errors.first().map(|error| error.msg.clone());
            first.unwrap_or_else(|| "it is not an expression".to_owned())
        })?;
        let mut names: Vec<String> =
            program.references().variables().into_iter().map(str::to_owned).collect();
        names.sort();
        let asks_hours = OF_HOURS.iter().any(|name| program.references().has_function(name));
        Ok(Self { text: text.to_owned(), program: Arc::new(program), names, asks_hours })
    }

    /// As its author wrote it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The slots, tables, tools and `call` that it names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Its value, where `value` knows those of the names, and `hours` when somebody is there.
    ///
    /// # Errors
    /// Why it has none, in a few words: something is not known, or of a kind that cannot be compared or added.
    pub(crate) fn evaluate(
        &self,
        hours: impl FnOnce() -> Hours,
        value: impl Fn(&str) -> Operand,
    ) -> Result<Operand, String> {
        let mut context = Context::default();
        functions(&mut context).map_err(|error| error.to_string())?;
        if self.asks_hours {
            functions_of_hours(&mut context, hours()).map_err(|error| error.to_string())?;
        }
        for name in &self.names {
            context.add_variable_from_value(name.as_str(), Value::from(value(name)));
        }
        match self.program.execute(&context) {
            Ok(Value::Null) => Ok(Operand::Nothing),
            Ok(Value::Bool(flag)) => Ok(Operand::Flag(flag)),
            Ok(Value::Int(whole)) => Ok(Operand::Whole(whole)),
            Ok(Value::String(text)) => Ok(Operand::Text(text.as_str().to_owned())),
            Ok(_) => Err("it gives neither text nor a whole number nor true or false".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Why it can never have a value of the kind that `fits` takes: it is tried with one of each kind of value.
    pub(crate) fn misfit(
        &self,
        hours: impl FnOnce() -> Hours,
        sample: impl Fn(&str) -> Operand,
        fits: impl Fn(&Operand) -> bool,
    ) -> Option<String> {
        match self.evaluate(hours, sample) {
            Ok(value) if fits(&value) => None,
            Ok(Operand::Flag(_)) => Some("it gives true or false".to_owned()),
            Ok(Operand::Whole(_)) => Some("it gives a number".to_owned()),
            Ok(Operand::Text(_)) => Some("it gives text".to_owned()),
            Ok(Operand::Nothing | Operand::Fields(_)) => Some("it gives nothing".to_owned()),
            // With other values it may well have one.
            Err(why) if why.to_lowercase().contains("zero") => None,
            Err(why) => Some(why),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl From<Operand> for Value {
    fn from(operand: Operand) -> Self {
        match operand {
            Operand::Nothing => Self::Null,
            Operand::Flag(flag) => Self::Bool(flag),
            Operand::Whole(whole) => Self::Int(whole),
            Operand::Text(text) => Self::from(text),
            Operand::Fields(fields) => Self::Map(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Self::from(value)))
                    .collect::<std::collections::HashMap<String, Self>>()
                    .into(),
            ),
        }
    }
}

/// Hundredths of a decimal such as `132.48`; `None` for what is none.
pub(crate) fn hundredths(amount: &str) -> Option<i64> {
    let (sign, unsigned) = amount.strip_prefix('-').map_or((1, amount), |rest| (-1, rest));
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(part)?.checked_mul(sign)
}

/// The decimal of so many hundredths: `132.48`.
pub(crate) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let all = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", all / 100, all % 100)
}

/// Functions that need to know when somebody is there.
const OF_HOURS: [&str; 5] = ["open", "open_at", "holiday", "opens_on", "opens_at"];

/// What CEL does not bring along: sums of money and days.
fn functions(context: &mut Context<'_, '_>) -> Result<(), cel::DeclarationError> {
    context.add_function("money", |amount: Arc<String>| {
        hundredths(&amount).ok_or_else(|| failed("money", &amount, "132.48"))
    })?;
    context.add_function("days", |from: Arc<String>, to: Arc<String>| {
        Ok::<i64, ExecutionError>((date("days", &to)? - date("days", &from)?).whole_days())
    })?;
    context.add_function("add_days", |from: Arc<String>, days: i64| {
        let to = date("add_days", &from)?.checked_add(Duration::days(days.clamp(-40_000, 40_000)));
        to.map(|to| Arc::new(to.to_string())).ok_or_else(|| failed("add_days", &from, "2026-11-28"))
    })?;
    // Of a moment such as `2026-11-28 14:00`.
    context.add_function("date_of", |moment: Arc<String>| part(&moment, 0))?;
    context.add_function("time_of", |moment: Arc<String>| part(&moment, 1))?;
    context.add_function("weekday", |day: Arc<String>| {
        let name = date("weekday", &day)?.weekday().to_string().to_lowercase();
        Ok::<Arc<String>, ExecutionError>(Arc::new(name.chars().take(3).collect()))
    })
}

fn functions_of_hours(
    context: &mut Context<'_, '_>,
    hours: Hours,
) -> Result<(), cel::DeclarationError> {
    let hours = Arc::new(hours);
    let error =
        |function: &'static str| move |why: String| ExecutionError::function_error(function, why);
    let known = Arc::clone(&hours);
    context.add_function("open", move |name: Arc<String>| {
        known.open(&name, None).map_err(error("open"))
    })?;
    let known = Arc::clone(&hours);
    context.add_function("open_at", move |name: Arc<String>, moment: Arc<String>| {
        known.open(&name, Some(&moment)).map_err(error("open_at"))
    })?;
    let known = Arc::clone(&hours);
    context.add_function("holiday", move |name: Arc<String>| {
        let holiday = known.holiday(&name).map_err(error("holiday"))?;
        Ok::<Value, ExecutionError>(holiday.map_or(Value::Null, Value::from))
    })?;
    let known = Arc::clone(&hours);
    context.add_function("opens_on", move |name: Arc<String>| {
        let moment = known.opens(&name).map_err(error("opens_on"))?;
        Ok::<Value, ExecutionError>(moment.map_or(Value::Null, |m| Value::from(m.date_text())))
    })?;
    context.add_function("opens_at", move |name: Arc<String>| {
        let moment = hours.opens(&name).map_err(error("opens_at"))?;
        Ok::<Value, ExecutionError>(moment.map_or(Value::Null, |m| Value::from(m.time_text())))
    })
}

fn part(moment: &str, at: usize) -> Arc<String> {
    Arc::new(moment.split(' ').nth(at).unwrap_or_default().to_owned())
}

fn date(function: &str, text: &str) -> Result<Date, ExecutionError> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| failed(function, text, "2026-11-28"))
}

fn failed(function: &str, found: &str, wanted: &str) -> ExecutionError {
    ExecutionError::function_error(function, format!("`{found}` is not like {wanted}"))
}

fn depth(text: &str) -> usize {
    let mut deepest = 0;
    let mut open = 0_usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            // A chain of signs or conditions nests as deep as it is long.
            '!' | '-' | '?' => deepest += 1,
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Operand {
        let row =
            [("balance", Operand::Whole(13_248)), ("due", Operand::Text("2026-11-28".into()))];
        match name {
            "amount" => Operand::Whole(100_000),
            "count" => Operand::Whole(3),
            "account" => Operand::Fields(row.map(|(k, v)| (k.to_owned(), v)).into()),
            "day" => Operand::Text("2026-11-27".into()),
            _ => Operand::Nothing,
        }
    }

    fn no_hours() -> Hours {
        Hours::sample(Arc::default())
    }

    fn evaluate(text: &str) -> Result<Operand, String> {
        Expression::parse(text)?.evaluate(no_hours, value)
    }

    #[test]
    fn sums_of_money_are_exact_and_days_are_counted() {
        for (text, expected) in [
            ("account.balance / 3", Operand::Whole(4_416)),
            ("account.balance * 25 / 100", Operand::Whole(3_312)),
            ("amount * 100 >= account.balance * 30", Operand::Flag(true)),
            ("amount < money('2360.00') * 30 / 100", Operand::Flag(false)),
            ("days('2026-11-23', day) <= 7 && weekday(day) == 'fri'", Operand::Flag(true)),
            ("add_days(account.due, 30)", Operand::Text("2026-12-28".into())),
            ("count > 3 ? 'too many' : 'fine'", Operand::Text("fine".into())),
            ("date_of('2026-11-28 14:00')", Operand::Text("2026-11-28".into())),
            ("time_of('2026-11-28 14:00')", Operand::Text("14:00".into())),
            ("missing == null", Operand::Flag(true)),
        ] {
            assert_eq!(evaluate(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        for text in [
            "missing > 3",
            "money('a lot')",
            "account.colour == 'red'",
            "1 +",
            "days(day, 3)",
            "count / 0",
        ] {
            assert!(evaluate(text).is_err_and(|why| !why.is_empty()), "{text}");
        }
        assert!(Expression::parse(&"(".repeat(5_000)).is_err());
        assert!(Expression::parse(&"-".repeat(300)).is_err());
    }

    #[test]
    fn an_expression_knows_its_names() {
        let expression =
            Expression::parse("account.balance > amount && call.time < '12:00'").unwrap();
        assert_eq!(expression.names(), ["account", "amount", "call"]);
    }

    #[test]
    fn money_is_read_and_written() {
        for (text, value) in [
            ("132.48", Some(13_248)),
            ("5", Some(500)),
            ("0.5", Some(50)),
            ("-1.05", Some(-105)),
            ("1.234", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(hundredths(text), value, "{text}");
        }
        assert_eq!(
            (decimal(6_624), decimal(-105), decimal(7)),
            ("66.24".into(), "-1.05".into(), "0.07".into())
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z0-9+*/%<>=!&|?:.,()\\[\\]{}'\" -]{0,60}") {
            let _ = Expression::parse(&text).map(|expression| expression.evaluate(no_hours, value));
        }
    }
}
