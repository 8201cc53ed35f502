use std::{collections::BTreeMap, sync::Arc};

use super::{CallState, Request, Seat};
use crate::{
    audio::{Hz8k, Pcm},
    conversation::ClipId,
};

/// What a call keeps of what it was told from outside.
#[derive(Debug)]
pub(in crate::call) struct Controls {
    seat: Seat,
    caller_muted: bool,
    /// Clips that are to be played.
    clips: BTreeMap<ClipId, Arc<Pcm<Hz8k>>>,
    clip_count: u32,
}

impl Controls {
    pub(in crate::call) fn new(seat: Seat) -> Self {
        Self { seat, caller_muted: false, clips: BTreeMap::new(), clip_count: 0 }
    }

    /// The next request; never, while nobody asks. Cancel-safe.
    pub(in crate::call) async fn next(&mut self) -> Request {
        self.seat.next().await
    }

    /// Tells whoever lists calls how far this one has come.
    pub(in crate::call) fn state(&self, state: CallState) {
        self.seat.state(state);
    }

    /// What is heard of the caller.
    pub(in crate::call) fn heard(&self, mut caller: Pcm<Hz8k>) -> Pcm<Hz8k> {
        if self.caller_muted {
            caller.samples_mut().fill(0);
        }
        caller
    }

    pub(super) fn mute_caller(&mut self, on: bool) {
        self.caller_muted = on;
    }

    /// Keeps a clip until it is played, and names it.
    pub(super) fn keep_clip(&mut self, audio: Arc<Pcm<Hz8k>>) -> ClipId {
        self.clip_count += 1;
        let clip = ClipId(self.clip_count);
        self.clips.insert(clip, audio);
        clip
    }

    /// The clip, which nobody asks for a second time; silence when there is none.
    pub(in crate::call) fn take_clip(&mut self, clip: ClipId) -> Arc<Pcm<Hz8k>> {
        self.clips.remove(&clip).unwrap_or_else(|| Arc::new(Pcm::silence(0)))
    }
}
