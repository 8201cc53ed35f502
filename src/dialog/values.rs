use std::collections::BTreeMap;

use super::{CallFacts, Feeling};
use crate::{
    dialplan::{
        Dialplan,
        model::{CallFact, Part, Prompt, Reference, SlotKind, Template, Test},
    },
    text::{Lang, Phrase, Piece},
};

/// What is known so far in a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    slots: BTreeMap<String, String>,
    /// Row that the last lookup in a table found.
    rows: BTreeMap<String, usize>,
    /// What each tool gave last, by field.
    given: BTreeMap<String, BTreeMap<String, String>>,
    /// How the caller feels, from -100 to 100: in short, and written out.
    feeling: (Feeling, String),
}

impl Values {
    /// What a call knows from the beginning, as far as it fits.
    pub(crate) fn preset(given: &BTreeMap<String, String>, plan: &Dialplan) -> Self {
        let fits = |(slot, value): (&String, &String)| {
            Some((slot.clone(), plan.slot_value(slot, value).ok()?))
        };
        Self { slots: given.iter().filter_map(fits).collect(), ..Self::default() }
    }

    pub(crate) fn set(&mut self, slot: &str, value: String) {
        self.slots.insert(slot.to_owned(), value);
    }

    pub(crate) fn clear(&mut self, slot: &str) {
        self.slots.remove(slot);
    }

    /// The value of a slot, which then has none.
    pub(crate) fn take(&mut self, slot: &str) -> Option<String> {
        self.slots.remove(slot)
    }

    pub(crate) fn slot(&self, name: &str) -> Option<&str> {
        self.slots.get(name).map(String::as_str)
    }

    /// Remembers the row that a lookup found, or that it found none.
    pub(crate) fn found(&mut self, table: &str, row: Option<usize>) {
        match row {
            Some(row) => self.rows.insert(table.to_owned(), row),
            None => self.rows.remove(table),
        };
    }

    /// Remembers what a tool gave.
    pub(crate) fn given(&mut self, tool: &str, fields: BTreeMap<String, String>) {
        self.given.insert(tool.to_owned(), fields);
    }

    /// Adds one to a counter and returns the sum.
    pub(crate) fn count(&mut self, counter: &str) -> u32 {
        let before: u32 = self.slot(counter).and_then(|v| v.parse().ok()).unwrap_or(0);
        let after = before.saturating_add(1);
        self.set(counter, after.to_string());
        after
    }

    /// All slots, sensitive ones masked, without counters.
    pub(crate) fn for_record(&self, plan: &Dialplan) -> BTreeMap<String, String> {
        let slots = self.slots.iter().filter(|(name, _)| {
            let slot = plan.model().slots.get(*name);
            slot.is_none_or(|s| s.kind != SlotKind::Counter)
        });
        slots.map(|(name, value)| (name.clone(), shown(plan, name, value))).collect()
    }

    /// Remembers how the caller feels.
    pub(super) fn feels(&mut self, feeling: Feeling, percent: i16) {
        self.feeling = (feeling, percent.to_string());
    }

    /// How the caller feels, in short and from -100 to 100.
    pub(super) fn feeling(&self) -> (Feeling, i64) {
        (self.feeling.0, self.feeling.1.parse().unwrap_or(0))
    }

    /// The row that the last lookup in a table found.
    pub(super) fn row<'v>(&self, table: &str, plan: &'v Dialplan) -> Option<&'v Vec<String>> {
        let row = *self.rows.get(table)?;
        plan.model().tables.get(table)?.rows.get(row)
    }

    /// A field that a tool gave last; empty when it did not.
    pub(super) fn field(&self, tool: &str, field: &str) -> &str {
        self.given.get(tool).and_then(|fields| fields.get(field)).map_or("", String::as_str)
    }

    /// The value that a reference stands for; empty when there is none.
    fn get<'v>(
        &'v self,
        reference: &Reference,
        plan: &'v Dialplan,
        facts: &'v CallFacts,
    ) -> &'v str {
        match reference {
            Reference::Slot(name) => self.slot(name).unwrap_or_default(),
            Reference::Column { table, column } => {
                let row = self.row(table, plan);
                row.and_then(|r| r.get(*column)).map_or("", String::as_str)
            }
            Reference::Given { tool, field } => self.field(tool, field),
            Reference::Call(fact) => match fact {
                CallFact::Caller => &facts.caller,
                CallFact::Called => &facts.called,
                CallFact::Date => &facts.date,
                CallFact::Time => &facts.time,
                CallFact::Weekday => &facts.weekday,
                CallFact::Sentiment => self.feeling.0.as_str(),
                CallFact::SentimentPercent => &self.feeling.1,
                CallFact::Direction => facts.direction.as_str(),
            },
        }
    }

    /// Whether a condition's test holds.
    pub(crate) fn holds(
        &self,
        reference: &Reference,
        test: &Test,
        plan: &Dialplan,
        facts: &CallFacts,
    ) -> bool {
        let value = self.get(reference, plan, facts);
        match test {
            Test::Exists(wanted) => value.is_empty() != *wanted,
            Test::OneOf(values) => values.iter().any(|v| v == value),
            Test::Between(from, to) => from.as_str() <= value && value < to.as_str(),
        }
    }

    /// A template filled in, as plain text.
    pub(crate) fn fill(&self, template: &Template, plan: &Dialplan, facts: &CallFacts) -> String {
        let parts = template.parts.iter().map(|part| match part {
            Part::Words(words) => words.as_str(),
            Part::Mark(_) => "",
            Part::Value { reference, .. } => self.get(reference, plan, facts),
        });
        parts.collect()
    }

    /// One way of saying a prompt filled in, to be spoken in `lang`. Values that are not known are left out.
    pub(crate) fn phrase(
        &self,
        prompt: &Prompt,
        way: usize,
        lang: Lang,
        plan: &Dialplan,
        facts: &CallFacts,
    ) -> Phrase {
        let negative = self.feeling.0 == Feeling::Negative;
        let short = prompt.short.get(&lang).filter(|_| negative).and_then(|ways| ways.first());
        let text = short.or_else(|| prompt.texts.get(&lang).and_then(|ways| ways.get(way)));
        let parts = text.map_or(&[][..], |t| &t.parts);
        let pieces = parts.iter().filter_map(|part| match part {
            Part::Words(words) => Some(Piece::Words(words.clone())),
            Part::Mark(piece) => Some(piece.clone()),
            Part::Value { reference, read_as } => {
                let value = self.get(reference, plan, facts);
                let offered = self.offered(reference, value, plan);
                let value = offered.unwrap_or_else(|| spoken(plan, reference, value, lang));
                (!value.is_empty()).then_some(Piece::Value { value, read_as: *read_as })
            }
        });
        Phrase { lang, pieces: pieces.collect() }
    }
}

/// A slot's value as records may show it.
pub(crate) fn shown(plan: &Dialplan, slot: &str, value: &str) -> String {
    match plan.model().slots.get(slot) {
        Some(slot) if slot.sensitive => mask(value),
        _ => value.to_owned(),
    }
}

/// Keeps the last four characters of long values, the last two of middling ones, none of short.
pub(super) fn mask(value: &str) -> String {
    let length = value.chars().count();
    let kept = match length {
        0..=3 => 0,
        4..=7 => 2,
        _ => 4,
    };
    let stars = std::iter::repeat_n('*', length - kept);
    stars.chain(value.chars().skip(length - kept)).collect()
}

/// A choice is spoken by its first phrase, a code is spelled, everything else as it is.
fn spoken(plan: &Dialplan, reference: &Reference, value: &str, lang: Lang) -> String {
    let Reference::Slot(slot) = reference else {
        return value.to_owned();
    };
    let options = match plan.model().slots.get(slot).map(|s| &s.kind) {
        Some(SlotKind::Choice(options)) => options,
        Some(SlotKind::Code(_)) => return spelled(value),
        _ => return value.to_owned(),
    };
    let option = options.iter().find(|o| o.name == value);
    let phrase = option.and_then(|o| o.phrases.get(&lang)?.first());
    phrase.map_or_else(|| value.to_owned(), String::clone)
}

/// A code letter by letter, so that no voice makes a word of it.
fn spelled(value: &str) -> String {
    value.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_keeps_at_most_four_characters_and_never_most_of_a_value() {
        for (value, masked) in
            [("13800138000", "*******8000"), ("293224", "****24"), ("123", "***"), ("", "")]
        {
            assert_eq!(mask(value), masked);
        }
    }
}
