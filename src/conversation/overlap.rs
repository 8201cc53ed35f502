//! Barge-in with a second thought: the caller makes a sound while the bot speaks.
//!
//! The prompt is played more quietly at once, held when the sound goes on, and then either goes on
//! where it stopped (a cough, a backchannel) or is dropped (the caller has something to say). When it
//! takes long to find out which, it goes on meanwhile, more quietly.

use std::time::Duration;

use super::{
    Conversation,
    ahead::Ahead,
    contract::{Note, Output},
    engine::Next,
    turn::{Over, Pause, Turn},
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn, Expect},
    text::Hypothesis,
    understand::{Backchannel, backchannel, is_one_word, is_too_much_for},
};

/// While less than this is left of a question, a hum answers it.
const NEARLY_ASKED: Duration = Duration::from_millis(400);

/// A longer sound is speech, even if only one word of it was understood.
const SCRAP: Duration = Duration::from_millis(500);

/// Sound that was likely to be speech is none when its start has not been found by then.
pub(super) const LIKELY_FOR: Duration = Duration::from_millis(300);

/// A sound over a prompt that is probably speech.
#[derive(Debug, Clone, Copy)]
pub(super) struct Likely {
    /// When it began, and when that was noticed.
    at: CallTime,
    noticed: CallTime,
    /// Whether the prompt is silent for it, and not only quieter.
    held: bool,
}

impl Conversation {
    /// The caller probably begins to speak: over a prompt, that is enough to play it more quietly.
    pub(super) fn speech_likely(&mut self, now: CallTime, at: CallTime, out: &mut Vec<Output>) {
        if let Next::Invoking(waiting) = &mut self.next {
            waiting.perhaps(now);
        }
        let listening = matches!(self.next, Next::Listen(_)) && self.keys.is_empty();
        let may_cut = self.ledger.barge_in() == Some(BargeIn::Any);
        if listening && may_cut && self.turn.is_none() && self.likely.is_none() {
            self.likely = Some(Likely { at, noticed: now, held: false });
            out.push(Output::Duck);
        }
    }

    /// It was none.
    pub(super) fn speech_unlikely(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if self.likely.take().is_some() {
            self.ledger.resume(now);
            out.push(Output::Resume);
        }
    }

    /// When something is to be done about a sound of which it is not yet known whether it is speech.
    pub(super) fn likely_deadline(&self) -> Option<CallTime> {
        let likely = self.likely?;
        let given_up = likely.noticed + LIKELY_FOR;
        let hold = likely.at + self.timing.hold();
        Some(if likely.held { given_up } else { hold.min(given_up) })
    }

    /// The prompt falls silent for a sound that goes on, also before it is certain that it is speech; but
    /// not for long.
    pub(super) fn likely_due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        match &mut self.likely {
            Some(likely) if likely.noticed + LIKELY_FOR > now => {
                likely.held = true;
                self.ledger.hold(now);
                out.push(Output::Hold);
            }
            _ => self.speech_unlikely(now, out),
        }
    }

    /// It is speech: over the prompt, which may already be quieter or silent.
    pub(super) fn overlap_begins(&mut self, now: CallTime, out: &mut Vec<Output>) {
        match (self.likely.take(), &mut self.turn) {
            (None, _) => out.push(Output::Duck),
            (Some(Likely { held: true, .. }), Some(turn)) => turn.over = Over::Held,
            (Some(_), _) => {}
        }
        self.overlap_goes_on(now, out);
    }

    /// The caller still speaks over the prompt: hold it, and then drop it, when it is time. Two short sounds, one
    /// after the other, are no long one.
    pub(super) fn overlap_goes_on(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Some(turn) = self.turn.as_mut().filter(|t| t.pause.is_none()) else { return };
        if turn.over == Over::Ducked && turn.stretch + self.timing.hold() <= now {
            turn.over = Over::Held;
            self.ledger.hold(now);
            out.push(Output::Hold);
        }
        if turn.over == Over::Held && turn.stretch + self.timing.interrupt() <= now {
            self.interrupt(now, out);
        }
    }

    /// What the sound over the prompt was is not known yet, and the caller hears nothing: the prompt
    /// goes on, and is dropped later if it has to be.
    pub(super) fn go_on_in_doubt(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Some(turn) = &mut self.turn else { return };
        turn.over = Over::Ducked;
        self.ledger.resume(now);
        out.push(Output::ResumeDucked);
    }

    /// When a held prompt goes on although it is not known yet what the sound was: at no time while
    /// a yes or no is being asked for, as a short word is then likely to be the answer.
    pub(super) fn in_doubt_until(&self, turn: &Turn) -> Option<CallTime> {
        let Some(Pause { text: None, at, .. }) = &turn.pause else { return None };
        let asking = match &self.next {
            Next::Listen(listen) => {
                listen.expect == Expect::YesNo && self.ledger.is_last_sounding()
            }
            _ => false,
        };
        (turn.over == Over::Held && !asking).then(|| *at + self.timing.resume())
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

    /// Whether a short sound over a prompt was written as one word that the dialog makes nothing of, or as
    /// more than can be said in it: a hum or a knock becomes "Mum." or "you".
    fn is_scrap(&self, now: CallTime, text: &[Hypothesis]) -> bool {
        let (Next::Listen(listen), Some(turn)) = (&self.next, &self.turn) else { return false };
        let (Some(pause), Some(best)) = (&turn.pause, text.first()) else { return false };
        let (lang, length) = (listen.lang, pause.at.since(turn.from));
        let little = is_one_word(lang, &best.text)
            || is_too_much_for(lang, &best.text, length.as_millis() as u64);
        let input = dialog::Input::Heard(text.to_vec());
        length < SCRAP && little && !Ahead::of(&self.machine, now, input).understood()
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
    pub(super) fn interrupt(&mut self, now: CallTime, out: &mut Vec<Output>) -> bool {
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
        match pause {
            // What was recognised was only its end.
            Some(Pause { at, .. }) => self.pause(now, at, false, out),
            None => self.follow(out),
        }
        true
    }
}
