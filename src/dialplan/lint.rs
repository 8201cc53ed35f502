//! Checks of meaning, on a model in which every name is known.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::Findings,
    model::{Ask, Model, NodeId, NodeKind, Reference, SlotKind, Wants},
    read::Read,
    required, subflow,
};
use crate::{
    text::{Hypothesis, Lang, normalize},
    understand::IntentClassifier,
};

/// Adds what is wrong with the dialplan, or looks so, to `findings`.
pub(crate) fn lint(read: &Read, findings: &mut Findings) {
    unreachable_nodes(read, findings);
    if subflow::lint(read, findings) {
        loops_without_a_question(read, findings);
        endless_silence(read, findings);
    }
    questions(read, findings);
    too_long_that_asks(read, findings);
    values_never_known(read, findings);
    required::lint(read, findings);
    choices_from_nowhere(read, findings);
    unused_names(read, findings);
    shared_examples(read, findings);
}

fn unreachable_nodes(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let mut open = vec![model.start];
    open.extend(model.globals.targets());
    open.extend(model.card_number);
    open.extend(model.defaults.give_up);
    open.extend(model.limits.too_long);
    open.extend(model.sentiment.as_ref().and_then(|policy| policy.offer));
    let mut reached: BTreeSet<NodeId> = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(model.node(id).successors());
            open.extend(model.entered(model.node(id)).map(|flow| flow.first));
        }
    }
    for (index, node) in model.nodes.iter().enumerate() {
        // A pack may have more than a dialplan makes use of.
        if !reached.contains(&NodeId(index)) && read.places.nodes[index].is_in_main() {
            findings.warn(
                read.places.nodes[index],
                format!("no call can reach node `{}`", node.name),
                "lead to it from another node, or take it out",
            );
        }
    }
}

/// A walk that never waits for the caller would never end.
fn loops_without_a_question(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let quiet = |id: NodeId| {
        let node = model.node(id);
        match &node.kind {
            // Where nothing suits, nothing is asked.
            NodeKind::Offer(offering) => vec![offering.none],
            _ if node.is_question() => Vec::new(),
            _ => node.successors(),
        }
    };
    for cycle in cycles(model.nodes.len(), |id| model.through(id, &quiet)) {
        let names: Vec<&str> = cycle.iter().map(|id| model.node(*id).name.as_str()).collect();
        findings.error(
            read.places.nodes[cycle[0].0],
            format!("the call would go round for ever: {} …", names.join(" → ")),
            "put a question into the loop, or lead out of it",
        );
    }
}

fn questions(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    for (node, at) in model.nodes.iter().zip(&read.places.nodes) {
        let Some(ask) = node.question() else { continue };
        let answerable = !ask.routes.on.is_empty() || !model.globals.on.is_empty();
        if matches!(ask.wants, Wants::Intent) && !answerable {
            findings.error(
                *at,
                format!("question `{}` has no answers", node.name),
                "add `slot`, or `yes` and `no`, or `on` with intents",
            );
        }
        for (name, own, default) in [
            ("no_input", &ask.ladders.no_input, &model.defaults.no_input),
            ("no_match", &ask.ladders.no_match, &model.defaults.no_match),
        ] {
            if own.is_empty() && default.is_empty() {
                findings.error(
                    *at,
                    format!("question `{}` has no `{name}` prompts", node.name),
                    format!("add `{name}: [\"…\"]` here or to `defaults`"),
                );
            }
        }
        if give_up(model, ask).is_none() {
            findings.error(
                *at,
                format!("question `{}` does not say where to go in the end", node.name),
                "add `give_up: NODE` here or to `defaults`",
            );
        }
    }
}

/// A caller who never answers must come to the end of the call.
fn endless_silence(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let silent = |id: NodeId| match &model.node(id).kind {
        NodeKind::Ask(ask) => give_up(model, ask).into_iter().collect(),
        NodeKind::Offer(offering) => {
            give_up(model, &offering.ask).into_iter().chain([offering.none]).collect()
        }
        // It may fail again and again, without a word of the caller.
        NodeKind::Llm(talk) => give_up(model, &talk.ask).into_iter().chain([talk.fail]).collect(),
        _ => model.node(id).successors(),
    };
    for cycle in cycles(model.nodes.len(), |id| model.through(id, &silent)) {
        let Some(first) = cycle.iter().find(|id| model.node(**id).is_question()) else {
            continue;
        };
        findings.error(
            read.places.nodes[first.0],
            format!("giving up on `{}` leads back to it", model.node(*first).name),
            "add a `give_up` here that ends the call",
        );
    }
}

/// Where a question leads when its ladders end.
fn give_up(model: &Model, ask: &Ask) -> Option<NodeId> {
    ask.ladders.give_up.or(model.defaults.give_up)
}

fn too_long_that_asks(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let mut open: Vec<NodeId> = model.limits.too_long.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = model.node(id);
        if node.is_question() {
            findings.error(
                read.places.limits,
                format!("after too many turns the call would ask `{}`", node.name),
                "lead `then` to nodes that say something and hang up",
            );
        } else if seen.insert(id) {
            open.extend(model.entered(node).map(|flow| flow.first));
            open.extend(node.successors());
        }
    }
}

/// A value that nothing ever sets is a gap in the prompt.
fn values_never_known(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let mut filled = given_slots(model);
    let mut searched: BTreeSet<&str> = BTreeSet::new();
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    for node in &model.nodes {
        match &node.kind {
            NodeKind::Ask(ask) => {
                if let Wants::Slot { slot, .. } = &ask.wants {
                    filled.insert(slot);
                }
            }
            NodeKind::Set { values, .. } => filled.extend(values.iter().map(|(s, _)| s.as_str())),
            NodeKind::Do(call) => filled.extend(call.fills()),
            NodeKind::Count { counter: slot, .. } | NodeKind::Take { slot, .. } => {
                filled.insert(slot);
            }
            NodeKind::Lookup { table, .. } => {
                searched.insert(table);
            }
            NodeKind::Tool(tool) => {
                asked.insert(&tool.tool);
            }
            NodeKind::Llm(talk) => filled.extend(talk.fills()),
            NodeKind::Offer(offering) => filled.extend(offering.slot.as_deref()),
            _ => {}
        }
    }
    for (node, at) in model.nodes.iter().zip(&read.places.nodes) {
        let mut missing: BTreeSet<String> = BTreeSet::new();
        for reference in node.references() {
            match reference {
                Reference::Slot(slot) if !filled.contains(slot.as_str()) => {
                    missing.insert(format!("`{slot}`, which nothing asks for or sets"));
                }
                Reference::Column { table, .. } if !searched.contains(table.as_str()) => {
                    missing.insert(format!("a row of `{table}`, which nothing looks up"));
                }
                Reference::Given { tool, .. } if !asked.contains(tool.as_str()) => {
                    missing.insert(format!("what `{tool}` gives, which nothing asks"));
                }
                _ => {}
            }
        }
        for what in missing {
            findings.error(
                *at,
                format!("node `{}` uses {what}", node.name),
                "ask for it, `set` it or look it up first",
            );
        }
    }
}

/// Slots whose values come from outside of the dialog.
fn given_slots(model: &Model) -> BTreeSet<&str> {
    let given = model.slots.iter().filter(|(_, slot)| slot.given);
    given.map(|(name, _)| name.as_str()).collect()
}

/// A choice of what a tool gave needs the tool.
fn choices_from_nowhere(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    for (name, slot) in &model.slots {
        let SlotKind::Offered(from) = &slot.kind else { continue };
        let gives = model.tools.get(&from.tool).map(|tool| &tool.gives);
        let problem = match gives {
            None => format!("there is no tool `{}` to choose from", from.tool),
            Some(gives) if !gives.contains_key(&from.field) => {
                format!("tool `{}` gives no `{}` to choose from", from.tool, from.field)
            }
            Some(_) => continue,
        };
        let remedy = "name a tool and a field that it gives: `from: tool.field`";
        findings.error(read.places.slots[name], format!("slot `{name}`: {problem}"), remedy);
    }
}

fn unused_names(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    let mut slots = given_slots(model);
    let mut tables: BTreeSet<&str> = BTreeSet::new();
    let mut tools: BTreeSet<&str> = BTreeSet::new();
    let mut intents: BTreeSet<&str> = model.globals.on.keys().map(String::as_str).collect();
    for node in &model.nodes {
        match &node.kind {
            NodeKind::Ask(ask) => {
                intents.extend(ask.routes.on.keys().map(String::as_str));
                if let Wants::Slot { slot, .. } = &ask.wants {
                    slots.insert(slot);
                }
            }
            NodeKind::Lookup { table, .. } => {
                tables.insert(table);
            }
            NodeKind::Tool(tool) => {
                tools.insert(&tool.tool);
            }
            NodeKind::Offer(offering) => {
                intents.extend(offering.ask.routes.on.keys().map(String::as_str));
                slots.extend(offering.slot.as_deref());
            }
            NodeKind::Llm(talk) => {
                intents.extend(talk.ask.routes.on.keys().map(String::as_str));
                slots.extend(talk.fills());
            }
            NodeKind::Set { values, .. } => slots.extend(values.iter().map(|(s, _)| s.as_str())),
            NodeKind::Do(call) => slots.extend(call.fills()),
            NodeKind::Count { counter: slot, .. } | NodeKind::Take { slot, .. } => {
                slots.insert(slot);
            }
            _ => {}
        }
    }
    for (what, declared, used) in [
        ("slot", &read.places.slots, slots),
        ("table", &read.places.tables, tables),
        ("tool", &read.places.tools, tools),
        ("intent", &read.places.intents, intents),
    ] {
        let idle =
            declared.iter().filter(|(name, at)| !used.contains(name.as_str()) && at.is_in_main());
        for (name, at) in idle {
            let remedy = "use it in a node, or take it out";
            findings.warn(*at, format!("{what} `{name}` is never used"), remedy);
        }
    }
}

fn shared_examples(read: &Read, findings: &mut Findings) {
    let mut owner: BTreeMap<String, &str> = BTreeMap::new();
    for (intent, by_lang) in &read.model.intents {
        let at = read.places.intents[intent];
        for (lang, examples) in by_lang {
            for example in examples {
                let first = owner.entry(normalize(*lang, example)).or_insert(intent);
                if *first != intent {
                    findings.warn(
                        at,
                        format!("`{example}` is an example of `{first}` and of `{intent}`"),
                        "keep it where it belongs: callers would land in either",
                    );
                }
            }
            if examples.len() < 3 {
                findings.warn(
                    at,
                    format!("intent `{intent}` has fewer than three examples in {lang}"),
                    "add more ways of saying it, as callers would",
                );
            }
        }
    }
    for (name, slot) in &read.model.slots {
        if let SlotKind::Choice(options) = &slot.kind
            && options.len() > 5
        {
            let at = read.places.slots[name];
            let what = format!("slot `{name}` has more options than callers remember");
            findings.warn(at, what, "offer at most five, or ask in two steps");
        }
    }
}

/// Intents that are understood as another one even in their own words.
pub(super) fn shadowed(
    read: &Read,
    classifiers: &BTreeMap<Lang, IntentClassifier>,
    findings: &mut Findings,
) {
    for (intent, by_lang) in &read.model.intents {
        for (lang, examples) in by_lang {
            let Some(classifier) = classifiers.get(lang) else { continue };
            let heard = |text: &String| [Hypothesis { text: text.clone(), confidence: 1.0 }];
            let taken = examples.iter().filter_map(|text| classifier.classify(&heard(text)));
            let others: Vec<String> =
                taken.map(|is| is.intent).filter(|other| other != intent).collect();
            if others.len() * 2 > examples.len()
                && let Some(other) = others.first()
            {
                findings.warn(
                    read.places.intents[intent],
                    format!("most examples of `{intent}` in {lang} are understood as `{other}` or others"),
                    "make their examples more different, or make one intent of them",
                );
            }
        }
    }
}

/// The cycles of a graph, one for each place where a depth-first walk closes one.
fn cycles(nodes: usize, successors: impl Fn(NodeId) -> Vec<NodeId>) -> Vec<Vec<NodeId>> {
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for start in (0..nodes).map(NodeId) {
        // Nodes on the way here, each with the successors it has still to try.
        let mut path: Vec<(NodeId, Vec<NodeId>)> = Vec::new();
        if !done.contains(&start) {
            path.push((start, successors(start)));
        }
        while let Some((id, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                done.insert(*id);
                path.pop();
                continue;
            };
            if let Some(from) = path.iter().position(|(id, _)| *id == next) {
                found.push(path[from..].iter().map(|(id, _)| *id).collect());
            } else if !done.contains(&next) {
                path.push((next, successors(next)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found_once_and_only_where_they_are() {
        let edges: &[&[usize]] = &[&[1, 2], &[2], &[3], &[1], &[0]];
        let to = |id: NodeId| edges[id.0].iter().map(|i| NodeId(*i)).collect();
        let found = cycles(edges.len(), to);
        let sets: Vec<BTreeSet<usize>> =
            found.iter().map(|c| c.iter().map(|id| id.0).collect()).collect();
        assert_eq!(sets, [BTreeSet::from([1, 2, 3])]);
    }
}
