use std::collections::BTreeMap;

use super::{Scope, fields::Fields};
use crate::{
    dialplan::{
        error::{At, did_you_mean},
        model::{Ask, Ladders, NodeKind, Routes, SlotKind, Wants, YesNoWords},
    },
    text::Lang,
};

impl Scope<'_> {
    /// A question.
    pub(super) fn ask(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let ask = fields.get("ask").map(|y| self.prompt(y, "`ask`"))?;
        let barge_in = self.barge_in(fields);
        let no_input = fields.get("wait");
        let no_input = no_input.and_then(|y| self.report.duration(y, "`wait`"));
        let routes = self.routes(fields, Some(flow));
        let ladders = self.ladders(fields, Some(flow));
        let wants = self.wants(fields, flow)?;
        self.check_keys(fields.at, &wants, &routes);
        Some(NodeKind::Ask(Box::new(Ask { ask, barge_in, wants, routes, no_input, ladders })))
    }

    fn wants(&self, fields: &Fields<'_>, flow: &str) -> Option<Wants> {
        let yes_no = fields.has("yes") || fields.has("no");
        match (fields.get("slot"), yes_no) {
            (Some(y), true) => {
                self.report.error(
                    y.at,
                    "a question with `slot` beside `yes` and `no`",
                    "keep one: branch on a slot afterwards with `when`",
                );
                None
            }
            (Some(y), false) => {
                let slot = self.slot_name(y)?;
                if self.slots[&slot].kind == SlotKind::Counter {
                    let what = format!("`{slot}` is a counter, which callers cannot give");
                    self.report.error(y.at, what, "ask for another slot");
                }
                let confirm = fields.get("confirm").map(|y| self.prompt(y, "`confirm`"));
                let next = self.required_node(fields, "next", flow)?;
                Some(Wants::Slot { slot, confirm, next })
            }
            (None, true) => self.yes_no(fields, flow),
            (None, false) => Some(Wants::Intent),
        }
    }

    /// `yes` and `no` with their words.
    pub(super) fn yes_no(&self, fields: &Fields<'_>, flow: &str) -> Option<Wants> {
        let yes = self.required_node(fields, "yes", flow);
        let no = self.required_node(fields, "no", flow);
        let words = YesNoWords {
            yes: self.optional_phrases(fields, "yes_words"),
            no: self.optional_phrases(fields, "no_words"),
        };
        Some(Wants::YesNo { yes: yes?, no: no?, words })
    }

    fn optional_phrases(
        &self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> BTreeMap<Lang, Vec<String>> {
        fields.get(name).map(|yaml| self.phrases(yaml, name)).unwrap_or_default()
    }

    /// `on:` intents and `keys:`, both to nodes or `repeat`.
    pub(super) fn routes(&self, fields: &Fields<'_>, flow: Option<&str>) -> Routes {
        let mut routes = Routes::default();
        if let Some(yaml) = fields.get("on") {
            for (key, yaml) in self.report.map(yaml, "`on`") {
                if !self.intents.contains(&key.name) {
                    let known = self.intents.iter().map(String::as_str);
                    let remedy = did_you_mean(&key.name, known);
                    let what = format!("no intent `{}`", key.name);
                    self.report.error(key.at, what, remedy);
                }
                if let Some(target) = self.target(yaml, flow) {
                    routes.on.insert(key.name.clone(), target);
                }
            }
        }
        if let Some(yaml) = fields.get("keys") {
            for (key, yaml) in self.report.map(yaml, "`keys`") {
                let dtmf = self.report.dtmf(&key.name, key.at);
                if let (Some(dtmf), Some(target)) = (dtmf, self.target(yaml, flow)) {
                    routes.keys.insert(dtmf, target);
                }
            }
        }
        routes
    }

    /// `no_input:` and `no_match:`, one prompt a rung, and `give_up:`.
    pub(super) fn ladders(&self, fields: &Fields<'_>, flow: Option<&str>) -> Ladders {
        let rungs = |name| {
            let yaml = fields.get(name);
            yaml.map(|y| self.prompts(y, name)).unwrap_or_default()
        };
        Ladders {
            no_input: rungs("no_input"),
            no_match: rungs("no_match"),
            give_up: fields.get("give_up").and_then(|y| self.node(y, flow)),
        }
    }

    /// Keys that the answer itself needs cannot lead elsewhere.
    pub(super) fn check_keys(&self, at: At, wants: &Wants, routes: &Routes) {
        let taken: Vec<char> = match wants {
            Wants::Intent | Wants::Talk => Vec::new(),
            Wants::YesNo { .. } => vec!['1', '2'],
            Wants::Slot { slot, .. } => match self.slots.get(slot).map(|s| &s.kind) {
                Some(SlotKind::YesNo) => vec!['1', '2'],
                Some(SlotKind::Choice(options)) => options.iter().filter_map(|o| o.key).collect(),
                _ => Vec::new(),
            },
        };
        for key in taken.iter().filter(|k| routes.keys.contains_key(k)) {
            self.report.error(
                at,
                format!("key {key} is an answer to this question and leads elsewhere too"),
                "take it out of `keys` (1 is yes and 2 is no)",
            );
        }
    }
}
