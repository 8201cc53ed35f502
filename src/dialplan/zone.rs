//! Time zones by their IANA names, with their changes of summer time.

use jiff::{Timestamp, civil, tz::TimeZone};
use time::PrimitiveDateTime;

/// Whether there is such a zone. Where the machine has no table of zones at all, every one may be.
pub(crate) fn is_known(name: &str) -> bool {
    TimeZone::get(name).is_ok() || jiff::tz::db().available().next().is_none()
}

/// What clocks in the zone `name` show at `utc`; `None` for a zone that the machine does not know.
pub fn clock_in(name: &str, utc: PrimitiveDateTime) -> Option<PrimitiveDateTime> {
    let zone = TimeZone::get(name).ok()?;
    let timestamp = Timestamp::from_second(utc.assume_utc().unix_timestamp()).ok()?;
    from_civil(zone.to_datetime(timestamp))
}

/// The universal time when clocks in the zone `name` show `local`: of a time that is there twice the first,
/// of one that is skipped the time that clocks show instead.
pub fn universal(name: &str, local: PrimitiveDateTime) -> Option<PrimitiveDateTime> {
    let zone = TimeZone::get(name).ok()?;
    let (date, time) = (local.date(), local.time());
    let date = civil::date(
        i16::try_from(date.year()).ok()?,
        i8::try_from(u8::from(date.month())).ok()?,
        i8::try_from(date.day()).ok()?,
    );
    let clock = date.at(
        i8::try_from(time.hour()).ok()?,
        i8::try_from(time.minute()).ok()?,
        i8::try_from(time.second()).ok()?,
        0,
    );
    let timestamp = zone.to_ambiguous_timestamp(clock).compatible().ok()?;
    from_civil(TimeZone::UTC.to_datetime(timestamp))
}

fn from_civil(clock: civil::DateTime) -> Option<PrimitiveDateTime> {
    let month = time::Month::try_from(u8::try_from(clock.month()).ok()?).ok()?;
    let day = u8::try_from(clock.day()).ok()?;
    let date = time::Date::from_calendar_date(clock.year().into(), month, day).ok()?;
    let part = |part: i8| u8::try_from(part).ok();
    let time =
        time::Time::from_hms(part(clock.hour())?, part(clock.minute())?, part(clock.second())?);
    Some(PrimitiveDateTime::new(date, time.ok()?))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn clocks_follow_summer_time() {
        for (zone, utc, local) in [
            ("Europe/London", datetime!(2026-03-29 00:59), datetime!(2026-03-29 00:59)),
            ("Europe/London", datetime!(2026-03-29 01:00), datetime!(2026-03-29 02:00)),
            ("America/Los_Angeles", datetime!(2026-11-01 09:30), datetime!(2026-11-01 01:30)),
            ("Asia/Shanghai", datetime!(2026-11-23 16:30), datetime!(2026-11-24 00:30)),
        ] {
            assert_eq!(clock_in(zone, utc), Some(local), "{zone} {utc}");
        }
    }

    #[test]
    fn a_local_time_that_is_skipped_or_there_twice_is_one_moment_all_the_same() {
        let universal = |zone, local| universal(zone, local).expect("a moment");
        assert_eq!(
            universal("Europe/London", datetime!(2026-03-29 01:30)),
            datetime!(2026-03-29 01:30)
        );
        assert_eq!(
            universal("Europe/London", datetime!(2026-10-25 01:30)),
            datetime!(2026-10-25 00:30)
        );
        assert_eq!(
            universal("Asia/Shanghai", datetime!(2026-11-23 10:05)),
            datetime!(2026-11-23 02:05)
        );
    }

    #[test]
    fn a_zone_that_is_none_is_not_known() {
        assert!(is_known("Asia/Shanghai"));
        assert!(!is_known("Asia/Shangai"));
    }
}
