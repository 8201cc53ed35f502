//! What is counted in a call.

use super::Player;
use crate::dialog::{Event, Feeling};

/// What is counted in a call, by the names that scripts have for it.
pub(super) const COUNTED: [&str; 11] = [
    "turns",
    "no_input",
    "no_match",
    "corrections",
    "digressions",
    "faq",
    "unanswered",
    "tool_failures",
    "model",
    "model_failures",
    "negative",
];

impl Player {
    /// Counts what happened.
    pub(super) fn note(&mut self, event: Event) {
        let mut count = |what| *self.played.counts.entry(what).or_default() += 1;
        match event {
            Event::Node { node } => {
                self.filled = None;
                if let Some(from) = self.here.replace(node.clone()) {
                    self.played.transitions.push((from, node.clone()));
                }
                self.played.nodes.push(node);
            }
            Event::Resumed { node } => {
                self.filled = None;
                self.here = Some(node);
            }
            Event::Intent { intent, .. } => self.played.intents.push(intent),
            Event::Slot { slot, .. } => {
                let again = self.filled.as_ref() == Some(&slot);
                self.filled = Some(slot);
                if again {
                    count("corrections");
                }
            }
            Event::Digression { .. } => count("digressions"),
            Event::NoMatch { .. } => count("no_match"),
            Event::NoInput { .. } => count("no_input"),
            Event::Faq { .. } => count("faq"),
            Event::Unanswered { .. } => count("unanswered"),
            Event::InvokeFailed { .. } => count("tool_failures"),
            Event::ModelAsked { .. } => count("model"),
            Event::ModelFailed { .. } => count("model_failures"),
            Event::Sentiment { feeling, .. } => {
                if feeling == Feeling::Negative && self.felt != Feeling::Negative {
                    count("negative");
                }
                self.felt = feeling;
            }
            Event::Cited { id } => self.played.cited.push(id),
            _ => {}
        }
    }
}
