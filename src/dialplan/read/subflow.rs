//! `do: FLOW`, and the slots that a flow says are its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scope, fields::Fields};
use crate::dialplan::{
    error::did_you_mean,
    model::NodeKind,
    subflow::{Afterwards, Do},
    yaml::{Key, Kind, Yaml},
};

/// Whether an entry of a flow is no node: `takes` or `own`, a list of slots.
pub(super) fn is_declaration(key: &Key, yaml: &Yaml) -> bool {
    matches!(key.name.as_str(), "takes" | "own") && matches!(yaml.kind, Kind::List(_))
}

impl Scope<'_> {
    /// The slots in the list `name` of a flow.
    pub(super) fn declared(&self, flow: &[(Key, Yaml)], name: &str) -> BTreeSet<String> {
        let list = flow.iter().find(|(key, yaml)| key.name == name && is_declaration(key, yaml));
        let Some((_, Yaml { kind: Kind::List(items), .. })) = list else { return BTreeSet::new() };
        items.iter().filter_map(|item| self.slot_name(item)).collect()
    }

    /// `{do: FLOW, with: {…}, gives: {…}, then: {WORD: NODE}}`, or with `next: NODE`.
    pub(super) fn subflow(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("do")?;
        let name = self.report.text(yaml, "`do`")?;
        if !self.flows.contains_key(name) {
            let remedy = did_you_mean(name, self.flows.keys().map(String::as_str));
            self.report.error(yaml.at, format!("no flow `{name}`"), remedy);
        }
        let mut with = Vec::new();
        if let Some(yaml) = fields.get("with") {
            for (key, value) in self.report.map(yaml, "`with`") {
                let slot = self.slot_name(&scalar(key));
                with.extend(slot.and_then(|slot| Some((slot.clone(), self.set_to(&slot, value)?))));
            }
        }
        let mut gives = BTreeMap::new();
        if let Some(yaml) = fields.get("gives") {
            for (key, value) in self.report.map(yaml, "`gives`") {
                let slots = self.slot_name(&scalar(key)).zip(self.slot_name(value));
                gives.extend(slots);
            }
        }
        let then = match (fields.get("then"), fields.get("next")) {
            (Some(yaml), None) => {
                let words = self.report.map(yaml, "`then`").iter();
                let nodes =
                    words.map(|(key, yaml)| Some((key.name.clone(), self.node(yaml, Some(flow))?)));
                Afterwards::By(nodes.collect::<Option<_>>()?)
            }
            (None, Some(yaml)) => Afterwards::Always(self.node(yaml, Some(flow))?),
            _ => {
                let remedy =
                    "add `next: NODE`, or `then: {WORD: NODE}` for each word it finishes with";
                self.report.error(fields.at, "`do` needs either `next` or `then`", remedy);
                return None;
            }
        };
        Some(NodeKind::Do(Box::new(Do { flow: name.to_owned(), with, gives, then })))
    }
}

fn scalar(key: &Key) -> Yaml {
    Yaml { at: key.at, kind: Kind::Scalar(key.name.clone()) }
}
