//! Keys in the conversation: they win over speech, for a caller who types does not want to be
//! misheard.

use super::{
    Conversation,
    contract::{Note, Output},
    engine::Next,
    stamps::TurnStamps,
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn},
};

impl Conversation {
    pub(super) fn key(&mut self, now: CallTime, key: char, out: &mut Vec<Output>) {
        let listen = match &self.next {
            Next::Listen(listen) => listen,
            // Keys are kept for the question that follows.
            Next::Invoking(_) => return self.typed_ahead.push(key),
            _ => return,
        };
        let rules = listen.keys.clone();
        match self.ledger.barge_in() {
            Some(BargeIn::None) => return self.typed_ahead.push(key),
            Some(BargeIn::Any | BargeIn::Keys) => {
                out.push(Output::Note(Note::BargeIn { at: now }));
                out.push(Output::StopPlayback);
                self.likely = None;
            }
            None => {}
        }
        self.press(now, key, &rules, out);
    }

    fn press(&mut self, now: CallTime, key: char, rules: &dialog::KeyRules, out: &mut Vec<Output>) {
        self.drop_turn(out);
        self.closed = None;
        self.silence_since = None;
        match self.keys.press(now, key, rules) {
            Some(entry) => self.keys_complete(now, entry, out),
            None if self.keys.is_empty() => self.silence_since = Some(now),
            None => {}
        }
    }

    pub(super) fn keys_complete(&mut self, now: CallTime, entry: String, out: &mut Vec<Output>) {
        out.push(Output::Note(Note::Keys { count: entry.chars().count(), at: now }));
        let (last, turn) = (self.keys.last(), self.next_turn());
        let first = self.advance(now, dialog::Input::Keys(entry), out);
        self.answered(now, first, Some(TurnStamps::decided(turn, last, now)));
    }
}
