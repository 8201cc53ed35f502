//! Floor 4: the dialog state machine, `step(now, input) -> outputs`. No I/O, no clock.

mod contract;
mod digress;
mod facts;
mod formula;
mod hear;
mod keyed;
mod knowledge;
mod machine;
mod offered;
mod ordered;
mod subflow;
mod tool;
mod transfer;
mod turn;
mod values;
mod wish;

pub use contract::{
    BargeIn, Event, Expect, Input, Invoke, InvokeResult, KeyRules, Listen, Outcome, Output, Say,
    Transfer, TransferMode, TransferResult,
};
pub use facts::{CallDirection, CallFacts};
pub use machine::Machine;
