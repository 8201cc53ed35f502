//! Slot grammars: one module for each kind of answer a dialog asks for.

mod amend;
mod choice;
mod date;
mod date_en;
mod date_zh;
mod digits;
mod digits_en;
mod digits_zh;
mod figures;
mod figures_en;
mod figures_zh;
mod quantity;
mod spelled;
mod time_of_day;
mod yes_no;
mod yes_no_words;

pub use amend::amended;
pub use choice::{ChoiceMatch, ChoiceOption, choice};
pub use date::date;
pub use digits::{DigitCheck, DigitSpec, best_digits, digit_readings, digits, is_card_number};
pub use quantity::{money, number};
pub use spelled::{CodeForm, code};
pub use time_of_day::time_of_day;
pub use yes_no::yes_no;
