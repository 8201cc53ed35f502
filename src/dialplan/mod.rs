//! Floor 3: what an author writes. The YAML model, its loader and its linter; files only.

mod error;
mod keys;
mod lint;
pub(crate) mod model;
mod offer;
mod outside;
mod plan;
mod read;
mod source;
mod visit;
mod yaml;

pub use error::{DialplanError, Severity};
pub use plan::Dialplan;
pub use source::DialplanSource;
