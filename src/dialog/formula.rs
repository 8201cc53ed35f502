//! What expressions come to in a call.

use super::{CallFacts, Event, Machine, Output, values::Values};
use crate::{
    dialplan::{
        Dialplan,
        calendar::Moment,
        expression::{Operand, decimal, hundredths},
        hours::Hours,
        model::{Condition, Formula, SetTo, SlotKind},
    },
    text::ReadAs,
};

impl Machine {
    /// Whether a case holds. One whose expression has no value, because something in it is not known, does not.
    pub(super) fn holds(&self, condition: &Condition, out: &mut Vec<Output>) -> bool {
        match condition {
            Condition::Value { value, test } => {
                self.values.holds(value, test, &self.plan, &self.facts)
            }
            Condition::Formula(formula) => self.compute(formula, out) == Operand::Flag(true),
        }
    }

    /// The value that a slot is set to; `None` for nothing.
    pub(super) fn set_to(&self, slot: &str, to: &SetTo, out: &mut Vec<Output>) -> Option<String> {
        match to {
            SetTo::Nothing => None,
            SetTo::Text(template) => Some(self.values.fill(template, &self.plan, &self.facts)),
            SetTo::Computed(formula) => {
                let kind = self.plan.model().slots.get(slot).map(|slot| &slot.kind);
                held(self.compute(formula, out), kind)
            }
        }
    }

    pub(super) fn compute(&self, formula: &Formula, out: &mut Vec<Output>) -> Operand {
        match self.values.evaluate(formula, &self.plan, &self.facts) {
            Ok(value) => value,
            Err(problem) => {
                let expression = formula.expression.text().to_owned();
                out.push(Output::Note(Event::NoValue { expression, problem }));
                Operand::Nothing
            }
        }
    }
}

impl Values {
    /// The value of an expression with all that is known.
    fn evaluate(
        &self,
        formula: &Formula,
        plan: &Dialplan,
        facts: &CallFacts,
    ) -> Result<Operand, String> {
        formula.expression.evaluate(|| hours(plan, facts), |name| self.operand(name, plan, facts))
    }

    /// What a name stands for: a slot, the row of a table, what a tool gave, or the call.
    fn operand(&self, name: &str, plan: &Dialplan, facts: &CallFacts) -> Operand {
        let model = plan.model();
        if let Some(slot) = model.slots.get(name) {
            return operand(self.slot(name).unwrap_or_default(), slot.kind.usual_reading());
        }
        let fields = if name == "call" {
            let known = [
                ("caller", facts.caller.as_str()),
                ("called", facts.called.as_str()),
                ("date", facts.date.as_str()),
                ("time", facts.time.as_str()),
                ("weekday", facts.weekday.as_str()),
                ("direction", facts.direction.as_str()),
            ];
            let text =
                |(name, value): (&str, &str)| (name.to_owned(), operand(value, ReadAs::Text));
            let (feeling, percent) = self.feeling();
            let felt = [
                ("sentiment".to_owned(), Operand::Text(feeling.as_str().to_owned())),
                ("sentiment_percent".to_owned(), Operand::Whole(percent)),
            ];
            known.into_iter().map(text).chain(felt).collect()
        } else if let Some(table) = model.tables.get(name) {
            let row = self.row(name, plan);
            let cell = |(at, column): (usize, &String)| {
                let cell = row.and_then(|row| row.get(at)).map_or("", String::as_str);
                (column.clone(), operand(cell, ReadAs::Text))
            };
            table.columns.iter().enumerate().map(cell).collect()
        } else if let Some(tool) = model.tools.get(name) {
            let field = |(field, read_as): (&String, &ReadAs)| {
                (field.clone(), operand(self.field(name, field), *read_as))
            };
            tool.gives.iter().map(field).collect()
        } else {
            return Operand::Nothing;
        };
        Operand::Fields(fields)
    }
}

/// The dialplan's calendars, and what time it is for each.
fn hours(plan: &Dialplan, facts: &CallFacts) -> Hours {
    let here = Moment::parse(&facts.date, &facts.time).map(|now| (String::new(), now));
    let zones = facts.zones.iter().filter_map(|(zone, clock)| {
        let (date, time) = clock.split_once(' ')?;
        Some((zone.clone(), Moment::parse(date, time)?))
    });
    Hours {
        calendars: plan.model().calendars.clone(),
        now: here.into_iter().chain(zones).collect(),
    }
}

/// A value as a slot of that kind holds it; `None` for nothing.
fn held(value: Operand, kind: Option<&SlotKind>) -> Option<String> {
    match value {
        Operand::Nothing | Operand::Fields(_) => None,
        Operand::Flag(flag) => Some(if flag { "yes" } else { "no" }.to_owned()),
        Operand::Whole(whole) if kind.map(SlotKind::usual_reading) == Some(ReadAs::Amount) => {
            Some(decimal(whole))
        }
        Operand::Whole(whole) => Some(whole.to_string()),
        Operand::Text(text) => Some(text),
    }
}

fn operand(value: &str, read_as: ReadAs) -> Operand {
    let whole = match read_as {
        _ if value.is_empty() => return Operand::Nothing,
        ReadAs::Amount => hundredths(value),
        ReadAs::Number => value.parse().ok(),
        ReadAs::Text | ReadAs::Digits | ReadAs::Date | ReadAs::Time => None,
    };
    whole.map_or_else(|| Operand::Text(value.to_owned()), Operand::Whole)
}
