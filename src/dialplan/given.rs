//! Values that slots are given from outside of the dialog: before a call, or by somebody who drives it.

use time::{Date, Time, macros::format_description};

use super::{
    Dialplan,
    error::did_you_mean,
    expression::{decimal, hundredths},
    model::SlotKind,
};
use crate::understand::DigitSpec;

/// Longest text that a slot is given, in characters.
const LONGEST_TEXT: usize = 500;

/// Why a slot cannot have a value. The value itself is not told: it may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// There is no such slot.
    #[error("the dialplan has no slot `{slot}`: {remedy}")]
    Unknown {
        /// The name that was given.
        slot: String,
        /// Which one may be meant.
        remedy: String,
    },
    /// The value is not of the slot's type.
    #[error("slot `{slot}` cannot be set to that: {wanted}")]
    Misfit {
        /// The slot.
        slot: String,
        /// What it takes.
        wanted: String,
    },
}

impl Dialplan {
    /// The slots whose values records do not show.
    pub fn sensitive_slots(&self) -> impl Iterator<Item = &str> {
        let sensitive = self.model().slots.iter().filter(|(_, slot)| slot.sensitive);
        sensitive.map(|(name, _)| name.as_str())
    }

    /// `value` as `slot` holds it, which is how dialplans write such values: `yes`, `4421`, the name of an option, `12`,
    /// `132.48`, `2026-11-28`, `14:30`, or text.
    ///
    /// # Errors
    /// [`SlotError`] when there is no such slot, or the value is not of its type. A counter, and a slot whose options a
    /// tool gives in the call, take none.
    pub fn slot_value(&self, slot: &str, value: &str) -> Result<String, SlotError> {
        let Some(kind) = self.model().slots.get(slot).map(|slot| &slot.kind) else {
            let known = self.model().slots.keys().map(String::as_str);
            let remedy = did_you_mean(slot, known);
            return Err(SlotError::Unknown { slot: slot.to_owned(), remedy });
        };
        fitting(kind, value)
            .ok_or_else(|| SlotError::Misfit { slot: slot.to_owned(), wanted: wanted(kind) })
    }
}

fn fitting(kind: &SlotKind, value: &str) -> Option<String> {
    let fits = match kind {
        SlotKind::YesNo => matches!(value, "yes" | "no"),
        SlotKind::Digits(spec) => spec.fits(value),
        SlotKind::Code(form) => return form.keyed(value),
        SlotKind::Choice(options) => options.iter().any(|option| option.name == value),
        SlotKind::Number { min, max } => {
            let number = value.parse::<i64>().ok().filter(|number| (min..=max).contains(&number));
            return number.map(|number| number.to_string());
        }
        SlotKind::Money => return hundredths(value).filter(|sum| *sum >= 0).map(decimal),
        SlotKind::Date => Date::parse(value, format_description!("[year]-[month]-[day]")).is_ok(),
        SlotKind::Time => Time::parse(value, format_description!("[hour]:[minute]")).is_ok(),
        SlotKind::Text => {
            let length = value.chars().count();
            (1..=LONGEST_TEXT).contains(&length) && !value.chars().any(char::is_control)
        }
        SlotKind::Offered(_) | SlotKind::Counter => false,
    };
    fits.then(|| value.to_owned())
}

fn wanted(kind: &SlotKind) -> String {
    match kind {
        SlotKind::YesNo => "write yes or no".to_owned(),
        SlotKind::Digits(DigitSpec { min, max, allow_x, .. }) => {
            let x = if *allow_x { ", the last of which may be X" } else { "" };
            match min == max {
                true => format!("it takes {min} digits{x}"),
                false => format!("it takes {min} to {max} digits{x}"),
            }
        }
        SlotKind::Choice(options) => {
            let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
            format!("it is one of {}", names.join(", "))
        }
        SlotKind::Number { min, max } => format!("it is a whole number from {min} to {max}"),
        SlotKind::Code(form) => {
            format!("it takes a code of up to {} letters and digits", form.longest())
        }
        SlotKind::Money => "write a sum such as 132.48".to_owned(),
        SlotKind::Date => "write a day such as 2026-11-28".to_owned(),
        SlotKind::Time => "write a time of day such as 14:30".to_owned(),
        SlotKind::Text => {
            format!("it takes 1 to {LONGEST_TEXT} characters, none of them a control character")
        }
        SlotKind::Offered(from) => {
            format!("it is one of what `{}.{}` has offered in the call", from.tool, from.field)
        }
        SlotKind::Counter => "it is a counter, which only the dialplan changes".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialplan::DialplanSource;

    fn plan() -> Dialplan {
        let slots = "  agreed: yes_no\n  account: {type: digits, length: 6-8}\n  \
             id_tail: {type: digits, length: 4, allow_x: true}\n  \
             topic: {type: choice, options: {bill: {en: [bill]}, fault: {en: [fault]}}}\n  \
             count: {type: number, range: 1-12}\n  due: money\n  day: date\n  at: time\n  note: text\n  tries: counter\n";
        let text = format!(
            "dialplan: t\nversion: 1\nlanguage: en\nvoices: {{en: en-hibari}}\nstart: main.bye\nslots:\n{slots}\
             flows:\n  main:\n    bye: {{say: Bye., hang_up: done}}\n"
        );
        Dialplan::from_source(DialplanSource::inline("t.yaml", text))
            .unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    #[test]
    fn each_type_takes_its_own_values_and_no_others() {
        let plan = plan();
        for (slot, right, wrong) in [
            ("agreed", "yes", "maybe"),
            ("account", "4421990", "44219"),
            ("id_tail", "123X", "X123"),
            ("topic", "bill", "Bill"),
            ("count", "12", "13"),
            ("due", "132.48", "-1"),
            ("day", "2026-11-28", "2026-13-01"),
            ("at", "14:30", "25:00"),
            ("note", "call after six", "a\nb"),
        ] {
            assert_eq!(plan.slot_value(slot, right).as_deref(), Ok(right), "{slot}");
            let error = plan.slot_value(slot, wrong).unwrap_err().to_string();
            assert!(error.contains(slot) && !error.contains(wrong), "{error}");
            assert!(plan.slot_value(slot, "").is_err(), "{slot} is not emptied");
        }
    }

    #[test]
    fn sums_are_written_in_hundredths() {
        assert_eq!(plan().slot_value("due", "5").as_deref(), Ok("5.00"));
    }

    #[test]
    fn an_unknown_slot_and_a_counter_are_refused_by_name() {
        let error = plan().slot_value("acount", "1").unwrap_err().to_string();
        assert!(error.contains("`acount`") && error.contains("`account`"), "{error}");
        let error = plan().slot_value("tries", "1").unwrap_err().to_string();
        assert!(error.contains("counter"), "{error}");
    }

    proptest! {
        #[test]
        fn any_value_is_taken_or_refused(value in any::<String>()) {
            let plan = plan();
            for slot in plan.model().slots.keys() {
                let _ = plan.slot_value(slot, &value);
            }
        }
    }
}
