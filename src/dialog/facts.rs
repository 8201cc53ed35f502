use serde::{Deserialize, Serialize};

/// What is known about a call before anyone speaks. The dialog has no clock: the date and time
/// are those of the call's beginning, where the caller is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// The caller's number; empty when withheld.
    pub caller: String,
    /// The number that was called.
    pub called: String,
    /// Local date, `YYYY-MM-DD`.
    pub date: String,
    /// Local time of day, `HH:MM`, 24 hours.
    pub time: String,
    /// Local day of the week: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`.
    pub weekday: String,
}

impl CallFacts {
    /// The facts of a call from `caller` to `called` that begins at `local`, in the time zone of
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_as_dialplans_compare_them() {
        let facts = CallFacts::new("100", "200", time::macros::datetime!(2026-11-23 09:05));
        assert_eq!((&*facts.date, &*facts.time, &*facts.weekday), ("2026-11-23", "09:05", "mon"));
    }
}
