use std::collections::VecDeque;

use super::{
    Timing,
    ahead::Ahead,
    contract::{Input, Note, Output, PromptId},
    generating::Generating,
    invoking::Invoking,
    keys::KeyEntry,
    orders::Ordered,
    overlap::Likely,
    playback::Ledger,
    stamps::TurnStamps,
    turn::{Closed, Over, Pause, Turn},
};
use crate::{
    audio::CallTime,
    dialog::{self, Listen, Machine, Outcome},
    text::Lang,
};

/// One call's turn-taking, from the answer to the hang-up.
#[derive(Debug, Clone)]
pub struct Conversation {
    pub(super) machine: Machine,
    pub(super) timing: Timing,
    pub(super) ledger: Ledger,
    pub(super) next: Next,
    pub(super) turn: Option<Turn>,
    pub(super) closed: Option<Box<Closed>>,
    /// A sound over a prompt that might be the caller's speech.
    pub(super) likely: Option<Likely>,
    pub(super) keys: KeyEntry,
    pub(super) typed_ahead: Vec<char>,
    pub(super) silence_since: Option<CallTime>,
    pub(super) ahead: Option<Box<Ahead>>,
    pub(super) stamps: Option<(PromptId, TurnStamps)>,
    /// Languages whose recogniser has words while the caller speaks.
    pub(super) followed: Vec<Lang>,
    pub(super) utterances: u32,
    pub(super) turns: u32,
    pub(super) invocations: u32,
    /// What is to be said by order as soon as the caller has finished.
    pub(super) ordered: VecDeque<Ordered>,
    /// A language model that is answering; meanwhile the question is open.
    pub(super) generating: Option<Box<Generating>>,
    pub(super) generations: u32,
}

/// What follows once everything has been said.
#[derive(Debug, Clone)]
pub(super) enum Next {
    Start,
    Listen(Listen),
    Transfer(dialog::Transfer),
    /// The caller is being handed over: nobody speaks to us.
    Transferring,
    /// Somebody has taken the call over from the bot, and says by order what is said.
    TakenOver,
    /// A tool was asked.
    Invoking(Box<Invoking>),
    HangUp(Outcome),
    Over,
}

impl Conversation {
    /// A conversation that has not begun; its first input is [`Input::Start`].
    pub fn new(machine: Machine, timing: Timing) -> Self {
        Self {
            ledger: Ledger::new(machine.has_talks()),
            machine,
            timing,
            next: Next::Start,
            turn: None,
            closed: None,
            likely: None,
            keys: KeyEntry::default(),
            typed_ahead: Vec::new(),
            silence_since: None,
            ahead: None,
            stamps: None,
            followed: Vec::new(),
            utterances: 0,
            turns: 0,
            invocations: 0,
            ordered: VecDeque::new(),
            generating: None,
            generations: 0,
        }
    }

    /// Takes one input. Any input is accepted in any state; `now` never goes back.
    pub fn step(&mut self, now: CallTime, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Start => self.start(now, &mut out),
            Input::SpeechLikely { at } => self.speech_likely(now, at, &mut out),
            Input::SpeechUnlikely => self.speech_unlikely(now, &mut out),
            Input::SpeechStarted { at } => self.speech_started(now, at, &mut out),
            Input::SpeechStopped { at } => self.speech_stopped(now, at, &mut out),
            Input::Partial { utterance, hypothesis } => {
                self.partial(now, utterance, hypothesis, &mut out);
            }
            Input::Recognized { utterance, hypotheses, voice } => {
                self.recognized(now, utterance, (hypotheses, voice), &mut out);
            }
            Input::RecognitionFailed { utterance, problem } => {
                out.push(Output::Note(Note::RecognitionFailed { problem }));
                self.recognized(now, utterance, (Vec::new(), None), &mut out);
            }
            Input::Key(key) => self.key(now, key, &mut out),
            Input::PlaybackStarted { prompt, total, ready } => {
                self.playback_started(now, prompt, total, ready, &mut out);
            }
            Input::PlaybackEnded { prompt, played, total } => {
                out.extend(self.ledger.ended(now, prompt, played, total).map(Output::Note));
                self.overlap_reaches_next_prompt(&mut out);
                self.settle(now, &mut out);
            }
            Input::Deadline => self.due(now, &mut out),
            Input::NoAudio { since, ever } => self.no_audio(now, since, ever, &mut out),
            Input::Transferred(result)
                if matches!(self.next, Next::Transferring | Next::TakenOver) =>
            {
                self.advance(now, dialog::Input::Transferred(result), &mut out);
            }
            Input::Transferred(_) => {}
            Input::Invoked { id, result } => self.invoked(now, id, result, &mut out),
            Input::Order(order) => self.carry_out(now, order, &mut out),
            Input::Generated { id, part } => self.generated(id, part),
            Input::HungUp => self.hung_up(now, &mut out),
        }
        self.say_ordered(&mut out);
        self.take_generated(now, &mut out);
        out
    }

    /// When [`Input::Deadline`] is wanted; may lie in the past, which means at once.
    pub fn deadline(&self) -> Option<CallTime> {
        let listen = match &self.next {
            Next::Listen(listen) => listen,
            Next::Invoking(waiting) => return Some(waiting.deadline()),
            _ => return None,
        };
        let model = self.generating.as_ref().and_then(|generating| generating.deadline());
        let silence = self.silence_since.filter(|_| self.generating.is_none());
        let quiet = silence.map(|since| since + listen.no_input);
        let turn = self.turn.as_ref().and_then(|turn| self.turn_deadline(turn));
        let keys = self.keys.deadline(&listen.keys);
        [quiet, model, turn, self.likely_deadline(), keys].into_iter().flatten().min()
    }

    fn start(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if matches!(self.next, Next::Start) {
            self.advance(now, dialog::Input::Start, out);
        }
    }

    fn playback_started(
        &mut self,
        now: CallTime,
        prompt: PromptId,
        total: u64,
        ready: CallTime,
        out: &mut Vec<Output>,
    ) {
        self.ledger.started(now, prompt, total);
        if let Some((_, stamps)) = self.stamps.take_if(|(first, _)| *first == prompt) {
            let stamps = TurnStamps { audio_ready: ready, first_audio: now, ..stamps };
            out.push(Output::Note(Note::Turn(stamps)));
        }
    }

    fn hung_up(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if self.is_over() {
            return;
        }
        self.drop_turn(out);
        self.stop_generating(out);
        if !matches!(self.next, Next::HangUp(_)) {
            self.advance(now, dialog::Input::HungUp, out);
        }
        self.next = Next::Over;
        self.silence_since = None;
    }

    fn due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        if matches!(self.next, Next::Invoking(_)) {
            return self.invoking_due(now, out);
        }
        let Next::Listen(listen) = &self.next else { return };
        if self.likely_deadline().is_some_and(|at| at <= now) {
            self.likely_due(now, out);
        } else if self.keys.deadline(&listen.keys).is_some_and(|at| at <= now) {
            if let Some(entry) = self.keys.take() {
                self.keys_complete(now, entry, out);
            }
        } else if self.generating.as_ref().and_then(|g| g.deadline()).is_some_and(|at| at <= now) {
            self.generating_due(now, out);
        } else if self.generating.is_none()
            && self.silence_since.is_some_and(|since| since + listen.no_input <= now)
        {
            self.silence_since = None;
            self.advance(now, dialog::Input::NoInput, out);
        } else if let Some(turn) = &self.turn
            && self.turn_deadline(turn).is_some_and(|at| at <= now)
        {
            self.turn_due(now, out);
        }
    }

    /// Steps the dialog and carries out what it says; returns the first prompt of its answer.
    pub(super) fn advance(
        &mut self,
        now: CallTime,
        input: dialog::Input,
        out: &mut Vec<Output>,
    ) -> Option<PromptId> {
        self.closed = None;
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
                dialog::Output::Invoke(invoke) => self.invoke(now, invoke, out),
                dialog::Output::Generate(request) => self.generate(now, *request, out),
                dialog::Output::StopGenerating => self.stop_generating(out),
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
        self.likely = None;
        if let Some(turn) = &mut self.turn {
            // There is nothing left to be held or cut short.
            turn.over = Over::Silence;
        }
        match &mut self.next {
            Next::Invoking(waiting) => waiting.idle(now),
            Next::Listen(_) => {
                if let Some(generating) = &mut self.generating {
                    generating.idle(now);
                } else if self.turn.is_none()
                    && self.keys.is_empty()
                    && self.silence_since.is_none()
                {
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
            Next::Start | Next::Transferring | Next::TakenOver | Next::Over => {}
        }
    }

    pub(super) fn drop_turn(&mut self, out: &mut Vec<Output>) {
        self.ahead = None;
        self.unfollow(out);
        if let Some(Pause { text: None, utterance, .. }) = self.turn.take().and_then(|t| t.pause) {
            out.push(Output::CancelRecognition { utterance });
        }
    }

    pub(super) fn next_turn(&mut self) -> u32 {
        self.turns += 1;
        self.turns
    }
}
