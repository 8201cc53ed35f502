//! Floor 9: the command line. One file a command: its `Args` and its `run`.

pub mod check;
pub mod eval;
pub mod models;
