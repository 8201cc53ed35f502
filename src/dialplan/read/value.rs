use super::Scope;
use crate::{
    dialplan::{
        error::{At, did_you_mean},
        model::{CallFact, Part, Reference, SlotKind},
    },
    text::ReadAs,
    understand::DigitSpec,
};

impl Scope<'_> {
    /// What is between the braces.
    pub(super) fn value(&self, inside: &str, at: At) -> Option<Part> {
        let (name, read_as) = match inside.split_once(':') {
            Some((name, read_as)) => (name.trim(), Some(read_as.trim())),
            None => (inside.trim(), None),
        };
        let reference = self.reference(name, at)?;
        let usual = self.usual_reading(&reference);
        let read_as = match read_as {
            None => usual,
            Some(name) => ReadAs::of(name).unwrap_or_else(|| {
                let remedy = did_you_mean(name, ReadAs::NAMES.iter().map(|(known, _)| *known));
                self.report.error(at, format!("values cannot be read as `{name}`"), remedy);
                usual
            }),
        };
        self.check_reading(&reference, name, read_as, at);
        Some(Part::Value { reference, read_as })
    }

    /// The value that `name` stands for: a slot, `table.column` or `call.fact`.
    pub(super) fn reference(&self, name: &str, at: At) -> Option<Reference> {
        let Some((place, field)) = name.split_once('.') else {
            if self.slots.contains_key(name) {
                return Some(Reference::Slot(name.to_owned()));
            }
            self.unknown_slot(name, at);
            return None;
        };
        if place == "call" {
            return self.call_fact(field, at).map(Reference::Call);
        }
        if let Some(tool) = self.tools.get(place) {
            if !tool.gives.contains_key(field) {
                let remedy = did_you_mean(field, tool.gives.keys().map(String::as_str));
                self.report.error(at, format!("tool `{place}` gives no `{field}`"), remedy);
            }
            return Some(Reference::Given { tool: place.to_owned(), field: field.to_owned() });
        }
        let Some(table) = self.tables.get(place) else {
            self.unknown_table(place, at);
            return None;
        };
        match table.column(field) {
            Some(column) => Some(Reference::Column { table: place.to_owned(), column }),
            None => {
                let remedy = did_you_mean(field, table.columns.iter().map(String::as_str));
                let what = format!("table `{place}` has no column `{field}`");
                self.report.error(at, what, remedy);
                None
            }
        }
    }

    pub(super) fn unknown_slot(&self, name: &str, at: At) {
        if !self.broken.contains(name) {
            let remedy = did_you_mean(name, self.slots.keys().map(String::as_str));
            self.report.error(at, format!("no slot `{name}`"), remedy);
        }
    }

    pub(super) fn unknown_table(&self, name: &str, at: At) {
        if !self.broken.contains(name) {
            let remedy = did_you_mean(name, self.tables.keys().map(String::as_str));
            self.report.error(at, format!("no table `{name}`"), remedy);
        }
    }

    fn call_fact(&self, name: &str, at: At) -> Option<CallFact> {
        match name {
            "caller" => Some(CallFact::Caller),
            "called" => Some(CallFact::Called),
            "date" => Some(CallFact::Date),
            "time" => Some(CallFact::Time),
            "weekday" => Some(CallFact::Weekday),
            "sentiment" | "sentiment_percent" if !self.feels => {
                let remedy = "add `sentiment:`, so that it is known how callers feel";
                self.report.error(at, format!("`call.{name}` is not known"), remedy);
                None
            }
            "sentiment" => Some(CallFact::Sentiment),
            "sentiment_percent" => Some(CallFact::SentimentPercent),
            "direction" => Some(CallFact::Direction),
            _ => {
                let known = [
                    "caller",
                    "called",
                    "date",
                    "time",
                    "weekday",
                    "direction",
                    "sentiment",
                    "sentiment_percent",
                ];
                let remedy = did_you_mean(name, known);
                self.report.error(at, format!("a call has no `{name}`"), remedy);
                None
            }
        }
    }

    /// How a value is read when the prompt does not say.
    fn usual_reading(&self, reference: &Reference) -> ReadAs {
        match reference {
            Reference::Slot(name) => {
                self.slots.get(name).map_or(ReadAs::Text, |slot| slot.kind.usual_reading())
            }
            Reference::Given { tool, field } => {
                let tool = self.tools.get(tool);
                tool.and_then(|t| t.gives.get(field)).copied().unwrap_or(ReadAs::Text)
            }
            Reference::Call(CallFact::SentimentPercent) => ReadAs::Number,
            Reference::Column { .. }
            | Reference::Call(CallFact::Weekday | CallFact::Direction | CallFact::Sentiment) => {
                ReadAs::Text
            }
            Reference::Call(CallFact::Caller | CallFact::Called) => ReadAs::Digits,
            Reference::Call(CallFact::Date) => ReadAs::Date,
            Reference::Call(CallFact::Time) => ReadAs::Time,
        }
    }

    /// Reports a reading that values of this kind do not fit.
    fn check_reading(&self, reference: &Reference, name: &str, read_as: ReadAs, at: At) {
        let misfit = match reference {
            Reference::Slot(slot) => match self.slots.get(slot).map(|s| &s.kind) {
                Some(SlotKind::Digits(DigitSpec { allow_x, .. })) => {
                    (matches!(read_as, ReadAs::Amount | ReadAs::Date | ReadAs::Time)
                        || (*allow_x && read_as == ReadAs::Number))
                        .then(|| "callers give digits for it".to_owned())
                }
                Some(SlotKind::Counter) => (!matches!(read_as, ReadAs::Number | ReadAs::Text))
                    .then(|| "it is a counter".to_owned()),
                Some(kind) => (!matches!(read_as, ReadAs::Text) && read_as != kind.usual_reading())
                    .then(|| "callers give something else for it".to_owned()),
                None => None,
            },
            Reference::Call(fact) => {
                let fits = match fact {
                    CallFact::Caller | CallFact::Called => read_as == ReadAs::Digits,
                    CallFact::Date => read_as == ReadAs::Date,
                    CallFact::Time => read_as == ReadAs::Time,
                    CallFact::Weekday | CallFact::Direction | CallFact::Sentiment => {
                        read_as == ReadAs::Text
                    }
                    CallFact::SentimentPercent => read_as == ReadAs::Number,
                };
                (!fits).then(|| "the call's facts have readings of their own".to_owned())
            }
            Reference::Given { tool, field } => self
                .tools
                .get(tool)
                .and_then(|t| t.gives.get(field))
                .filter(|given| **given != read_as && read_as != ReadAs::Text)
                .map(|given| format!("the tool gives it as {}", given.name())),
            Reference::Column { table, column } => self.tables.get(table).and_then(|t| {
                let misfit = t.rows.iter().find(|row| !read_as.fits(&row[*column]))?;
                Some(format!("the table has `{}` there", misfit[*column]))
            }),
        };
        if let Some(reason) = misfit {
            let reading = read_as.name();
            self.report.error(
                at,
                format!("`{name}` cannot be read as {reading}: {reason}"),
                "change the reading after the colon, or leave it out",
            );
        }
    }
}
