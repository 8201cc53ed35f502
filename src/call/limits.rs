use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits of one call, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest call.
    pub max_duration_s: u64,
    /// Time without any RTP from the caller, not even comfort noise, after which that is recorded
    /// and the question asked again.
    pub no_audio_s: u64,
    /// Time after which such a call ends.
    pub media_timeout_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_duration_s: 1_800, no_audio_s: 10, media_timeout_s: 30 }
    }
}

impl Limits {
    pub(super) fn max_duration(&self) -> Duration {
        Duration::from_secs(self.max_duration_s)
    }

    pub(super) fn no_audio(&self) -> Duration {
        Duration::from_secs(self.no_audio_s)
    }

    pub(super) fn media_timeout(&self) -> Duration {
        Duration::from_secs(self.media_timeout_s)
    }
}
