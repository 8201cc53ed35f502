//! What callers ask of the bot itself: again, slower, louder, patience.

use std::{sync::Arc, time::Duration};

use hotline::{
    audio::{CallTime, Manner},
    dialog::{CallFacts, Event, Input, Listen, Machine, Output, Say},
    dialplan::{Dialplan, DialplanSource},
    text::Hypothesis,
};

const CLINIC: &str = r#"
dialplan: clinic
version: 1
language: en
voices: {en: en-hibari}
start: main.welcome
defaults:
  wait: 5s
  no_input: ["Are you there?"]
  no_match: ["Sorry?"]
  give_up: main.bye
slots: {age: {type: digits, length: 2}}
intents:
  slower: [speak slower please, slow down, not so fast]
  louder: [speak up, louder please, I can't hear you]
  hold_on: [wait a moment, hold on please, one second]
  old: [I am an old woman, I am rather old, please be patient with an old man]
globals:
  on: {slower: slower, louder: louder, hold_on: wait, old: elderly}
  keys: {"*": main.usual}
flows:
  main:
    welcome: {say: "This is the clinic.", next: age}
    age: {ask: "How old are you?", slot: age, next: bye}
    usual: {mode: usual, next: age}
    bye: {say: "Goodbye.", hang_up: done}
"#;

struct Call {
    machine: Machine,
    at: u64,
}

struct Answer {
    said: Vec<Say>,
    listen: Option<Listen>,
    events: Vec<Event>,
}

impl Call {
    fn answered() -> Self {
        let source = DialplanSource::inline("clinic.yaml", CLINIC);
        let plan = Dialplan::from_source(source).unwrap_or_else(|found| panic!("{found:#?}"));
        let now = time::macros::datetime!(2026-11-23 10:05);
        let machine = Machine::new(Arc::new(plan), CallFacts::new("4155550134", "1000", now));
        let mut call = Self { machine, at: 0 };
        call.step(Input::Start);
        call
    }

    fn step(&mut self, input: Input) -> Answer {
        self.at += 5_000;
        let mut answer = Answer { said: Vec::new(), listen: None, events: Vec::new() };
        for output in self.machine.step(CallTime::from_ms(self.at), input) {
            match output {
                Output::Say(say) => answer.said.push(say),
                Output::Listen(listen) => answer.listen = Some(listen),
                Output::Note(event) => answer.events.push(event),
                _ => {}
            }
        }
        answer
    }

    fn hear(&mut self, text: &str) -> Answer {
        let text = text.to_owned();
        self.step(Input::Heard(vec![Hypothesis { text, confidence: 0.9 }]))
    }
}

impl Answer {
    fn texts(&self) -> Vec<String> {
        self.said.iter().map(|say| say.phrase.to_string()).collect()
    }

    fn manners(&self) -> Vec<Manner> {
        self.said.iter().map(|say| say.manner).collect()
    }
}

#[test]
fn a_caller_who_wants_it_slower_hears_it_again_slower_and_so_all_the_rest() {
    let mut call = Call::answered();
    let answer = call.hear("slow down please");
    assert_eq!(answer.texts(), ["This is the clinic.", "How old are you?"]);
    let slower = Manner { rate_percent: 85, gain_db: 0 };
    assert_eq!(answer.manners(), [slower, slower]);
    assert_eq!(call.step(Input::NoInput).manners(), [slower, slower]);
}

#[test]
fn louder_adds_to_slower_and_both_have_an_end() {
    let mut call = Call::answered();
    for _ in 0..5 {
        call.hear("not so fast");
        call.hear("speak up please");
    }
    let last = call.hear("I can't hear you").manners();
    assert_eq!(last[0], Manner { rate_percent: 70, gain_db: 12 });
}

#[test]
fn a_caller_who_wants_to_look_something_up_gets_the_time() {
    let mut call = Call::answered();
    let answer = call.hear("hold on please");
    assert_eq!(answer.texts(), ["Take your time."]);
    assert_eq!(answer.listen.unwrap().no_input, Duration::from_secs(30));
    assert_eq!(call.hear("seventy eight").texts(), ["Goodbye."]);
}

#[test]
fn time_is_given_once_for_each_time_it_is_asked_for() {
    let mut call = Call::answered();
    call.hear("one second");
    let reprompted = call.step(Input::NoInput);
    assert_eq!(reprompted.texts(), ["Are you there?", "How old are you?"]);
    assert_eq!(reprompted.listen.unwrap().no_input, Duration::from_secs(5));
}

#[test]
fn the_elderly_are_spoken_to_slowly_and_loudly_and_waited_for() {
    let mut call = Call::answered();
    let answer = call.hear("I am an old woman");
    let manner = Manner { rate_percent: 80, gain_db: 6 };
    assert_eq!(answer.manners(), [manner, manner]);
    assert_eq!(
        answer.events.last(),
        Some(&Event::Manner { rate_percent: 80, gain_db: 6, elderly: true })
    );
    let listen = answer.listen.unwrap();
    assert_eq!((listen.no_input, listen.patience_percent), (Duration::from_secs(8), 200));
}

#[test]
fn a_node_takes_it_back() {
    let mut call = Call::answered();
    call.hear("I am rather old");
    let answer = call.step(Input::Keys("*".into()));
    assert_eq!(answer.manners(), [Manner::USUAL]);
    let listen = answer.listen.unwrap();
    assert_eq!((listen.no_input, listen.patience_percent), (Duration::from_secs(5), 100));
}

#[test]
fn a_node_may_not_bear_the_name_of_a_wish() {
    for name in ["repeat", "slower", "louder", "wait", "elderly"] {
        let text =
            CLINIC.replace("    usual:", &format!("    {name}:")).replace("main.usual", "main.bye");
        let source = DialplanSource::inline("clinic.yaml", text);
        let found = Dialplan::from_source(source).expect_err(name);
        let refused = format!("`{name}` cannot be the name of a node");
        assert!(found.iter().any(|e| e.to_string().contains(&refused)), "{found:#?}");
    }
}
