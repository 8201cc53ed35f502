//! Arguments that a language model gives for an action: they are taken only in the form that slots hold.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::{Time, macros::format_description};

use super::{
    Machine,
    keyed::{clock, day},
};
use crate::{
    dialplan::{
        expression::{decimal, hundredths},
        model::{Action, SlotKind},
    },
    text::{Lang, normalize},
    understand::DigitSpec,
};

/// Longest value of a text slot.
const LONGEST_TEXT: usize = 300;

impl Machine {
    /// The arguments of `action` as a JSON Schema.
    pub(super) fn parameters(&self, action: &Action) -> Value {
        let slots = &self.plan.model().slots;
        let properties: Map<String, Value> = action
            .arguments
            .iter()
            .filter_map(|name| Some((name.clone(), self.schema(&slots.get(name)?.kind))))
            .collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": action.arguments,
            "additionalProperties": false,
        })
    }

    fn schema(&self, kind: &SlotKind) -> Value {
        match kind {
            SlotKind::YesNo => json!({"type": "string", "enum": ["yes", "no"]}),
            SlotKind::Digits(DigitSpec { min, max, allow_x, .. }) => {
                let last = if *allow_x { "[0-9X]" } else { "[0-9]" };
                let (min, max) = (min.saturating_sub(1), max.saturating_sub(1));
                json!({"type": "string", "pattern": format!("^[0-9]{{{min},{max}}}{last}$")})
            }
            SlotKind::Choice(options) => {
                let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
                json!({"type": "string", "enum": names})
            }
            SlotKind::Offered(from) => {
                let names: Vec<String> =
                    self.offers(from).into_iter().map(|offer| offer.name).collect();
                json!({"type": "string", "enum": names})
            }
            SlotKind::Number { min, max } => {
                json!({"type": "integer", "minimum": min, "maximum": max})
            }
            SlotKind::Code(form) => {
                json!({"type": "string", "maxLength": form.longest(), "description": "letters and digits"})
            }
            SlotKind::Money => json!({"type": "string", "description": "a sum such as 66.24"}),
            SlotKind::Date => json!({"type": "string", "description": "a date: YYYY-MM-DD"}),
            SlotKind::Time => json!({"type": "string", "description": "a time of day: HH:MM"}),
            SlotKind::Text | SlotKind::Counter => {
                json!({"type": "string", "maxLength": LONGEST_TEXT})
            }
        }
    }

    /// The slots that `arguments`, JSON as a model wrote it, fill.
    ///
    /// # Errors
    /// What is wrong with it, for the record, without the values themselves.
    pub(super) fn arguments(
        &self,
        action: &Action,
        arguments: &str,
    ) -> Result<BTreeMap<String, String>, String> {
        let written = if arguments.trim().is_empty() { "{}" } else { arguments };
        let given: Map<String, Value> = serde_json::from_str(written)
            .map_err(|_| format!("the arguments of `{}` are no JSON object", action.name))?;
        if let Some(other) = given.keys().find(|name| !action.arguments.contains(name)) {
            return Err(format!("`{}` takes no `{}`", action.name, name_of(other)));
        }
        let mut values = BTreeMap::new();
        for name in &action.arguments {
            let missing = || format!("`{}` lacks `{name}`", action.name);
            let value = given.get(name).ok_or_else(missing)?;
            let text = match value {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            };
            let kind = self.plan.model().slots.get(name).map(|slot| &slot.kind);
            let value = kind.and_then(|kind| self.argument(kind, &text));
            let misfit = || format!("`{name}` of `{}` is no {}", action.name, noun(kind));
            values.insert(name.clone(), value.ok_or_else(misfit)?);
        }
        Ok(values)
    }

    /// `text` as a slot of that kind holds it; `None` when it is none of its values.
    fn argument(&self, kind: &SlotKind, text: &str) -> Option<String> {
        let fits = match kind {
            SlotKind::YesNo => matches!(text, "yes" | "no"),
            SlotKind::Digits(spec) => spec.fits(text),
            SlotKind::Code(form) => return form.keyed(text),
            SlotKind::Choice(options) => {
                let same =
                    |phrase: &String, lang: Lang| normalize(lang, phrase) == normalize(lang, text);
                let mut options = options.iter();
                let found = options.find(|option| {
                    let phrases = option.phrases.iter();
                    let said = |(lang, phrases): (&Lang, &Vec<String>)| {
                        phrases.iter().any(|phrase| same(phrase, *lang))
                    };
                    option.name == text || phrases.into_iter().any(said)
                });
                return found.map(|option| option.name.clone());
            }
            SlotKind::Offered(from) => self.offers(from).iter().any(|offer| offer.name == text),
            SlotKind::Number { min, max } => {
                let value = text.parse::<i64>().ok().filter(|value| (min..=max).contains(&value));
                return value.map(|value| value.to_string());
            }
            SlotKind::Money => {
                return hundredths(text).filter(|sum| *sum >= 0).map(decimal);
            }
            SlotKind::Date => return day(text).map(|date| date.to_string()),
            SlotKind::Time => {
                let time = Time::parse(text, format_description!("[hour]:[minute]"));
                return time.ok().map(clock);
            }
            SlotKind::Text => {
                !text.is_empty()
                    && text.chars().count() <= LONGEST_TEXT
                    && !text.chars().any(char::is_control)
            }
            SlotKind::Counter => false,
        };
        fits.then(|| text.to_owned())
    }
}

/// A name that a model made up, as far as a record needs it.
fn name_of(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn noun(kind: Option<&SlotKind>) -> &'static str {
    match kind {
        Some(SlotKind::YesNo) => "yes or no",
        Some(SlotKind::Digits(_)) => "number of that length",
        Some(SlotKind::Code(_)) => "code of that form",
        Some(SlotKind::Choice(_) | SlotKind::Offered(_)) => "choice that there is",
        Some(SlotKind::Number { .. }) => "number in its range",
        Some(SlotKind::Money) => "sum of money",
        Some(SlotKind::Date) => "date",
        Some(SlotKind::Time) => "time of day",
        Some(SlotKind::Text | SlotKind::Counter) | None => "text of some length",
    }
}
