use std::collections::BTreeMap;

use super::Scope;
use crate::{
    dialplan::{
        error::At,
        model::{Part, Prompt, Template},
        yaml::{Kind, Yaml},
    },
    text::{Lang, Piece, is_hanzi},
};

impl Scope<'_> {
    /// A prompt: text in the dialplan's language, or a map with a text for each language. A list of texts is
    /// as many ways of saying it.
    /// Beside the texts may stand a `short` prompt for callers who are negative.
    pub(super) fn prompt(&self, yaml: &Yaml, what: &str) -> Prompt {
        self.by_language(yaml, what, |way| self.spoken(way, what))
    }

    /// What is written like a prompt and never spoken: square brackets are nothing special.
    pub(super) fn unspoken(&self, yaml: &Yaml, what: &str) -> Prompt {
        self.by_language(yaml, what, |way| {
            Some(self.template(self.report.text(way, what)?, way.at))
        })
    }

    fn by_language(
        &self,
        yaml: &Yaml,
        what: &str,
        read: impl Fn(&Yaml) -> Option<Template>,
    ) -> Prompt {
        let mut texts = BTreeMap::new();
        let mut short = BTreeMap::new();
        match &yaml.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    if key.name == "short" {
                        if !self.feels {
                            let what = "`short` is for callers who are negative";
                            let remedy = "add `sentiment:`, so that it is known how callers feel";
                            self.report.error(key.at, what, remedy);
                        }
                        short = self.prompt(value, "`short`").texts;
                        continue;
                    }
                    let Some(lang) = self.report.lang(&key.name, key.at) else {
                        continue;
                    };
                    if !self.languages.contains(&lang) && !key.at.is_in_main() {
                        // A file to be included may know more languages than the dialplan.
                        continue;
                    }
                    if !self.languages.contains(&lang) {
                        self.report.error(
                            key.at,
                            format!("`{lang}` is not a language of this dialplan"),
                            format!("add a voice for it: `voices: {{{lang}: …}}`"),
                        );
                    }
                    texts.insert(lang, ways(value, &read));
                }
            }
            _ => drop(texts.insert(self.language, ways(yaml, &read))),
        }
        self.check_ways(yaml, what, &texts);
        Prompt { texts, short }
    }

    /// A list of prompts.
    pub(super) fn prompts(&self, yaml: &Yaml, what: &str) -> Vec<Prompt> {
        let items = self.report.list(yaml, what);
        items.iter().map(|item| self.prompt(item, what)).collect()
    }

    /// Lists of phrases by language: a list in the dialplan's language, or a map of lists.
    pub(super) fn phrases(&self, yaml: &Yaml, what: &str) -> BTreeMap<Lang, Vec<String>> {
        let mut phrases = BTreeMap::new();
        let mut add = |lang, list: &Yaml| {
            let items = self.report.list(list, what);
            let texts = items.iter().filter_map(|i| self.report.text(i, what));
            let texts: Vec<String> =
                texts.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect();
            phrases.insert(lang, texts);
        };
        match &yaml.kind {
            Kind::Map(entries) => {
                for (key, list) in entries {
                    if let Some(lang) = self.report.lang(&key.name, key.at)
                        && (key.at.is_in_main() || self.languages.contains(&lang))
                    {
                        add(lang, list);
                    }
                }
            }
            _ => add(self.language, yaml),
        }
        for lang in &self.languages {
            if phrases.get(lang).is_none_or(Vec::is_empty) {
                self.report.error(
                    yaml.at,
                    format!("{what} has nothing in {lang}"),
                    "callers could never say it: add at least one phrase",
                );
            }
        }
        phrases
    }

    /// Text with `{reference}` or `{reference:read_as}` in it; `{{` and `}}` are braces.
    pub(super) fn template(&self, text: &str, at: At) -> Template {
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            words.push_str(&rest[..brace]);
            let here = &rest[brace..];
            if here.starts_with("{{") || here.starts_with("}}") {
                words.push_str(&here[..1]);
                rest = &here[2..];
                continue;
            }
            let end = here.starts_with('{').then(|| here.find('}')).flatten();
            let Some(end) = end else {
                let what = "a brace without its partner";
                let remedy = "write a value as `{slot}`, a brace itself as `{{` or `}}`";
                self.report.error(at, what, remedy);
                rest = &here[1..];
                continue;
            };
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.extend(self.value(&here[1..end], at));
            rest = &here[end + 1..];
        }
        words.push_str(rest);
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        Template { parts }
    }

    /// The words beside a value are spoken by themselves, and no voice speaks a single syllable well.
    fn check_syllables(&self, yaml: &Yaml, what: &str, texts: &BTreeMap<Lang, Vec<Template>>) {
        let ways = texts.get(&Lang::Zh).into_iter().flatten();
        for part in ways.filter(|t| t.parts.len() > 1).flat_map(|t| &t.parts) {
            let Part::Words(words) = part else { continue };
            if words.chars().filter(|c| is_hanzi(*c)).count() == 1 {
                let words = words.trim();
                self.report.warn(
                    yaml.at,
                    format!("`{words}` in {what} stands alone beside a value"),
                    "a single syllable sounds clipped: say more, 您的号码是{phone} for 是{phone}",
                );
            }
        }
    }

    fn check_ways(&self, yaml: &Yaml, what: &str, texts: &BTreeMap<Lang, Vec<Template>>) {
        for (lang, ways) in texts {
            let blank = |template: &Template| {
                template.parts.iter().all(|part| match part {
                    Part::Words(words) => words.trim().is_empty(),
                    Part::Value { .. } | Part::Mark(Piece::Recorded { .. }) => false,
                    Part::Mark(_) => true,
                })
            };
            if ways.is_empty() || ways.iter().any(blank) {
                let what = format!("{what} says nothing in {lang}");
                self.report.error(yaml.at, what, "write what callers should hear");
            }
        }
        self.check_syllables(yaml, what, texts);
        let missing = self.languages.iter().filter(|l| !texts.contains_key(l));
        let missing: Vec<String> = missing.map(Lang::to_string).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            self.report.error(
                yaml.at,
                format!("{what} is not there in {missing}"),
                "give it in every language of `voices`: `{en: …, zh: …}`",
            );
        }
    }
}

/// A text, or a list of them.
fn ways(yaml: &Yaml, read: impl Fn(&Yaml) -> Option<Template>) -> Vec<Template> {
    match &yaml.kind {
        Kind::List(ways) => ways.iter().filter_map(read).collect(),
        _ => read(yaml).into_iter().collect(),
    }
}
