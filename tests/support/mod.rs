//! A simulated rim on a virtual clock: a call runs as fast as the CPU allows.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use hotline::{
    audio::CallTime,
    conversation::{
        Attention, Conversation, GenerateId, Input, InvokeId, Note, Order, Output, PromptId,
        Refusal, Timing, TurnStamps, UtteranceId,
        journal::{self, FORMAT, Header, Step},
    },
    dialog::{CallDirection, CallFacts, Generate, Invoke, Machine, Outcome, Transfer, Voice},
    dialplan::{Dialplan, DialplanSource},
    text::{Hypothesis, Lang},
};

const TICK: Duration = Duration::from_millis(20);
/// Every prompt sounds for two seconds.
pub(crate) const PROMPT: u64 = 16_000;
/// The voice-activity detector notices an onset this late, and an end this late.
const NOTICED: Duration = Duration::from_millis(100);

/// Something done to the sounding prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Playback {
    Ducked,
    Held,
    ResumedDucked,
    Resumed,
    Stopped,
}

/// A call between a conversation and a scripted caller.
#[derive(Clone)]
pub(crate) struct Sim {
    conversation: Conversation,
    journal: Vec<String>,
    now: CallTime,
    playing: VecDeque<(PromptId, u64)>,
    held: bool,
    muted: bool,
    /// What was done to the sounding prompt, and when, ms.
    pub(crate) playback: Vec<(Playback, u64)>,
    /// Samples sent of each prompt.
    pub(crate) sent: BTreeMap<PromptId, u64>,
    recognizing: Option<(UtteranceId, CallTime)>,
    /// What is being recognised while the caller speaks, and from where on.
    pub(crate) following: Option<(UtteranceId, CallTime)>,
    /// What recognition will return for the speech so far.
    text: String,
    /// How the caller sounds.
    pub(crate) voice: Option<Voice>,
    /// How long recognition takes.
    pub(crate) recognition: Duration,
    /// What the bot has begun to say.
    pub(crate) said: Vec<String>,
    /// What was made ready to be said.
    pub(crate) prepared: Vec<String>,
    pub(crate) notes: Vec<Note>,
    pub(crate) outcome: Option<Outcome>,
    /// What tools were asked.
    pub(crate) invoked: Vec<(InvokeId, Invoke)>,
    /// To whom the caller was to be handed over.
    pub(crate) transfers: Vec<Transfer>,
    /// What a language model was asked.
    pub(crate) generate: Vec<(GenerateId, Generate)>,
    /// Whose answers were no longer wanted.
    pub(crate) stopped: Vec<GenerateId>,
    /// The caller has begun to speak and has not stopped.
    caller_speaks: bool,
    /// Since when nobody says anything, a held prompt included, while the call is ours.
    silent_since: CallTime,
    handed_over: bool,
    /// The longest time for which that lasted, and when, ms.
    pub(crate) longest_silence: Duration,
    pub(crate) silence_at: u64,
}

impl Sim {
    /// A call that has just been answered by `dialplan`.
    pub(crate) fn answered(dialplan: &str) -> Self {
        Self::begun(dialplan, CallDirection::Inbound, &[], Vec::new())
    }

    /// The same of a call that we placed, with values that slots have from the beginning.
    pub(crate) fn placed(dialplan: &str, preset: &[(&str, &str)]) -> Self {
        Self::begun(dialplan, CallDirection::Outbound, preset, Vec::new())
    }

    /// A call with recognisers that, in these languages, have words while the caller speaks.
    pub(crate) fn followed(dialplan: &str, langs: Vec<Lang>) -> Self {
        Self::begun(dialplan, CallDirection::Inbound, &[], langs)
    }

    fn begun(
        dialplan: &str,
        direction: CallDirection,
        preset: &[(&str, &str)],
        langs: Vec<Lang>,
    ) -> Self {
        let source = DialplanSource::inline("test.yaml", dialplan);
        let plan = Dialplan::from_source(source.clone()).unwrap_or_else(|errors| {
            panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        let facts = CallFacts {
            caller: "100".into(),
            called: "1000".into(),
            date: "2026-11-23".into(),
            time: "10:05".into(),
            weekday: "mon".into(),
            zones: Default::default(),
            direction,
            preset: preset.iter().map(|(slot, value)| ((*slot).into(), (*value).into())).collect(),
        };
        let header = Header {
            format: FORMAT,
            hotline: "test".into(),
            call: "test".into(),
            dialplan: source,
            facts: facts.clone(),
            timing: Timing::default(),
            following: langs.clone(),
        };
        let machine = Machine::new(Arc::new(plan), facts);
        let mut sim = Self {
            conversation: Conversation::new(machine, Timing::default()).following(langs),
            journal: vec![journal::line(&header).unwrap()],
            now: CallTime::ZERO,
            playing: VecDeque::new(),
            held: false,
            muted: false,
            playback: Vec::new(),
            sent: BTreeMap::new(),
            recognizing: None,
            following: None,
            text: String::new(),
            voice: None,
            recognition: Duration::from_millis(150),
            said: Vec::new(),
            prepared: Vec::new(),
            notes: Vec::new(),
            outcome: None,
            invoked: Vec::new(),
            transfers: Vec::new(),
            generate: Vec::new(),
            stopped: Vec::new(),
            caller_speaks: false,
            silent_since: CallTime::ZERO,
            handed_over: false,
            longest_silence: Duration::ZERO,
            silence_at: 0,
        };
        sim.input(Input::Start);
        sim
    }

    /// Lets `ms` pass.
    pub(crate) fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.now < until {
            self.tick();
        }
    }

    /// Lets the bot finish what it is saying.
    pub(crate) fn hear_out(&mut self) {
        let since = self.now_ms();
        while !self.playing.is_empty() {
            assert!(self.now_ms() < since + 600_000, "the bot fell silent: {:?}", self.playback);
            self.tick();
        }
    }

    /// There is a sound that is probably the beginning of speech.
    pub(crate) fn perhaps_speaks(&mut self) {
        self.input(Input::SpeechLikely { at: self.now });
    }

    /// The caller speaks for `ms` and then pauses; recognition will read all of it as `text`.
    pub(crate) fn speaks(&mut self, text: &str, ms: u64) {
        let onset = self.now;
        self.wait(NOTICED.as_millis() as u64);
        self.input(Input::SpeechStarted { at: onset });
        self.wait(ms.saturating_sub(NOTICED.as_millis() as u64));
        let end = self.now;
        self.text = text.to_owned();
        self.wait(NOTICED.as_millis() as u64);
        self.input(Input::SpeechStopped { at: end });
    }

    /// The caller begins to speak.
    pub(crate) fn begins_to_speak(&mut self) {
        let onset = self.now;
        self.wait(NOTICED.as_millis() as u64);
        self.input(Input::SpeechStarted { at: onset });
    }

    /// The words so far of the caller who speaks.
    pub(crate) fn has_said_so_far(&mut self, text: &str) {
        let (utterance, _) = self.following.unwrap();
        let hypothesis = Hypothesis { text: text.to_owned(), confidence: 0.9 };
        self.input(Input::Partial { utterance, hypothesis });
    }

    /// The caller, who speaks, has said all of `text` and pauses.
    pub(crate) fn stops(&mut self, text: &str) {
        let end = self.now;
        self.text = text.to_owned();
        self.wait(NOTICED.as_millis() as u64);
        self.input(Input::SpeechStopped { at: end });
    }

    /// The caller says `text`, and the bot has begun to answer or to wait.
    pub(crate) fn says(&mut self, text: &str) {
        let turns = self.heard();
        self.speaks(text, 1_000);
        for _ in 0..100 {
            if self.heard() > turns {
                return;
            }
            self.tick();
        }
        panic!("the turn {text:?} was not ended within two seconds");
    }

    /// The caller presses keys, 200 ms apart.
    pub(crate) fn presses(&mut self, keys: &str) {
        for key in keys.chars() {
            self.input(Input::Key(key));
            self.wait(200);
        }
    }

    /// The caller hangs up.
    pub(crate) fn hangs_up(&mut self) {
        self.input(Input::HungUp);
    }

    /// One input, now.
    pub(crate) fn input(&mut self, input: Input) {
        match input {
            Input::SpeechStarted { .. } => self.caller_speaks = true,
            Input::SpeechStopped { .. } => self.caller_speaks = false,
            Input::Transferred(_) => self.handed_over = false,
            _ => {}
        }
        let mut inbox = VecDeque::from([input]);
        while let Some(input) = inbox.pop_front() {
            let outputs = self.conversation.step(self.now, input.clone());
            let step = Step { at: self.now, input, outputs: outputs.clone() };
            self.journal.push(journal::line(&step).unwrap());
            for output in outputs {
                self.perform(output, &mut inbox);
            }
        }
    }

    /// Somebody outside of the call orders something, as the rim does it: what is refused is no input.
    pub(crate) fn order(&mut self, order: Order) -> Result<(), Refusal> {
        self.conversation.check(&order)?;
        self.input(Input::Order(order));
        Ok(())
    }

    /// Milliseconds since the answer.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now.as_ms()
    }

    /// Whether a prompt is sounding.
    pub(crate) fn is_speaking(&self) -> bool {
        !self.playing.is_empty()
    }

    pub(crate) fn attention(&self) -> Attention {
        self.conversation.attention()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.conversation.is_over()
    }

    /// The last thing the bot began to say.
    pub(crate) fn last_said(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }

    /// Whether the bot has begun to say this.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.said.iter().any(|said| said == words)
    }

    /// How large the conversation's state is, written out.
    pub(crate) fn state_size(&self) -> usize {
        format!("{:?}", self.conversation).len()
    }

    /// How many turns of the caller have ended.
    pub(crate) fn heard(&self) -> usize {
        self.notes.iter().filter(|n| matches!(n, Note::Heard { .. })).count()
    }

    /// The stamps of each turn that was answered.
    pub(crate) fn stamps(&self) -> Vec<TurnStamps> {
        let stamps = self.notes.iter().filter_map(|note| match note {
            Note::Turn(stamps) => Some(*stamps),
            _ => None,
        });
        stamps.collect()
    }

    /// The call's journal so far.
    pub(crate) fn journal(&self) -> String {
        self.journal.join("\n")
    }

    /// The conversation's state, written out.
    pub(crate) fn state(&self) -> String {
        format!("{:?}", self.conversation)
    }

    /// When the conversation wants to be told that time has passed.
    pub(crate) fn deadline(&self) -> Option<CallTime> {
        self.conversation.deadline()
    }

    fn watch_silence(&mut self) {
        let sounds = !self.playing.is_empty() && !self.held;
        if sounds || self.caller_speaks || self.handed_over || self.is_over() {
            self.silent_since = self.now;
        }
        let silence = self.now.since(self.silent_since);
        if silence > self.longest_silence {
            (self.longest_silence, self.silence_at) = (silence, self.now_ms());
        }
    }

    fn tick(&mut self) {
        self.now = self.now + TICK;
        self.watch_silence();
        if let Some((utterance, due)) = self.recognizing
            && due <= self.now
        {
            self.recognizing = None;
            let text = std::mem::take(&mut self.text);
            let hypotheses = match text.is_empty() {
                true => Vec::new(),
                false => vec![Hypothesis { text: text.clone(), confidence: 0.9 }],
            };
            self.text = text;
            self.input(Input::Recognized { utterance, hypotheses, voice: self.voice });
        }
        if self.conversation.deadline().is_some_and(|at| at <= self.now) {
            self.input(Input::Deadline);
        }
        if self.held || self.muted {
            return;
        }
        if let Some((prompt, sent)) = self.playing.front_mut() {
            let (id, first) = (*prompt, *sent == 0);
            *sent += 160;
            self.sent.insert(id, *sent);
            let done = *sent >= PROMPT;
            if first {
                let ready = self.now;
                self.input(Input::PlaybackStarted { prompt: id, total: PROMPT, ready });
            }
            if done {
                self.playing.pop_front();
                self.input(Input::PlaybackEnded { prompt: id, played: PROMPT, total: PROMPT });
            }
        }
    }

    fn perform(&mut self, output: Output, inbox: &mut VecDeque<Input>) {
        match output {
            Output::Play { prompt, say } => {
                self.said.push(say.phrase.to_string());
                self.playing.push_back((prompt, 0));
            }
            Output::PlayClip { prompt, clip } => {
                self.said.push(format!("clip {}", clip.0));
                self.playing.push_back((prompt, 0));
            }
            Output::Mute(on) => self.muted = on,
            Output::Duck => self.playback.push((Playback::Ducked, self.now_ms())),
            Output::Hold => {
                self.held = true;
                self.playback.push((Playback::Held, self.now_ms()));
            }
            Output::ResumeDucked => {
                self.held = false;
                self.playback.push((Playback::ResumedDucked, self.now_ms()));
            }
            Output::Resume => {
                self.held = false;
                self.playback.push((Playback::Resumed, self.now_ms()));
            }
            Output::StopPlayback => {
                self.held = false;
                self.playback.push((Playback::Stopped, self.now_ms()));
                for (prompt, played) in self.playing.drain(..) {
                    inbox.push_back(Input::PlaybackEnded { prompt, played, total: PROMPT });
                }
            }
            Output::Recognize { utterance, .. } => {
                self.following.take_if(|(running, _)| *running == utterance);
                self.recognizing = Some((utterance, self.now + self.recognition));
            }
            Output::Follow { utterance, from, .. } => self.following = Some((utterance, from)),
            Output::CancelRecognition { utterance } => {
                self.recognizing.take_if(|(running, _)| *running == utterance);
                self.following.take_if(|(running, _)| *running == utterance);
            }
            Output::HangUp(outcome) => self.outcome = Some(outcome),
            Output::Note(note) => self.notes.push(note),
            Output::Invoke { id, invoke } => self.invoked.push((id, invoke)),
            Output::Generate { id, request } => self.generate.push((id, *request)),
            Output::StopGenerating { id } => self.stopped.push(id),
            Output::Transfer(transfer) => {
                self.handed_over = true;
                self.transfers.push(transfer);
            }
            Output::Prepare { phrase, .. } => self.prepared.push(phrase.to_string()),
        }
    }
}
