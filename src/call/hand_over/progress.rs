//! How a call has gone so far, gathered note by note.

use std::collections::{BTreeSet, VecDeque};

use super::{HandOverReason, Speaker, Utterance};
use crate::{
    audio::CallTime,
    conversation::Note,
    dialog::{Event, Secret},
    dialplan::Dialplan,
};

/// Lines of a transcript that are kept: the latest.
const LINES: usize = 200;
/// Intents that are kept: the first.
const INTENTS: usize = 50;
/// In place of words that gave a sensitive value.
const HIDDEN: &str = "[…]";

/// What was said, what was wanted, and what led where the call is.
#[derive(Debug)]
pub(in crate::call) struct Progress {
    transcript: VecDeque<Utterance>,
    intents: Vec<String>,
    reason: HandOverReason,
    sensitive: BTreeSet<String>,
}

impl Progress {
    pub(in crate::call) fn new(plan: &Dialplan) -> Self {
        Self {
            transcript: VecDeque::new(),
            intents: Vec::new(),
            reason: HandOverReason::Dialplan,
            sensitive: plan.sensitive_slots().map(str::to_owned).collect(),
        }
    }

    /// Takes an entry of the record.
    pub(in crate::call) fn note(&mut self, note: &Note) {
        match note {
            Note::Said { text, from, sent, .. } if *sent > 0 => {
                self.line(*from, Speaker::Bot, text.clone());
            }
            Note::Heard { hypotheses, from, .. } => {
                if let Some(best) = hypotheses.first() {
                    self.line(*from, Speaker::Caller, best.text.clone());
                }
            }
            Note::Keys { count, at } => {
                let keys =
                    if *count == 1 { "[1 key]".to_owned() } else { format!("[{count} keys]") };
                self.line(*at, Speaker::Caller, keys);
            }
            Note::Dialog(event) => self.event(event),
            _ => {}
        }
    }

    /// Somebody outside of the call has the caller handed over.
    pub(in crate::call) fn ordered(&mut self) {
        self.reason = HandOverReason::Operator;
    }

    pub(super) fn reason(&self) -> HandOverReason {
        self.reason.clone()
    }

    pub(super) fn intents(&self) -> &[String] {
        &self.intents
    }

    /// What was said, without `secrets`.
    pub(super) fn transcript(&self, secrets: &[Secret]) -> Vec<Utterance> {
        let line =
            |line: &Utterance| Utterance { text: without(&line.text, secrets), ..line.clone() };
        self.transcript.iter().map(line).collect()
    }

    /// The caller's last words, without `secrets`.
    pub(super) fn last_words(&self, secrets: &[Secret]) -> Option<String> {
        let by_caller =
            |line: &&Utterance| line.who == Speaker::Caller && !line.text.starts_with('[');
        let last = self.transcript.iter().rev().find(by_caller)?;
        Some(without(&last.text, secrets))
    }

    fn event(&mut self, event: &Event) {
        self.reason = match event {
            Event::Intent { intent, .. } => {
                if self.intents.last() != Some(intent) && self.intents.len() < INTENTS {
                    self.intents.push(intent.clone());
                }
                HandOverReason::Asked { intent: intent.clone() }
            }
            Event::Slot { slot, .. } => {
                if self.sensitive.contains(slot) {
                    self.hide_last_words();
                }
                HandOverReason::Dialplan
            }
            Event::NoMatch { .. } | Event::Unanswered { .. } => HandOverReason::NotUnderstood,
            Event::NoInput { .. } => HandOverReason::NoInput,
            Event::InvokeFailed { tool, .. } => HandOverReason::ToolFailed { tool: tool.clone() },
            Event::Invoked { .. } | Event::Resumed { .. } => HandOverReason::Dialplan,
            _ => return,
        };
    }

    /// What the caller said last gave a sensitive value.
    fn hide_last_words(&mut self) {
        if let Some(last) = self.transcript.back_mut().filter(|line| line.who == Speaker::Caller) {
            HIDDEN.clone_into(&mut last.text);
        }
    }

    fn line(&mut self, at: CallTime, who: Speaker, text: String) {
        if self.transcript.len() == LINES {
            self.transcript.pop_front();
        }
        self.transcript.push_back(Utterance { at, who, text });
    }
}

/// `text` with each secret as records show it.
fn without(text: &str, secrets: &[Secret]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(&secret.value, &secret.shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialplan::DialplanSource, text::Hypothesis};

    fn progress() -> Progress {
        let text = "dialplan: t\nversion: 1\nlanguage: en\nvoices: {en: en-hibari}\nstart: main.bye\nslots:\n  \
             account: {type: digits, length: 6, sensitive: true}\n  topic: text\n\
             flows:\n  main:\n    bye: {say: Bye., hang_up: done}\n";
        let plan = Dialplan::from_source(DialplanSource::inline("t.yaml", text));
        Progress::new(&plan.unwrap_or_else(|errors| panic!("{errors:?}")))
    }

    fn heard(text: &str) -> Note {
        let hypotheses = vec![Hypothesis { text: text.to_owned(), confidence: 0.9 }];
        Note::Heard { hypotheses, from: CallTime(0), to: CallTime(800) }
    }

    fn slot(slot: &str) -> Note {
        Note::Dialog(Event::Slot { slot: slot.to_owned(), value: "****15".to_owned() })
    }

    #[test]
    fn words_that_gave_a_sensitive_value_are_hidden() {
        let mut progress = progress();
        for note in
            [heard("my number is four seven two"), slot("account"), heard("a fault"), slot("topic")]
        {
            progress.note(&note);
        }
        let transcript = progress.transcript(&[]);
        let texts: Vec<&str> = transcript.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, [HIDDEN, "a fault"]);
    }

    #[test]
    fn a_value_that_was_read_back_is_masked() {
        let mut progress = progress();
        progress.note(&heard("it is 472915, you know"));
        let secret = Secret { value: "472915".to_owned(), shown: "****15".to_owned() };
        assert_eq!(progress.last_words(&[secret]).as_deref(), Some("it is ****15, you know"));
    }

    #[test]
    fn the_latest_event_says_why() {
        let mut progress = progress();
        let intent =
            |intent: &str| Note::Dialog(Event::Intent { intent: intent.to_owned(), score: 0.9 });
        progress.note(&intent("complaint"));
        assert_eq!(progress.reason(), HandOverReason::Asked { intent: "complaint".to_owned() });
        progress.note(&Note::Dialog(Event::NoMatch { count: 3 }));
        assert_eq!(progress.reason(), HandOverReason::NotUnderstood);
        progress.ordered();
        assert_eq!(progress.reason(), HandOverReason::Operator);
    }

    #[test]
    fn of_a_long_call_the_end_is_kept() {
        let mut progress = progress();
        for n in 0..LINES + 5 {
            progress.note(&heard(&format!("line {n}")));
        }
        let transcript = progress.transcript(&[]);
        assert_eq!((transcript.len(), transcript[0].text.as_str()), (LINES, "line 5"));
    }
}
