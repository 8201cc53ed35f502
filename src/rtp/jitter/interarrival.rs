use super::JUMP;
use crate::audio::CallTime;

/// Interarrival jitter, RFC 3550 section 6.4.1, in samples.
#[derive(Debug, Default)]
pub(super) struct Jitter {
    pub(super) mean: f64,
    /// Arrival and start of the last packet.
    last: Option<(CallTime, i64)>,
}

impl Jitter {
    /// Another stream begins; what is known about the network stays.
    pub(super) fn restart(&mut self) {
        self.last = None;
    }

    pub(super) fn observe(&mut self, at: CallTime, start: i64) {
        if let Some((last_at, last_start)) = self.last.replace((at, start)) {
            let arrived = at.samples() as i64 - last_at.samples() as i64;
            let difference = (arrived - (start - last_start)).abs();
            if difference <= JUMP {
                self.mean += (difference as f64 - self.mean) / 16.0;
            }
        }
    }
}
