//! Floor 8: the gRPC API of `proto/hotline/v1`. Whoever asks has a token, and with it a tenant and a role; every service sees
//! its tenant's objects only.

mod access;
mod admin;
mod ask;
mod calls;
mod config;
mod dialplans;
mod diff;
mod dispositions;
mod error;
mod events;
mod feedback;
mod gate;
mod house;
mod knowledge;
mod limits;
mod own;
mod recordings;
mod redacted;
mod reports;
mod screen;
mod server;
mod simulate;
mod tail;
mod transcript;
mod writes;

pub use access::roles;
pub use config::ApiConfig;
pub use error::ApiError;
pub use house::{Answering, House, NotPlaced, Outgoing};
pub use screen::CrmScreen;
pub use server::{Api, Parts};
