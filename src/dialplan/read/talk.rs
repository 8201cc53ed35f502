use std::{collections::BTreeSet, time::Duration};

use super::{Scope, fields::Fields};
use crate::dialplan::{
    error::At,
    model::{Action, Ask, NodeKind, Part, Prompt, Reference, SlotKind, Talk, Wants},
    yaml::Yaml,
};

/// Where the node does not say: entries of the knowledge base, turns, and times.
const KNOWLEDGE: usize = 3;
const TURNS: u32 = 8;
const FIRST_WORD: Duration = Duration::from_secs(4);
const DEADLINE: Duration = Duration::from_secs(20);
/// More is too much for any model to choose well from.
const MOST_ACTIONS: usize = 16;

impl Scope<'_> {
    /// `llm: INSTRUCTIONS` with all that bounds the model.
    pub(super) fn talk(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("llm")?;
        let instructions = self.unspoken(yaml, "`llm`");
        let share = fields.get("share").map(|y| self.share(y)).unwrap_or_default();
        self.check_shared(&instructions, &share, yaml.at);
        let actions = fields.get("actions").map(|y| self.actions(y, flow)).unwrap_or_default();
        let fail = self.required_node(fields, "fail", flow);
        let forbidden =
            fields.get("forbidden").map_or(&[][..], |y| self.report.list(y, "`forbidden`"));
        let forbidden = forbidden.iter().filter_map(|y| self.report.text(y, "a forbidden phrase"));
        let knowledge = fields.get("knowledge").map_or(Some(KNOWLEDGE), |y| self.entries(y));
        let turns = fields.get("turns").map_or(Some(TURNS), |y| self.report.count(y, "`turns`"));
        let first_word = fields.get("first_word");
        let first_word =
            first_word.map_or(Some(FIRST_WORD), |y| self.report.duration(y, "`first_word`"));
        let deadline = fields.get("deadline");
        let deadline = deadline.map_or(Some(DEADLINE), |y| self.report.duration(y, "`deadline`"));
        let ask = fields.get("ask").map(|y| self.prompt(y, "`ask`"));
        let no_input = fields.get("wait").and_then(|y| self.report.duration(y, "`wait`"));
        let mut ladders = self.ladders(fields, Some(flow));
        ladders.give_up = ladders.give_up.or(fail);
        Some(NodeKind::Llm(Box::new(Talk {
            instructions,
            model: fields.text("model").map(str::to_owned),
            share,
            knowledge: knowledge?,
            actions,
            forbidden: forbidden.map(str::to_owned).collect(),
            turns: turns?,
            first_word: first_word?,
            deadline: deadline?,
            filler: fields.get("filler").map(|y| self.prompt(y, "`filler`")),
            fail: fail?,
            ask: Ask {
                ask: ask.unwrap_or_default(),
                barge_in: self.barge_in(fields),
                wants: Wants::Talk,
                routes: self.routes(fields, Some(flow)),
                no_input,
                ladders,
            },
        })))
    }

    /// How many entries of the knowledge base are shown; 0 for none.
    fn entries(&self, yaml: &Yaml) -> Option<usize> {
        let text = self.report.text(yaml, "`knowledge`")?;
        let count = text.parse().ok().filter(|count| *count <= 10);
        if count.is_none() {
            let what = format!("`knowledge` of a talk is `{text}`");
            self.report.error(yaml.at, what, "write how many entries the model is shown, 0 to 10");
        }
        count
    }

    fn share(&self, yaml: &Yaml) -> BTreeSet<Reference> {
        let names = self.report.list(yaml, "`share`").iter();
        names
            .filter_map(|y| self.reference(self.report.text(y, "a name in `share`")?, y.at))
            .collect()
    }

    /// What is sensitive does not slip into the instructions.
    fn check_shared(&self, instructions: &Prompt, share: &BTreeSet<Reference>, at: At) {
        let parts = instructions.texts.values().flatten().flat_map(|template| &template.parts);
        let mut told = BTreeSet::new();
        for part in parts {
            let Part::Value { reference, .. } = part else { continue };
            let name = match reference {
                Reference::Slot(slot) if self.slots.get(slot).is_some_and(|s| s.sensitive) => {
                    slot.clone()
                }
                Reference::Given { tool, field }
                    if self.tools.get(tool).is_some_and(|t| t.sensitive.contains(field)) =>
                {
                    format!("{tool}.{field}")
                }
                _ => continue,
            };
            if !share.contains(reference) && told.insert(name.clone()) {
                let what = format!("`llm` tells the model `{name}`, which is sensitive");
                self.report.error(at, what, format!("take it out, or allow it: `share: [{name}]`"));
            }
        }
    }

    fn actions(&self, yaml: &Yaml, flow: &str) -> Vec<Action> {
        let entries = self.report.map(yaml, "`actions`");
        if entries.len() > MOST_ACTIONS {
            let what = format!("more than {MOST_ACTIONS} actions");
            self.report.error(yaml.at, what, "make several nodes of it, each with its own actions");
        }
        let actions = entries.iter().filter_map(|(key, yaml)| {
            let name = &key.name;
            // What the protocol allows as the name of a function.
            let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !fits || name.len() > 64 {
                let what = format!("`{name}` cannot be the name of an action");
                self.report.error(key.at, what, "use up to 64 of the letters a-z, digits and `_`");
            }
            let fields = Fields::new(self.report, yaml, format!("action `{name}`"));
            let remedy = "say when the model is to choose it: `description: …`";
            let description = fields.require("description", remedy);
            let description = description.and_then(|y| self.report.text(y, "`description`"));
            let arguments =
                fields.get("arguments").map_or(&[][..], |y| self.report.list(y, "`arguments`"));
            let arguments = arguments.iter().filter_map(|y| self.argument(y)).collect();
            let next = self.required_node(&fields, "next", flow);
            fields.finish();
            Some(Action {
                name: name.clone(),
                description: description?.to_owned(),
                arguments,
                next: next?,
            })
        });
        actions.collect()
    }

    /// A slot that a model can fill.
    fn argument(&self, yaml: &Yaml) -> Option<String> {
        let slot = self.slot_name(yaml)?;
        if self.slots[&slot].kind == SlotKind::Counter {
            let what = format!("`{slot}` is a counter, which only `count` changes");
            self.report.error(yaml.at, what, "name another slot");
        }
        Some(slot)
    }
}
