//! What changed between two dialplans, by nodes, intents and the like: comments, order and layout do not count, nor in
//! which file something stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Dialplan, DialplanSource,
    error::Findings,
    include,
    yaml::{Kind, Yaml},
};

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is: a node, an intent, a slot, the dialplan's `limits`.
    pub what: String,
    /// How it changed.
    pub how: How,
}

/// How something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It was not there.
    Added,
    /// It is there no more.
    Removed,
    /// In these ways, one a line.
    Changed(Vec<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Added => write!(f, "+ {}", self.what),
            How::Removed => write!(f, "- {}", self.what),
            How::Changed(lines) => {
                write!(f, "~ {}", self.what)?;
                lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
            }
        }
    }
}

/// Everything in `new` that is not as in `old`, in order of the names; nothing when they are the same.
pub fn diff(old: &Dialplan, new: &Dialplan) -> Vec<Change> {
    let (old, new) = (things(old.source()), things(new.source()));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |what: &String| {
        let how = match (old.get(what), new.get(what)) {
            (None, _) => How::Added,
            (_, None) => How::Removed,
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => How::Changed(lines(old, new)),
        };
        Some(Change { what: what.clone(), how })
    };
    names.into_iter().filter_map(change).collect()
}

/// What is said of something, by the fields' names.
type Thing = BTreeMap<String, Said>;

/// What a field has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    One(String),
    /// Phrases, whose order matters to nobody.
    Several(BTreeSet<String>),
}

fn things(source: &DialplanSource) -> BTreeMap<String, Thing> {
    let mut things = BTreeMap::new();
    let mut findings = Findings::new("");
    let root = include::whole(source, &mut findings).map(|root| root.kind);
    let Some(Kind::Map(sections)) = root else { return things };
    for (section, value) in &sections {
        match (section.name.as_str(), &value.kind) {
            ("flows", Kind::Map(flows)) => {
                for (flow, nodes) in flows {
                    each(nodes, |node| format!("node {}.{node}", flow.name), &mut things);
                }
            }
            (name @ ("slots" | "intents" | "tables" | "tools" | "calendars"), _) => {
                let one = name.trim_end_matches('s');
                each(value, |entry| format!("{one} {entry}"), &mut things);
            }
            ("knowledge", _) => each(value, |entry| format!("knowledge {entry}"), &mut things),
            (name, _) => drop(things.insert(name.to_owned(), thing(value))),
        }
    }
    for (name, text) in source.tables.iter().filter(|(name, _)| !is_yaml(name)) {
        let rows = text.lines().map(str::to_owned).collect();
        let rows = BTreeMap::from([("rows".to_owned(), Said::Several(rows))]);
        things.insert(format!("file {name}"), rows);
    }
    for (name, recording) in &source.recordings {
        let content = BTreeMap::from([("content".to_owned(), Said::One(recording.clone()))]);
        things.insert(format!("recording {name}"), content);
    }
    things
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn each(yaml: &Yaml, name: impl Fn(&str) -> String, things: &mut BTreeMap<String, Thing>) {
    if let Kind::Map(entries) = &yaml.kind {
        things.extend(entries.iter().map(|(key, value)| (name(&key.name), thing(value))));
    }
}

fn thing(yaml: &Yaml) -> Thing {
    let mut thing = Thing::new();
    flatten(yaml, String::new(), &mut thing);
    thing
}

fn flatten(yaml: &Yaml, path: String, thing: &mut Thing) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
    match &yaml.kind {
        Kind::Null => drop(thing.insert(path, Said::One("nothing".to_owned()))),
        Kind::Scalar(text) => drop(thing.insert(path, Said::One(text.clone()))),
        Kind::Map(entries) => {
            entries.iter().for_each(|(key, value)| flatten(value, below(&key.name), thing));
        }
        Kind::List(items) => {
            let texts: Option<BTreeSet<String>> =
                items.iter().map(|item| item.scalar().map(str::to_owned)).collect();
            // Rungs of a ladder and the like have an order.
            let ordered = path.ends_with("no_input") || path.ends_with("no_match");
            match texts.filter(|_| !ordered) {
                Some(texts) => drop(thing.insert(path, Said::Several(texts))),
                None => items
                    .iter()
                    .enumerate()
                    .for_each(|(at, item)| flatten(item, below(&(at + 1).to_string()), thing)),
            }
        }
    }
}

fn lines(old: &Thing, new: &Thing) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let line = |name: &String| {
        let named = if name.is_empty() { String::new() } else { format!("{name}: ") };
        match (old.get(name), new.get(name)) {
            (None, Some(new)) => Some(format!("{named}+ {}", shown(new))),
            (Some(old), None) => Some(format!("{named}- {}", shown(old))),
            (Some(old), Some(new)) if old == new => None,
            (Some(Said::Several(old)), Some(Said::Several(new))) => {
                let added = new.difference(old).map(|text| format!("+ “{text}”"));
                let removed = old.difference(new).map(|text| format!("- “{text}”"));
                let both: Vec<String> = added.chain(removed).collect();
                Some(format!("{named}{}", both.join(", ")))
            }
            (Some(old), Some(new)) => Some(format!("{named}{} → {}", shown(old), shown(new))),
            (None, None) => None,
        }
    };
    names.into_iter().filter_map(line).collect()
}

fn shown(said: &Said) -> String {
    match said {
        Said::One(text) => format!("“{text}”"),
        Said::Several(texts) => {
            texts.iter().map(|text| format!("“{text}”")).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
intents: {hours: [when are you open, opening hours, are you open]}
defaults: {no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.bye}
flows:
  main:
    menu: {ask: "How can I help?", on: {hours: hours}}
    hours: {say: "Nine to five.", next: menu}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

    fn changes(from: &[(&str, &str)]) -> Vec<String> {
        let new = from.iter().fold(OLD.to_owned(), |text, (from, to)| text.replace(from, to));
        let plan = |text: &str| {
            Dialplan::from_source(DialplanSource::inline("p.yaml", text)).expect("right")
        };
        diff(&plan(OLD), &plan(&new)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn comments_and_order_are_no_change() {
        let reordered = [
            ("version: 1\nlanguage: en", "language: en # spoken\nversion: 1"),
            ("[when are you open, opening hours,", "[opening hours, when are you open,"),
        ];
        assert_eq!(changes(&reordered), [""; 0]);
    }

    #[test]
    fn nodes_prompts_transitions_and_examples_are_told() {
        let changed = [
            ("version: 1", "version: 2"),
            ("are you open]", "are you there]"),
            ("Nine to five.", "Ten to four."),
            ("next: menu", "next: bye"),
            ("    bye:", "    lost: {next: bye}\n    bye:"),
        ];
        assert_eq!(
            changes(&changed),
            [
                "~ intent hours\n    + “are you there”, - “are you open”",
                "~ node main.hours\n    next: “menu” → “bye”\n    say: “Nine to five.” → “Ten to four.”",
                "+ node main.lost",
                "~ version\n    “1” → “2”",
            ]
        );
    }
}
