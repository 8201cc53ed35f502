//! A call whose media cannot be protected as its SDP says: the handshake failed, or did not come.

use super::{EndReason, task::Call};
use crate::sip::Leg;

impl<L: Leg> Call<L> {
    /// Ends the call once it is certain that its media stays mute.
    pub(super) fn watch_keys(&mut self) {
        if self.end.is_none()
            && let Some(problem) = self.media.failure()
        {
            tracing::warn!(%problem, "the call ends: its media cannot be protected");
            self.record.unprotected(self.now(), &problem);
            self.end = Some(EndReason::Unprotected);
        }
    }
}
