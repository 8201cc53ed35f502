//! A dialplan as a drawing shows it.

use super::model::{
    Ask, CallFact, Condition, Model, Node, NodeId, NodeKind, Part, Reference, Routes, Target,
    Template, Test, Then, Wants,
};
use crate::text::Piece;

/// Nodes, and which leads to which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// In written order.
    pub nodes: Vec<GraphNode>,
    /// In written order; what holds at every question comes last.
    pub edges: Vec<GraphEdge>,
    /// Index of the node that calls begin at.
    pub start: usize,
}

/// A node of a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphNode {
    /// `flow.node`.
    pub name: String,
    /// The kind, by the field that makes it one: `say`, `ask`, `when`…; `next` or `hang_up` of a node that does nothing else.
    pub kind: &'static str,
    /// What it says or does, in the dialplan's first language.
    pub text: String,
    /// The disposition with which the call ends here.
    pub hangs_up: Option<String>,
}

/// A way from node to node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphEdge {
    /// Index of the node that it leaves; `None` where it leaves every question.
    pub from: Option<usize>,
    /// Index of the node that it leads to.
    pub to: usize,
    /// Why it is taken: an intent, a key, a condition; empty where nothing else can happen.
    pub label: String,
}

/// Draws `model`.
pub(super) fn graph(model: &Model) -> Graph {
    let mut edges = Vec::new();
    for (index, node) in model.nodes.iter().enumerate() {
        let ways = ways(node, model).into_iter();
        let ways = ways.chain(finishes(node, model));
        edges.extend(ways.map(|(label, to)| GraphEdge { from: Some(index), to: to.0, label }));
    }
    let everywhere = routes(&model.globals).into_iter();
    let gives_up = model.defaults.give_up.map(|to| ("gives up".to_owned(), to));
    let too_long = model.limits.too_long.map(|to| ("too many turns".to_owned(), to));
    let card = model.card_number.map(|to| ("a card's number".to_owned(), to));
    let everywhere = everywhere.chain(card).chain(gives_up).chain(too_long);
    edges.extend(everywhere.map(|(label, to)| GraphEdge { from: None, to: to.0, label }));
    let nodes = model.nodes.iter().map(|node| drawn(node, model)).collect();
    Graph { nodes, edges, start: model.start.0 }
}

fn drawn(node: &Node, model: &Model) -> GraphNode {
    let said = node.prompts().first().and_then(|prompt| prompt.texts.get(&model.language)?.first());
    let text = match &node.kind {
        NodeKind::Lookup { table, .. } => table.clone(),
        NodeKind::Set { values, .. } => {
            values.iter().map(|(slot, _)| slot.as_str()).collect::<Vec<_>>().join(", ")
        }
        NodeKind::Count { counter, .. } => counter.clone(),
        NodeKind::Take { slot, .. } => slot.clone(),
        NodeKind::Mode { elderly, .. } => if *elderly { "elderly" } else { "usual" }.to_owned(),
        NodeKind::Language { lang, .. } => lang.to_string(),
        NodeKind::Do(call) => call.flow.clone(),
        NodeKind::Tool(tool) => tool.tool.clone(),
        NodeKind::Llm(talk) => {
            let instructions = talk.instructions.texts.get(&model.language).and_then(|t| t.first());
            instructions.map(|text| words(text, model)).unwrap_or_default()
        }
        NodeKind::Offer(offering) => {
            let names = offering.among.iter().filter_map(|at| model.offers.get(*at));
            names.map(|offer| offer.name.as_str()).collect::<Vec<_>>().join(", ")
        }
        NodeKind::Transfer(transfer) => words(&transfer.to, model),
        _ => said.map(|said| words(said, model)).unwrap_or_default(),
    };
    let hangs_up = match &node.kind {
        NodeKind::Say { then: Then::HangUp(why), .. } | NodeKind::Then(Then::HangUp(why)) => {
            Some(why.clone())
        }
        _ => None,
    };
    GraphNode { name: node.name.clone(), kind: kind(&node.kind), text, hangs_up }
}

fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Say { .. } => "say",
        NodeKind::Ask(_) => "ask",
        NodeKind::When { .. } => "when",
        NodeKind::Lookup { .. } => "lookup",
        NodeKind::Set { .. } => "set",
        NodeKind::Count { .. } => "count",
        NodeKind::Take { .. } => "take",
        NodeKind::NextRequest { .. } => "next_request",
        NodeKind::Mode { .. } => "mode",
        NodeKind::Language { .. } => "language",
        NodeKind::Do(_) => "do",
        NodeKind::Tool(_) => "tool",
        NodeKind::Transfer(_) => "transfer",
        NodeKind::Llm(_) => "llm",
        NodeKind::Offer(_) => "offer",
        NodeKind::Then(Then::HangUp(_)) => "hang_up",
        NodeKind::Then(Then::Finish(_)) => "finish",
        NodeKind::Then(_) => "next",
    }
}

/// Where a node itself leads, and why.
fn ways(node: &Node, model: &Model) -> Vec<(String, NodeId)> {
    let one = |label: &str, to: &NodeId| (label.to_owned(), *to);
    match &node.kind {
        NodeKind::Say { then, .. } | NodeKind::Then(then) => match then {
            Then::Next(to) => vec![one("", to)],
            Then::Return(to) => vec![one("or back", to)],
            Then::Finish(_) | Then::HangUp(_) => Vec::new(),
        },
        // What follows leads on from where the sub-flow finishes.
        NodeKind::Do(_) => {
            model.entered(node).map(|flow| one("do", &flow.first)).into_iter().collect()
        }
        NodeKind::Ask(ask) => answers(ask),
        NodeKind::Offer(offering) => {
            let mut ways = answers(&offering.ask);
            ways.push(one("nothing suits", &offering.none));
            ways
        }
        NodeKind::Llm(talk) => {
            let actions = talk.actions.iter().map(|action| (action.name.clone(), action.next));
            let mut ways: Vec<_> = actions.chain([one("fails", &talk.fail)]).collect();
            ways.extend(answers(&talk.ask).into_iter().filter(|(_, to)| *to != talk.fail));
            ways
        }
        NodeKind::When { cases, otherwise } => {
            let cases = cases.iter().map(|case| {
                let label = match &case.condition {
                    Condition::Value { value, test } => {
                        format!("{} {test}", reference(value, model))
                    }
                    Condition::Formula(formula) => formula.expression.text().to_owned(),
                };
                (label, case.next)
            });
            cases.chain([one("else", otherwise)]).collect()
        }
        NodeKind::Lookup { found, missing, .. } | NodeKind::Take { found, missing, .. } => {
            vec![one("found", found), one("missing", missing)]
        }
        NodeKind::Count { limit, reached, next, .. } => {
            vec![(format!("{limit} times"), *reached), one("", next)]
        }
        NodeKind::NextRequest { otherwise, .. } => vec![one("nothing left", otherwise)],
        NodeKind::Set { next, .. }
        | NodeKind::Language { next, .. }
        | NodeKind::Mode { next, .. } => vec![one("", next)],
        NodeKind::Tool(tool) => vec![one("done", &tool.done), one("failed", &tool.failed)],
        NodeKind::Transfer(transfer) => vec![
            one("busy", &transfer.busy),
            one("no answer", &transfer.no_answer),
            one("failed", &transfer.failed),
        ],
    }
}

/// Where the call goes when a node finishes its flow: on from wherever the flow was gone through.
fn finishes(node: &Node, model: &Model) -> Vec<(String, NodeId)> {
    let Some(word) = node.finishes() else { return Vec::new() };
    let calls = model.nodes.iter().filter_map(|caller| match &caller.kind {
        NodeKind::Do(call) if call.flow == node.flow() => call.then.after(word),
        _ => None,
    });
    calls.map(|to| (word.to_owned(), to)).collect()
}

fn answers(ask: &Ask) -> Vec<(String, NodeId)> {
    let mut ways = match &ask.wants {
        Wants::Intent | Wants::Talk => Vec::new(),
        Wants::YesNo { yes, no, .. } => vec![("yes".to_owned(), *yes), ("no".to_owned(), *no)],
        Wants::Slot { slot, next, .. } => vec![(slot.clone(), *next)],
    };
    ways.extend(routes(&ask.routes));
    ways.extend(ask.ladders.give_up.map(|to| ("gives up".to_owned(), to)));
    ways
}

fn routes(routes: &Routes) -> Vec<(String, NodeId)> {
    let node = |target: &Target| match target {
        Target::Node(to) => Some(*to),
        Target::Wish(_) => None,
    };
    let intents = routes.on.iter().filter_map(|(intent, to)| Some((intent.clone(), node(to)?)));
    let keys = routes.keys.iter().filter_map(|(key, to)| Some((format!("key {key}"), node(to)?)));
    intents.chain(keys).collect()
}

/// A template as its author wrote it.
fn words(template: &Template, model: &Model) -> String {
    let parts = template.parts.iter().map(|part| match part {
        Part::Words(words) => words.clone(),
        Part::Mark(Piece::Recorded { words, .. }) => words.clone(),
        Part::Mark(_) => String::new(),
        Part::Value { reference: value, .. } => format!("{{{}}}", reference(value, model)),
    });
    parts.collect()
}

/// A value by the name that its author gave it.
fn reference(value: &Reference, model: &Model) -> String {
    match value {
        Reference::Slot(slot) => slot.clone(),
        Reference::Column { table, column } => {
            let name = model.tables.get(table).and_then(|t| t.columns.get(*column));
            format!("{table}.{}", name.map_or("", String::as_str))
        }
        Reference::Given { tool, field } => format!("{tool}.{field}"),
        Reference::Call(fact) => match fact {
            CallFact::Caller => "call.caller",
            CallFact::Called => "call.called",
            CallFact::Date => "call.date",
            CallFact::Time => "call.time",
            CallFact::Weekday => "call.weekday",
            CallFact::Sentiment => "call.sentiment",
            CallFact::SentimentPercent => "call.sentiment_percent",
            CallFact::Direction => "call.direction",
        }
        .to_owned(),
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exists(true) => f.write_str("is known"),
            Self::Exists(false) => f.write_str("is not known"),
            Self::OneOf(values) => write!(f, "is {}", values.join(" or ")),
            Self::Between(from, to) => write!(f, "from {from} to {to}"),
        }
    }
}
