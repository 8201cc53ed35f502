//! Floor 1: sound as samples. No I/O, no clock.
//!
//! [`Pcm`] carries its sample rate in the type, so 8 kHz telephone audio cannot reach a 16 kHz
//! model by accident; [`CallTime`] is the only notion of time that rooms below the rim know.

mod pcm;
mod time;

pub use pcm::{Hz8k, Hz16k, Hz24k, Pcm, Rate};
pub use time::CallTime;
