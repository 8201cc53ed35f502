//! Words that are known while the caller still speaks, from recognisers that have them.

use super::{
    Conversation,
    ahead::Ahead,
    contract::{Output, UtteranceId},
    engine::Next,
    turn::Over,
};
use crate::{
    audio::CallTime,
    dialog,
    text::{Hypothesis, Lang},
    understand::{backchannel, is_one_word},
};

impl Conversation {
    /// In these languages the recogniser has words while the caller speaks: it shall follow them.
    #[must_use]
    pub fn following(self, langs: Vec<Lang>) -> Self {
        Self { followed: langs, ..self }
    }

    /// Has the turn recognised from its beginning while the caller speaks.
    pub(super) fn follow(&mut self, out: &mut Vec<Output>) {
        self.unfollow(out);
        let (Next::Listen(listen), Some(turn)) = (&self.next, &mut self.turn) else { return };
        if turn.over == Over::Protected || !self.followed.contains(&listen.lang) {
            return;
        }
        self.utterances += 1;
        let utterance = UtteranceId(self.utterances);
        turn.following = Some(utterance);
        out.push(Output::Follow {
            utterance,
            from: turn.from - self.timing.pre_roll(),
            lang: listen.lang,
            phrases: listen.phrases.clone(),
        });
    }

    /// What is being followed is no longer wanted.
    pub(super) fn unfollow(&mut self, out: &mut Vec<Output>) {
        if let Some(utterance) = self.turn.as_mut().and_then(|turn| turn.following.take()) {
            out.push(Output::CancelRecognition { utterance });
        }
    }

    /// The words so far: an answer to them is worked out, and a prompt that they are spoken over is
    /// dropped as soon as they ask for something.
    pub(super) fn partial(
        &mut self,
        now: CallTime,
        utterance: UtteranceId,
        hypothesis: Hypothesis,
        out: &mut Vec<Output>,
    ) {
        let Some(turn) = self.turn.as_ref().filter(|t| t.following == Some(utterance)) else {
            return;
        };
        if hypothesis.text.trim().is_empty() {
            return;
        }
        let heard = vec![hypothesis];
        if turn.overlaps() && !(self.asks_for_something(now, &heard) && self.cut_short(now, out)) {
            return;
        }
        self.think_ahead(now, dialog::Input::Heard(heard), out);
    }

    /// Whether words over a prompt are certainly none to wait for the end of.
    fn asks_for_something(&self, now: CallTime, heard: &[Hypothesis]) -> bool {
        let (Next::Listen(listen), Some(best)) = (&self.next, heard.first()) else { return false };
        backchannel(listen.lang, &best.text).is_none()
            && !is_one_word(listen.lang, &best.text)
            && Ahead::of(&self.machine, now, dialog::Input::Heard(heard.to_vec())).understood()
    }

    /// Drops the prompt; `false` when that opened the turn before it again, of which these words are
    /// only the end.
    fn cut_short(&mut self, now: CallTime, out: &mut Vec<Output>) -> bool {
        !self.interrupt(now, out)
    }
}
