//! From YAML to scripted calls. Reads on after an error, so that an author sees all of them.

mod facts;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    model::Model,
    pattern::Pattern,
    script::{Act, Expect, Script, Step, Suite, ToolUse},
    tools::{Answer, Tools},
};
use crate::{
    dialog::{CallFacts, Input, InvokeResult, TransferResult},
    dialplan::{
        DialplanError, Fields, Findings, Report, clock_in, did_you_mean,
        yaml::{self, Key, Kind, Yaml},
    },
    text::Hypothesis,
};

/// How sure the first reading of what a caller said is, where a script does not say.
const CONFIDENCE: f32 = 0.9;

/// Reads the file of scripted calls `text`, which messages call `file`.
pub(super) fn suite(file: &str, text: &str) -> Result<Suite, Vec<DialplanError>> {
    let mut findings = Findings::new(file);
    let Some(root) = yaml::parse(text, &mut findings) else {
        return Err(findings.into_sorted());
    };
    let report = Report::new(findings);
    let suite = Reader { report: &report, parts: BTreeMap::new(), zone: None }.suite(file, &root);
    let findings = report.into_findings();
    match suite {
        Some(suite) if !findings.has_errors() => Ok(suite),
        _ => Err(findings.into_sorted()),
    }
}

struct Reader<'r> {
    report: &'r Report,
    /// Steps that several calls share, by name.
    parts: BTreeMap<String, Vec<Step>>,
    /// Time zone of `now`, where a call does not say.
    zone: Option<String>,
}

impl Reader<'_> {
    fn suite(mut self, file: &str, root: &Yaml) -> Option<Suite> {
        let fields = Fields::new(self.report, root, "the file");
        let dialplan = fields.require("dialplan", "name the dialplan, such as `../hotline.yaml`");
        let dialplan = dialplan.and_then(|yaml| self.report.text(yaml, "`dialplan`"));
        let facts = self.facts(&fields, None);
        self.zone = self.zone(&fields);
        let tools = fields.get("tools").map(|yaml| self.tools(yaml, Tools::default()));
        let mut tools = tools.unwrap_or_default();
        if let Some(yaml) = fields.get("model") {
            tools.model = Model::read(self.report, yaml);
        }
        let never = self.patterns(&fields, "never");
        if let Some(yaml) = fields.get("parts") {
            for (name, steps) in self.report.map(yaml, "`parts`") {
                let steps = self.steps(steps);
                self.parts.insert(name.name.clone(), steps);
            }
        }
        let remedy = "add `tests:` with calls by name";
        let entries = fields.require("tests", remedy).map(|y| self.report.map(y, "`tests`"));
        let scripts = entries.unwrap_or_default().iter();
        let scripts =
            scripts.map(|(key, yaml)| self.script(key, yaml, &facts, &tools, &never)).collect();
        fields.finish();
        let beside = Path::new(file).parent().unwrap_or(Path::new(""));
        let dialplan: PathBuf = beside.join(dialplan?);
        Some(Suite { file: file.to_owned(), dialplan, facts, tools, scripts })
    }

    fn script(
        &self,
        key: &Key,
        yaml: &Yaml,
        facts: &CallFacts,
        tools: &Tools,
        never: &[Pattern],
    ) -> Script {
        let fields = Fields::new(self.report, yaml, format!("test `{}`", key.name));
        let steps = fields.require("call", "add `call:` with what is said, line by line");
        let expect = fields.get("expect").map(|yaml| self.expect(yaml));
        let own = self.patterns(&fields, "never");
        let mut own_tools = match fields.get("tools") {
            Some(yaml) => self.tools(yaml, tools.clone()),
            None => tools.clone(),
        };
        if let Some(yaml) = fields.get("model") {
            own_tools.model = Model::read(self.report, yaml);
        }
        let script = Script {
            name: key.name.clone(),
            line: key.at.line,
            facts: self.facts(&fields, Some(facts)),
            zone: self.zone(&fields).or_else(|| self.zone.clone()),
            tools: own_tools,
            never: never.iter().cloned().chain(own).collect(),
            steps: steps.map(|yaml| self.steps(yaml)).unwrap_or_default(),
            expect: expect.unwrap_or_default(),
        };
        fields.finish();
        script
    }

    /// `zone`, whose clocks show `now`.
    fn zone(&self, fields: &Fields<'_>) -> Option<String> {
        let yaml = fields.get("zone")?;
        let name = self.report.text(yaml, "`zone`")?;
        if clock_in(name, time::macros::datetime!(2026-11-23 10:05)).is_none() {
            let remedy = "write its IANA name, such as `Asia/Shanghai`";
            self.report.error(yaml.at, format!("no time zone `{name}`"), remedy);
        }
        Some(name.to_owned())
    }

    fn patterns(&self, fields: &Fields<'_>, name: &'static str) -> Vec<Pattern> {
        let items = fields.get(name).map(|yaml| self.report.list(yaml, name));
        let texts = items.unwrap_or_default().iter().filter_map(|y| self.report.text(y, name));
        texts.map(Pattern::new).collect()
    }

    fn tools(&self, yaml: &Yaml, mut tools: Tools) -> Tools {
        for (tool, answers) in self.report.map(yaml, "`tools`") {
            let answers = match &answers.kind {
                Kind::List(items) => items.iter().map(|item| self.answer(item)).collect(),
                _ => vec![self.answer(answers)],
            };
            tools.set(&tool.name, answers);
        }
        tools
    }

    /// What a tool gives: `gives` or `fails`, `with` certain arguments, so many `times`.
    fn answer(&self, yaml: &Yaml) -> Answer {
        let fields = Fields::new(self.report, yaml, "what a tool gives");
        let gives = fields.get("gives").map(|y| InvokeResult::Done(self.texts(y, "`gives`")));
        let fails = fields.get("fails").map(|y| {
            InvokeResult::Failed(self.report.text(y, "`fails`").unwrap_or_default().to_owned())
        });
        if gives.is_some() == fails.is_some() {
            let remedy = "write `gives: {field: value}`, or `fails: REASON`";
            self.report.error(yaml.at, "a tool gives something, or it fails", remedy);
        }
        let with = fields.get("with").map(|y| self.texts(y, "`with`")).unwrap_or_default();
        let times = fields.get("times").and_then(|y| self.report.count(y, "`times`"));
        fields.finish();
        let nothing = InvokeResult::Done(BTreeMap::new());
        Answer { with, result: gives.or(fails).unwrap_or(nothing), times }
    }

    fn texts(&self, yaml: &Yaml, what: &str) -> BTreeMap<String, String> {
        let entries = self.report.map(yaml, what).iter();
        let texts = entries.filter_map(|(key, value)| {
            Some((key.name.clone(), self.report.text(value, &key.name)?.to_owned()))
        });
        texts.collect()
    }

    fn steps(&self, yaml: &Yaml) -> Vec<Step> {
        self.report.list(yaml, "a call").iter().flat_map(|item| self.step(item)).collect()
    }

    /// One line, or all those of a part.
    fn step(&self, yaml: &Yaml) -> Vec<Step> {
        let line = yaml.at.line;
        let act = match &yaml.kind {
            Kind::Scalar(word) => match word.as_str() {
                "silence" => Some(Act::Caller(Input::NoInput)),
                "unclear" => Some(Act::Caller(Input::Unclear)),
                "hangs up" => Some(Act::Caller(Input::HungUp)),
                other => {
                    let remedy = did_you_mean(other, ["silence", "unclear", "hangs up"]);
                    self.report.error(yaml.at, format!("nobody can do `{other}`"), remedy);
                    None
                }
            },
            _ => {
                let fields = Fields::new(self.report, yaml, "a line of a call");
                if let Some(part) = fields.get("part") {
                    fields.finish();
                    return self.part(part);
                }
                let act = self.act(&fields, yaml);
                fields.finish();
                act
            }
        };
        act.map(|act| Step { line, act }).into_iter().collect()
    }

    fn act(&self, fields: &Fields<'_>, yaml: &Yaml) -> Option<Act> {
        if let Some(bot) = fields.text("bot") {
            return Some(Act::Bot(Pattern::new(bot)));
        }
        if let Some(said) = fields.get("caller") {
            return Some(Act::Caller(self.heard(said, fields.get("confidence"))));
        }
        if let Some(keys) = fields.get("keys") {
            let text = self.report.text(keys, "`keys`")?;
            let wrong = text.chars().find(|key| !matches!(key, '0'..='9' | '*' | '#'));
            if let Some(wrong) = wrong {
                self.report.dtmf(&wrong.to_string(), keys.at);
            }
            return Some(Act::Keys(text.to_owned()));
        }
        if let Some(transfer) = fields.get("transfer") {
            return self.transfer(transfer);
        }
        let remedy = "write `bot: …`, `caller: …`, `keys: \"1\"`, `transfer: …`, `part: NAME`, silence, unclear or hangs up";
        self.report.error(yaml.at, "this is not a line of a call", remedy);
        None
    }

    /// Readings of what the caller said, best first.
    fn heard(&self, yaml: &Yaml, confidence: Option<&Yaml>) -> Input {
        let texts: Vec<&str> = match &yaml.kind {
            Kind::List(items) => {
                items.iter().filter_map(|item| self.report.text(item, "`caller`")).collect()
            }
            _ => self.report.text(yaml, "`caller`").into_iter().collect(),
        };
        if texts.is_empty() {
            self.report.error(yaml.at, "the caller says nothing", "write `silence` for that");
        }
        let first = confidence.and_then(|yaml| {
            let text = self.report.text(yaml, "`confidence`")?;
            let value = text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
            if value.is_none() {
                let what = format!("`confidence` is `{text}`");
                self.report.error(yaml.at, what, "write a number from 0 to 1, such as 0.4");
            }
            value
        });
        let mut confidence = first.unwrap_or(CONFIDENCE);
        let mut reading = |text: &str| {
            let reading = Hypothesis { text: text.to_owned(), confidence };
            confidence *= CONFIDENCE;
            reading
        };
        Input::Heard(texts.into_iter().map(&mut reading).collect())
    }

    /// `transfer: NUMBER`, or `transfer: {to: NUMBER, result: busy}`.
    fn transfer(&self, yaml: &Yaml) -> Option<Act> {
        if let Kind::Scalar(to) = &yaml.kind {
            return Some(Act::Transfer { to: Some(to.clone()), result: TransferResult::Done });
        }
        let fields = Fields::new(self.report, yaml, "`transfer`");
        let to = fields.text("to").map(str::to_owned);
        let words = ["done", "busy", "no answer", "failed"];
        let result = match fields.get("result") {
            None => TransferResult::Done,
            Some(yaml) => match self.report.text(yaml, "`result`")? {
                "done" => TransferResult::Done,
                "busy" => TransferResult::Busy,
                "no answer" => TransferResult::NoAnswer,
                "failed" => TransferResult::Failed,
                other => {
                    let remedy = did_you_mean(other, words);
                    self.report.error(yaml.at, format!("no result `{other}`"), remedy);
                    return None;
                }
            },
        };
        fields.finish();
        Some(Act::Transfer { to, result })
    }

    fn part(&self, yaml: &Yaml) -> Vec<Step> {
        let Some(name) = self.report.text(yaml, "`part`") else { return Vec::new() };
        if let Some(steps) = self.parts.get(name) {
            return steps.clone();
        }
        let remedy = did_you_mean(name, self.parts.keys().map(String::as_str));
        self.report.error(yaml.at, format!("no part `{name}` above"), remedy);
        Vec::new()
    }

    fn expect(&self, yaml: &Yaml) -> Expect {
        let fields = Fields::new(self.report, yaml, "`expect`");
        let names = |name: &'static str| {
            let items = fields.get(name).map(|yaml| self.report.list(yaml, name))?;
            let texts = items.iter().filter_map(|item| self.report.text(item, name));
            Some(texts.map(str::to_owned).collect::<Vec<_>>())
        };
        let expect = Expect {
            line: yaml.at.line,
            outcome: fields.text("outcome").map(str::to_owned),
            slots: self.slots(&fields),
            intents: names("intents"),
            tools: fields.get("tools").map(|yaml| self.uses(yaml)),
            nodes: names("nodes").unwrap_or_default(),
            avoids: names("avoids").unwrap_or_default(),
            at: fields.text("at").map(str::to_owned),
            language: fields.text("language").map(str::to_owned),
            offers: names("offers"),
            cited: names("cited"),
            counts: self.counts(&fields),
        };
        fields.finish();
        expect
    }

    fn slots(&self, fields: &Fields<'_>) -> BTreeMap<String, Option<String>> {
        let entries = fields.get("slots").map(|yaml| self.report.map(yaml, "`slots`"));
        let entries = entries.unwrap_or_default().iter();
        let slots = entries.filter_map(|(key, value)| {
            let value = match &value.kind {
                Kind::Null => None,
                _ => Some(self.report.text(value, &key.name)?.to_owned()),
            };
            Some((key.name.clone(), value))
        });
        slots.collect()
    }

    /// Tools by name, or by name with arguments.
    fn uses(&self, yaml: &Yaml) -> Vec<ToolUse> {
        let items = self.report.list(yaml, "`tools`").iter();
        let uses = items.flat_map(|item| match &item.kind {
            Kind::Map(entries) => {
                let each = entries.iter().map(|(key, arguments)| ToolUse {
                    tool: key.name.clone(),
                    arguments: self.texts(arguments, "a tool's arguments"),
                });
                each.collect::<Vec<_>>()
            }
            _ => {
                let tool = self.report.text(item, "a tool").map(str::to_owned);
                tool.map(|tool| ToolUse { tool, arguments: BTreeMap::new() }).into_iter().collect()
            }
        });
        uses.collect()
    }

    fn counts(&self, fields: &Fields<'_>) -> BTreeMap<String, u32> {
        let entries = fields.get("counts").map(|yaml| self.report.map(yaml, "`counts`"));
        let entries = entries.unwrap_or_default().iter();
        let counts = entries.filter_map(|(key, value)| {
            if !super::note::COUNTED.contains(&key.name.as_str()) {
                let remedy = did_you_mean(&key.name, super::note::COUNTED);
                self.report.error(key.at, format!("`{}` is not counted", key.name), remedy);
            }
            let text = self.report.text(value, &key.name)?;
            let count = text.parse().ok();
            if count.is_none() {
                let what = format!("`{}` is `{text}`", key.name);
                self.report.error(value.at, what, "write a whole number");
            }
            Some((key.name.clone(), count?))
        });
        counts.collect()
    }
}
