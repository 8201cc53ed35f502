use std::time::Duration;

use serde_json::{Value, json};

use super::task::Call;
use crate::{audio::CallTime, conversation::TurnStamps, sip::Leg};

const FRAME_TIME: Duration = Duration::from_millis(20);

/// A turn as it was heard on the line: what a capture of its packets shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnLine {
    /// When the caller's last sound arrived, before it waited in the jitter buffer.
    last_in: CallTime,
    /// When the bot's first sound was sent.
    first_out: CallTime,
}

impl OnLine {
    /// How long the caller waited, in ms.
    pub(super) fn wait_ms(&self) -> u64 {
        self.first_out.since(self.last_in).as_millis() as u64
    }

    /// Adds the two to what the record says of the turn.
    pub(super) fn add_to(self, data: &mut Value) {
        data["last_in"] = json!(self.last_in);
        data["first_out"] = json!(self.first_out);
    }
}

impl<L: Leg> Call<L> {
    /// The turn whose answer begins `now`, at the end of the frame with its first sample; `None` of a turn
    /// without speech.
    pub(super) fn on_line(&self, now: CallTime, stamps: &TurnStamps) -> Option<OnLine> {
        stamps.text_ready?;
        let last = self.hearing.audible_until(stamps.speech_end)?;
        // A frame is heard at its end, and what is in it came that much earlier.
        let last_in = last + FRAME_TIME - self.media.waits();
        let first_out = CallTime(now.samples() + self.player.audible()? as u64);
        Some(OnLine { last_in, first_out })
    }
}
