//! Floor 3: what an author writes. The YAML model, its loader and its linter; files only.

mod error;
pub(crate) mod expression;
mod graph;
mod keys;
mod lint;
pub(crate) mod model;
mod offer;
mod outside;
mod plan;
mod read;
mod slot;
mod source;
mod visit;
pub(crate) mod yaml;

pub(crate) use error::{At, Findings, did_you_mean};
pub use error::{DialplanError, Severity};
pub use graph::{Graph, GraphEdge, GraphNode};
pub use plan::Dialplan;
pub(crate) use read::{Fields, Report};
pub use source::DialplanSource;
