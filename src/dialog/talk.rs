//! A language model speaks within the bounds that the dialplan sets.
//!
//! What it says is checked sentence by sentence before it is spoken; what it does is one of the actions that the node
//! allows, with arguments that fit their slots. Whatever else it comes up with, and whatever goes wrong, leads to the
//! node's `fail`.

use std::sync::Arc;

use super::{
    BargeIn, Event, Machine, Output, Say,
    generate::{ActionOffer, Generate, Generated, Speaker, Utterance},
    machine::Phase,
};
use crate::{
    audio::CallTime,
    dialplan::model::{Ask, NodeId, NodeKind, PromptBargeIn, Talk, Wants},
    text::{Hypothesis, Lang, Phrase, Piece, ReadAs, normalize, plain},
};

/// Of what the caller said, so much is kept.
const KEPT: usize = 40;
/// Longest answer, in characters: several minutes of speech.
const LONGEST: usize = 2_000;

/// Where the talk with a model stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Talking {
    /// Turns that the model was asked to answer since the node was entered.
    turns: u32,
    /// An answer is being given.
    open: bool,
    /// What has been said of it.
    answer: String,
    /// The entries of the knowledge base that it was shown.
    shown: Vec<String>,
    /// What the caller said in this call, and the slot of the question that it answered.
    said: Vec<(CallTime, Option<String>, String)>,
}

impl Machine {
    /// Whether a language model ever speaks in such calls.
    pub fn has_talks(&self) -> bool {
        self.plan.model().nodes.iter().any(|node| matches!(node.kind, NodeKind::Llm(_)))
    }

    /// Keeps what the caller said for a model to read.
    pub(super) fn keep_said(&mut self, ask: &Ask, heard: &[Hypothesis]) {
        if !self.has_talks() {
            return;
        }
        let slot = match &ask.wants {
            Wants::Slot { slot, .. } => Some(slot.clone()),
            _ => None,
        };
        let Some(best) = heard.first() else { return };
        self.talking.said.push((self.now, slot, best.text.trim().to_owned()));
        let excess = self.talking.said.len().saturating_sub(KEPT);
        self.talking.said.drain(..excess);
    }

    /// Begins the talk of `node`: with its question, or with the model.
    pub(super) fn begin_talk(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let NodeKind::Llm(talk) = &plan.model().node(node).kind else { return };
        self.talking.turns = 0;
        if talk.begins_with_question() {
            return self.ask(node, out);
        }
        self.phase = Phase::Asking(node);
        self.consult(node, out);
    }

    /// Has the model answer what was said last.
    pub(super) fn consult(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let name = &model.node(node).name;
        let NodeKind::Llm(talk) = &model.node(node).kind else { return };
        self.talking.turns += 1;
        if self.talking.turns > talk.turns {
            return self.talk_fails(talk, format!("it has answered {} turns", talk.turns), out);
        }
        self.said.clear();
        let (instructions, shown) = self.instructions(talk);
        (self.talking.open, self.talking.answer) = (true, String::new());
        self.talking.shown.clone_from(&shown);
        out.push(Output::Note(Event::ModelAsked { node: name.clone(), knowledge: shown }));
        let said = self.talking.said.iter().map(|(at, slot, text)| Utterance {
            by: Speaker::Caller,
            at: *at,
            text: self.as_shared(talk, slot.as_deref(), text),
        });
        let actions = talk.actions.iter().map(|action| ActionOffer {
            name: action.name.clone(),
            description: action.description.clone(),
            parameters: self.parameters(action),
        });
        let filler = talk.filler.as_ref().unwrap_or(&model.filler);
        out.push(Output::Generate(Box::new(Generate {
            model: talk.model.clone(),
            lang: self.lang,
            instructions,
            history: said.collect(),
            actions: actions.collect(),
            first_word: talk.first_word,
            deadline: talk.deadline,
            filler: self.compose(name, filler, PromptBargeIn::Any),
            withheld: self.values.withheld(talk, &plan),
        })));
        self.listen(node, out);
    }

    /// A part of the model's answer at `node` has come.
    pub(super) fn generated(&mut self, node: NodeId, part: Generated, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let NodeKind::Llm(talk) = &plan.model().node(node).kind else {
            return self.listen(node, out);
        };
        if !self.talking.open {
            return self.listen(node, out);
        }
        match part {
            Generated::Sentence(text) => self.model_says(node, talk, &text, out),
            Generated::Action { name, arguments } => self.model_acts(talk, &name, &arguments, out),
            Generated::Failed(problem) => self.talk_fails(talk, problem, out),
            Generated::Finished if self.talking.answer.is_empty() => {
                self.talk_fails(talk, "it said nothing".to_owned(), out);
            }
            Generated::Finished => {
                self.talking.open = false;
                self.listen(node, out);
            }
        }
    }

    /// Nothing more of an answer is wanted.
    pub(super) fn hush(&mut self, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.talking.open) {
            out.push(Output::StopGenerating);
        }
    }

    fn model_says(&mut self, node: NodeId, talk: &Talk, text: &str, out: &mut Vec<Output>) {
        let (text, cited) = cut_citations(text, &self.talking.shown);
        out.extend(cited.into_iter().map(|id| Output::Note(Event::Cited { id })));
        let text = plain(&text);
        if !text.chars().any(char::is_alphanumeric) {
            return self.listen(node, out);
        }
        let all = format!("{} {text}", self.talking.answer);
        if let Some(phrase) = forbidden(self.lang, &all, &talk.forbidden) {
            return self.talk_fails(talk, format!("it would have said “{phrase}”"), out);
        }
        if all.chars().count() > LONGEST {
            return self.talk_fails(talk, "its answer has no end".to_owned(), out);
        }
        self.talking.answer = all;
        // As a value: what is said in one call is not kept for others.
        let words = Piece::Value { value: text, read_as: ReadAs::Text };
        let say = Say {
            phrase: Phrase { lang: self.lang, pieces: vec![words] },
            barge_in: match talk.ask.barge_in {
                PromptBargeIn::Any => BargeIn::Any,
                PromptBargeIn::Keys => BargeIn::Keys,
                PromptBargeIn::None => BargeIn::None,
            },
            node: self.plan.model().node(node).name.clone(),
            manner: self.care.manner,
        };
        self.said.push(say.clone());
        out.push(Output::Say(say));
        self.listen(node, out);
    }

    fn model_acts(&mut self, talk: &Talk, name: &str, arguments: &str, out: &mut Vec<Output>) {
        let Some(action) = talk.action(name) else {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            return self.talk_fails(talk, format!("it chose `{name}`, which is not allowed"), out);
        };
        let values = match self.arguments(action, arguments) {
            Ok(values) => values,
            Err(problem) => return self.talk_fails(talk, problem, out),
        };
        self.hush(out);
        out.push(Output::Note(Event::Action { action: action.name.clone() }));
        for (slot, value) in values {
            self.fill_slot(&slot, value, out);
        }
        self.progress(action.next, out);
    }

    /// Goes on without the model.
    fn talk_fails(&mut self, talk: &Talk, problem: String, out: &mut Vec<Output>) {
        self.hush(out);
        out.push(Output::Note(Event::ModelFailed { problem }));
        self.progress(talk.fail, out);
    }
}

/// `text` without the ids in brackets by which a model says what it has it from, and those ids: of the entries that it
/// was shown, for others are made up.
fn cut_citations(text: &str, shown: &[String]) -> (String, Vec<String>) {
    let mut spoken = String::new();
    let mut cited = Vec::new();
    let mut rest = text;
    while let Some((before, inside, after)) = bracketed(rest) {
        let ids = inside.split([',', '，', ' ', ';']).map(str::trim).filter(|id| !id.is_empty());
        let known: Vec<&String> = ids.filter_map(|id| shown.iter().find(|s| *s == id)).collect();
        spoken.push_str(before);
        // Brackets are not spoken in any case.
        cited.extend(known.into_iter().cloned());
        rest = after;
    }
    spoken.push_str(rest);
    (spoken.replace(" .", ".").replace(" ,", ","), cited)
}

/// What is before, in and after the first pair of brackets.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find(['[', '【'])?;
    let inside = &text[open..];
    let close = inside.find([']', '】'])?;
    let bracket = |at: usize| inside[at..].chars().next().map_or(1, char::len_utf8);
    Some((&text[..open], &inside[bracket(0)..close], &inside[close + bracket(close)..]))
}

/// The first of `phrases` that is in `text`, however it is written; in English as whole words.
fn forbidden<'p>(lang: Lang, text: &str, phrases: &'p [String]) -> Option<&'p String> {
    let said = normalize(lang, text);
    let holds = |phrase: &&String| {
        let phrase = normalize(lang, phrase);
        match lang {
            _ if phrase.trim().is_empty() => false,
            Lang::En => format!(" {said} ").contains(&format!(" {} ", phrase.trim())),
            Lang::Zh => said.contains(phrase.trim()),
        }
    };
    phrases.iter().find(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (String, Vec<String>) {
        cut_citations(text, &["parking".to_owned(), "hours".to_owned()])
    }

    #[test]
    fn citations_are_kept_and_not_spoken() {
        assert_eq!(
            cut("There is a car park. [parking]"),
            ("There is a car park. ".to_owned(), vec!["parking".to_owned()])
        );
        assert_eq!(cut("Behind the shop [parking, hours].").1, ["parking", "hours"]);
        assert_eq!(cut("Behind the shop [parking].").0, "Behind the shop.");
        assert_eq!(cut("在商店后面【hours】。").1, ["hours"]);
    }

    #[test]
    fn what_was_not_shown_is_no_citation() {
        assert_eq!(cut("So it is [wikipedia]."), ("So it is.".to_owned(), vec![]));
        assert_eq!(cut("An open [bracket").0, "An open [bracket");
        assert_eq!(cut("Closed] first [").0, "Closed] first [");
    }

    #[test]
    fn forbidden_phrases_are_found_however_they_are_written() {
        let phrases = ["we guarantee".to_owned(), "保证收益".to_owned()];
        let found = |lang, text: &str| forbidden(lang, text, &phrases).is_some();
        assert!(found(Lang::En, "Yes, We GUARANTEE it."));
        assert!(found(Lang::En, "And we, guarantee, that"));
        assert!(!found(Lang::En, "We guaranteed it."));
        assert!(found(Lang::Zh, "我们保证收益。"));
        assert!(!found(Lang::Zh, "我们不能说收益。"));
    }
}
