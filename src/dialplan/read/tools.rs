use std::{collections::BTreeMap, time::Duration};

use super::{
    Scope,
    fields::{Fields, Report},
};
use crate::{
    dialplan::{
        error::{At, did_you_mean},
        model::{Invocation, NodeKind, Tool},
        yaml::Yaml,
    },
    text::ReadAs,
};

/// How long a tool may take, where the dialplan does not say.
const DEADLINE: Duration = Duration::from_millis(800);

/// Reads `tools:`: what each takes and gives. One with errors is not there.
pub(super) fn read(report: &Report, yaml: &Yaml) -> BTreeMap<String, (Option<Tool>, At)> {
    let mut tools = BTreeMap::new();
    for (name, yaml) in report.map(yaml, "`tools`") {
        if name.name == "call" {
            let remedy = "`call` is for what is known about the call: choose another name";
            report.error(name.at, "a tool cannot be named `call`", remedy);
            continue;
        }
        tools.insert(name.name.clone(), (tool(report, &name.name, yaml), name.at));
    }
    tools
}

fn tool(report: &Report, name: &str, yaml: &Yaml) -> Option<Tool> {
    let fields = Fields::new(report, yaml, format!("tool `{name}`"));
    let takes = fields.get("takes").map_or(&[][..], |y| report.list(y, "`takes`"));
    let takes = takes.iter().map(|y| report.text(y, "an argument's name").map(str::to_owned));
    let takes: Option<Vec<String>> = takes.collect();
    let gives = fields.get("gives").map_or(&[][..], |y| report.map(y, "`gives`"));
    let gives: Option<BTreeMap<String, ReadAs>> =
        gives.iter().map(|(key, y)| Some((key.name.clone(), reading(report, y)?))).collect();
    let sensitive = fields.get("sensitive").map_or(&[][..], |y| report.list(y, "`sensitive`"));
    let sensitive = sensitive.iter().map(|y| {
        let field = report.text(y, "a field's name")?;
        let known = |names: &[String]| names.iter().any(|n| n == field);
        let (takes, gives) = (takes.as_ref()?, gives.as_ref()?);
        if !known(takes) && !gives.contains_key(field) {
            let names = takes.iter().chain(gives.keys()).map(String::as_str);
            let what = format!("tool `{name}` neither takes nor gives `{field}`");
            report.error(y.at, what, did_you_mean(field, names));
        }
        Some(field.to_owned())
    });
    let sensitive = sensitive.collect();
    let deadline = fields.get("deadline");
    let deadline = deadline.map_or(Some(DEADLINE), |y| report.duration(y, "`deadline`"));
    let repeatable = fields.get("repeatable").is_some_and(|y| report.flag(y, "`repeatable`"));
    fields.finish();
    Some(Tool {
        takes: takes?,
        gives: gives?,
        sensitive: Option::unwrap_or_default(sensitive),
        deadline: deadline?,
        repeatable,
    })
}

fn reading(report: &Report, yaml: &Yaml) -> Option<ReadAs> {
    let name = report.text(yaml, "how a field is read")?;
    let found = ReadAs::of(name);
    if found.is_none() {
        let remedy = did_you_mean(name, ReadAs::NAMES.iter().map(|(known, _)| *known));
        report.error(yaml.at, format!("values cannot be read as `{name}`"), remedy);
    }
    found
}

impl Scope<'_> {
    /// `tool: NAME` with its arguments and where the call goes then.
    pub(super) fn tool(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("tool")?;
        let name = self.report.text(yaml, "`tool`")?;
        let tool = self.tools.get(name);
        if tool.is_none() && !self.broken.contains(name) {
            let remedy = did_you_mean(name, self.tools.keys().map(String::as_str));
            self.report.error(yaml.at, format!("no tool `{name}`"), remedy);
        }
        let mut arguments = BTreeMap::new();
        let with = fields.get("with").map_or(&[][..], |y| self.report.map(y, "`with`"));
        for (key, yaml) in with {
            if let Some(tool) = tool.filter(|tool| !tool.takes.contains(&key.name)) {
                let remedy = did_you_mean(&key.name, tool.takes.iter().map(String::as_str));
                let what = format!("tool `{name}` takes no `{}`", key.name);
                self.report.error(key.at, what, remedy);
            }
            if let Some(text) = self.report.text(yaml, "a value of `with`") {
                arguments.insert(key.name.clone(), self.template(text, yaml.at));
            }
        }
        // A misspelt argument is missing under its right name.
        let misspelt = |t: &Tool| arguments.keys().any(|a| !t.takes.contains(a));
        let takes = tool.filter(|t| !misspelt(t)).into_iter().flat_map(|t| &t.takes);
        for missing in takes.filter(|a| !arguments.contains_key(*a)) {
            let what = format!("tool `{name}` also takes `{missing}`");
            self.report.error(yaml.at, what, format!("add `{missing}: \"…\"` to `with`"));
        }
        let say = fields.get("say").map(|y| self.prompt(y, "`say`"));
        let filler = fields.get("filler").map(|y| self.prompt(y, "`filler`"));
        let barge_in = self.barge_in(fields);
        let done = self.required_node(fields, "done", flow);
        let failed = self.required_node(fields, "failed", flow);
        Some(NodeKind::Tool(Box::new(Invocation {
            tool: name.to_owned(),
            arguments,
            say,
            barge_in,
            filler,
            done: done?,
            failed: failed?,
        })))
    }
}
