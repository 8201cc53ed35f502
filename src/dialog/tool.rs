//! What the dialog asks of others: a CRM.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Event, Invoke, InvokeResult, Machine, Output,
    machine::{Failures, Phase},
    values::mask,
};
use crate::dialplan::model::{NodeId, NodeKind, PromptBargeIn, Tool};

impl Machine {
    /// Asks the tool of `node` and waits for what it gives.
    pub(super) fn invoke(&mut self, node: NodeId, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let name = &model.node(node).name;
        let NodeKind::Tool(step) = &model.node(node).kind else {
            return self.enter(node, out);
        };
        let Some(tool) = model.tools.get(&step.tool) else {
            return self.enter(step.failed, out);
        };
        if let Some(say) = &step.say {
            self.say(name, say, step.barge_in, out);
        }
        self.phase = Phase::Invoking(node);
        let fill = |template| self.values.fill(template, &plan, &self.facts);
        let arguments: BTreeMap<String, String> =
            step.arguments.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        let filler = step.filler.as_ref().unwrap_or(&model.filler);
        out.push(Output::Note(Event::Invoke {
            tool: step.tool.clone(),
            arguments: shown(tool, &arguments),
        }));
        out.push(Output::Invoke(Invoke {
            tool: step.tool.clone(),
            arguments,
            deadline: tool.deadline,
            repeatable: tool.repeatable,
            filler: self.compose(name, filler, PromptBargeIn::Any),
        }));
    }

    /// The tool of `node` came to `result`.
    pub(super) fn invoked(&mut self, node: NodeId, result: InvokeResult, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let model = plan.model();
        let NodeKind::Tool(step) = &model.node(node).kind else { return };
        self.failures = Failures::default();
        let Some(tool) = model.tools.get(&step.tool) else { return };
        let name = step.tool.clone();
        match checked(tool, result) {
            InvokeResult::Done(mut fields) => {
                let known = |field: &String, _: &mut String| tool.gives.contains_key(field);
                fields.retain(known);
                let shown = shown(tool, &fields);
                out.push(Output::Note(Event::Invoked { tool: name.clone(), fields: shown }));
                self.values.given(&name, fields);
                self.enter(step.done, out);
            }
            InvokeResult::Failed(problem) => {
                out.push(Output::Note(Event::InvokeFailed { tool: name.clone(), problem }));
                self.values.given(&name, BTreeMap::new());
                self.enter(step.failed, out);
            }
        }
    }
}

/// What cannot be spoken as the dialplan says fails as a whole: half an answer is no answer.
fn checked(tool: &Tool, result: InvokeResult) -> InvokeResult {
    let InvokeResult::Done(fields) = &result else { return result };
    let misfit = tool.gives.iter().find_map(|(field, read_as)| {
        let value = fields.get(field)?;
        (!read_as.fits(value)).then(|| format!("`{field}` cannot be read as {}", read_as.name()))
    });
    misfit.map_or(result, InvokeResult::Failed)
}

fn shown(tool: &Tool, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let shown = values.iter().map(|(name, value)| {
        let hidden = tool.sensitive.contains(name);
        (name.clone(), if hidden { mask(value) } else { value.clone() })
    });
    shown.collect()
}
