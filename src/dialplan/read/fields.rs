use std::{cell::RefCell, time::Duration};

use crate::{
    dialplan::{
        error::{At, Findings, did_you_mean},
        yaml::{Key, Kind, Yaml},
    },
    text::Lang,
};

/// Findings that readers of nested parts can add to.
#[derive(Debug)]
pub(crate) struct Report(RefCell<Findings>);

impl Report {
    pub(crate) fn new(findings: Findings) -> Self {
        Self(RefCell::new(findings))
    }

    pub(crate) fn error(&self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.borrow_mut().error(at, what, remedy);
    }

    pub(crate) fn warn(&self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.borrow_mut().warn(at, what, remedy);
    }

    pub(crate) fn append(&self, other: Findings) {
        self.0.borrow_mut().append(other);
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.0.into_inner()
    }

    /// The text of a single value.
    pub(crate) fn text<'y>(&self, yaml: &'y Yaml, what: &str) -> Option<&'y str> {
        match &yaml.kind {
            Kind::Scalar(text) => Some(text),
            _ => {
                self.expected(yaml, what, "a single value");
                None
            }
        }
    }

    /// The items of a list.
    pub(crate) fn list<'y>(&self, yaml: &'y Yaml, what: &str) -> &'y [Yaml] {
        match &yaml.kind {
            Kind::List(items) => items,
            _ => {
                self.expected(yaml, what, "a list");
                &[]
            }
        }
    }

    /// The entries of a map.
    pub(crate) fn map<'y>(&self, yaml: &'y Yaml, what: &str) -> &'y [(Key, Yaml)] {
        match &yaml.kind {
            Kind::Map(entries) => entries,
            _ => {
                self.expected(yaml, what, "a map");
                &[]
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, yaml: &Yaml, what: &str) -> bool {
        match self.text(yaml, what) {
            Some("true") => true,
            Some("false") | None => false,
            Some(other) => {
                self.error(yaml.at, format!("{what} is `{other}`"), "write `true` or `false`");
                false
            }
        }
    }

    /// A whole number of at least one.
    pub(crate) fn count(&self, yaml: &Yaml, what: &str) -> Option<u32> {
        let text = self.text(yaml, what)?;
        match text.parse() {
            Ok(n) if n > 0 => Some(n),
            _ => {
                self.error(
                    yaml.at,
                    format!("{what} is `{text}`"),
                    "write a whole number of at least 1",
                );
                None
            }
        }
    }

    /// A duration such as `5s`, `800ms` or `1.5s`, of 100 ms to 10 minutes.
    pub(crate) fn duration(&self, yaml: &Yaml, what: &str) -> Option<Duration> {
        let text = self.text(yaml, what)?;
        let ms = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(ms), _) => ms.trim().parse::<f64>().ok(),
            (None, Some(s)) => s.trim().parse::<f64>().ok().map(|s| s * 1_000.0),
            (None, None) => None,
        };
        match ms {
            Some(ms) if (100.0..=600_000.0).contains(&ms) => {
                Some(Duration::from_millis(ms.round() as u64))
            }
            _ => {
                self.error(
                    yaml.at,
                    format!("{what} is `{text}`, which is not a duration"),
                    "write it like `5s` or `800ms`, from 100ms to 600s",
                );
                None
            }
        }
    }

    /// The name of a language that Hotline speaks.
    pub(crate) fn lang(&self, name: &str, at: At) -> Option<Lang> {
        match name {
            "en" => Some(Lang::En),
            "zh" => Some(Lang::Zh),
            _ => {
                self.error(at, format!("no language `{name}`"), "known: en, zh");
                None
            }
        }
    }

    /// One of the keys `0-9*#`.
    pub(crate) fn dtmf(&self, name: &str, at: At) -> Option<char> {
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(key @ ('0'..='9' | '*' | '#')), None) => Some(key),
            _ => {
                self.error(
                    at,
                    format!("`{name}` is not a key of a telephone"),
                    "use one of 0-9, * and #, in quotes",
                );
                None
            }
        }
    }

    fn expected(&self, yaml: &Yaml, what: &str, kind: &str) {
        let found = yaml.describe();
        let what = format!("{what} must be {kind}, found {found}");
        self.error(yaml.at, what, format!("write {kind} here"));
    }
}

/// The entries of one map whose keys are known ahead. Reports keys that nobody asked for.
pub(crate) struct Fields<'y> {
    report: &'y Report,
    pub(crate) at: At,
    entries: &'y [(Key, Yaml)],
    what: String,
    known: RefCell<Vec<&'static str>>,
}

impl<'y> Fields<'y> {
    /// The fields of `yaml`, which messages call `what`.
    pub(crate) fn new(report: &'y Report, yaml: &'y Yaml, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            report,
            at: yaml.at,
            entries: report.map(yaml, &what),
            what,
            known: RefCell::default(),
        }
    }

    /// The value of an optional field.
    pub(crate) fn get(&self, name: &'static str) -> Option<&'y Yaml> {
        self.known.borrow_mut().push(name);
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// The value of a field that must be there.
    pub(crate) fn require(&self, name: &'static str, remedy: &str) -> Option<&'y Yaml> {
        let value = self.get(name);
        if value.is_none() {
            let what = format!("{} has no `{name}`", self.what);
            self.report.error(self.at, what, remedy);
        }
        value
    }

    /// The text of an optional field.
    pub(crate) fn text(&self, name: &'static str) -> Option<&'y str> {
        self.get(name).and_then(|v| self.report.text(v, name))
    }

    /// Whether the field is there; asking does not make it known.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.name == name)
    }

    /// A remedy for a field that is missing, where another one looks like one of `names` misspelt.
    pub(crate) fn meant(&self, names: &[&'static str]) -> Option<String> {
        let known = self.known.borrow();
        let unknown = self.entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str()));
        let remedies = unknown.map(|(key, _)| did_you_mean(&key.name, names.iter().copied()));
        remedies.into_iter().find(|remedy| remedy.starts_with("did you mean"))
    }

    /// Reports the fields that were never asked for.
    pub(crate) fn finish(self) {
        let known = self.known.into_inner();
        for (key, _) in self.entries {
            if !known.contains(&key.name.as_str()) {
                self.report.error(
                    key.at,
                    format!("{} has no field `{}`", self.what, key.name),
                    did_you_mean(&key.name, known.iter().copied()),
                );
            }
        }
    }
}
