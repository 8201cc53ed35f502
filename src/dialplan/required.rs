//! `required:`, words that callers must hear before the first question, such as that the call is recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::Findings,
    model::{Model, Node, NodeId, NodeKind, Part, Prompt, Template},
    read::Read,
};
use crate::text::{Lang, Piece, normalize};

/// Adds an error for each question, and each hand-over, that a call can come to without them.
pub(super) fn lint(read: &Read, findings: &mut Findings) {
    let model = &read.model;
    for (name, words) in &model.required {
        let Some(words) = words.get(&model.language) else { continue };
        for id in reached_without(model, words) {
            let node = &model.node(id).name;
            findings.error(
                read.places.nodes[id.0],
                format!("callers come to `{node}` without having heard the required `{name}`"),
                format!("say one of these on every way there: {}", words.join(", ")),
            );
        }
    }
}

/// The first questions and hand-overs on ways from the start that do not say any of `words`.
fn reached_without(model: &Model, words: &[String]) -> BTreeSet<NodeId> {
    let words: Vec<String> = words.iter().map(|word| normalize(model.language, word)).collect();
    let mut open = vec![model.start];
    let mut seen = BTreeSet::new();
    let mut without = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = model.node(id);
        if !seen.insert(id) || says(node, model.language, &words) {
            continue;
        }
        match &node.kind {
            NodeKind::Ask(_) | NodeKind::Llm(_) | NodeKind::Transfer(_) => drop(without.insert(id)),
            NodeKind::Do(_) => open.extend(model.entered(node).map(|flow| flow.first)),
            _ if node.finishes().is_some() => open.extend(after(model, node)),
            _ => open.extend(node.successors()),
        }
    }
    without
}

/// Where calls go when a node finishes its flow.
fn after<'m>(model: &'m Model, node: &'m Node) -> impl Iterator<Item = NodeId> + 'm {
    model.nodes.iter().filter_map(|caller| match &caller.kind {
        NodeKind::Do(call) if call.flow == node.flow() => call.then.after(node.finishes()?),
        _ => None,
    })
}

/// Whether the node itself says one of `words`, whichever way it is put.
fn says(node: &Node, lang: Lang, words: &[String]) -> bool {
    let said: Option<&Prompt> = match &node.kind {
        NodeKind::Say { say, .. } => Some(say),
        NodeKind::Ask(ask) => Some(&ask.ask),
        NodeKind::Llm(talk) => Some(&talk.ask.ask),
        NodeKind::Transfer(transfer) => transfer.say.as_ref(),
        NodeKind::Tool(tool) => tool.say.as_ref(),
        _ => None,
    };
    let ways = said.and_then(|prompt| prompt.texts.get(&lang));
    ways.is_some_and(|ways| {
        !ways.is_empty()
            && ways.iter().all(|way| {
                let text = normalize(lang, &text(way));
                words.iter().any(|word| text.contains(word.as_str()))
            })
    })
}

fn text(template: &Template) -> String {
    let parts = template.parts.iter().map(|part| match part {
        Part::Words(words) | Part::Mark(Piece::Recorded { words, .. }) => words.as_str(),
        Part::Value { .. } | Part::Mark(_) => " ",
    });
    parts.collect()
}

/// What is required, by names that say why: words of which one must be said, by language.
pub(crate) type Required = BTreeMap<String, BTreeMap<Lang, Vec<String>>>;
