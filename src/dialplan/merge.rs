//! How a dialplan and the files that it includes become one.

use super::{
    error::{At, Findings, did_you_mean},
    yaml::{Key, Kind, Yaml},
};

/// Sections whose entries have names of their own: a name that is there twice is an error.
const NAMED: [&str; 8] =
    ["flows", "slots", "intents", "knowledge", "tables", "tools", "calendars", "offers"];
/// Sections in which a dialplan's entries count more than those of files that it includes.
const OVERRIDDEN: [&str; 2] = ["globals", "defaults"];
/// What else an included file may have.
const OWN: [&str; 4] = ["pack", "include", "needs", "hot_words"];

/// An included file.
pub(super) struct Part {
    pub(super) root: Yaml,
    /// The item of `include` that names it.
    pub(super) included_at: At,
}

/// `main` with everything that stands in `parts`.
pub(super) fn merge(main: Yaml, parts: Vec<Part>, findings: &mut Findings) -> Yaml {
    let language = main.get("language").and_then(Yaml::scalar).unwrap_or("en").to_owned();
    let Yaml { at, kind: Kind::Map(mut entries) } = main else { return main };
    entries.retain(|(key, _)| key.name != "include");
    let mut merge = Merge { entries, language, findings };
    let mut needed = Vec::new();
    let added = merge.take_additions();
    for Part { root, included_at } in parts {
        merge.part(root, included_at, &mut needed);
    }
    merge.add(added);
    let whole = Yaml { at, kind: Kind::Map(merge.entries) };
    report_missing(&whole, needed, findings);
    whole
}

struct Merge<'f> {
    entries: Vec<(Key, Yaml)>,
    language: String,
    findings: &'f mut Findings,
}

impl Merge<'_> {
    fn part(&mut self, root: Yaml, included_at: At, needed: &mut Vec<(At, Yaml)>) {
        let top = At { line: 1, column: 1, ..root.at };
        if let Some(name) = root.get("dialplan") {
            let remedy = "include files that begin with `pack: NAME`: put what is shared into one";
            return self.findings.error(name.at, "a dialplan cannot be included", remedy);
        }
        if root.get("pack").is_none() {
            let remedy = "begin with `pack: NAME`";
            self.findings.error(top, "an included file has no `pack`", remedy);
        }
        let Kind::Map(sections) = root.kind else { return };
        for (key, section) in sections {
            match key.name.as_str() {
                "needs" => needed.push((included_at, section)),
                "hot_words" => self.hot_words(key, section),
                name if NAMED.contains(&name) => self.named(key, section),
                name if OVERRIDDEN.contains(&name) => self.overridden(key, section),
                name if OWN.contains(&name) => {}
                name => {
                    let known = NAMED.iter().chain(&OVERRIDDEN).chain(&OWN).copied();
                    let what = format!("an included file has no field `{name}`");
                    self.findings.error(key.at, what, did_you_mean(name, known));
                }
            }
        }
    }

    /// Flows, slots and the like: all of them, each once.
    fn named(&mut self, section: Key, from: Yaml) {
        let what = section.name.trim_end_matches('s').to_owned();
        let knowledge = section.name == "knowledge";
        let Some(from) = self.entries(&section, from) else { return };
        let findings = &mut *self.findings;
        let Some(into) = entries_of(&mut self.entries, section) else { return };
        for (key, value) in from {
            // A pack may bring a file of its own for the knowledge base.
            let several = knowledge && key.name == "file";
            let first = into.iter().find(|(k, _)| k.name == key.name && !several);
            match first {
                None => into.push((key, value)),
                Some((first, _)) if knowledge && key.name == "offer" && first.at.is_in_main() => {}
                Some((first, _)) => {
                    let (here, there) =
                        if first.at.is_in_main() { (first.at, key.at) } else { (key.at, first.at) };
                    let there = findings.place(there);
                    let remedy = match what.as_str() {
                        "intent" => "rename one, or add to it with `{add: [phrase, …]}`",
                        _ => "rename one: a dialplan and the files it includes share their names",
                    };
                    let what = format!("{what} `{}` is in {there} as well", key.name);
                    findings.error(here, what, remedy);
                }
            }
        }
    }

    /// `globals` and `defaults`: what the dialplan says holds.
    fn overridden(&mut self, section: Key, from: Yaml) {
        let nested = section.name == "globals";
        let Some(from) = self.entries(&section, from) else { return };
        for (key, value) in from {
            let Some(into) = entries_of(&mut self.entries, section.clone()) else { return };
            if nested {
                let Kind::Map(routes) = value.kind else {
                    let what = format!("`{}` must be a map", key.name);
                    self.findings.error(value.at, what, "write a map here");
                    continue;
                };
                let Some(into) = entries_of(into, key) else { return };
                for (key, value) in routes {
                    add_or_keep(into, key, value, self.findings);
                }
            } else {
                add_or_keep(into, key, value, self.findings);
            }
        }
    }

    /// Hot words of all files count together.
    fn hot_words(&mut self, key: Key, words: Yaml) {
        let mut words = by_language(words, &self.language);
        if let Some((_, own)) = self.entries.iter_mut().find(|(k, _)| k.name == key.name) {
            let first = std::mem::replace(own, Yaml { at: own.at, kind: Kind::Null });
            let mut first = by_language(first, &self.language);
            extend(&mut first, words);
            *own = first;
        } else {
            words.at = key.at;
            self.entries.push((key, words));
        }
    }

    /// Takes the intents out that add to those of included files, `{add: [phrase, …]}`.
    fn take_additions(&mut self) -> Vec<(Key, Yaml)> {
        let intents = self.entries.iter_mut().find(|(key, _)| key.name == "intents");
        let Some((_, Yaml { kind: Kind::Map(intents), .. })) = intents else { return Vec::new() };
        let (added, own) =
            std::mem::take(intents).into_iter().partition(|(_, v)| v.get("add").is_some());
        *intents = own;
        added
    }

    fn add(&mut self, added: Vec<(Key, Yaml)>) {
        let language = self.language.clone();
        for (key, value) in added {
            let intents = self.entries.iter_mut().find(|(section, _)| section.name == "intents");
            let Some((_, Yaml { kind: Kind::Map(intents), .. })) = intents else { continue };
            let more = value.get("add").cloned().unwrap_or(value);
            match intents.iter_mut().find(|(k, _)| k.name == key.name) {
                Some((_, into)) => {
                    let first = std::mem::replace(into, Yaml { at: into.at, kind: Kind::Null });
                    let mut first = by_language(first, &language);
                    extend(&mut first, by_language(more, &language));
                    *into = first;
                }
                None => {
                    let known = intents.iter().map(|(k, _)| k.name.as_str());
                    let remedy = did_you_mean(&key.name, known);
                    let what = format!("no included file has an intent `{}`", key.name);
                    self.findings.error(key.at, what, remedy);
                }
            }
        }
    }

    fn entries(&mut self, section: &Key, yaml: Yaml) -> Option<Vec<(Key, Yaml)>> {
        match yaml.kind {
            Kind::Map(entries) => Some(entries),
            _ => {
                let what = format!("`{}` must be a map, found {}", section.name, yaml.describe());
                self.findings.error(yaml.at, what, "write a map here");
                None
            }
        }
    }
}

/// The entries of a section, which is made when it is not there.
fn entries_of(sections: &mut Vec<(Key, Yaml)>, section: Key) -> Option<&mut Vec<(Key, Yaml)>> {
    let found = sections.iter().position(|(key, _)| key.name == section.name);
    if found.is_none() {
        let empty = Yaml { at: section.at, kind: Kind::Map(Vec::new()) };
        sections.push((section, empty));
    }
    let at = found.unwrap_or(sections.len() - 1);
    match sections.get_mut(at) {
        Some((_, Yaml { kind: Kind::Map(entries), .. })) => Some(entries),
        // Its own reader says that it should be a map.
        _ => None,
    }
}

/// Adds an entry, unless the dialplan itself has it.
fn add_or_keep(into: &mut Vec<(Key, Yaml)>, key: Key, value: Yaml, findings: &mut Findings) {
    match into.iter().find(|(k, _)| k.name == key.name) {
        None => into.push((key, value)),
        Some((first, _)) if first.at.is_in_main() => {}
        Some((first, _)) => {
            let what = format!("`{}` is in {} as well", key.name, findings.place(first.at));
            findings.error(key.at, what, "keep one, or say in the dialplan itself what holds");
        }
    }
}

/// A list, or a map of lists by language, as the latter.
fn by_language(yaml: Yaml, language: &str) -> Yaml {
    match yaml.kind {
        Kind::List(_) => {
            let key = Key { at: yaml.at, name: language.to_owned() };
            Yaml { at: yaml.at, kind: Kind::Map(vec![(key, yaml)]) }
        }
        _ => yaml,
    }
}

/// Adds lists to those of the same language.
fn extend(into: &mut Yaml, more: Yaml) {
    let (Kind::Map(into), Kind::Map(more)) = (&mut into.kind, more.kind) else { return };
    for (key, list) in more {
        match into.iter_mut().find(|(k, _)| k.name == key.name) {
            Some((_, Yaml { kind: Kind::List(into), .. })) => match list.kind {
                Kind::List(items) => into.extend(items),
                _ => into.push(list),
            },
            _ => into.push((key, list)),
        }
    }
}

/// Reports nodes that included files need and nobody has.
fn report_missing(whole: &Yaml, needed: Vec<(At, Yaml)>, findings: &mut Findings) {
    for (included_at, names) in needed {
        let Kind::List(names) = names.kind else {
            let remedy = "write a list of nodes: `needs: [main.menu]`";
            findings.error(names.at, "`needs` must be a list", remedy);
            continue;
        };
        for name in names.iter().filter_map(Yaml::scalar) {
            let node = name.split_once('.').and_then(|(flow, node)| {
                whole.get("flows").and_then(|flows| flows.get(flow)?.get(node))
            });
            if node.is_none() {
                let what = format!("this file needs a node `{name}`, which is not there");
                let remedy = format!("add it, such as `{name}: {{next: NODE}}` in its flow");
                findings.error(included_at, what, remedy);
            }
        }
    }
}
