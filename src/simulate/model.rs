//! A language model that answers what a script says.

use std::collections::BTreeMap;

use super::{Player, State, pattern::Pattern};
use crate::{
    dialog::{Generate, Generated, Input},
    dialplan::{
        Fields, Report,
        yaml::{Kind, Yaml},
    },
    text::SentenceStream,
};

/// What the language model of a scripted call answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    replies: Vec<Reply>,
}

/// An answer to what the caller said in a certain way.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    asked: Option<Pattern>,
    says: Option<String>,
    /// The action that it chooses, and its arguments.
    does: Option<(String, BTreeMap<String, String>)>,
    fails: Option<String>,
    /// How often at most it is given; without limit unless said.
    times: Option<u32>,
}

impl Model {
    /// Reads `model:`, an answer or a list of them.
    pub(super) fn read(report: &Report, yaml: &Yaml) -> Self {
        let items = match &yaml.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(yaml),
        };
        Self { replies: items.iter().map(|item| Reply::read(report, item)).collect() }
    }

    /// The first answer to what was asked that is not used up; `None` where the script has no word about models.
    fn answer(&mut self, request: &Generate) -> Option<Vec<Generated>> {
        if self.replies.is_empty() {
            return None;
        }
        let said = request.history.last().map_or("", |said| said.text.as_str());
        let fits = |reply: &&mut Reply| {
            let asked = reply.asked.as_ref();
            reply.times != Some(0) && asked.is_none_or(|asked| asked.matches(said))
        };
        let Some(reply) = self.replies.iter_mut().find(fits) else {
            let problem = "the script does not say what the model answers to this".to_owned();
            return Some(vec![Generated::Failed(problem)]);
        };
        reply.times = reply.times.map(|left| left - 1);
        Some(reply.parts(request))
    }
}

impl Reply {
    fn read(report: &Report, yaml: &Yaml) -> Self {
        let fields = Fields::new(report, yaml, "an answer of the model");
        let does = fields.text("does").map(str::to_owned);
        let with = fields.get("with").map_or(&[][..], |y| report.map(y, "`with`"));
        let with = with.iter().filter_map(|(key, value)| {
            Some((key.name.clone(), report.text(value, &key.name)?.to_owned()))
        });
        let with = with.collect();
        let reply = Self {
            asked: fields.text("asked").map(Pattern::new),
            says: fields.text("says").map(str::to_owned),
            does: does.map(|name| (name, with)),
            fails: fields.text("fails").map(str::to_owned),
            times: fields.get("times").and_then(|y| report.count(y, "`times`")),
        };
        fields.finish();
        if reply.says.is_none() && reply.does.is_none() && reply.fails.is_none() {
            let remedy = "write `says: TEXT`, `does: ACTION` with its arguments in `with`, or `fails: REASON`";
            report.error(yaml.at, "the model neither says nor does anything, nor fails", remedy);
        }
        reply
    }

    fn parts(&self, request: &Generate) -> Vec<Generated> {
        let mut parts = sentences(request, self.says.as_deref().unwrap_or_default());
        parts.push(match (&self.fails, &self.does) {
            (Some(problem), _) => Generated::Failed(problem.clone()),
            (None, Some((name, with))) => action(name, with),
            (None, None) => Generated::Finished,
        });
        parts
    }
}

impl Player {
    /// The model that the call waits for said this, then did this or failed.
    pub fn generated(&mut self, says: &str, does: Option<(&str, &BTreeMap<String, String>)>) {
        let State::Generating(request) = &self.state else { return };
        let mut parts = sentences(request, says);
        parts.push(does.map_or(Generated::Finished, |(name, with)| action(name, with)));
        self.feed_all(parts.into_iter().map(Input::Generated));
    }

    /// The model that the call waits for gives no answer.
    pub fn model_failed(&mut self, problem: &str) {
        self.feed_all([Input::Generated(Generated::Failed(problem.to_owned()))]);
    }

    /// What the script has the model answer; without a script, the call waits for it.
    pub(super) fn generate(&mut self, request: Generate) -> Vec<Input> {
        let Some(parts) = self.tools.model.answer(&request) else {
            self.unanswered = Some(request);
            return Vec::new();
        };
        let what = match parts.last() {
            Some(Generated::Action { name, arguments }) => format!("does {name}({arguments})"),
            Some(Generated::Failed(why)) => format!("fails: {why}"),
            _ => "answers".to_owned(),
        };
        self.done(format!("a model {what}"));
        parts.into_iter().map(Input::Generated).collect()
    }
}

fn sentences(request: &Generate, text: &str) -> Vec<Generated> {
    let mut stream = SentenceStream::new(request.lang);
    let mut found = stream.push(text);
    found.extend(stream.finish());
    found.into_iter().map(Generated::Sentence).collect()
}

fn action(name: &str, with: &BTreeMap<String, String>) -> Generated {
    let arguments = serde_json::json!(with).to_string();
    Generated::Action { name: name.to_owned(), arguments }
}
