//! Which parts of a dialplan scripted calls came through.

use std::collections::BTreeSet;

use super::Played;
use crate::dialplan::{Dialplan, Graph};

/// Nodes entered and transitions taken, of those that a dialplan has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    graph: Graph,
    entered: BTreeSet<String>,
    taken: BTreeSet<(String, String)>,
}

impl Coverage {
    /// Of `plan`, nothing yet.
    pub fn new(plan: &Dialplan) -> Self {
        Self { graph: plan.graph(), entered: BTreeSet::new(), taken: BTreeSet::new() }
    }

    /// Adds what a call came through.
    pub fn add(&mut self, played: &Played) {
        self.entered.extend(played.nodes.iter().cloned());
        self.taken.extend(played.transitions.iter().cloned());
    }

    /// Nodes entered, and all nodes.
    pub fn nodes(&self) -> (usize, usize) {
        (self.graph.nodes.len() - self.nodes_left().len(), self.graph.nodes.len())
    }

    /// Transitions taken, and all transitions that nodes name. What holds at every question, such as a
    /// global intent, counts as one transition.
    pub fn transitions(&self) -> (usize, usize) {
        let all = self.all_transitions();
        (all.len() - self.transitions_left().len(), all.len())
    }

    /// Names of nodes that no call entered, in written order.
    pub fn nodes_left(&self) -> Vec<&str> {
        let names = self.graph.nodes.iter().map(|node| node.name.as_str());
        names.filter(|name| !self.entered.contains(*name)).collect()
    }

    /// Transitions that no call took, `from → to (why)`, in written order.
    pub fn transitions_left(&self) -> Vec<String> {
        let all = self.all_transitions().into_iter();
        let left = all.filter(|(from, to, _)| match from {
            Some(from) => !self.taken.contains(&((*from).to_owned(), (*to).to_owned())),
            None => !self.taken.iter().any(|(_, taken)| taken == to),
        });
        left.map(|(from, to, why)| {
            let from = from.unwrap_or("any question");
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            format!("{from} → {to}{why}")
        })
        .collect()
    }

    /// Pairs of nodes, each once, with the reasons to go from one to the other.
    fn all_transitions(&self) -> Vec<(Option<&str>, &str, String)> {
        let mut all: Vec<(Option<&str>, &str, String)> = Vec::new();
        let name = |index: usize| self.graph.nodes[index].name.as_str();
        for edge in &self.graph.edges {
            let (from, to) = (edge.from.map(name), name(edge.to));
            match all.iter_mut().find(|(f, t, _)| *f == from && *t == to) {
                Some((_, _, why)) if !edge.label.is_empty() => {
                    *why = format!("{why}, {}", edge.label);
                }
                Some(_) => {}
                None => all.push((from, to, edge.label.clone())),
            }
        }
        all
    }
}
