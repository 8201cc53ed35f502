use std::collections::BTreeMap;

use super::{Scope, fields::Fields};
use crate::dialplan::{
    error::At,
    expression::Operand,
    model::{Case, Condition, Node, NodeKind, PromptBargeIn, SlotKind, Test, Then},
    yaml::{Key, Kind, Yaml},
};

const KINDS: [&str; 15] = [
    "say",
    "ask",
    "when",
    "lookup",
    "set",
    "count",
    "take",
    "language",
    "mode",
    "next_request",
    "tool",
    "transfer",
    "do",
    "llm",
    "offer",
];

impl Scope<'_> {
    /// One node; `None` after an error that leaves none.
    pub(super) fn read_node(&self, flow: &str, key: &Key, yaml: &Yaml) -> Option<Node> {
        let name = format!("{flow}.{}", key.name);
        let fields = Fields::new(self.report, yaml, format!("node `{name}`"));
        // A transfer has a `mode` of its own.
        let named = |k: &&str| fields.has(k) && (*k != "mode" || !fields.has("transfer"));
        let kinds: Vec<&str> = KINDS.into_iter().filter(named).collect();
        let kind = match kinds[..] {
            [] => self.then(&fields, flow, key.at).map(NodeKind::Then),
            ["say"] => self.say(&fields, flow, key.at),
            ["ask"] => self.ask(&fields, flow),
            ["when"] => self.when(&fields, flow),
            ["lookup"] => self.lookup(&fields, flow),
            ["set"] => self.set(&fields, flow),
            ["count"] => self.count(&fields, flow),
            ["take"] => self.take(&fields, flow),
            ["language"] => self.language(&fields, flow),
            ["mode"] => self.manner(&fields, flow),
            ["next_request"] | ["say", "next_request"] => self.next_request(&fields, flow),
            ["do"] => self.subflow(&fields, flow),
            ["tool"] | ["say", "tool"] => self.tool(&fields, flow),
            // What is said before a transfer belongs to it.
            ["transfer"] | ["say", "transfer"] => self.transfer(&fields, flow),
            // What is asked first belongs to the talk.
            ["offer"] => self.offering(&fields, flow),
            ["llm"] | ["ask", "llm"] => self.talk(&fields, flow),
            _ => {
                self.report.error(
                    key.at,
                    format!("node `{name}` has {} at once", kinds.join(" and ")),
                    "make it one node for each, joined by `next`",
                );
                return None;
            }
        };
        // After another error it is not known which fields belong there.
        if kind.is_some() {
            fields.finish();
        }
        kind.map(|kind| Node { name, kind })
    }

    fn say(&self, fields: &Fields<'_>, flow: &str, at: At) -> Option<NodeKind> {
        let say = fields.get("say").map(|y| self.prompt(y, "`say`"))?;
        let barge_in = self.barge_in(fields);
        let then = self.then(fields, flow, at)?;
        Some(NodeKind::Say { say, barge_in, then })
    }

    /// `next: NODE`, `return: NODE`, `finish: WORD` or `hang_up: DISPOSITION`.
    fn then(&self, fields: &Fields<'_>, flow: &str, at: At) -> Option<Then> {
        let ways = ["next", "return", "finish", "hang_up"];
        let found: Vec<_> = ways.into_iter().filter_map(|w| Some((w, fields.get(w)?))).collect();
        match found[..] {
            [("next", next)] => self.node(next, Some(flow)).map(Then::Next),
            [("return", otherwise)] => self.node(otherwise, Some(flow)).map(Then::Return),
            [("finish", y)] => Some(Then::Finish(self.report.text(y, "`finish`")?.to_owned())),
            [(_, y)] => {
                let disposition = self.report.text(y, "`hang_up`")?;
                Some(Then::HangUp(disposition.to_owned()))
            }
            [] => {
                let remedy = fields.meant(&ways).unwrap_or_else(|| {
                    "add `next: NODE`, or `hang_up: DISPOSITION` to end the call".to_owned()
                });
                self.report.error(at, "the call does not go on after this node", remedy);
                None
            }
            [(first, _), (second, y), ..] => {
                let what = format!("`{second}` beside `{first}`");
                self.report.error(y.at, what, "keep one of the two");
                None
            }
        }
    }

    /// `next_request: NODE`, with what is said when there is one.
    fn next_request(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let say = fields.get("say").map(|y| self.prompt(y, "`say`"));
        let otherwise = self.required_node(fields, "next_request", flow)?;
        Some(NodeKind::NextRequest { say, otherwise })
    }

    pub(super) fn barge_in(&self, fields: &Fields<'_>) -> PromptBargeIn {
        let Some(yaml) = fields.get("barge_in") else {
            return PromptBargeIn::Any;
        };
        match self.report.text(yaml, "`barge_in`") {
            Some("any") | None => PromptBargeIn::Any,
            Some("keys") => PromptBargeIn::Keys,
            Some("none") => PromptBargeIn::None,
            Some(other) => {
                let remedy = "write `any`, `keys` (speech does not interrupt) or `none`";
                let what = format!("no barge-in `{other}`");
                self.report.error(yaml.at, what, remedy);
                PromptBargeIn::Any
            }
        }
    }

    fn lookup(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("lookup")?;
        let table = self.report.text(yaml, "`lookup`")?;
        if !self.tables.contains_key(table) {
            self.unknown_table(table, yaml.at);
        }
        let key = fields.require("key", "say what to look for: `key: \"{slot}\"`");
        let key = key.and_then(|y| Some(self.template(self.report.text(y, "`key`")?, y.at)));
        let mut matching = Vec::new();
        if let Some(yaml) = fields.get("match") {
            for (column, yaml) in self.report.map(yaml, "`match`") {
                self.reference(&format!("{table}.{}", column.name), column.at);
                if let Some(text) = self.report.text(yaml, "a value of `match`") {
                    matching.push((column.name.clone(), self.template(text, yaml.at)));
                }
            }
        }
        let found = self.required_node(fields, "found", flow);
        let missing = self.required_node(fields, "missing", flow);
        Some(NodeKind::Lookup {
            table: table.to_owned(),
            key: key?,
            matching,
            found: found?,
            missing: missing?,
        })
    }

    fn set(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let mut values = BTreeMap::new();
        for (key, yaml) in self.report.map(fields.get("set")?, "`set`") {
            let name = Yaml { at: key.at, kind: Kind::Scalar(key.name.clone()) };
            let Some(slot) = self.slot_name(&name) else {
                continue;
            };
            let value = self.set_to(&slot, yaml)?;
            values.insert(slot, value);
        }
        Some(NodeKind::Set {
            values: values.into_iter().collect(),
            next: self.required_node(fields, "next", flow)?,
        })
    }

    fn count(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("count")?;
        let counter = self.slot_name(yaml)?;
        if self.slots[&counter].kind != SlotKind::Counter {
            let what = format!("slot `{counter}` is not a counter");
            let remedy = format!("declare it so: `{counter}: counter`");
            self.report.error(yaml.at, what, remedy);
        }
        let limit = fields.require("limit", "say how far to count: `limit: 2`");
        let limit = limit.and_then(|y| self.report.count(y, "`limit`"));
        let reached = self.required_node(fields, "reached", flow);
        let next = self.required_node(fields, "next", flow);
        Some(NodeKind::Count { counter, limit: limit?, reached: reached?, next: next? })
    }

    /// `{take: slot, found: NODE, missing: NODE}`.
    fn take(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("take")?;
        let slot = self.slot_name(yaml)?;
        if matches!(self.slots[&slot].kind, SlotKind::Text | SlotKind::Counter | SlotKind::YesNo) {
            let what = format!("slot `{slot}` cannot be told from other words");
            let remedy = "take digits, a choice, a number, money, a date or a time";
            self.report.error(yaml.at, what, remedy);
        }
        let found = self.required_node(fields, "found", flow);
        let missing = self.required_node(fields, "missing", flow);
        Some(NodeKind::Take { slot, found: found?, missing: missing? })
    }

    fn language(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("language")?;
        let lang = self.report.lang(self.report.text(yaml, "`language`")?, yaml.at)?;
        if !self.languages.contains(&lang) {
            let what = format!("no voice for `{lang}`");
            let remedy = format!("add `{lang}: VOICE` to `voices`");
            self.report.error(yaml.at, what, remedy);
        }
        let next = self.required_node(fields, "next", flow)?;
        Some(NodeKind::Language { lang, next })
    }

    /// `mode: elderly` or `mode: usual`.
    fn manner(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let yaml = fields.get("mode")?;
        let elderly = match self.report.text(yaml, "`mode`")? {
            "elderly" => true,
            "usual" => false,
            other => {
                let remedy = "write `elderly` (slower, louder, more patient) or `usual`";
                self.report.error(yaml.at, format!("no mode `{other}`"), remedy);
                false
            }
        };
        let next = self.required_node(fields, "next", flow)?;
        Some(NodeKind::Mode { elderly, next })
    }

    fn when(&self, fields: &Fields<'_>, flow: &str) -> Option<NodeKind> {
        let items = self.report.list(fields.get("when")?, "`when`");
        let cases: Vec<Option<Case>> = items.iter().map(|y| self.case(y, flow)).collect();
        let otherwise = self.required_node(fields, "else", flow)?;
        Some(NodeKind::When { cases: cases.into_iter().collect::<Option<_>>()?, otherwise })
    }

    /// `{value: slot, equals: x, next: NODE}` and its like, `{open: CALENDAR, next: NODE}`, or
    /// `{if: EXPRESSION, next: NODE}`.
    fn case(&self, yaml: &Yaml, flow: &str) -> Option<Case> {
        let fields = Fields::new(self.report, yaml, "a case");
        if let Some(holds) = fields.get("if") {
            let next = self.required_node(&fields, "next", flow);
            fields.finish();
            let flag = |value: &Operand| matches!(value, Operand::Flag(_));
            let formula = self.formula(holds, "`if`", "true or false", flag)?;
            return Some(Case { condition: Condition::Formula(formula), next: next? });
        }
        if let Some(yaml) = fields.get("open") {
            let next = self.required_node(&fields, "next", flow);
            fields.finish();
            let condition = Condition::Formula(self.opening(yaml)?);
            return Some(Case { condition, next: next? });
        }
        let value = fields.require("value", "name a slot, `table.column` or `call.time`");
        let value = value.and_then(|y| self.reference(self.report.text(y, "`value`")?, y.at));
        let next = self.required_node(&fields, "next", flow);
        let tests = [
            fields.text("equals").map(|v| Test::OneOf(vec![v.to_owned()])),
            fields.get("one_of").map(|y| {
                let items = self.report.list(y, "`one_of`").iter();
                let texts = items.filter_map(|i| self.report.text(i, "an item of `one_of`"));
                Test::OneOf(texts.map(str::to_owned).collect())
            }),
            fields.get("exists").map(|y| Test::Exists(self.report.flag(y, "`exists`"))),
            fields.get("between").and_then(|y| self.between(y)),
        ];
        fields.finish();
        let mut tests = tests.into_iter().flatten();
        match (tests.next(), tests.next()) {
            (Some(test), None) => {
                let condition = Condition::Value { value: value?, test };
                Some(Case { condition, next: next? })
            }
            _ => {
                self.report.error(
                    yaml.at,
                    "a case needs exactly one test",
                    "add one of `equals`, `one_of`, `exists`, `between`",
                );
                None
            }
        }
    }

    /// `between: ["09:00", "17:00"]`.
    fn between(&self, yaml: &Yaml) -> Option<Test> {
        let items = self.report.list(yaml, "`between`");
        let texts = items.iter().filter_map(|i| self.report.text(i, "a bound"));
        match texts.collect::<Vec<_>>()[..] {
            [from, to] if from < to => Some(Test::Between(from.to_owned(), to.to_owned())),
            _ => {
                self.report.error(
                    yaml.at,
                    "`between` needs a lower and an upper bound",
                    "write it like `between: [\"09:00\", \"17:00\"]`",
                );
                None
            }
        }
    }

    /// The name of a slot that exists.
    pub(super) fn slot_name(&self, yaml: &Yaml) -> Option<String> {
        let name = self.report.text(yaml, "a slot's name")?;
        if self.slots.contains_key(name) {
            return Some(name.to_owned());
        }
        self.unknown_slot(name, yaml.at);
        None
    }
}
