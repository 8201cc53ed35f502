//! Floor 2: meaning from words. Slot grammars, the intent classifier and retrieval
//! of answers. No I/O, no clock.
//!
//! Everything here takes what a recogniser returned, which is often a little wrong, and would
//! rather answer `None` than guess: a dialog asks again, a wrong guess acts.

mod backchannel;
mod distance;
mod faq;
mod intent;
mod person;
mod question;
mod sentiment;
mod slots;
mod vectors;

pub use backchannel::{Backchannel, backchannel, is_one_word, is_too_much_for};
pub use distance::found_in;
pub use faq::{FAQ_LEAST, FAQ_SAME, FaqIndex, FaqMatch};
pub use intent::{IntentClassifier, IntentMatch, KNOWN, Ranking};
pub use person::asks_for_person;
pub use question::is_question;
pub use sentiment::{sentiment, syllables};
pub use slots::{
    ChoiceMatch, ChoiceOption, CodeForm, DigitCheck, DigitSpec, amended, best_digits, choice, code,
    date, digit_readings, digits, is_card_number, money, number, time_of_day, yes_no,
};
