//! Floor 4: the dialog state machine, `step(now, input) -> outputs`. No I/O, no clock.

mod contract;

pub use contract::{BargeIn, Event, Expect, Input, KeyRules, Listen, Outcome, Output, Say};
