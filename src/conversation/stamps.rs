//! Where the time of a turn went, and why it was taken to be over.

use serde::{Deserialize, Serialize};

use super::EndOfTurn;
use crate::audio::CallTime;

/// The moments of one turn, from the caller's last speech to the bot's first audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnStamps {
    /// Turns counted from 1.
    pub turn: u32,
    /// The caller's last speech (or last key).
    pub speech_end: CallTime,
    /// When the pause was noticed.
    pub pause_noticed: CallTime,
    /// When the final text was there; `None` for keys.
    pub text_ready: Option<CallTime>,
    /// When the turn was decided to be over.
    pub decided: CallTime,
    /// When the dialog had its answer.
    pub dialog_done: CallTime,
    /// When the audio of the answer's first prompt was there.
    pub audio_ready: CallTime,
    /// When the answer's first audio was sent.
    pub first_audio: CallTime,
    /// Why the turn was taken to be over; `None` for keys.
    pub why: Option<EndOfTurn>,
    /// How often the turn was recognised: once, and once more for each pause after which the
    /// caller went on.
    pub attempts: u32,
}

impl TurnStamps {
    /// Stamps of a turn that was decided and answered `now`; its first audio is still to come.
    pub(super) fn decided(turn: u32, speech_end: CallTime, now: CallTime) -> Self {
        Self {
            turn,
            speech_end,
            pause_noticed: speech_end,
            text_ready: None,
            decided: now,
            dialog_done: now,
            audio_ready: now,
            first_audio: now,
            why: None,
            attempts: 0,
        }
    }

    /// How long each stage took, in milliseconds: noticing the pause (`vad`), the text
    /// (`recognition`), the rest of the pause that ended the turn (`pause`), the answer (`dialog`),
    /// its sound (`audio`), sending (`send`). Of keys there are only the last three.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let heard = self.text_ready.map(|text| {
            [
                ("vad", self.speech_end, self.pause_noticed),
                ("recognition", self.pause_noticed, text),
                ("pause", text.max(self.pause_noticed), self.decided),
            ]
        });
        let answered = [
            ("dialog", self.decided, self.dialog_done),
            ("audio", self.dialog_done, self.audio_ready),
            ("send", self.audio_ready, self.first_audio),
        ];
        let stages = heard.into_iter().flatten().chain(answered);
        stages.map(|(stage, from, to)| (stage, to.since(from).as_millis() as u64))
    }

    /// Voice to voice, in milliseconds.
    pub fn latency_ms(&self) -> u64 {
        self.first_audio.as_ms().saturating_sub(self.speech_end.as_ms())
    }
}
