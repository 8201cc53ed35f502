//! Values that callers key in.

use time::{Date, Month, Time, macros::format_description};

use super::{Machine, turn::Answer};
use crate::dialplan::{
    expression::{decimal, hundredths},
    model::SlotKind,
};

impl Machine {
    /// The value for `slot` in what was keyed; `single` when that is one key.
    pub(super) fn keyed_value(&self, slot: &str, keys: &str, single: Option<char>) -> Answer {
        let value = match self.plan.model().slots.get(slot).map(|s| &s.kind) {
            Some(SlotKind::Digits(spec)) => {
                let value: String = match (spec.allow_x, keys.strip_suffix('*')) {
                    (true, Some(body)) => format!("{body}X"),
                    _ => keys.to_owned(),
                };
                spec.fits(&value).then_some(value)
            }
            Some(SlotKind::YesNo) => match single {
                Some('1') => Some("yes".to_owned()),
                Some('2') => Some("no".to_owned()),
                _ => None,
            },
            Some(SlotKind::Choice(options)) => {
                options.iter().find(|o| single.is_some() && o.key == single).map(|o| o.name.clone())
            }
            // The first is 1.
            Some(SlotKind::Offered(from)) => single
                .and_then(|key| key.to_digit(10))
                .and_then(|place| self.offers(from).into_iter().nth(place.checked_sub(1)? as usize))
                .map(|offer| offer.name),
            Some(SlotKind::Number { min, max }) => {
                let value = keys.parse::<i64>().ok().filter(|value| (min..=max).contains(&value));
                value.map(|value| value.to_string())
            }
            // The star stands where the point of a sum does.
            Some(SlotKind::Money) => hundredths(&keys.replacen('*', ".", 1)).map(decimal),
            Some(SlotKind::Date) => day(&self.facts.date).and_then(|today| keyed_date(keys, today)),
            Some(SlotKind::Time) => keyed_time(keys),
            Some(SlotKind::Code(form)) => form.is_digits().then(|| form.keyed(keys)).flatten(),
            Some(SlotKind::Text | SlotKind::Counter) | None => None,
        };
        value.map_or(Answer::NoMatch, Answer::Value)
    }
}

/// How many digits the numbers up to `most` have.
pub(super) fn digits_of(most: i64) -> u8 {
    u8::try_from(most.to_string().len()).unwrap_or(u8::MAX)
}

/// A date as the call's facts have it.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// A time of day as slots hold it.
pub(super) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// `1127`, month and day: the next such day.
fn keyed_date(keys: &str, today: Date) -> Option<String> {
    let (month, day) = (keys.len() == 4).then(|| keys.split_at_checked(2))??;
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let day: u8 = day.parse().ok()?;
    let years = today.year()..=today.year() + 8;
    let dates = years.filter_map(|year| Date::from_calendar_date(year, month, day).ok());
    dates.into_iter().find(|date| *date >= today).map(|date| date.to_string())
}

/// `1430`, or `830`.
fn keyed_time(keys: &str) -> Option<String> {
    let (hour, minute) = keys.split_at_checked(keys.len().checked_sub(2)?)?;
    let time = Time::from_hms(hour.parse().ok()?, minute.parse().ok()?, 0).ok()?;
    Some(clock(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_keyed_in_four_figures() {
        let today = day("2026-11-23").unwrap();
        assert_eq!(keyed_date("1127", today).as_deref(), Some("2026-11-27"));
        assert_eq!(keyed_date("0102", today).as_deref(), Some("2027-01-02"));
        for wrong in ["1332", "12", "11277", "**27", ""] {
            assert_eq!(keyed_date(wrong, today), None, "{wrong}");
        }
        assert_eq!(keyed_time("1430").as_deref(), Some("14:30"));
        assert_eq!(keyed_time("830").as_deref(), Some("08:30"));
        for wrong in ["2561", "5", "", "1**0"] {
            assert_eq!(keyed_time(wrong), None, "{wrong}");
        }
    }
}
