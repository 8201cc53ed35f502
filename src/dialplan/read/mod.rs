//! From YAML to the checked model. Reads on after an error, so that an author sees all of them.

mod ask;
mod calendars;
mod fields;
mod formula;
mod header;
mod knowledge;
pub(super) mod marks;
mod node;
mod prompt;
mod recommend;
mod sentiment;
mod slots;
mod subflow;
mod tables;
mod talk;
mod tools;
mod transfer;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(crate) use fields::{Fields, Report};

use super::{
    DialplanSource,
    calendar::Calendar,
    error::{At, Findings, did_you_mean},
    include,
    model::{Model, NodeId, Recommendation, Slot, Table, Target, Tool, Wish},
    subflow::FlowHead,
    yaml::Yaml,
};
use crate::text::Lang;

/// A model with the places its parts came from, for the linter.
pub(crate) struct Read {
    pub(crate) model: Model,
    pub(crate) places: Places,
}

/// Where the parts of a model stand.
pub(crate) struct Places {
    /// Of each node's name.
    pub(crate) nodes: Vec<At>,
    pub(crate) slots: BTreeMap<String, At>,
    pub(crate) intents: BTreeMap<String, At>,
    pub(crate) tables: BTreeMap<String, At>,
    pub(crate) tools: BTreeMap<String, At>,
    pub(crate) limits: At,
}

/// Reads `source`; `None` when errors in `findings` leave no model.
pub(crate) fn read(source: &DialplanSource, findings: Findings) -> (Option<Read>, Findings) {
    let mut findings = findings;
    let Some(root) = include::whole(source, &mut findings) else {
        return (None, findings);
    };
    let report = Report::new(findings);
    let read = header::read(source, &root, &report);
    (read, report.into_findings())
}

/// What the readers of prompts and nodes look names up in.
struct Scope<'y> {
    report: &'y Report,
    /// Where recordings are found.
    source: &'y DialplanSource,
    language: Lang,
    languages: BTreeSet<Lang>,
    slots: BTreeMap<String, Slot>,
    tables: BTreeMap<String, Table>,
    tools: BTreeMap<String, Tool>,
    /// Slots and tables with errors: what refers to them is not an error as well.
    broken: BTreeSet<String>,
    intents: BTreeSet<String>,
    nodes: BTreeMap<String, NodeId>,
    flows: BTreeMap<String, FlowHead>,
    calendars: Arc<BTreeMap<String, Calendar>>,
    /// What may be recommended.
    offers: Vec<Recommendation>,
    /// The dialplan looks at how callers feel.
    feels: bool,
}

impl Scope<'_> {
    /// The node that `yaml` names: `flow.node`, or `node` within `flow`.
    fn node(&self, yaml: &Yaml, flow: Option<&str>) -> Option<NodeId> {
        let name = self.report.text(yaml, "a node's name")?;
        let full = match flow {
            Some(flow) if !name.contains('.') => format!("{flow}.{name}"),
            _ => name.to_owned(),
        };
        let found = self.nodes.get(&full).copied();
        if found.is_none() {
            let known = self.nodes.keys().map(String::as_str);
            let remedy = did_you_mean(&full, known);
            self.report.error(yaml.at, format!("no node `{full}`"), remedy);
        }
        found
    }

    /// A node, or a word such as `repeat`.
    fn target(&self, yaml: &Yaml, flow: Option<&str>) -> Option<Target> {
        if let Some(wish) = Wish::of(self.report.text(yaml, "a node's name")?) {
            return Some(Target::Wish(wish));
        }
        self.node(yaml, flow).map(Target::Node)
    }

    /// The node in the field `name`, which must be there.
    fn required_node(&self, fields: &Fields<'_>, name: &'static str, flow: &str) -> Option<NodeId> {
        let remedy = format!("add `{name}: NODE`");
        let yaml = fields.require(name, &remedy)?;
        self.node(yaml, Some(flow))
    }
}
