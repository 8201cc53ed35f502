//! `calendars:`, when somebody is there.

use std::collections::BTreeMap;

use time::Date;

use super::fields::{Fields, Report};
use crate::dialplan::{
    calendar::{Calendar, Days, Holiday, Span, day},
    yaml::{Key, Kind, Yaml},
    zone,
};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads `calendars:`, by name.
pub(super) fn read(report: &Report, yaml: &Yaml) -> BTreeMap<String, Calendar> {
    let mut calendars = BTreeMap::new();
    for (name, yaml) in report.map(yaml, "`calendars`") {
        let fields = Fields::new(report, yaml, format!("calendar `{}`", name.name));
        let mut calendar = Calendar { zone: zone_of(report, &fields), ..Calendar::default() };
        if let Some(yaml) = fields.require("hours", "add `hours: {mon-fri: \"09:00-17:00\"}`") {
            week(report, yaml, &mut calendar);
        }
        if let Some(yaml) = fields.get("holidays") {
            calendar.holidays = holidays(report, yaml);
        }
        if let Some(yaml) = fields.get("special") {
            special(report, yaml, &mut calendar);
        }
        fields.finish();
        calendars.insert(name.name.clone(), calendar);
    }
    calendars
}

fn zone_of(report: &Report, fields: &Fields<'_>) -> Option<String> {
    let yaml = fields.get("zone")?;
    let name = report.text(yaml, "`zone`")?;
    if !zone::is_known(name) {
        let remedy = "write its IANA name, such as `Asia/Shanghai` or `Europe/London`";
        report.error(yaml.at, format!("no time zone `{name}`"), remedy);
    }
    Some(name.to_owned())
}

/// `hours: {mon-fri: ["08:30-12:00", "13:00-17:30"], sat: "09:00-12:00"}`.
fn week(report: &Report, yaml: &Yaml, calendar: &mut Calendar) {
    for (days, yaml) in report.map(yaml, "`hours`") {
        let spans = spans(report, yaml);
        let Some(days) = weekdays(&days.name) else {
            let remedy = "write `mon`, `mon-fri`, `sat, sun` or `daily`";
            report.error(days.at, format!("`{}` is no day of the week", days.name), remedy);
            continue;
        };
        for day in days {
            if !calendar.week[day].is_empty() {
                let what = format!("`{}` has hours twice", WEEKDAYS[day]);
                report.error(yaml.at, what, "write all hours of a day in one list");
            }
            calendar.week[day].clone_from(&spans);
        }
    }
}

/// Days by their place in the week.
fn weekdays(text: &str) -> Option<Vec<usize>> {
    if text == "daily" {
        return Some((0..7).collect());
    }
    let place = |name: &str| WEEKDAYS.iter().position(|day| *day == name.trim());
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => days.push(place(part)?),
            Some((first, last)) => {
                let (first, last) = (place(first)?, place(last)?);
                days.extend((0..7).map(|n| (first + n) % 7).take((last + 7 - first) % 7 + 1));
            }
        }
    }
    Some(days)
}

/// `08:30-12:00`, or a list of them; none for `closed`.
fn spans(report: &Report, yaml: &Yaml) -> Vec<Span> {
    let items = match &yaml.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![yaml],
    };
    let mut spans = Vec::new();
    for item in items {
        match report.text(item, "hours") {
            None | Some("closed") => {}
            Some(text) => match Span::parse(text) {
                Some(span) => spans.push(span),
                None => {
                    let remedy =
                        "write them like `09:00-17:30`, or `closed`; past midnight `22:00-06:00`";
                    report.error(item.at, format!("`{text}` is not hours of a day"), remedy);
                }
            },
        }
    }
    spans
}

/// `holidays: {2026-10-01..2026-10-07: 国庆节, 12-25: Christmas}`.
fn holidays(report: &Report, yaml: &Yaml) -> Vec<Holiday> {
    let mut holidays = Vec::new();
    for (key, name) in report.map(yaml, "`holidays`") {
        let name = report.text(name, "a holiday's name").unwrap_or_default().to_owned();
        match days(&key.name) {
            Some(days) => holidays.push(Holiday { days, name }),
            None => {
                let remedy =
                    "write `2026-10-01`, `2026-10-01..2026-10-07`, or `12-25` for every year";
                report.error(key.at, format!("`{}` is no day", key.name), remedy);
            }
        }
    }
    holidays
}

fn days(text: &str) -> Option<Days> {
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (day(first)?, day(last)?);
        return (first <= last).then_some(Days::From(first, last));
    }
    if let Some(date) = day(text) {
        return Some(Days::From(date, date));
    }
    let (month, of_month) = text.trim().split_once('-')?;
    let (month, of_month) = (month.parse().ok()?, of_month.parse().ok()?);
    // A leap year has every day that there is.
    Date::from_calendar_date(2028, time::Month::try_from(month).ok()?, of_month).ok()?;
    Some(Days::Yearly(month, of_month))
}

/// `special: {2026-10-10: mon, 2026-12-24: "09:00-12:00", 2026-12-31: closed}`.
fn special(report: &Report, yaml: &Yaml, calendar: &mut Calendar) {
    for (key, yaml) in report.map(yaml, "`special`") {
        let Some(date) = date(report, key) else { continue };
        let like = yaml.scalar().and_then(|text| WEEKDAYS.iter().position(|day| *day == text));
        let spans = match like {
            Some(like) => calendar.week[like].clone(),
            None => spans(report, yaml),
        };
        calendar.special.insert(date, spans);
    }
}

fn date(report: &Report, key: &Key) -> Option<Date> {
    let date = day(&key.name);
    if date.is_none() {
        report.error(key.at, format!("`{}` is no day", key.name), "write it like `2026-10-10`");
    }
    date
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::calendar;

    #[test]
    fn days_of_the_week_are_named_in_several_ways() {
        for (text, days) in [
            ("mon", Some(vec![0])),
            ("mon-fri", Some(vec![0, 1, 2, 3, 4])),
            ("sat, sun", Some(vec![5, 6])),
            ("sat-mon", Some(vec![5, 6, 0])),
            ("daily", Some((0..7).collect())),
            ("someday", None),
            ("", None),
        ] {
            assert_eq!(weekdays(text), days, "{text}");
        }
        assert_eq!(calendar::index(time::Weekday::Sunday), 6);
    }

    #[test]
    fn days_of_the_year_are_named_in_several_ways() {
        assert!(matches!(days("2026-10-01..2026-10-07"), Some(Days::From(..))));
        assert!(matches!(days("2026-10-01"), Some(Days::From(..))));
        assert_eq!(days("12-25"), Some(Days::Yearly(12, 25)));
        assert_eq!(days("02-29"), Some(Days::Yearly(2, 29)));
        for text in ["13-01", "02-30", "2026-10-07..2026-10-01", "christmas", ""] {
            assert_eq!(days(text), None, "{text}");
        }
    }
}
