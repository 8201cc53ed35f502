//! Flows that others go through like a function: what they take, where they finish, and what is wrong with their use.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::{Findings, did_you_mean},
    model::{Model, Node, NodeId, NodeKind, SetTo, Then},
    read::Read,
};

/// Sub-flows inside one another at most.
pub(crate) const DEEPEST: usize = 8;

/// How a flow begins and which slots are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowHead {
    /// Its first node.
    pub(crate) first: NodeId,
    /// Slots that whoever goes through it fills.
    pub(crate) takes: BTreeSet<String>,
    /// Further slots that are empty when it begins and have their values back when it has finished.
    pub(crate) own: BTreeSet<String>,
}

impl FlowHead {
    /// All slots that are put back when it has finished.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &String> {
        self.takes.union(&self.own)
    }
}

/// One way through a sub-flow: `do: FLOW`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Do {
    pub(crate) flow: String,
    /// Slots that it takes, and what is put into them.
    pub(crate) with: Vec<(String, SetTo)>,
    /// Slots that are filled afterwards, each from one of the sub-flow.
    pub(crate) gives: BTreeMap<String, String>,
    pub(crate) then: Afterwards,
}

impl Do {
    /// Slots that get values by it.
    pub(super) fn fills(&self) -> impl Iterator<Item = &str> {
        let with = self.with.iter().map(|(slot, _)| slot);
        with.chain(self.gives.keys()).map(String::as_str)
    }
}

/// Where the call goes when a sub-flow has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// There, however it finished.
    Always(NodeId),
    /// By the word of `finish`.
    By(BTreeMap<String, NodeId>),
}

impl Afterwards {
    /// All places that the call can go to.
    pub(crate) fn targets(&self) -> Vec<NodeId> {
        match self {
            Self::Always(next) => vec![*next],
            Self::By(words) => words.values().copied().collect(),
        }
    }

    /// Where it goes after `finish: word`.
    pub(crate) fn after(&self, word: &str) -> Option<NodeId> {
        match self {
            Self::Always(next) => Some(*next),
            Self::By(words) => words.get(word).copied(),
        }
    }
}

impl Node {
    /// The word with which it finishes its flow.
    pub(crate) fn finishes(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Say { then: Then::Finish(word), .. } | NodeKind::Then(Then::Finish(word)) => {
                Some(word)
            }
            _ => None,
        }
    }
}

impl Model {
    /// The flow that a node goes through, when it does.
    pub(crate) fn entered(&self, node: &Node) -> Option<&FlowHead> {
        match &node.kind {
            NodeKind::Do(call) => self.flows.get(&call.flow),
            _ => None,
        }
    }

    /// Whether a flow is one to go through.
    pub(crate) fn is_subflow(&self, flow: &str) -> bool {
        let declared = self.flows.get(flow).is_some_and(|head| head.kept().next().is_some());
        declared || self.words(flow).next().is_some()
    }

    /// The words with which a flow finishes.
    fn words<'m>(&'m self, flow: &'m str) -> impl Iterator<Item = &'m str> {
        let nodes = self.nodes.iter().filter(move |node| node.flow() == flow);
        nodes.filter_map(Node::finishes)
    }

    /// Where a node leads by `successors`, sub-flows included: into one, and past one that can be gone
    /// through by `successors` alone.
    pub(super) fn through(
        &self,
        id: NodeId,
        successors: &impl Fn(NodeId) -> Vec<NodeId>,
    ) -> Vec<NodeId> {
        let NodeKind::Do(call) = &self.node(id).kind else { return successors(id) };
        let mut to: Vec<NodeId> =
            self.flows.get(&call.flow).map(|head| head.first).into_iter().collect();
        if self.passes(&call.flow, successors, DEEPEST) {
            to.extend(call.then.targets());
        }
        to
    }

    fn passes(
        &self,
        flow: &str,
        successors: &impl Fn(NodeId) -> Vec<NodeId>,
        deepest: usize,
    ) -> bool {
        let Some(head) = self.flows.get(flow).filter(|_| deepest > 0) else { return false };
        let mut open = vec![head.first];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            if node.flow() != flow || !seen.insert(id) {
                continue;
            }
            if node.finishes().is_some() {
                return true;
            }
            match &node.kind {
                NodeKind::Do(call) if self.passes(&call.flow, successors, deepest - 1) => {
                    open.extend(call.then.targets());
                }
                NodeKind::Do(_) => {}
                _ => open.extend(successors(id)),
            }
        }
        false
    }
}

/// Adds what is wrong with sub-flows; `false` when they go round in a ring, so that nothing can be said
/// of ways through them.
pub(super) fn lint(read: &Read, findings: &mut Findings) -> bool {
    for (node, at) in read.model.nodes.iter().zip(&read.places.nodes) {
        if let NodeKind::Do(call) = &node.kind {
            for (what, remedy) in misuse(&read.model, call) {
                findings.error(*at, format!("node `{}`: {what}", node.name), remedy);
            }
        }
    }
    ways_in_and_out(read, findings);
    rings(read, findings)
}

fn misuse(model: &Model, call: &Do) -> Vec<(String, String)> {
    let flow = &call.flow;
    let mut found = Vec::new();
    let words: BTreeSet<&str> = model.words(flow).collect();
    if words.is_empty() {
        let remedy =
            format!("end a node of it with `finish: WORD`, or lead there with `next: {flow}.NODE`");
        found.push((format!("`{flow}` never finishes"), remedy));
    }
    if let Afterwards::By(then) = &call.then {
        for word in words.iter().filter(|word| !then.contains_key(**word)) {
            let what = format!("`{flow}` can finish with `{word}`, and nothing says what follows");
            found.push((what, format!("add `{word}: NODE` to `then`")));
        }
        for word in then.keys().filter(|word| !words.contains(word.as_str())) {
            let remedy = did_you_mean(word, words.iter().copied());
            found.push((format!("`{flow}` never finishes with `{word}`"), remedy));
        }
    }
    let Some(head) = model.flows.get(flow) else { return found };
    let given: BTreeSet<&String> = call.with.iter().map(|(slot, _)| slot).collect();
    for slot in head.takes.iter().filter(|slot| !given.contains(slot)) {
        let remedy = format!("add `{slot}: VALUE` to `with`");
        found.push((format!("`{flow}` takes `{slot}`, which is not given"), remedy));
    }
    for slot in given.into_iter().filter(|slot| !head.takes.contains(*slot)) {
        let remedy = did_you_mean(slot, head.takes.iter().map(String::as_str));
        found.push((format!("`{flow}` does not take `{slot}`"), remedy));
    }
    for (ours, theirs) in &call.gives {
        let kind = |slot: &String| model.slots.get(slot);
        if let (Some(to), Some(from)) = (kind(ours), kind(theirs)) {
            if std::mem::discriminant(&to.kind) != std::mem::discriminant(&from.kind) {
                let what = format!("`{ours}` and `{theirs}` are not of one type");
                found.push((what, "make both slots of the same type".to_owned()));
            }
            if from.sensitive && !to.sensitive {
                let what = format!("`{theirs}` is sensitive and `{ours}` is not");
                found.push((what, format!("add `sensitive: true` to `{ours}`")));
            }
        }
    }
    found
}

/// Into a sub-flow leads `do` alone, out of it `finish`.
fn ways_in_and_out(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let subflow = |id: NodeId| model.is_subflow(model.node(id).flow());
    for (node, at) in model.nodes.iter().zip(&read.places.nodes) {
        let inside = model.is_subflow(node.flow());
        for to in node.successors().into_iter().filter(|to| model.node(*to).flow() != node.flow()) {
            let to_name = &model.node(to).name;
            let flow = model.node(to).flow();
            if subflow(to) {
                let what = format!("node `{}` leads into the middle of `{flow}`", node.name);
                let remedy = format!("`{flow}` is a sub-flow: go through it with `do: {flow}`");
                findings.error(*at, what, remedy);
            } else if inside {
                let what = format!("node `{}` leads out of its sub-flow to `{to_name}`", node.name);
                let remedy = "write `finish: WORD`, and lead there from the node with `do`";
                findings.error(*at, what, remedy);
            }
        }
    }
    let everywhere = model.globals.targets().chain([model.start]).chain(model.card_number);
    let everywhere = everywhere.chain(model.defaults.give_up).chain(model.limits.too_long);
    for to in everywhere.filter(|to| subflow(*to)).collect::<BTreeSet<_>>() {
        let (name, flow) = (&model.node(to).name, model.node(to).flow());
        let what = format!("calls are led to `{name}` in the middle of `{flow}`");
        let remedy = format!("`{flow}` is a sub-flow: lead to a node with `do: {flow}`");
        findings.error(read.places.nodes[to.0], what, remedy);
    }
}

/// Sub-flows that go through themselves, or are nested too deep.
fn rings(read: &Read, findings: &mut Findings) -> bool {
    let model = &read.model;
    let mut fine = true;
    for flow in model.flows.keys() {
        let mut path = vec![flow.as_str()];
        if let Some((what, id)) = too_deep(model, &mut path) {
            let remedy = "a sub-flow cannot go through itself: lead back with `next` inside it";
            findings.error(read.places.nodes[id.0], what, remedy);
            fine = false;
            break;
        }
    }
    fine
}

fn too_deep<'m>(model: &'m Model, path: &mut Vec<&'m str>) -> Option<(String, NodeId)> {
    let flow = *path.last()?;
    for (index, node) in model.nodes.iter().enumerate().filter(|(_, node)| node.flow() == flow) {
        let NodeKind::Do(call) = &node.kind else { continue };
        if path.contains(&call.flow.as_str()) {
            let ring = format!("{} → {}", path.join(" → "), call.flow);
            return Some((format!("sub-flows go round in a ring: {ring}"), NodeId(index)));
        }
        if path.len() > DEEPEST {
            let what = format!("more than {DEEPEST} sub-flows inside one another");
            return Some((what, NodeId(index)));
        }
        path.push(&call.flow);
        let found = too_deep(model, path);
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}
