//! What expressions ask of calendars.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    calendar::{Calendar, Moment},
    error::did_you_mean,
};

/// The calendars of a dialplan, and what time it is.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    pub(crate) calendars: Arc<BTreeMap<String, Calendar>>,
    /// By time zone; where the service runs without a name.
    pub(crate) now: BTreeMap<String, Moment>,
}

impl Hours {
    /// A working day, to try expressions with.
    pub(crate) fn sample(calendars: Arc<BTreeMap<String, Calendar>>) -> Self {
        let now = Moment::parse("2026-11-23", "10:05");
        Self { calendars, now: now.map(|now| (String::new(), now)).into_iter().collect() }
    }

    /// Whether somebody is there: now, or at a moment such as `2026-11-28 14:00`.
    pub(super) fn open(&self, name: &str, moment: Option<&str>) -> Result<bool, String> {
        let (calendar, now) = self.calendar(name)?;
        let Some(text) = moment else { return Ok(calendar.is_open(now)) };
        let wanted = text.split_once(' ').and_then(|(date, time)| Moment::parse(date, time));
        let wanted = wanted.ok_or_else(|| format!("`{text}` is not like 2026-11-28 14:00"))?;
        Ok(calendar.is_open(wanted))
    }

    /// The name of today's holiday.
    pub(super) fn holiday(&self, name: &str) -> Result<Option<String>, String> {
        let (calendar, now) = self.calendar(name)?;
        Ok(calendar.holiday(now.date).map(str::to_owned))
    }

    /// When somebody is there next.
    pub(super) fn opens(&self, name: &str) -> Result<Option<Moment>, String> {
        let (calendar, now) = self.calendar(name)?;
        Ok(calendar.opens(now))
    }

    fn calendar(&self, name: &str) -> Result<(&Calendar, Moment), String> {
        let Some(calendar) = self.calendars.get(name) else {
            let remedy = did_you_mean(name, self.calendars.keys().map(String::as_str));
            return Err(format!("no calendar `{name}`: {remedy}"));
        };
        // A journal of a service that did not know the zone has its own time.
        let zone = calendar.zone.as_deref().unwrap_or_default();
        let now = self.now.get(zone).or_else(|| self.now.get("")).copied();
        now.map(|now| (calendar, now)).ok_or_else(|| "the time of the call is not known".to_owned())
    }
}
