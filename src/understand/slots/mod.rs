//! Slot grammars: one module for each kind of answer a dialog asks for.

mod choice;
mod digits;
mod digits_en;
mod digits_zh;
mod yes_no;
mod yes_no_words;

pub use choice::{ChoiceMatch, ChoiceOption, choice};
pub use digits::{DigitSpec, best_digits, digits};
pub use yes_no::yes_no;
