use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Places, Read, Scope, calendars,
    fields::{Fields, Report},
    subflow::is_declaration,
    tables, tools,
};
use crate::{
    dialplan::{
        DialplanSource,
        error::At,
        model::{Ladders, Limits, Model, NodeId, Part, Prompt, Routes, Template, Waiting, Wish},
        required::Required,
        subflow::FlowHead,
        yaml::{Key, Yaml},
    },
    text::Lang,
};

/// Silence that counts as no input where nothing else is written.
const NO_INPUT: Duration = Duration::from_secs(5);
/// Caller turns in a call where nothing else is written.
const MAX_TURNS: u32 = 40;

/// Reads a whole dialplan; names first, then the nodes that use them.
pub(super) fn read(source: &DialplanSource, root: &Yaml, report: &Report) -> Option<Read> {
    let fields = Fields::new(report, root, "the dialplan");
    let name = fields.require("dialplan", "begin with `dialplan: NAME`");
    let name = name.and_then(|y| report.text(y, "`dialplan`"));
    let version = fields.require("version", "add `version: 1` and count up with each change");
    let version = version.and_then(|y| report.count(y, "`version`"));
    let language = fields.require("language", "add `language: en`");
    let language = language.and_then(|y| report.lang(report.text(y, "`language`")?, y.at));
    let voices = fields.require("voices", "name a voice for each language: `voices: {en: …}`");
    let voices = voices.map(|y| voices_of(report, y, language));
    let (language, voices) = (language?, voices?);

    let mut places = Places::new();
    let mut scope = Scope {
        report,
        language,
        languages: voices.keys().copied().chain([language]).collect(),
        slots: BTreeMap::new(),
        tables: BTreeMap::new(),
        tools: BTreeMap::new(),
        broken: BTreeSet::new(),
        intents: BTreeSet::new(),
        nodes: BTreeMap::new(),
        flows: BTreeMap::new(),
        calendars: Arc::default(),
        offers: Vec::new(),
        feels: fields.has("sentiment"),
        source,
    };
    if let Some(yaml) = fields.get("calendars") {
        scope.calendars = Arc::new(calendars::read(report, yaml));
    }
    if let Some(yaml) = fields.get("slots") {
        scope.read_slots(yaml, &mut places);
    }
    if let Some(yaml) = fields.get("tables") {
        for (name, (table, at)) in tables::read(report, yaml, source) {
            places.tables.insert(name.clone(), at);
            match table {
                Some(table) => {
                    scope.tables.insert(name, table);
                }
                None => {
                    scope.broken.insert(name);
                }
            }
        }
    }
    if let Some(yaml) = fields.get("tools") {
        for (name, (tool, at)) in tools::read(report, yaml) {
            places.tools.insert(name.clone(), at);
            match tool {
                Some(tool) => drop(scope.tools.insert(name, tool)),
                None => drop(scope.broken.insert(name)),
            }
        }
    }
    let intents = fields.get("intents").map(|y| scope.read_intents(y, &mut places));
    let offer = fields.get("knowledge").map(|y| scope.read_offer(y));
    let knowledge = fields.get("knowledge").map(|y| scope.read_knowledge(y, source));
    let hot_words = fields.get("hot_words").map(|y| scope.phrases(y, "`hot_words`"));
    if let Some(yaml) = fields.get("offers") {
        scope.offers = scope.read_offers(yaml);
    }
    let required = fields.get("required").map(|y| scope.read_required(y));
    let flows = fields.require("flows", "add `flows:` with at least one flow of nodes")?;
    let bodies = scope.name_nodes(flows, &mut places);

    let start = fields.require("start", "say where calls begin: `start: main.greeting`");
    let start = start.and_then(|y| scope.node(y, None));
    let globals = fields.get("globals").map(|y| scope.read_globals(y));
    let sentiment = fields.get("sentiment").map(|y| scope.read_sentiment(y));
    let (globals, card_number) = globals.unwrap_or_default();
    let limits = fields.get("limits");
    places.limits = limits.map_or(At::TOP, |y| y.at);
    let limits = limits.map(|y| scope.read_limits(y));
    let defaults = fields.get("defaults").map(|y| scope.read_defaults(y));
    let Defaults { no_input, ladders, waiting, resume, filler, unknown } =
        defaults.unwrap_or_default();
    let nodes: Vec<_> =
        bodies.iter().map(|(flow, key, body)| scope.read_node(flow, key, body)).collect();
    fields.finish();

    let model = Model {
        name: name?.to_owned(),
        version: version?,
        language,
        languages: scope.languages,
        voices,
        hot_words: hot_words.unwrap_or_default(),
        start: start?,
        limits: Limits { no_input: no_input.unwrap_or(NO_INPUT), ..limits.unwrap_or(NO_LIMITS) },
        defaults: ladders,
        waiting,
        resume,
        filler,
        unknown,
        slots: scope.slots,
        tables: scope.tables,
        tools: scope.tools,
        flows: scope.flows,
        calendars: scope.calendars,
        intents: intents.unwrap_or_default(),
        knowledge: knowledge.unwrap_or_default(),
        offer: offer.unwrap_or_default(),
        sentiment,
        offers: scope.offers,
        required: required.unwrap_or_default(),
        globals,
        card_number,
        nodes: nodes.into_iter().collect::<Option<_>>()?,
    };
    Some(Read { model, places })
}

const NO_LIMITS: Limits = Limits { no_input: NO_INPUT, max_turns: MAX_TURNS, too_long: None };

/// What `defaults` may say, and what holds where it does not.
struct Defaults {
    no_input: Option<Duration>,
    ladders: Ladders,
    waiting: Waiting,
    resume: Prompt,
    filler: Prompt,
    unknown: Option<Prompt>,
}

impl Default for Defaults {
    fn default() -> Self {
        let say = usual("Take your time.", "好的，您慢慢来。");
        Self {
            no_input: None,
            ladders: Ladders::default(),
            waiting: Waiting { say, no_input: Duration::from_secs(30) },
            resume: usual("Now, back to where we were.", "好，我们继续。"),
            filler: usual("One moment, please.", "正在为您查询，请稍等。"),
            unknown: None,
        }
    }
}

/// A prompt that every dialplan has.
fn usual(en: &str, zh: &str) -> Prompt {
    let template = |text: &str| vec![Template { parts: vec![Part::Words(text.to_owned())] }];
    let texts = [(Lang::En, en), (Lang::Zh, zh)].map(|(lang, text)| (lang, template(text)));
    Prompt { texts: texts.into(), ..Prompt::default() }
}

impl Places {
    fn new() -> Self {
        Self {
            nodes: Vec::new(),
            slots: BTreeMap::new(),
            intents: BTreeMap::new(),
            tables: BTreeMap::new(),
            tools: BTreeMap::new(),
            limits: At::TOP,
        }
    }
}

impl Scope<'_> {
    fn read_slots(&mut self, yaml: &Yaml, places: &mut Places) {
        for (key, yaml) in self.report.map(yaml, "`slots`") {
            check_name(self.report, key, "slot");
            places.slots.insert(key.name.clone(), key.at);
            match self.slot(&key.name, yaml) {
                Some(slot) => {
                    self.slots.insert(key.name.clone(), slot);
                }
                None => {
                    self.broken.insert(key.name.clone());
                }
            }
        }
    }

    fn read_intents(
        &mut self,
        yaml: &Yaml,
        places: &mut Places,
    ) -> BTreeMap<String, BTreeMap<Lang, Vec<String>>> {
        let mut intents = BTreeMap::new();
        for (key, yaml) in self.report.map(yaml, "`intents`") {
            check_name(self.report, key, "intent");
            places.intents.insert(key.name.clone(), key.at);
            self.intents.insert(key.name.clone());
            let examples = self.phrases(yaml, &format!("intent `{}`", key.name));
            intents.insert(key.name.clone(), examples);
        }
        intents
    }

    /// `required: {recording notice: [recorded, 录音]}`.
    fn read_required(&self, yaml: &Yaml) -> Required {
        let entries = self.report.map(yaml, "`required`").iter();
        let words = entries.map(|(key, yaml)| {
            (key.name.clone(), self.phrases(yaml, &format!("required `{}`", key.name)))
        });
        words.collect()
    }

    /// Gives every node its number and returns what stands under its name.
    fn name_nodes<'y>(
        &mut self,
        flows: &'y Yaml,
        places: &mut Places,
    ) -> Vec<(&'y str, &'y Key, &'y Yaml)> {
        let mut bodies = Vec::new();
        for (flow, nodes) in self.report.map(flows, "`flows`") {
            check_name(self.report, flow, "flow");
            let entries = self.report.map(nodes, "a flow");
            let first = NodeId(bodies.len());
            let (takes, own) = (self.declared(entries, "takes"), self.declared(entries, "own"));
            if entries.iter().any(|(key, body)| !is_declaration(key, body)) {
                self.flows.insert(flow.name.clone(), FlowHead { first, takes, own });
            }
            for (key, body) in entries.iter().filter(|(k, body)| !is_declaration(k, body)) {
                check_name(self.report, key, "node");
                let name = format!("{}.{}", flow.name, key.name);
                self.nodes.insert(name, NodeId(bodies.len()));
                places.nodes.push(key.at);
                bodies.push((flow.name.as_str(), key, body));
            }
        }
        bodies
    }

    fn read_globals(&self, yaml: &Yaml) -> (Routes, Option<NodeId>) {
        let fields = Fields::new(self.report, yaml, "`globals`");
        let routes = self.routes(&fields, None);
        let card_number = fields.get("card_number").and_then(|y| self.node(y, None));
        fields.finish();
        (routes, card_number)
    }

    fn read_limits(&self, yaml: &Yaml) -> Limits {
        let fields = Fields::new(self.report, yaml, "`limits`");
        let turns = fields.get("turns");
        let turns = turns.and_then(|y| self.report.count(y, "`turns`"));
        let then = fields.get("then").and_then(|y| self.node(y, None));
        fields.finish();
        Limits { no_input: NO_INPUT, max_turns: turns.unwrap_or(MAX_TURNS), too_long: then }
    }

    fn read_defaults(&self, yaml: &Yaml) -> Defaults {
        let fields = Fields::new(self.report, yaml, "`defaults`");
        let wait = fields.get("wait");
        let wait = wait.and_then(|y| self.report.duration(y, "`wait`"));
        let ladders = self.ladders(&fields, None);
        let usual = Defaults::default();
        let say = fields.get("waiting").map(|y| self.prompt(y, "`waiting`"));
        let longer = fields.get("wait_longer");
        let longer = longer.and_then(|y| self.report.duration(y, "`wait_longer`"));
        let resume = fields.get("resume").map(|y| self.prompt(y, "`resume`"));
        let filler = fields.get("filler").map(|y| self.prompt(y, "`filler`"));
        let unknown = fields.get("unknown").map(|y| self.prompt(y, "`unknown`"));
        fields.finish();
        let waiting = Waiting {
            say: say.unwrap_or(usual.waiting.say),
            no_input: longer.unwrap_or(usual.waiting.no_input),
        };
        let (resume, filler) = (resume.unwrap_or(usual.resume), filler.unwrap_or(usual.filler));
        Defaults { no_input: wait, ladders, waiting, resume, filler, unknown }
    }
}

fn voices_of(report: &Report, yaml: &Yaml, language: Option<Lang>) -> BTreeMap<Lang, String> {
    let mut voices = BTreeMap::new();
    for (key, value) in report.map(yaml, "`voices`") {
        let lang = report.lang(&key.name, key.at);
        if let (Some(lang), Some(voice)) = (lang, report.text(value, "a voice")) {
            voices.insert(lang, voice.to_owned());
        }
    }
    if let Some(lang) = language.filter(|l| !voices.contains_key(l)) {
        report.error(
            yaml.at,
            format!("no voice for `{lang}`, the dialplan's language"),
            format!("add `{lang}: VOICE` to `voices`"),
        );
    }
    voices
}

/// Names are part of references such as `flow.node` and `{slot:digits}`.
fn check_name(report: &Report, key: &Key, what: &str) {
    let mut chars = key.name.chars();
    let starts_well = chars.next().is_some_and(char::is_alphabetic);
    if !starts_well || !chars.all(|c| c.is_alphanumeric() || c == '_') {
        report.error(
            key.at,
            format!("`{}` cannot be the name of a {what}", key.name),
            "use letters, digits and `_`, with a letter first",
        );
    } else if what == "node" && Wish::of(&key.name).is_some() {
        report.error(
            key.at,
            format!("`{}` cannot be the name of a node", key.name),
            "as a target it stands for what callers may ask of the bot itself: choose another name",
        );
    }
}
