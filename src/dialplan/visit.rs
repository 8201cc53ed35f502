//! Ways through a model: who follows whom, what is said, what is used.

use super::model::{
    Model, Node, NodeId, NodeKind, Part, Prompt, Reference, Routes, Target, Template, Then, Wants,
};

impl Node {
    /// Every node that can follow this one, in the order written. Globals, which can follow any
    /// question, and the default `give_up` are not among them.
    pub(crate) fn successors(&self) -> Vec<NodeId> {
        match &self.kind {
            NodeKind::Say { then, .. } | NodeKind::Then(then) => match then {
                Then::Next(next) => vec![*next],
                Then::HangUp(_) => Vec::new(),
            },
            NodeKind::Ask(ask) => {
                let mut to = match &ask.wants {
                    Wants::Intent => Vec::new(),
                    Wants::YesNo { yes, no, .. } => vec![*yes, *no],
                    Wants::Slot { next, .. } => vec![*next],
                };
                to.extend(ask.routes.targets());
                to.extend(ask.ladders.give_up);
                to
            }
            NodeKind::When { cases, otherwise } => {
                cases.iter().map(|c| c.next).chain([*otherwise]).collect()
            }
            NodeKind::Lookup { found, missing, .. } => vec![*found, *missing],
            NodeKind::Count { reached, next, .. } => vec![*reached, *next],
            NodeKind::Set { next, .. } | NodeKind::Language { next, .. } => vec![*next],
            NodeKind::Transfer(transfer) => {
                vec![transfer.busy, transfer.no_answer, transfer.failed]
            }
        }
    }

    /// Everything the node itself can say.
    pub(crate) fn prompts(&self) -> Vec<&Prompt> {
        match &self.kind {
            NodeKind::Say { say, .. } => vec![say],
            NodeKind::Transfer(transfer) => transfer.say.iter().collect(),
            NodeKind::Ask(ask) => {
                let mut prompts = vec![&ask.ask];
                if let Wants::Slot { confirm, .. } = &ask.wants {
                    prompts.extend(confirm);
                }
                prompts.extend(ask.ladders.no_input.iter().chain(&ask.ladders.no_match));
                prompts
            }
            _ => Vec::new(),
        }
    }

    /// The values that the node makes use of.
    pub(crate) fn references(&self) -> Vec<&Reference> {
        let mut used: Vec<&Reference> = Vec::new();
        for prompt in self.prompts() {
            used.extend(prompt.texts.values().flat_map(Template::references));
        }
        match &self.kind {
            NodeKind::When { cases, .. } => used.extend(cases.iter().map(|c| &c.value)),
            NodeKind::Transfer(transfer) => used.extend(transfer.to.references()),
            NodeKind::Lookup { key, matching, .. } => {
                let templates = matching.iter().map(|(_, template)| template);
                used.extend(templates.chain([key]).flat_map(Template::references));
            }
            NodeKind::Set { values, .. } => {
                let templates = values.iter().filter_map(|(_, template)| template.as_ref());
                used.extend(templates.flat_map(Template::references));
            }
            _ => {}
        }
        used
    }
}

impl Template {
    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Words(_) => None,
            Part::Value { reference, .. } => Some(reference),
        })
    }
}

impl Routes {
    /// The nodes that intents and keys lead to.
    pub(crate) fn targets(&self) -> impl Iterator<Item = NodeId> {
        self.on.values().chain(self.keys.values()).filter_map(|target| match target {
            Target::Node(node) => Some(*node),
            Target::Repeat => None,
        })
    }
}

impl Model {
    /// Everything that can be said, in the order of the nodes; then the default ladders, and the
    /// answers of the knowledge base.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        let defaults = self.defaults.no_input.iter().chain(&self.defaults.no_match);
        let answers = self.knowledge.values().map(|entry| &entry.answer);
        self.nodes.iter().flat_map(Node::prompts).chain(defaults).chain(answers)
    }
}
