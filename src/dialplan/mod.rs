//! Floor 3: what an author writes. The YAML model, its loader and its linter; files only.

pub(crate) mod calendar;
mod diff;
mod error;
pub(crate) mod expression;
mod given;
mod graph;
pub(crate) mod hours;
mod include;
mod keys;
mod lint;
mod merge;
pub(crate) mod model;
mod offer;
mod outside;
mod plan;
mod read;
mod recommend;
pub(crate) mod required;
mod sentiment;
mod slot;
mod source;
pub(crate) mod subflow;
mod talk;
mod visit;
mod wish;
pub(crate) mod yaml;
mod zone;

pub use diff::{Change, How, diff};
pub(crate) use error::{At, Findings, did_you_mean};
pub use error::{DialplanError, Severity};
pub use given::SlotError;
pub use graph::{Graph, GraphEdge, GraphNode};
pub use plan::Dialplan;
pub(crate) use read::{Fields, Report};
pub use source::DialplanSource;
pub use zone::{clock_in, universal};
