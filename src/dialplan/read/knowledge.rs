//! `knowledge:`: questions that callers ask and their answers, in place or in a CSV file.

use std::collections::BTreeMap;

use super::{Scope, fields::Fields};
use crate::{
    dialplan::{
        DialplanSource,
        error::{At, Findings},
        model::{KnowledgeEntry, Part, Template},
        offer::Offer,
        yaml::{Kind, Yaml},
    },
    text::{Lang, normalize},
};

/// Entries by id.
type Knowledge = BTreeMap<String, KnowledgeEntry>;

impl Scope<'_> {
    /// Reads `knowledge:`: `file: NAME.csv`, entries by id, or both; [`Self::read_offer`] reads its
    /// `offer`.
    pub(super) fn read_knowledge(&self, yaml: &Yaml, source: &DialplanSource) -> Knowledge {
        let mut knowledge = Knowledge::new();
        for (key, value) in self.report.map(yaml, "`knowledge`") {
            match (&key.name[..], &value.kind) {
                ("file", Kind::Scalar(name)) => {
                    for (id, entry) in self.knowledge_file(name, value.at, source) {
                        knowledge.entry(id).or_insert(entry);
                    }
                }
                ("offer", _) => {}
                (id, _) => {
                    knowledge.insert(id.to_owned(), self.knowledge_entry(id, value));
                }
            }
        }
        self.check_questions(&knowledge, yaml.at);
        knowledge
    }

    /// Reads `offer:` in it, by language.
    pub(super) fn read_offer(&self, yaml: &Yaml) -> BTreeMap<Lang, Offer> {
        let entries = self.report.map(yaml, "`knowledge`");
        let Some((_, yaml)) = entries.iter().find(|(key, _)| key.name == "offer") else {
            return BTreeMap::new();
        };
        let texts: Vec<(Option<Lang>, &Yaml)> = match &yaml.kind {
            Kind::Map(texts) => texts
                .iter()
                .map(|(key, text)| (self.report.lang(&key.name, key.at), text))
                .collect(),
            _ => vec![(Some(self.language), yaml)],
        };
        let mut offers = BTreeMap::new();
        for (lang, yaml) in texts {
            let text = self.report.text(yaml, "`offer`");
            match (lang, text.and_then(Offer::parse)) {
                (Some(lang), Some(offer)) => {
                    if self.languages.contains(&lang) {
                        offers.insert(lang, offer);
                    }
                }
                _ => self.report.error(
                    yaml.at,
                    "`offer` does not name two questions",
                    "write it as `\"Did you mean {first}, or {second}?\"`, without other values",
                ),
            }
        }
        offers
    }

    fn knowledge_entry(&self, id: &str, yaml: &Yaml) -> KnowledgeEntry {
        let fields = Fields::new(self.report, yaml, format!("`{id}` in `knowledge`"));
        let remedy = "write `questions: [\"…\", \"…\"]`, in several ways of asking";
        let questions = fields.require("questions", remedy);
        let questions = questions.map(|y| self.phrases(y, "`questions`")).unwrap_or_default();
        let answer = fields.require("answer", "write `answer: \"…\"`");
        let prompt = answer.map(|y| self.prompt(y, "`answer`")).unwrap_or_default();
        let parts = prompt.texts.values().flatten().flat_map(|template| &template.parts);
        if parts.into_iter().any(|part| matches!(part, Part::Value { .. })) {
            self.report.error(
                answer.map_or(yaml.at, |y| y.at),
                format!("the answer of `{id}` has a value in it"),
                "write answers without braces, or use an intent and a `say` node",
            );
        }
        fields.finish();
        KnowledgeEntry { questions, answer: prompt }
    }

    fn knowledge_file(&self, name: &str, at: At, source: &DialplanSource) -> Knowledge {
        let Some(text) = source.tables.get(name) else {
            let unknown = || format!("the text of the knowledge file `{name}` is not there");
            let problem = source.unreadable.get(name).cloned().unwrap_or_else(unknown);
            self.report.error(at, problem, "put the file beside the dialplan");
            return Knowledge::new();
        };
        let mut findings = Findings::new(source.table_path(name));
        let knowledge = self.knowledge_csv(text, &mut findings);
        self.report.append(findings);
        knowledge
    }

    /// CSV (RFC 4180) with the columns `id`, `question`, `answer` and, if it likes, `language`.
    fn knowledge_csv(&self, text: &str, findings: &mut Findings) -> Knowledge {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        let column = |name: &str| header.iter().position(|column| column == name);
        let (Some(id), Some(question), Some(answer)) =
            (column("id"), column("question"), column("answer"))
        else {
            let remedy = "begin with the line `id,question,answer`";
            findings.error(At::TOP, "a column of the knowledge base is missing", remedy);
            return Knowledge::new();
        };
        let language = column("language");
        let mut knowledge = Knowledge::new();
        let mut first: BTreeMap<(String, Lang), At> = BTreeMap::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(e) => {
                    let at = at(e.position());
                    let remedy =
                        "give every row as many fields as the header; quote fields with commas";
                    findings.error(at, format!("CSV: {e}"), remedy);
                    continue;
                }
            };
            let at = at(record.position());
            let cell = |column: usize| record.get(column).unwrap_or_default();
            let Some(lang) = self.row_language(language.map(cell), at, findings) else {
                continue;
            };
            if cell(id).is_empty() || cell(question).is_empty() {
                findings.error(at, "a row without id or question", "fill both, or take it out");
                continue;
            }
            first.entry((cell(id).to_owned(), lang)).or_insert(at);
            let entry = knowledge.entry(cell(id).to_owned()).or_default();
            entry.questions.entry(lang).or_default().push(cell(question).to_owned());
            take_answer(entry, lang, cell(answer), at, findings);
        }
        for ((id, lang), at) in first {
            if !knowledge.get(&id).is_some_and(|e| e.answer.texts.contains_key(&lang)) {
                let what = format!("`{id}` has no answer in {lang}");
                findings.error(at, what, "write the answer in one of its rows");
            }
        }
        knowledge
    }

    fn row_language(&self, name: Option<&str>, at: At, findings: &mut Findings) -> Option<Lang> {
        let lang = match name.unwrap_or_default() {
            "" => return Some(self.language),
            "en" => Lang::En,
            "zh" => Lang::Zh,
            other => {
                findings.error(at, format!("no language `{other}`"), "known: en, zh");
                return None;
            }
        };
        if !self.languages.contains(&lang) {
            let what = format!("`{lang}` is not a language of this dialplan");
            findings.error(at, what, format!("add a voice for it: `voices: {{{lang}: …}}`"));
            return None;
        }
        Some(lang)
    }

    /// A question that two entries have is answered by either.
    fn check_questions(&self, knowledge: &Knowledge, at: At) {
        let mut owner: BTreeMap<(Lang, String), &str> = BTreeMap::new();
        for (id, entry) in knowledge {
            for (lang, questions) in &entry.questions {
                for question in questions {
                    let first = owner.entry((*lang, normalize(*lang, question))).or_insert(id);
                    if first != id {
                        self.report.warn(
                            at,
                            format!("`{question}` is a question of `{first}` and of `{id}`"),
                            "keep it where it belongs: callers would get either answer",
                        );
                    }
                }
            }
        }
    }
}

/// Each entry has one answer a language, which may stand in any of its rows.
fn take_answer(
    entry: &mut KnowledgeEntry,
    lang: Lang,
    answer: &str,
    at: At,
    findings: &mut Findings,
) {
    if answer.is_empty() {
        return;
    }
    if answer.contains(['{', '}']) {
        let remedy = "write answers without braces, or use an intent and a `say` node";
        findings.error(at, "an answer cannot have values", remedy);
        return;
    }
    let template = Template { parts: vec![Part::Words(answer.to_owned())] };
    let first = entry.answer.texts.entry(lang).or_insert_with(|| vec![template.clone()]);
    if *first != [template] {
        let remedy = "write it once, or give the other question an id of its own";
        findings.error(at, "another answer for the same id", remedy);
    }
}

fn at(position: Option<&csv::Position>) -> At {
    At { line: position.map_or(1, |p| p.line() as usize).max(1), ..At::TOP }
}
