use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dialplan::{Dialplan, clock_in};

/// What is known about a call before anyone speaks. The dialog has no clock: the date and time
/// are those of the call's beginning, where the caller is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// The caller's number; empty when withheld. Our own in a call that we place.
    pub caller: String,
    /// The number that was called.
    pub called: String,
    /// Local date, `YYYY-MM-DD`.
    pub date: String,
    /// Local time of day, `HH:MM`, 24 hours.
    pub time: String,
    /// Local day of the week: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`.
    pub weekday: String,
    /// What clocks show in the time zones of the dialplan's calendars, `YYYY-MM-DD HH:MM`, by zone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub zones: BTreeMap<String, String>,
    /// Who called whom.
    #[serde(default)]
    pub direction: CallDirection,
    /// Values that slots have from the beginning. What does not fit its slot is passed over:
    /// [`Dialplan::slot_value`](crate::dialplan::Dialplan::slot_value) says what does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preset: BTreeMap<String, String>,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// The caller called us.
    #[default]
    Inbound,
    /// We called.
    Outbound,
}

impl CallDirection {
    /// `inbound` or `outbound`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl CallFacts {
    /// The facts of an inbound call from `caller` to `called` that begins at `local`, in the time zone of
    /// the people served.
    pub fn new(
        caller: impl Into<String>,
        called: impl Into<String>,
        local: time::PrimitiveDateTime,
    ) -> Self {
        let weekday = local.weekday().to_string().to_lowercase();
        Self {
            caller: caller.into(),
            called: called.into(),
            date: format!("{:04}-{:02}-{:02}", local.year(), u8::from(local.month()), local.day()),
            time: format!("{:02}:{:02}", local.hour(), local.minute()),
            weekday: weekday.chars().take(3).collect(),
            zones: BTreeMap::new(),
            direction: CallDirection::Inbound,
            preset: BTreeMap::new(),
        }
    }

    /// Adds what clocks show at `utc` in the time zones of `plan`'s calendars.
    #[must_use]
    pub fn in_zones_of(mut self, plan: &Dialplan, utc: time::PrimitiveDateTime) -> Self {
        let clock = |zone: &str| {
            let local = clock_in(zone, utc)?;
            let local = Self::new("", "", local);
            Some((zone.to_owned(), format!("{} {}", local.date, local.time)))
        };
        self.zones = plan.zones().into_iter().filter_map(clock).collect();
        self
    }

    /// The same of a call that we place, with values that slots have from the beginning.
    pub fn placed(self, preset: BTreeMap<String, String>) -> Self {
        Self { direction: CallDirection::Outbound, preset, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_as_dialplans_compare_them() {
        let facts = CallFacts::new("100", "200", time::macros::datetime!(2026-11-23 09:05));
        assert_eq!((&*facts.date, &*facts.time, &*facts.weekday), ("2026-11-23", "09:05", "mon"));
        assert_eq!(facts.direction.as_str(), "inbound");
    }

    #[test]
    fn facts_of_an_older_journal_are_those_of_an_inbound_call() {
        let old =
            r#"{"caller":"1","called":"2","date":"2026-11-23","time":"09:05","weekday":"mon"}"#;
        let facts: CallFacts = serde_json::from_str(old).unwrap();
        assert_eq!((facts.direction, facts.preset.len()), (CallDirection::Inbound, 0));
    }
}
