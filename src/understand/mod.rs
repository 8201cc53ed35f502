//! Floor 2: meaning from words. Slot grammars and the intent classifier. No I/O, no clock.
//!
//! Everything here takes what a recogniser returned, which is often a little wrong, and would
//! rather answer `None` than guess: a dialog asks again, a wrong guess acts.

mod backchannel;
mod distance;
mod intent;
mod slots;

pub use backchannel::{Backchannel, backchannel, is_one_word};
pub use intent::{IntentClassifier, IntentMatch};
pub use slots::{ChoiceMatch, ChoiceOption, DigitSpec, best_digits, choice, digits, yes_no};
