//! Floor 1: sound as samples. No sockets, no clock; WAV files are the only I/O.
//!
//! [`Pcm`] carries its sample rate in the type, so 8 kHz telephone audio cannot reach a 16 kHz
//! model by accident; [`CallTime`] is the only notion of time that rooms below the rim know.

pub mod codec;
mod conceal;
pub mod dtmf;
pub mod g711;
pub mod level;
mod manner;
mod noise;
mod pcm;
mod recorder;
mod resample;
mod ringback;
mod stretch;
#[cfg(test)]
mod test_signals;
mod time;
mod wav;

use std::{io, path::PathBuf};

pub use codec::Codec;
pub use conceal::Concealer;
pub use dtmf::DtmfDetector;
pub use g711::Law;
pub use manner::Manner;
pub use noise::ComfortNoise;
pub use pcm::{Hz8k, Hz16k, Hz24k, Pcm, Rate};
pub use recorder::{RecordingSummary, StereoRecorder};
pub use resample::{Resampler, convert};
pub use ringback::Ringback;
pub use time::CallTime;
pub use wav::read_8k;

/// What can go wrong in this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// A file cannot be opened or read.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is not audio that can be used.
    #[error("{} {problem}: convert it with `sox IN -r 8000 -c 1 -b 16 OUT.wav`", path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A recording cannot be written.
    #[error(
        "cannot record to {}: {problem}: check that the folder exists, may be written to and has \
         space",
        path.display()
    )]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
