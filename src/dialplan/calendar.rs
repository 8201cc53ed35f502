//! When somebody is there: hours by weekday, holidays, and days that are worked though they would be free.

use std::collections::BTreeMap;

use time::{Date, Weekday};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Days ahead in which the next opening is looked for.
const AHEAD: u16 = 400;

/// When somebody is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Time zone by its IANA name; the service's own where there is none.
    pub(crate) zone: Option<String>,
    /// From Monday on.
    pub(crate) week: [Vec<Span>; 7],
    pub(crate) holidays: Vec<Holiday>,
    /// Days with hours of their own; they count more than holidays and weekdays.
    pub(crate) special: BTreeMap<Date, Vec<Span>>,
}

/// Minutes of a day, the first inclusive, the last exclusive; past midnight the last is above 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u16,
    pub(crate) to: u16,
}

/// Days on which nobody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holiday {
    pub(crate) days: Days,
    pub(crate) name: String,
}

/// Some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    /// The first and the last.
    From(Date, Date),
    /// A month and a day of every year.
    Yearly(u8, u8),
}

/// A date and a minute of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) date: Date,
    pub(crate) minute: u16,
}

impl Calendar {
    /// Whether somebody is there.
    pub(crate) fn is_open(&self, now: Moment) -> bool {
        let open = self.spans(now.date).iter().any(|s| s.from <= now.minute && now.minute < s.to);
        let yesterday = now.date.previous_day().map(|day| self.spans(day)).unwrap_or_default();
        open || yesterday.iter().any(|span| now.minute + DAY < span.to)
    }

    /// The holiday on `day`, unless it is worked all the same.
    pub(crate) fn holiday(&self, day: Date) -> Option<&str> {
        let on = |holiday: &&Holiday| match holiday.days {
            Days::From(first, last) => first <= day && day <= last,
            Days::Yearly(month, of_month) => {
                (u8::from(day.month()), day.day()) == (month, of_month)
            }
        };
        let holiday = self.holidays.iter().find(on).filter(|_| !self.special.contains_key(&day));
        holiday.map(|holiday| holiday.name.as_str())
    }

    /// `now` when somebody is there, else when somebody will be; `None` when nobody will in a year.
    pub(crate) fn opens(&self, now: Moment) -> Option<Moment> {
        if self.is_open(now) {
            return Some(now);
        }
        let mut date = now.date;
        for ahead in 0..AHEAD {
            let later = self.spans(date).iter().map(|span| span.from);
            let first = later.filter(|from| ahead > 0 || *from > now.minute).min();
            if let Some(minute) = first {
                return Some(Moment { date, minute });
            }
            date = date.next_day()?;
        }
        None
    }

    fn spans(&self, day: Date) -> &[Span] {
        match self.special.get(&day) {
            Some(spans) => spans,
            None if self.holiday(day).is_some() => &[],
            None => &self.week[index(day.weekday())],
        }
    }
}

/// Place of a weekday in [`Calendar::week`].
pub(crate) fn index(day: Weekday) -> usize {
    usize::from(day.number_days_from_monday()) % 7
}

impl Span {
    /// Reads `08:30-17:30`; hours that end before they begin go past midnight.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        let to = if to <= from { to + DAY } else { to };
        (from < DAY).then_some(Self { from, to })
    }
}

impl Moment {
    /// Reads `2026-11-28` and `14:30`.
    pub(crate) fn parse(date: &str, time: &str) -> Option<Self> {
        Some(Self { date: day(date)?, minute: minute(time)? })
    }

    /// The date as records have it, `2026-11-28`.
    pub(crate) fn date_text(self) -> String {
        self.date.to_string()
    }

    /// The time as records have it, `14:30`.
    pub(crate) fn time_text(self) -> String {
        format!("{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

/// A date as `2026-11-28`.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text.trim(), time::macros::format_description!("[year]-[month]-[day]")).ok()
}

/// A time of day as `14:30`, up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && minutes <= DAY).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        Span::parse(text).expect("a span")
    }

    /// Workdays with a lunch break, Saturday nights, National Day with one of its Saturdays worked.
    fn office() -> Calendar {
        let mut week: [Vec<Span>; 7] = Default::default();
        for day in week.iter_mut().take(5) {
            *day = vec![span("08:30-12:00"), span("13:00-17:30")];
        }
        week[5] = vec![span("22:00-02:00")];
        let date = |text| day(text).expect("a date");
        Calendar {
            zone: None,
            week,
            holidays: vec![
                Holiday {
                    days: Days::From(date("2026-10-01"), date("2026-10-07")),
                    name: "国庆节".into(),
                },
                Holiday { days: Days::Yearly(12, 25), name: "Christmas".into() },
            ],
            special: [(date("2026-10-10"), vec![span("09:00-12:00")])].into(),
        }
    }

    fn at(text: &str) -> Moment {
        let (date, time) = text.split_once(' ').expect("a moment");
        Moment::parse(date, time).expect("a moment")
    }

    #[test]
    fn hours_breaks_nights_holidays_and_worked_saturdays() {
        for (moment, open) in [
            ("2026-11-23 08:29", false),
            ("2026-11-23 08:30", true),
            ("2026-11-23 12:00", false),
            ("2026-11-23 13:00", true),
            ("2026-11-23 17:30", false),
            ("2026-11-28 23:59", true),
            ("2026-11-29 01:59", true),
            ("2026-11-29 02:00", false),
            ("2026-10-05 10:00", false),
            ("2026-10-08 10:00", true),
            ("2026-10-10 10:00", true),
            ("2026-10-10 22:30", false),
            ("2026-12-25 10:00", false),
            ("2027-12-25 10:00", false),
        ] {
            assert_eq!(office().is_open(at(moment)), open, "{moment}");
        }
    }

    #[test]
    fn the_next_opening_is_found_across_breaks_weekends_and_holidays() {
        for (moment, opens) in [
            ("2026-11-23 10:00", "2026-11-23 10:00"),
            ("2026-11-23 12:10", "2026-11-23 13:00"),
            ("2026-11-29 02:00", "2026-11-30 08:30"),
            ("2026-09-30 18:00", "2026-10-08 08:30"),
            ("2026-10-09 18:00", "2026-10-10 09:00"),
        ] {
            assert_eq!(office().opens(at(moment)), Some(at(opens)), "{moment}");
        }
        assert_eq!(Calendar::default().opens(at("2026-11-23 10:00")), None);
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "9-17", "09:00", "09:00-25:00", "24:00-08:00", "09:60-10:00", "a-b"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
        assert_eq!(span("00:00-24:00"), Span { from: 0, to: DAY });
    }
}
