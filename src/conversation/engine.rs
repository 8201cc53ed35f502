mod ahead;
mod no_audio;

use ahead::Ahead;

use super::{
    Timing,
    contract::{Input, Note, Output, PromptId, TurnStamps, UtteranceId},
    keys::KeyEntry,
    playback::Ledger,
    turn::{Pause, Text, Turn},
};
use crate::{
    audio::CallTime,
    dialog::{self, BargeIn, Listen, Machine, Outcome},
    text::Hypothesis,
};

/// One call's turn-taking, from the answer to the hang-up.
#[derive(Debug, Clone)]
pub struct Conversation {
    machine: Machine,
    timing: Timing,
    ledger: Ledger,
    next: Next,
    turn: Option<Turn>,
    keys: KeyEntry,
    typed_ahead: Vec<char>,
    silence_since: Option<CallTime>,
    ahead: Option<Box<Ahead>>,
    stamps: Option<(PromptId, TurnStamps)>,
    utterances: u32,
    turns: u32,
}

/// What follows once everything has been said.
#[derive(Debug, Clone)]
enum Next {
    Start,
    Listen(Listen),
    Transfer(dialog::Transfer),
    /// The caller is being handed over: nobody speaks to us.
    Transferring,
    HangUp(Outcome),
    Over,
}

impl Conversation {
    /// A conversation that has not begun; its first input is [`Input::Start`].
    pub fn new(machine: Machine, timing: Timing) -> Self {
        Self {
            machine,
            timing,
            ledger: Ledger::default(),
            next: Next::Start,
            turn: None,
            keys: KeyEntry::default(),
            typed_ahead: Vec::new(),
            silence_since: None,
            ahead: None,
            stamps: None,
            utterances: 0,
            turns: 0,
        }
    }

    /// Takes one input. Any input is accepted in any state; `now` never goes back.
    pub fn step(&mut self, now: CallTime, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Start => self.start(now, &mut out),
            Input::SpeechStarted { at } => self.speech_started(at, &mut out),
            Input::SpeechStopped { at } => self.speech_stopped(now, at, &mut out),
            Input::Recognized { utterance, hypotheses } => {
                self.recognized(now, utterance, hypotheses, &mut out);
            }
            Input::RecognitionFailed { utterance, problem } => {
                out.push(Output::Note(Note::RecognitionFailed { problem }));
                self.recognized(now, utterance, Vec::new(), &mut out);
            }
            Input::Key(key) => self.key(now, key, &mut out),
            Input::PlaybackStarted { prompt } => self.playback_started(now, prompt, &mut out),
            Input::PlaybackEnded { prompt, played, total } => {
                out.extend(self.ledger.ended(now, prompt, played, total).map(Output::Note));
                self.settle(now, &mut out);
            }
            Input::Deadline => self.due(now, &mut out),
            Input::NoAudio { since, ever } => self.no_audio(now, since, ever, &mut out),
            Input::Transferred(result) if matches!(self.next, Next::Transferring) => {
                self.advance(now, dialog::Input::Transferred(result), &mut out);
            }
            Input::Transferred(_) => {}
            Input::HungUp => self.hung_up(now, &mut out),
        }
        out
    }

    /// When [`Input::Deadline`] is wanted; may lie in the past, which means at once.
    pub fn deadline(&self) -> Option<CallTime> {
        let Next::Listen(listen) = &self.next else { return None };
        let quiet = self.silence_since.map(|since| since + listen.no_input);
        let turn = self.turn.as_ref().filter(|t| !t.over_prompt).map(|t| self.turn_deadline(t));
        [quiet, turn, self.keys.deadline(&listen.keys)].into_iter().flatten().min()
    }

    /// Whether nothing more will be said or heard.
    pub fn is_over(&self) -> bool {
        matches!(self.next, Next::Over)
    }

    fn start(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if matches!(self.next, Next::Start) {
            self.advance(now, dialog::Input::Start, out);
        }
    }

    fn speech_started(&mut self, at: CallTime, out: &mut Vec<Output>) {
        if !matches!(self.next, Next::Listen(_)) {
            return;
        }
        if let Some(turn) = &mut self.turn {
            // The caller goes on: what was recognised so far is only part of the turn.
            if let Some(pause) = turn.pause.take() {
                self.ahead = None;
                if pause.text.is_none() {
                    out.push(Output::CancelRecognition { utterance: pause.utterance });
                }
            }
            return;
        }
        let mut turn = Turn::begin(at, self.silence_since.take());
        match self.ledger.barge_in() {
            Some(BargeIn::Any) => self.interrupt(at, out),
            Some(BargeIn::Keys | BargeIn::None) => turn.over_prompt = true,
            None => {}
        }
        self.turn = Some(turn);
    }

    fn speech_stopped(&mut self, now: CallTime, at: CallTime, out: &mut Vec<Output>) {
        // Speech that began and ended under a prompt which may not be cut is not an answer.
        if self.turn.as_ref().is_some_and(|turn| turn.over_prompt) {
            self.turn = None;
            return;
        }
        self.pause(now, at, false, out);
    }

    fn pause(&mut self, now: CallTime, at: CallTime, forced: bool, out: &mut Vec<Output>) {
        let Next::Listen(listen) = &self.next else { return };
        let Some(turn) = self.turn.as_mut().filter(|t| t.pause.is_none()) else { return };
        self.utterances += 1;
        let utterance = UtteranceId(self.utterances);
        turn.pause = Some(Pause { at, noticed: now, forced, utterance, text: None });
        out.push(Output::Recognize {
            utterance,
            from: turn.from - self.timing.pre_roll(),
            to: (at + self.timing.post_roll()).min(now),
            lang: listen.lang,
            phrases: listen.phrases.clone(),
        });
    }

    fn recognized(
        &mut self,
        now: CallTime,
        utterance: UtteranceId,
        hypotheses: Vec<Hypothesis>,
        out: &mut Vec<Output>,
    ) {
        let Some(pause) = self.turn.as_mut().and_then(|t| t.pause_of(utterance)) else { return };
        let hypotheses: Vec<_> =
            hypotheses.into_iter().filter(|h| !h.text.trim().is_empty()).collect();
        pause.text = Some(Text { ready: now, hypotheses: hypotheses.clone() });
        if !hypotheses.is_empty() {
            self.think_ahead(now, dialog::Input::Heard(hypotheses), out);
        }
        self.due(now, out);
    }

    fn key(&mut self, now: CallTime, key: char, out: &mut Vec<Output>) {
        let Next::Listen(listen) = &self.next else { return };
        match self.ledger.barge_in() {
            Some(BargeIn::None) => self.typed_ahead.push(key),
            Some(BargeIn::Any | BargeIn::Keys) => {
                let rules = listen.keys.clone();
                self.interrupt(now, out);
                self.press(now, key, &rules, out);
            }
            None => {
                let rules = listen.keys.clone();
                self.press(now, key, &rules, out);
            }
        }
    }

    fn press(&mut self, now: CallTime, key: char, rules: &dialog::KeyRules, out: &mut Vec<Output>) {
        // Keys win over speech: a caller who types does not want to be misheard.
        self.drop_turn(out);
        self.silence_since = None;
        match self.keys.press(now, key, rules) {
            Some(entry) => self.keys_complete(now, entry, out),
            None if self.keys.is_empty() => self.silence_since = Some(now),
            None => {}
        }
    }

    fn keys_complete(&mut self, now: CallTime, entry: String, out: &mut Vec<Output>) {
        out.push(Output::Note(Note::Keys { count: entry.chars().count(), at: now }));
        let (end, turn) = (self.keys.last(), self.next_turn());
        let first = self.advance(now, dialog::Input::Keys(entry), out);
        self.stamps = first.map(|prompt| (prompt, TurnStamps::decided(turn, end, end, None, now)));
    }

    fn playback_started(&mut self, now: CallTime, prompt: PromptId, out: &mut Vec<Output>) {
        self.ledger.started(now, prompt);
        if let Some((_, stamps)) = self.stamps.take_if(|(first, _)| *first == prompt) {
            out.push(Output::Note(Note::Turn(TurnStamps { first_audio: now, ..stamps })));
        }
    }

    fn hung_up(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if self.is_over() {
            return;
        }
        self.drop_turn(out);
        if !matches!(self.next, Next::HangUp(_)) {
            self.advance(now, dialog::Input::HungUp, out);
        }
        self.next = Next::Over;
        self.silence_since = None;
    }

    fn due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Next::Listen(listen) = &self.next else { return };
        if self.keys.deadline(&listen.keys).is_some_and(|at| at <= now) {
            if let Some(entry) = self.keys.take() {
                self.keys_complete(now, entry, out);
            }
        } else if self.silence_since.is_some_and(|since| since + listen.no_input <= now) {
            self.silence_since = None;
            self.advance(now, dialog::Input::NoInput, out);
        } else if let Some(turn) = self.turn.as_ref().filter(|t| !t.over_prompt)
            && self.turn_deadline(turn) <= now
        {
            self.turn_due(now, out);
        }
    }

    fn turn_deadline(&self, turn: &Turn) -> CallTime {
        let Some(pause) = &turn.pause else { return turn.from + self.timing.max_turn() };
        match (&pause.text, &self.next) {
            (None, _) => pause.noticed + self.timing.max_thinking(),
            (Some(text), Next::Listen(listen)) if !pause.forced => {
                pause.at + self.timing.pause(&listen.expect, listen.lang, &text.hypotheses)
            }
            (Some(text), _) => text.ready,
        }
    }

    fn turn_due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let Some(mut turn) = self.turn.take() else { return };
        match turn.pause.take() {
            None => {
                self.turn = Some(turn);
                self.pause(now, now, true, out);
            }
            Some(Pause { text: Some(text), at, noticed, .. }) => {
                self.end_turn(now, &turn, at, noticed, text, out);
            }
            Some(Pause { text: None, at, noticed, utterance, .. }) => {
                out.push(Output::CancelRecognition { utterance });
                let problem = format!("no result within {} ms", self.timing.max_thinking_ms);
                out.push(Output::Note(Note::RecognitionFailed { problem }));
                let text = Text { ready: now, hypotheses: Vec::new() };
                self.end_turn(now, &turn, at, noticed, text, out);
            }
        }
    }

    /// The turn is over: the dialog gets it.
    fn end_turn(
        &mut self,
        now: CallTime,
        turn: &Turn,
        at: CallTime,
        noticed: CallTime,
        text: Text,
        out: &mut Vec<Output>,
    ) {
        let hypotheses = text.hypotheses;
        if hypotheses.is_empty() && turn.ms(at) < self.timing.noise_ms {
            // A cough or a click: as if nothing had been heard.
            self.silence_since = Some(turn.silence_before.unwrap_or(now));
            return;
        }
        let heard = Note::Heard { hypotheses: hypotheses.clone(), from: turn.from, to: at };
        out.push(Output::Note(heard));
        let input = match hypotheses.is_empty() {
            true => dialog::Input::Unclear,
            false => dialog::Input::Heard(hypotheses),
        };
        let stamps = TurnStamps::decided(self.next_turn(), at, noticed, Some(text.ready), now);
        self.stamps = self.advance(now, input, out).map(|prompt| (prompt, stamps));
    }

    /// Steps the dialog and carries out what it says; returns the first prompt of its answer.
    fn advance(
        &mut self,
        now: CallTime,
        input: dialog::Input,
        out: &mut Vec<Output>,
    ) -> Option<PromptId> {
        let outputs = match self.ahead.take() {
            Some(ahead) if ahead.input == input => {
                self.machine = ahead.machine;
                ahead.outputs
            }
            _ => self.machine.step(now, input),
        };
        let mut first = None;
        for output in outputs {
            match output {
                dialog::Output::Say(say) => {
                    let prompt = self.ledger.enter(say.clone());
                    first.get_or_insert(prompt);
                    out.push(Output::Play { prompt, say });
                }
                dialog::Output::Listen(listen) => self.next = Next::Listen(listen),
                dialog::Output::Transfer(transfer) => self.next = Next::Transfer(transfer),
                dialog::Output::HangUp(outcome) => self.next = Next::HangUp(outcome),
                dialog::Output::Note(event) => out.push(Output::Note(Note::Dialog(event))),
            }
        }
        self.settle(now, out);
        first
    }

    /// Once everything has been said: listen, or hang up.
    fn settle(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if !self.ledger.is_idle() {
            return;
        }
        if let Some(turn) = &mut self.turn {
            turn.over_prompt = false;
        }
        match &self.next {
            Next::Listen(_) => {
                if self.turn.is_none() && self.keys.is_empty() && self.silence_since.is_none() {
                    self.silence_since = Some(now);
                }
                for key in std::mem::take(&mut self.typed_ahead) {
                    self.key(now, key, out);
                }
            }
            Next::HangUp(outcome) => {
                out.push(Output::HangUp(outcome.clone()));
                self.next = Next::Over;
                self.drop_turn(out);
            }
            Next::Transfer(transfer) => {
                out.push(Output::Transfer(transfer.clone()));
                self.next = Next::Transferring;
                self.silence_since = None;
                self.drop_turn(out);
            }
            Next::Start | Next::Transferring | Next::Over => {}
        }
    }

    fn interrupt(&mut self, at: CallTime, out: &mut Vec<Output>) {
        out.push(Output::Note(Note::BargeIn { at }));
        out.push(Output::StopPlayback);
    }

    fn drop_turn(&mut self, out: &mut Vec<Output>) {
        self.ahead = None;
        if let Some(Pause { text: None, utterance, .. }) = self.turn.take().and_then(|t| t.pause) {
            out.push(Output::CancelRecognition { utterance });
        }
    }

    fn next_turn(&mut self) -> u32 {
        self.turns += 1;
        self.turns
    }
}
