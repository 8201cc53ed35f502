//! Values that callers give.

use std::collections::BTreeMap;

use crate::{
    text::{Lang, ReadAs},
    understand::{CodeForm, DigitSpec},
};

/// A kind of value that callers give.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot {
    pub(crate) kind: SlotKind,
    /// Whether records must not show the value in full.
    pub(crate) sensitive: bool,
    /// Whether somebody outside of the dialog gives it its value, such as who places the call.
    pub(crate) given: bool,
}

/// The shape of a slot's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SlotKind {
    /// `yes` or `no`.
    YesNo,
    /// Digits; with `allow_x` a final `X`, as in Chinese identity numbers (GB 11643).
    Digits(DigitSpec),
    /// Letters and digits, such as a licence plate.
    Code(CodeForm),
    /// The name of one of the options.
    Choice(Vec<ChoiceOption>),
    /// The name of one of the things that a tool gave last.
    Offered(Given),
    /// A whole number.
    Number { min: i64, max: i64 },
    /// A sum of money, as `132.48`.
    Money,
    /// A day, as `2026-11-28`.
    Date,
    /// A time of day, as `14:30`.
    Time,
    /// What the caller said, as heard.
    Text,
    /// A number that only `count` changes.
    Counter,
}

impl SlotKind {
    /// How its values are read aloud when a prompt does not say.
    pub(crate) fn usual_reading(&self) -> ReadAs {
        match self {
            Self::Digits(_) => ReadAs::Digits,
            Self::Counter | Self::Number { .. } => ReadAs::Number,
            Self::Money => ReadAs::Amount,
            Self::Date => ReadAs::Date,
            Self::Time => ReadAs::Time,
            Self::Code(_) | Self::YesNo | Self::Choice(_) | Self::Offered(_) | Self::Text => {
                ReadAs::Text
            }
        }
    }
}

/// A field that a tool gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) tool: String,
    pub(crate) field: String,
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChoiceOption {
    pub(crate) name: String,
    /// Ways of saying it; the first is how the bot says it.
    pub(crate) phrases: BTreeMap<Lang, Vec<String>>,
    pub(crate) key: Option<char>,
}
