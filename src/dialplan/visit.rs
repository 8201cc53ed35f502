//! Ways through a model: who follows whom, what is said, what is used.

use super::model::{
    Ask, Condition, Model, Node, NodeId, NodeKind, Part, Prompt, Reference, Routes, SetTo, Target,
    Template, Then, Wants, Wish,
};

impl Node {
    /// Every node that can follow this one, in the order written: after a sub-flow those that follow it.
    /// Globals, which can follow any question, and the default `give_up` are not among them.
    pub(crate) fn successors(&self) -> Vec<NodeId> {
        match &self.kind {
            NodeKind::Say { then, .. } | NodeKind::Then(then) => match then {
                Then::Next(next) | Then::Return(next) => vec![*next],
                Then::Finish(_) | Then::HangUp(_) => Vec::new(),
            },
            NodeKind::Ask(ask) => ask.successors(),
            NodeKind::Offer(offering) => {
                let mut to = offering.ask.successors();
                to.push(offering.none);
                to
            }
            NodeKind::Llm(talk) => {
                let mut to = talk.successors();
                to.extend(talk.ask.successors());
                to
            }
            NodeKind::When { cases, otherwise } => {
                cases.iter().map(|c| c.next).chain([*otherwise]).collect()
            }
            NodeKind::Lookup { found, missing, .. } | NodeKind::Take { found, missing, .. } => {
                vec![*found, *missing]
            }
            NodeKind::Count { reached, next, .. } => vec![*reached, *next],
            NodeKind::NextRequest { otherwise, .. } => vec![*otherwise],
            NodeKind::Set { next, .. }
            | NodeKind::Language { next, .. }
            | NodeKind::Mode { next, .. } => vec![*next],
            NodeKind::Do(call) => call.then.targets(),
            NodeKind::Tool(tool) => vec![tool.done, tool.failed],
            NodeKind::Transfer(transfer) => {
                vec![transfer.busy, transfer.no_answer, transfer.failed]
            }
        }
    }

    /// Whether it goes back to a question that was left.
    fn returns(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Say { then: Then::Return(_), .. } | NodeKind::Then(Then::Return(_))
        )
    }

    /// Everything the node itself can say.
    pub(crate) fn prompts(&self) -> Vec<&Prompt> {
        match &self.kind {
            NodeKind::Say { say, .. } => vec![say],
            NodeKind::Transfer(transfer) => transfer.say.iter().collect(),
            NodeKind::NextRequest { say, .. } => say.iter().collect(),
            NodeKind::Tool(tool) => tool.say.iter().chain(&tool.filler).collect(),
            NodeKind::Ask(ask) => ask.prompts(),
            // Pitches are the dialplan's.
            NodeKind::Offer(offering) => offering.ask.prompts(),
            // Its instructions are not spoken.
            NodeKind::Llm(talk) => talk.ask.prompts().into_iter().chain(&talk.filler).collect(),
            _ => Vec::new(),
        }
    }

    /// The values that the node makes use of.
    pub(crate) fn references(&self) -> Vec<&Reference> {
        let mut used: Vec<&Reference> = Vec::new();
        for prompt in self.prompts() {
            let texts = prompt.texts.values().chain(prompt.short.values()).flatten();
            used.extend(texts.flat_map(Template::references));
        }
        match &self.kind {
            NodeKind::When { cases, .. } => {
                used.extend(cases.iter().flat_map(|case| match &case.condition {
                    Condition::Value { value, .. } => std::slice::from_ref(value),
                    Condition::Formula(formula) => &formula.uses,
                }));
            }
            NodeKind::Transfer(transfer) => used.extend(transfer.to.references()),
            NodeKind::Offer(offering) => {
                used.extend(offering.grade.iter().flat_map(Template::references));
                used.extend(&offering.unless.uses);
            }
            NodeKind::Llm(talk) => {
                used.extend(
                    talk.instructions.texts.values().flatten().flat_map(Template::references),
                );
            }
            NodeKind::Tool(tool) => {
                used.extend(tool.arguments.values().flat_map(Template::references));
            }
            NodeKind::Lookup { key, matching, .. } => {
                let templates = matching.iter().map(|(_, template)| template);
                used.extend(templates.chain([key]).flat_map(Template::references));
            }
            NodeKind::Set { values, .. } => {
                used.extend(values.iter().flat_map(|(_, to)| to.references()))
            }
            NodeKind::Do(call) => used.extend(call.with.iter().flat_map(|(_, to)| to.references())),
            _ => {}
        }
        used
    }
}

impl SetTo {
    fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Text(template) => template.references().collect(),
            Self::Computed(formula) => formula.uses.iter().collect(),
        }
    }
}

impl Ask {
    fn successors(&self) -> Vec<NodeId> {
        let mut to = match &self.wants {
            Wants::Intent | Wants::Talk => Vec::new(),
            Wants::YesNo { yes, no, .. } => vec![*yes, *no],
            Wants::Slot { next, .. } => vec![*next],
        };
        to.extend(self.routes.targets());
        to.extend(self.ladders.give_up);
        to
    }

    fn prompts(&self) -> Vec<&Prompt> {
        let mut prompts = vec![&self.ask];
        if let Wants::Slot { confirm, .. } = &self.wants {
            prompts.extend(confirm);
        }
        prompts.extend(self.ladders.no_input.iter().chain(&self.ladders.no_match));
        prompts
    }
}

impl Template {
    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Words(_) | Part::Mark(_) => None,
            Part::Value { reference, .. } => Some(reference),
        })
    }
}

impl Routes {
    /// The nodes that intents and keys lead to.
    pub(crate) fn targets(&self) -> impl Iterator<Item = NodeId> {
        self.on.values().chain(self.keys.values()).filter_map(|target| match target {
            Target::Node(node) => Some(*node),
            Target::Wish(_) => None,
        })
    }

    fn lead_to(&self, target: Target) -> bool {
        self.on.values().chain(self.keys.values()).any(|to| *to == target)
    }
}

impl Model {
    /// Everything that can be said, in the order of the nodes; what holds for all comes last.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        let defaults = self.defaults.no_input.iter().chain(&self.defaults.no_match);
        let waiting = self.routes().any(|routes| routes.lead_to(Target::Wish(Wish::Wait)));
        let waiting = waiting.then_some(&self.waiting.say);
        let returns = self.nodes.iter().any(Node::returns) || !self.knowledge.is_empty();
        let returns = returns.then_some(&self.resume);
        let asks = |node: &Node| match &node.kind {
            NodeKind::Tool(tool) => tool.filler.is_none(),
            NodeKind::Llm(talk) => talk.filler.is_none(),
            _ => false,
        };
        let fills = self.nodes.iter().any(asks).then_some(&self.filler);
        let sorry = self.sentiment.iter().filter_map(|policy| policy.apologise.as_ref());
        let pitches = self.offers.iter().map(|offer| &offer.pitch);
        let answers = self.knowledge.values().map(|entry| &entry.answer);
        let nodes = self.nodes.iter().flat_map(Node::prompts).chain(answers);
        nodes
            .chain(defaults)
            .chain(waiting)
            .chain(returns)
            .chain(fills)
            .chain(&self.unknown)
            .chain(sorry)
            .chain(pitches)
    }

    fn routes(&self) -> impl Iterator<Item = &Routes> {
        let own = self.nodes.iter().filter_map(|node| node.question().map(|ask| &ask.routes));
        own.chain([&self.globals])
    }
}
