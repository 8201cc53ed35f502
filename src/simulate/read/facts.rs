//! Who calls whom and when, and what is known from the beginning.

use time::{PrimitiveDateTime, macros::format_description};

use super::Reader;
use crate::{
    dialog::{CallDirection, CallFacts},
    dialplan::{Fields, did_you_mean},
};

/// Who calls whom and when, of a file that does not say: the day of the week is a Monday.
const CALLER: &str = "4155550134";
const CALLED: &str = "1000";
const NOW: &str = "2026-11-23 10:05";

impl Reader<'_> {
    /// `caller`, `called`, `now`, `direction` and `set`; of what is not there, those of the file.
    pub(super) fn facts(&self, fields: &Fields<'_>, usual: Option<&CallFacts>) -> CallFacts {
        let caller = fields.text("caller").or(usual.map(|facts| facts.caller.as_str()));
        let called = fields.text("called").or(usual.map(|facts| facts.called.as_str()));
        let (caller, called) = (caller.unwrap_or(CALLER), called.unwrap_or(CALLED));
        let written = fields.get("now");
        let now = match (written, usual) {
            (Some(yaml), _) => self.report.text(yaml, "`now`").unwrap_or(NOW).to_owned(),
            (None, Some(usual)) => format!("{} {}", usual.date, usual.time),
            (None, None) => NOW.to_owned(),
        };
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
        let now = PrimitiveDateTime::parse(&now, format).unwrap_or_else(|_| {
            if let Some(yaml) = written {
                let remedy = "write it like `2026-11-23 10:05`";
                self.report.error(yaml.at, format!("`now` is `{now}`"), remedy);
            }
            time::macros::datetime!(2026-11-23 10:05)
        });
        let facts = CallFacts::new(caller, called, now);
        let direction = self.direction(fields).or(usual.map(|usual| usual.direction));
        let preset = match fields.get("set") {
            Some(yaml) => self.texts(yaml, "`set`"),
            None => usual.map(|usual| usual.preset.clone()).unwrap_or_default(),
        };
        CallFacts { direction: direction.unwrap_or_default(), preset, ..facts }
    }

    /// `direction: outbound`, of a call that we place.
    fn direction(&self, fields: &Fields<'_>) -> Option<CallDirection> {
        let yaml = fields.get("direction")?;
        let word = self.report.text(yaml, "`direction`")?;
        let known = [CallDirection::Inbound, CallDirection::Outbound];
        let found = known.into_iter().find(|known| known.as_str() == word);
        if found.is_none() {
            let remedy = did_you_mean(word, known.map(CallDirection::as_str));
            self.report.error(yaml.at, format!("no direction `{word}`"), remedy);
        }
        found
    }
}
