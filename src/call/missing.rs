//! A caller whose audio does not come: behind a firewall, a NAT, a phone that has lost its network.

use super::{EndReason, task::Call};
use crate::{audio::CallTime, conversation::Input, sip::Leg};

/// Whether the caller's audio is missing, as far as that was told.
#[derive(Debug, Default)]
pub(super) struct Missing {
    told: bool,
}

impl<L: Leg> Call<L> {
    /// Every packet is a sign of life, comfort noise and keys included; a call on hold, or one
    /// whose caller is not to be heard, is not expected to give any.
    pub(super) fn watch_audio(&mut self, now: CallTime) {
        let silent = self.media.silent_for();
        if silent > self.limits.media_timeout() {
            self.end.get_or_insert(EndReason::NoAudio);
        } else if silent <= self.limits.no_audio() {
            if std::mem::take(&mut self.missing.told) {
                tracing::info!("the caller's audio is back");
            }
        } else if self.started && !std::mem::replace(&mut self.missing.told, true) {
            let ever = self.media.heard_from().is_some();
            let seconds = silent.as_secs();
            tracing::warn!(
                seconds,
                ever,
                "no audio from the caller: check sip.external, and the firewall for rtp.ports"
            );
            self.step(now, Input::NoAudio { since: now - silent, ever });
        }
    }
}
