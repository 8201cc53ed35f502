//! Barge-in with a second thought: the caller makes a sound while the bot speaks.
//!
//! The prompt is played more quietly at once, held when the sound goes on, and then either goes on
//! where it stopped (a cough, a backchannel) or is dropped (the caller has something to say).

use std::time::Duration;

use super::{
    Conversation,
    ahead::Ahead,
    contract::{Note, Output},
    engine::Next,
    turn::{Over, Pause},
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn, Expect},
    text::Hypothesis,
    understand::{Backchannel, backchannel, is_one_word},
};

/// While less than this is left of a question, a hum answers it.
const NEARLY_ASKED: Duration = Duration::from_millis(400);

/// A longer sound is speech, even if only one word of it was understood.
const SCRAP: Duration = Duration::from_millis(500);

/// Sound that was likely to be speech is none when its start has not been found by then.
pub(super) const LIKELY_FOR: Duration = Duration::from_millis(300);

impl Conversation {
    /// The caller probably begins to speak: over a prompt, that is enough to play it more quietly.
    pub(super) fn speech_likely(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let listening = matches!(self.next, Next::Listen(_)) && self.keys.is_empty();
        let may_cut = self.ledger.barge_in() == Some(BargeIn::Any);
        if listening && may_cut && self.turn.is_none() && self.likely.replace(now).is_none() {
            out.push(Output::Duck);
        }
    }

    /// The caller still speaks over the prompt: hold it, and then drop it, when it is time.
    pub(super) fn overlap_goes_on(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Some(turn) = self.turn.as_mut().filter(|t| t.pause.is_none()) else { return };
        if turn.over == Over::Ducked && turn.from + self.timing.hold() <= now {
            turn.over = Over::Held;
            self.ledger.hold(now);
            out.push(Output::Hold);
        }
        if turn.over == Over::Held && turn.from + self.timing.interrupt() <= now {
            self.interrupt(now, out);
        }
    }

    /// A sound that began over one prompt lasts into the next, which may be one that speech must
    /// not touch.
    pub(super) fn overlap_reaches_next_prompt(&mut self, out: &mut Vec<Output>) {
        let protected = matches!(self.ledger.barge_in(), Some(BargeIn::Keys | BargeIn::None));
        if protected && self.likely.take().is_some() {
            out.push(Output::Resume);
        }
        let Some(turn) = self.turn.as_mut().filter(|turn| protected && turn.overlaps()) else {
            return;
        };
        turn.over = Over::Protected;
        out.push(Output::Resume);
        if turn.pause.is_some() {
            self.drop_turn(out);
        }
    }

    /// What was said over the prompt is known. Whether the turn goes on as one; otherwise the
    /// prompt does.
    pub(super) fn second_thought(
        &mut self,
        now: CallTime,
        text: &[Hypothesis],
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(turn) = &self.turn else { return false };
        let at = turn.from;
        let note = match text.first() {
            None => Note::Noise { at },
            Some(best) if self.is_backchannel(now, &best.text) || self.is_scrap(now, text) => {
                Note::Backchannel { text: best.text.clone(), at }
            }
            Some(_) => {
                let reopened = self.interrupt(now, out);
                return !reopened;
            }
        };
        self.turn = None;
        self.ledger.resume(now);
        out.push(Output::Note(note));
        out.push(Output::Resume);
        false
    }

    /// Whether a short sound over a prompt was written as one word that the dialog makes nothing of: a
    /// hum or a knock becomes "Mum." or "you".
    fn is_scrap(&self, now: CallTime, text: &[Hypothesis]) -> bool {
        let (Next::Listen(listen), Some(turn)) = (&self.next, &self.turn) else { return false };
        let short = turn.pause.as_ref().is_some_and(|pause| pause.at.since(turn.from) < SCRAP);
        let input = dialog::Input::Heard(text.to_vec());
        short
            && text.first().is_some_and(|best| is_one_word(listen.lang, &best.text))
            && !Ahead::of(&self.machine, now, input).understood()
    }

    /// Whether words said over a prompt only mean "go on". After a yes/no question they mean more.
    fn is_backchannel(&self, now: CallTime, text: &str) -> bool {
        let Next::Listen(listen) = &self.next else { return false };
        let Some(kind) = backchannel(listen.lang, text) else { return false };
        let asking = self.ledger.left(now);
        let answers = match (kind, &listen.expect) {
            (Backchannel::Assent, Expect::YesNo) => asking.is_some(),
            (Backchannel::Hum, Expect::YesNo) => asking.is_some_and(|left| left < NEARLY_ASKED),
            _ => false,
        };
        !answers
    }

    /// The prompt is dropped. When it had hardly begun, the caller had not finished the turn before
    /// it: then that turn is open again, whole, and `true` is returned.
    fn interrupt(&mut self, now: CallTime, out: &mut Vec<Output>) -> bool {
        let Some(turn) = &mut self.turn else { return false };
        let at = turn.from;
        turn.over = Over::Silence;
        // Nor is what has not been said yet.
        self.stop_generating(out);
        let Some(turn) = &mut self.turn else { return false };
        let closed = self.closed.take().filter(|closed| at <= closed.until);
        let Some(closed) = closed else {
            turn.interrupts = true;
            out.push(Output::Note(Note::BargeIn { at }));
            out.push(Output::StopPlayback);
            return false;
        };
        turn.from = closed.from;
        turn.attempts += closed.attempts;
        let pause = turn.pause.take();
        self.machine = closed.machine;
        self.next = Next::Listen(closed.listen);
        (self.stamps, self.ahead) = (None, None);
        out.push(Output::Note(Note::TurnReopened { at }));
        out.push(Output::StopPlayback);
        if let Some(Pause { at, .. }) = pause {
            // What was recognised was only its end.
            self.pause(now, at, false, out);
        }
        true
    }
}
