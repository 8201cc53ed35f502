//! Floor 4: the dialog state machine, `step(now, input) -> outputs`. No I/O, no clock.

mod argument;
mod contract;
mod digress;
mod facts;
mod feel;
mod formula;
mod generate;
mod hear;
mod instructions;
mod keyed;
mod knowledge;
mod machine;
mod mood;
mod offered;
mod ordered;
mod outcome;
mod recommend;
mod subflow;
mod talk;
mod tool;
mod transfer;
mod turn;
mod values;
mod ways;
mod wish;

pub use contract::{
    BargeIn, Event, Expect, Input, Invoke, InvokeResult, KeyRules, Listen, Output, Say, Transfer,
    TransferMode, TransferResult,
};
pub use facts::{CallDirection, CallFacts};
pub use generate::{ActionOffer, Generate, Generated, Speaker, Utterance};
pub use machine::Machine;
pub use mood::{Feeling, Voice};
pub use ordered::Secret;
pub use outcome::{Outcome, SentimentRange};
pub use recommend::{OfferAnswer, OfferMade};
