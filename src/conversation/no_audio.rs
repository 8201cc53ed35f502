//! A phone from which nothing comes.

use super::{
    Conversation,
    contract::{Note, Output},
    engine::Next,
};
use crate::{audio::CallTime, dialog};

impl Conversation {
    /// The caller may still hear us: when it is the caller's turn and nothing has come of it, the
    /// question is asked again at once, as after a silence.
    pub(super) fn no_audio(
        &mut self,
        now: CallTime,
        since: CallTime,
        ever: bool,
        out: &mut Vec<Output>,
    ) {
        out.push(Output::Note(Note::NoAudio { since, ever }));
        let waiting = matches!(self.next, Next::Listen(_))
            && self.ledger.is_idle()
            && self.generating.is_none()
            && self.turn.is_none()
            && self.keys.is_empty();
        if waiting {
            self.silence_since = None;
            self.advance(now, dialog::Input::NoInput, out);
        }
    }
}
