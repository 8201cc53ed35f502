//! Expressions in CEL, with the names that the dialplan gives them.

use std::collections::BTreeMap;

use super::{Scope, fields::Fields};
use crate::{
    dialplan::{
        error::did_you_mean,
        expression::{Expression, Operand},
        hours::Hours,
        model::{Formula, Reference, SetTo, SlotKind},
        yaml::{Kind, Yaml},
    },
    text::ReadAs,
};

const CALL: [&str; 8] =
    ["caller", "called", "date", "time", "weekday", "direction", "sentiment", "sentiment_percent"];

impl Scope<'_> {
    /// An expression, which is to give what `fits`; `wanted` names that for messages.
    pub(super) fn formula(
        &self,
        yaml: &Yaml,
        what: &str,
        wanted: &str,
        fits: impl Fn(&Operand) -> bool,
    ) -> Option<Formula> {
        let text = self.report.text(yaml, what)?;
        let remedy = "write it in CEL, such as `amount * 100 >= account.due * 30 && days(call.date, day) <= 7`";
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(why) => {
                self.report.error(yaml.at, format!("{what} cannot be read: {why}"), remedy);
                return None;
            }
        };
        let mut uses = Vec::new();
        for name in expression.names() {
            match self.named(name) {
                Some(reference) => uses.push(reference),
                None if self.broken.contains(name) => return None,
                None => {
                    let known =
                        self.slots.keys().chain(self.tables.keys()).chain(self.tools.keys());
                    let known = known.map(String::as_str).chain(["call"]);
                    let what = format!("{what} names `{name}`, which is no slot, table or tool");
                    self.report.error(yaml.at, what, did_you_mean(name, known));
                    return None;
                }
            }
        }
        if let Some(why) = expression.misfit(
            || Hours::sample(self.calendars.clone()),
            |name| self.sample(name),
            fits,
        ) {
            let what = format!("{what} cannot give {wanted}: {why}");
            self.report.error(yaml.at, what, remedy);
            return None;
        }
        Some(Formula { expression, uses })
    }

    /// `open: CALENDAR`, which is short for `if: "open('CALENDAR')"`.
    pub(super) fn opening(&self, yaml: &Yaml) -> Option<Formula> {
        let name = self.report.text(yaml, "`open`")?;
        if !self.calendars.contains_key(name) {
            let remedy = did_you_mean(name, self.calendars.keys().map(String::as_str));
            self.report.error(yaml.at, format!("no calendar `{name}`"), remedy);
            return None;
        }
        let text = Yaml { at: yaml.at, kind: Kind::Scalar(format!("open('{name}')")) };
        self.formula(&text, "`open`", "true or false", |v| matches!(v, Operand::Flag(_)))
    }

    /// A value of `set`: nothing, text with values, or `{expr: EXPRESSION}`.
    pub(super) fn set_to(&self, slot: &str, yaml: &Yaml) -> Option<SetTo> {
        match &yaml.kind {
            Kind::Null => Some(SetTo::Nothing),
            Kind::Map(_) => {
                let fields = Fields::new(self.report, yaml, "a value of `set`");
                let expr = fields.require("expr", "write `{expr: \"balance / 3\"}`");
                fields.finish();
                let kind = self.slots.get(slot).map(|slot| &slot.kind);
                let fits = |value: &Operand| match value {
                    Operand::Whole(_) => true,
                    Operand::Flag(_) => kind == Some(&SlotKind::YesNo),
                    Operand::Text(_) | Operand::Nothing => true,
                    Operand::Fields(_) => false,
                };
                self.formula(expr?, "`expr`", "a value", fits).map(SetTo::Computed)
            }
            _ => {
                let text = self.report.text(yaml, "a value of `set`")?;
                Some(SetTo::Text(self.template(text, yaml.at)))
            }
        }
    }

    /// What a name stands for; of a table or tool one of its values, for all are known together.
    fn named(&self, name: &str) -> Option<Reference> {
        if name == "call" {
            return Some(Reference::Call(crate::dialplan::model::CallFact::Date));
        }
        let slot = self.slots.contains_key(name).then(|| Reference::Slot(name.to_owned()));
        let column = || {
            let table = self.tables.contains_key(name);
            table.then(|| Reference::Column { table: name.to_owned(), column: 0 })
        };
        let given = || {
            let tool = self.tools.contains_key(name);
            tool.then(|| Reference::Given { tool: name.to_owned(), field: String::new() })
        };
        slot.or_else(column).or_else(given)
    }

    /// A value of the kind that the name has, to try an expression with.
    fn sample(&self, name: &str) -> Operand {
        if name == "call" {
            let texts = ["4155550134", "1000", "2026-11-23", "10:05", "mon", "inbound", "neutral"];
            let values = texts.map(|text| Operand::Text(text.into()));
            let known = if self.feels { CALL.len() } else { CALL.len() - 2 };
            let values = values.into_iter().chain([Operand::Whole(0)]);
            let fields = CALL.iter().zip(values).take(known);
            return Operand::Fields(
                fields.map(|(name, value)| ((*name).to_owned(), value)).collect(),
            );
        }
        if let Some(slot) = self.slots.get(name) {
            return sample(slot.kind.usual_reading());
        }
        let fields: BTreeMap<String, Operand> = match (self.tables.get(name), self.tools.get(name))
        {
            (Some(table), _) => {
                table.columns.iter().map(|column| (column.clone(), sample(ReadAs::Text))).collect()
            }
            (None, Some(tool)) => tool
                .gives
                .iter()
                .map(|(field, read_as)| (field.clone(), sample(*read_as)))
                .collect(),
            (None, None) => return Operand::Nothing,
        };
        Operand::Fields(fields)
    }
}

fn sample(read_as: ReadAs) -> Operand {
    match read_as {
        ReadAs::Number | ReadAs::Amount => Operand::Whole(2),
        ReadAs::Date => Operand::Text("2026-11-23".to_owned()),
        ReadAs::Time => Operand::Text("10:05".to_owned()),
        ReadAs::Text | ReadAs::Digits => Operand::Text("5".to_owned()),
    }
}
