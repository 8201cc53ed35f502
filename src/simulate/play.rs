//! One call in writing.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    compare,
    pattern::{Pattern, all_match},
    played::{Line, Played, Problem, given, pairs, written},
    script::{Act, Script, Step, Suite},
    tools::{Asked, Tools},
};
use crate::{
    audio::CallTime,
    dialog::{
        CallFacts, Feeling, Generate, Input, Invoke, InvokeResult, Listen, Machine, Output,
        Transfer,
    },
    dialplan::Dialplan,
};

/// How long a caller's line takes, and the bot's before it.
const LINE: Duration = Duration::from_secs(5);

/// Plays one call: feed it what the caller does, and read what came of it.
#[derive(Debug, Clone)]
pub struct Player {
    machine: Machine,
    pub(super) tools: Tools,
    now: CallTime,
    pub(super) state: State,
    /// What the bot said since the caller's last line.
    said: Vec<String>,
    /// Keys pressed before they were wanted.
    typed: VecDeque<char>,
    /// What a model is to answer about which the script says nothing.
    pub(super) unanswered: Option<Generate>,
    pub(super) played: Played,
    /// The node entered last, to which the call may have come back.
    pub(super) here: Option<String>,
    /// The slot that got a value since a node was entered: another value for it is a correction.
    pub(super) filled: Option<String>,
    /// How the caller felt last.
    pub(super) felt: Feeling,
}

/// Asks somebody else than a script what a tool gives; `None` when there is nobody.
type Ask<'a> = dyn FnMut(&Invoke) -> Option<InvokeResult> + 'a;

/// What the call waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The caller.
    Listening(Listen),
    /// A hand-over.
    Transferring(Transfer),
    /// A tool.
    Invoking(Invoke),
    /// A language model.
    Generating(Box<Generate>),
    /// Nothing: the call is over.
    Over,
}

impl Player {
    /// A call that is answered now. Tools that `tools` does not know are left to
    /// [`Player::invoked`].
    pub fn new(plan: Arc<Dialplan>, facts: CallFacts, tools: Tools) -> Self {
        let mut player = Self {
            machine: Machine::new(plan, facts),
            tools,
            now: CallTime::ZERO,
            state: State::Over,
            said: Vec::new(),
            typed: VecDeque::new(),
            unanswered: None,
            played: Played::default(),
            here: None,
            filled: None,
            felt: Feeling::Neutral,
        };
        player.feed(Input::Start);
        player
    }

    /// Plays `script` against `plan` and compares.
    pub fn run(plan: &Arc<Dialplan>, script: &Script) -> Played {
        Self::play(plan, script, script.tools.clone(), &mut |_| None)
    }

    /// Plays `script` of `suite` with tools that give what `crm` says. What the script alone says of a
    /// tool, and not the whole file, still holds: it is there because the CRM has no such case.
    pub fn run_on(
        plan: &Arc<Dialplan>,
        suite: &Suite,
        script: &Script,
        crm: &mut dyn FnMut(&Invoke) -> InvokeResult,
    ) -> Played {
        let own = script.tools.without(&suite.tools);
        Self::play(plan, script, own, &mut |invoke| Some(crm(invoke)))
    }

    fn play(plan: &Arc<Dialplan>, script: &Script, tools: Tools, ask: &mut Ask<'_>) -> Played {
        let facts = script.facts_for(plan);
        let unfit = |(slot, value): (&String, &String)| plan.slot_value(slot, value).err();
        let unfit: Vec<_> = facts.preset.iter().filter_map(unfit).collect();
        let mut player = Self::new(Arc::clone(plan), facts, tools);
        for error in unfit {
            player.problem(script.line, format!("`set`: {error}"));
        }
        player.settle(ask);
        player.follow(&script.steps, ask);
        if matches!(player.state, State::Transferring(_)) {
            player.feed(Input::Transferred(crate::dialog::TransferResult::Done));
        }
        let problems = compare::compare(script, &player.machine, &player.played, &player.here);
        player.played.problems.extend(problems);
        player.played
    }

    /// What the call waits for.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What came of the call so far.
    pub fn played(&self) -> &Played {
        &self.played
    }

    /// The caller says something, makes a noise, is silent or hangs up.
    pub fn caller(&mut self, input: Input) {
        let pause = match (&input, &self.state) {
            (Input::NoInput, State::Listening(listen)) => listen.no_input,
            _ => LINE,
        };
        self.now = self.now + pause;
        self.played.transcript.push(Line::Caller(written(&input)));
        if input == Input::HungUp {
            self.state = State::Over;
            self.played.outcome = Some(self.machine.outcome("caller_hung_up"));
        } else {
            *self.played.counts.entry("turns").or_default() += 1;
        }
        self.feed(input);
    }

    /// The caller presses keys, which answer as many questions as they fill.
    pub fn keys(&mut self, keys: &str) {
        self.now = self.now + LINE;
        self.played.transcript.push(Line::Caller(format!("[{keys}]")));
        self.typed.extend(keys.chars());
        self.collect_keys();
    }

    /// Something came of the hand-over.
    pub fn transferred(&mut self, result: crate::dialog::TransferResult) {
        self.feed(Input::Transferred(result));
    }

    /// The tool that the call waits for gave this.
    pub fn invoked(&mut self, result: InvokeResult) {
        self.feed(Input::Invoked(result));
    }

    /// Asks for what the script does not say of tools.
    fn settle(&mut self, ask: &mut Ask<'_>) {
        while let State::Invoking(invoke) = &self.state
            && let Some(result) = ask(invoke)
        {
            self.done(given(&result));
            self.invoked(result);
        }
    }

    /// Keys make up one entry as [`crate::dialog::KeyRules`] says; a pause ends the last.
    fn collect_keys(&mut self) {
        while let State::Listening(listen) = &self.state
            && !self.typed.is_empty()
        {
            let rules = &listen.keys;
            let mut entry = String::new();
            while entry.chars().count() < usize::from(rules.max)
                && let Some(key) = self.typed.pop_front()
            {
                if rules.terminator == Some(key) {
                    break;
                }
                entry.push(key);
            }
            // What ends an entry may still follow one that was full.
            if self.typed.front().is_some_and(|key| rules.terminator == Some(*key)) {
                self.typed.pop_front();
            }
            *self.played.counts.entry("turns").or_default() += 1;
            self.feed(Input::Keys(entry));
        }
    }

    fn feed(&mut self, input: Input) {
        self.feed_all([input]);
    }

    pub(super) fn feed_all(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let mut next: VecDeque<Input> = inputs.into_iter().collect();
        while let Some(input) = next.pop_front() {
            for output in self.machine.step(self.now, input) {
                match output {
                    Output::Say(say) => {
                        let text = say.phrase.to_string();
                        self.played.transcript.push(Line::Bot(text.clone()));
                        self.said.push(text);
                    }
                    Output::Listen(listen) => self.state = State::Listening(listen),
                    Output::Transfer(transfer) => {
                        self.done(format!("hands over to {}", transfer.to));
                        self.state = State::Transferring(transfer);
                    }
                    Output::Invoke(invoke) => next.extend(self.invoke(invoke)),
                    Output::Generate(request) => next.extend(self.generate(*request)),
                    Output::StopGenerating => {
                        next.retain(|input| !matches!(input, Input::Generated(_)));
                    }
                    Output::HangUp(outcome) => {
                        self.done(format!("hangs up: {}", outcome.disposition));
                        self.played.outcome = Some(outcome);
                        self.state = State::Over;
                    }
                    Output::Note(event) => self.note(event),
                }
            }
        }
        if let Some(request) = self.unanswered.take() {
            self.state = State::Generating(Box::new(request));
        }
    }

    fn invoke(&mut self, invoke: Invoke) -> Option<Input> {
        let (tool, arguments) = (invoke.tool.clone(), invoke.arguments.clone());
        self.played.asked.push(Asked { tool, arguments });
        let result = self.tools.know(&invoke.tool).then(|| self.tools.ask(&invoke));
        let given = result.as_ref().map(given).unwrap_or_default();
        self.done(format!("asks {}({}){given}", invoke.tool, pairs(&invoke.arguments)));
        if result.is_none() {
            self.state = State::Invoking(invoke);
        }
        result.map(Input::Invoked)
    }

    pub(super) fn done(&mut self, what: String) {
        self.played.transcript.push(Line::Done(what));
    }

    /// Goes through the lines of a script, up to the first that cannot happen.
    fn follow(&mut self, steps: &[Step], ask: &mut Ask<'_>) {
        let mut expected: Vec<(usize, &Pattern)> = Vec::new();
        for step in steps {
            if let Act::Bot(pattern) = &step.act {
                expected.push((step.line, pattern));
                continue;
            }
            self.compare_said(&mut expected);
            if let Some(why) = self.impossible(&step.act) {
                return self.problem(step.line, why);
            }
            match &step.act {
                Act::Bot(_) => {}
                Act::Caller(input) => self.caller(input.clone()),
                Act::Keys(keys) => self.keys(keys),
                Act::Transfer { result, .. } => self.transferred(*result),
            }
            self.settle(ask);
        }
        self.compare_said(&mut expected);
    }

    /// Why `act` cannot happen now.
    fn impossible(&self, act: &Act) -> Option<String> {
        match (&self.state, act) {
            (State::Over, _) => Some("the call is over by then".to_owned()),
            (State::Invoking(invoke), _) => Some(format!(
                "the call asks `{}`, and the script does not say what it gives: add it to `tools`",
                invoke.tool
            )),
            (State::Generating(_), _) => {
                let what =
                    "the call asks a language model, and the script does not say what it answers";
                Some(format!("{what}: add it to `model`"))
            }
            (State::Transferring(there), Act::Transfer { to: Some(to), .. }) if *to != there.to => {
                Some(format!("the call is handed over to {}, not to {to}", there.to))
            }
            (State::Transferring(_), Act::Transfer { .. } | Act::Caller(Input::HungUp)) => None,
            (State::Transferring(there), _) => {
                Some(format!("the call is handed over to {} here: add `- transfer: …`", there.to))
            }
            (State::Listening(_), Act::Transfer { .. }) => {
                Some("the call is not handed over here; it waits for the caller".to_owned())
            }
            (State::Listening(_), _) => None,
        }
    }

    /// Compares what the bot said since the caller's last line, where the script says anything of it.
    fn compare_said(&mut self, expected: &mut Vec<(usize, &Pattern)>) {
        let said = std::mem::take(&mut self.said);
        let patterns: Vec<&Pattern> = expected.iter().map(|(_, pattern)| *pattern).collect();
        let lines = std::mem::take(expected);
        let Some((first, _)) = lines.first() else { return };
        if all_match(&patterns, &said) {
            return;
        }
        let wrong = lines.iter().zip(&said).find(|((_, pattern), said)| !pattern.matches(said));
        let (line, what) = match wrong {
            Some(((line, pattern), said)) => {
                (*line, format!("the bot says “{said}”, not “{}”", pattern.text()))
            }
            None if said.len() < lines.len() => {
                let (line, missing) = lines[said.len()];
                (line, format!("the bot does not say “{}”", missing.text()))
            }
            None => {
                let more: Vec<String> = said.iter().map(|said| format!("“{said}”")).collect();
                (*first, format!("the bot says all this: {}", more.join(" ")))
            }
        };
        self.problem(line, what);
    }

    fn problem(&mut self, line: usize, what: String) {
        let after = self.played.transcript.len();
        self.played.problems.push(Problem { line, what, after });
    }
}
