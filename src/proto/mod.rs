//! Floor 1: what is said over gRPC. The messages, clients and servers of `proto/hotline/v1`, generated, and a description of
//! them that carries the comments of the definitions.

mod described;
mod lint;
mod reference;
mod surface;

pub use described::{Described, Field, Item, Method, Service, Shape};
pub use lint::lint;
pub use reference::reference;
pub use surface::{breaking, surface};

#[allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    reason = "generated; the definitions say what everything means"
)]
mod generated {
    tonic::include_proto!("hotline.v1");
}

pub use generated::*;

/// The definitions as a `google.protobuf.FileDescriptorSet`, comments and imports included: what the reflection service shows.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hotline.v1.binpb"));

/// The package that everything is in.
pub const PACKAGE: &str = "hotline.v1";
