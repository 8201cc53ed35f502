//! The caller's turn while nothing is being said: speech, pauses, text, and the end of the turn.

use super::{
    Conversation, EndOfTurn,
    contract::{Note, Output, UtteranceId},
    engine::Next,
    stamps::TurnStamps,
    turn::{Closed, Over, Pause, Text, Turn},
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn, Expect, Listen, Voice},
    text::{Hypothesis, Lang},
    understand::{Backchannel, backchannel, is_card_number},
};

impl Conversation {
    pub(super) fn speech_started(&mut self, now: CallTime, at: CallTime, out: &mut Vec<Output>) {
        if matches!(self.next, Next::Invoking(_)) {
            return self.speech_while_invoking(now, true, out);
        }
        // While keys are being typed, nothing else counts.
        if !matches!(self.next, Next::Listen(_)) || !self.keys.is_empty() {
            return;
        }
        if let Some(turn) = &mut self.turn {
            // The caller goes on: what was recognised so far is only part of the turn.
            if let Some(pause) = turn.pause.take() {
                turn.stretch = at;
                self.ahead = None;
                if pause.text.is_none() {
                    out.push(Output::CancelRecognition { utterance: pause.utterance });
                }
                self.follow(out);
            }
            return;
        }
        if let Some(generating) = &mut self.generating {
            generating.not_idle();
        }
        let over = match self.ledger.barge_in() {
            Some(BargeIn::Any) => Over::Ducked,
            Some(BargeIn::Keys | BargeIn::None) => Over::Protected,
            None => Over::Silence,
        };
        self.turn = Some(Turn::begin(at, over, self.silence_since.take()));
        if over == Over::Ducked {
            self.overlap_begins(now, out);
        }
        self.follow(out);
    }

    pub(super) fn speech_stopped(&mut self, now: CallTime, at: CallTime, out: &mut Vec<Output>) {
        if matches!(self.next, Next::Invoking(_)) {
            return self.speech_while_invoking(now, false, out);
        }
        // Speech that began and ended under a prompt which may not be cut is not an answer.
        if self.turn.as_ref().is_some_and(|turn| turn.over == Over::Protected) {
            return self.drop_turn(out);
        }
        self.pause(now, at, false, out);
    }

    /// The caller pauses, since `at`: what was said so far is recognised.
    pub(super) fn pause(
        &mut self,
        now: CallTime,
        at: CallTime,
        forced: bool,
        out: &mut Vec<Output>,
    ) {
        let Next::Listen(listen) = &self.next else { return };
        let Some(turn) = self.turn.as_mut().filter(|t| t.pause.is_none()) else { return };
        turn.attempts += 1;
        let utterance = turn.following.take().unwrap_or_else(|| {
            self.utterances += 1;
            UtteranceId(self.utterances)
        });
        turn.pause = Some(Pause { at, noticed: now, forced, utterance, text: None });
        out.push(Output::Recognize {
            utterance,
            from: turn.from - self.timing.pre_roll(),
            to: (at + self.timing.post_roll()).min(now),
            lang: listen.lang,
            phrases: listen.phrases.clone(),
        });
    }

    pub(super) fn recognized(
        &mut self,
        now: CallTime,
        utterance: UtteranceId,
        (hypotheses, voice): (Vec<Hypothesis>, Option<Voice>),
        out: &mut Vec<Output>,
    ) {
        let Some(turn) = self.turn.as_mut() else { return };
        let overlaps = turn.overlaps();
        if turn.pause_of(utterance).is_none() {
            return;
        }
        let hypotheses: Vec<_> =
            hypotheses.into_iter().filter(|h| !h.text.trim().is_empty()).collect();
        if overlaps && !self.second_thought(now, &hypotheses, out) {
            return;
        }
        let interrupts = self.turn.as_ref().is_some_and(|turn| turn.interrupts);
        self.machine.sounds(match voice {
            Some(voice) => Some(Voice { interrupts, ..voice }),
            None => interrupts.then_some(Voice { level_cb: 0, speech_ms: 0, interrupts }),
        });
        if !hypotheses.is_empty() {
            self.think_ahead(now, dialog::Input::Heard(hypotheses.clone()), out);
        }
        let Next::Listen(listen) = &self.next else { return };
        let understood = self.ahead.as_ref().is_some_and(|ahead| ahead.understood());
        let Some(pause) = self.turn.as_mut().and_then(|t| t.pause_of(utterance)) else { return };
        let begun = hypotheses.first().is_some_and(|best| self.machine.expects_more(&best.text));
        let why = EndOfTurn::judge(listen, &hypotheses, understood, begun, pause.forced);
        let due = pause.at + why.pause(&self.timing, listen);
        pause.text = Some(Text { ready: now, hypotheses, understood, why, due });
        if due <= now {
            self.end_turn(now, out);
        }
    }

    /// When something is to be done about the turn.
    pub(super) fn turn_deadline(&self, turn: &Turn) -> Option<CallTime> {
        match (&turn.pause, turn.over) {
            (_, Over::Protected) => None,
            (None, Over::Ducked) => Some(turn.stretch + self.timing.hold()),
            (None, Over::Held) => Some(turn.stretch + self.timing.interrupt()),
            (None, Over::Silence) => Some(turn.from + self.timing.max_turn()),
            (Some(Pause { text: None, noticed, .. }), _) => {
                let given_up = *noticed + self.timing.max_thinking();
                Some(self.in_doubt_until(turn).map_or(given_up, |at| at.min(given_up)))
            }
            (Some(Pause { text: Some(text), .. }), _) => Some(text.due),
        }
    }

    pub(super) fn turn_due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Some(turn) = &self.turn else { return };
        match &turn.pause {
            None if turn.overlaps() => self.overlap_goes_on(now, out),
            None => self.pause(now, now, true, out),
            Some(_) if self.in_doubt_until(turn).is_some_and(|at| at <= now) => {
                self.go_on_in_doubt(now, out);
            }
            Some(Pause { text: None, utterance, .. }) => {
                let utterance = *utterance;
                let problem = format!("no result within {} ms", self.timing.max_thinking_ms);
                out.push(Output::CancelRecognition { utterance });
                out.push(Output::Note(Note::RecognitionFailed { problem }));
                self.recognized(now, utterance, (Vec::new(), None), out);
            }
            Some(Pause { text: Some(_), .. }) => self.end_turn(now, out),
        }
    }

    /// The turn is over: the dialog gets it, unless it was nothing.
    fn end_turn(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Next::Listen(listen) = &self.next else { return };
        let listen = listen.clone();
        let Some(turn) = self.turn.take() else { return };
        let Some(Pause { text: Some(text), at, noticed, .. }) = turn.pause else { return };
        let short = at.since(turn.from) < self.timing.noise();
        if text.hypotheses.is_empty() && (short || self.generating.is_some()) {
            // A cough or a click: as if nothing had been heard.
            self.silence_since = Some(turn.silence_before.unwrap_or(now));
            return;
        }
        if let Some(hesitation) = hesitation(&listen, &text) {
            out.push(Output::Note(Note::Backchannel { text: hesitation, at: turn.from }));
            self.silence_since = Some(now);
            self.ahead = None;
            return;
        }
        let Text { ready, hypotheses, why, .. } = text;
        let heard = Note::Heard { hypotheses: for_record(&hypotheses), from: turn.from, to: at };
        out.push(Output::Note(heard));
        let input = match hypotheses.is_empty() {
            true => dialog::Input::Unclear,
            false => dialog::Input::Heard(hypotheses),
        };
        let number = self.next_turn();
        let before = self.machine.clone();
        let first = self.advance(now, input, out);
        let stamps = TurnStamps {
            pause_noticed: noticed,
            text_ready: Some(ready),
            why: Some(why),
            attempts: turn.attempts,
            ..TurnStamps::decided(number, at, now)
        };
        self.answered(now, first, Some(stamps));
        // What has been done cannot be taken back; what is only being said can, unless keys that
        // were pressed earlier have already answered it.
        let untouched = self.turns == number && self.keys.is_empty();
        if matches!(self.next, Next::Listen(_)) && untouched && why != EndOfTurn::TooLong {
            let until = now + self.timing.reopen();
            let (from, attempts) = (turn.from, turn.attempts);
            let closed = Closed { from, attempts, machine: before, listen, until };
            self.closed = Some(Box::new(closed));
        }
    }
}

/// The words of a turn that is no answer but a sign that one will follow: "um", 嗯.
fn hesitation(listen: &Listen, text: &Text) -> Option<String> {
    let best = &text.hypotheses.first()?.text;
    let kind = backchannel(listen.lang, best)?;
    let hum_for_a_message =
        kind == Backchannel::Hum && matches!(listen.expect, Expect::Text | Expect::Talk);
    (hum_for_a_message || !text.understood).then(|| best.clone())
}

/// What was heard, as records may show it: without numbers of payment cards.
fn for_record(heard: &[Hypothesis]) -> Vec<Hypothesis> {
    let shown = |h: &Hypothesis| {
        let card = [Lang::En, Lang::Zh].iter().any(|lang| is_card_number(*lang, &h.text));
        let text = if card { "[card number]".to_owned() } else { h.text.clone() };
        Hypothesis { text, confidence: h.confidence }
    };
    heard.iter().map(shown).collect()
}
