//! Floor 7: one owner per call. [`answer`] binds a leg to speech and conversation, records and
//! journals; dropping its future frees everything the call had.

mod archive;
pub mod caller;
mod clock;
pub mod control;
mod early;
mod echo_free;
mod ending;
mod engines;
mod error;
mod hearing;
mod jobs;
mod limits;
pub mod live;
pub mod load;
mod media;
mod metrics;
mod missing;
mod on_line;
mod outbound;
mod parties;
mod player;
mod ports;
mod protection;
mod record;
mod session;
mod setup;
mod socket;
mod task;
mod transfer;
pub mod trial;
mod up;

pub use archive::{ArchiveError, ArchiveWriter};
pub use early::BeforeAnswer;
pub use ending::EndReason;
pub use engines::Engines;
pub use error::CallError;
pub use limits::Limits;
pub use media::{MediaOptions, ToneKeys};
pub use metrics::Metrics;
pub use outbound::{DialOutcome, Placing, place};
pub use ports::{PortError, PortRange};
pub use protection::SrtpPolicy;
pub(crate) use setup::local_now;
pub use setup::{Setup, answer};
