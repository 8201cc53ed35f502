//! The model registry: what `models.toml` names, where it is kept, how it is fetched.
//!
//! [`Registry`] is the list, [`ModelDir`] the place on disk, [`Puller`] what brings one to the
//! other. Engines need only [`ModelDir::file`].

mod archive;
mod atomic;
mod convert;
mod dir;
mod error;
mod fetch;
mod http;
mod manifest;
mod npm;
mod pip;
mod progress;
mod pull;
mod registry;
mod stamp;
mod subprocess;

pub use dir::{FileState, ModelDir};
pub use error::ModelsError;
pub use fetch::Clients;
pub use progress::{NoProgress, Progress};
pub use pull::{PullReport, Puller};
pub use registry::{Artifact, Convert, Model, ModelFile, Pin, Registry, Source, Task};
