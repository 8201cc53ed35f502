//! A YAML document as a tree in which every key and value knows its place, so that errors of
//! meaning can point at a line just as errors of syntax do.

use std::borrow::Cow;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::error::{At, Findings};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Yaml {
    pub(crate) at: At,
    pub(crate) kind: Kind,
}

/// What a value is. Scalars keep their text as written: `00123` stays `00123`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A plain `~`, `null` or nothing.
    Null,
    /// Text, a number or a truth value; the reader of the field decides.
    Scalar(String),
    /// A list.
    List(Vec<Yaml>),
    /// Entries in written order, without duplicates.
    Map(Vec<(Key, Yaml)>),
}

/// The key of a map entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) at: At,
    pub(crate) name: String,
}

/// Parses the one document in `text`. `None` after a syntax error, which is then in `findings`.
pub(crate) fn parse(text: &str, findings: &mut Findings) -> Option<Yaml> {
    parse_file(text, At::TOP, "dialplan", findings)
}

/// As [`parse`], for the file that begins at `top` and should begin with the field `first`.
pub(crate) fn parse_file(
    text: &str,
    top: At,
    first: &str,
    findings: &mut Findings,
) -> Option<Yaml> {
    let mut builder = Builder { findings, top, open: Vec::new(), root: None, documents: 0 };
    for next in Parser::new_from_str(text) {
        match next {
            Ok((event, span)) => builder.event(event, span),
            Err(e) => {
                let at = At { line: e.marker().line().max(1), column: e.marker().col() + 1, ..top };
                builder.findings.error(
                    at,
                    format!("YAML syntax: {}", e.kind()),
                    "check indentation and brackets here and above; quote text with `: `, ` #` or braces",
                );
                return None;
            }
        }
    }
    if builder.root.is_none() {
        builder.findings.error(top, "the file is empty", format!("begin with `{first}: NAME`"));
    }
    builder.root
}

impl Yaml {
    /// The value of the entry `name`, where it is a map that has one.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Its text, where it is a single value.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// What the value is, for "expected a list, found a map".
    pub(crate) fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// A collection that has not ended yet.
enum Open {
    List(At, Vec<Yaml>),
    /// With the key that waits for its value.
    Map(At, Vec<(Key, Yaml)>, Option<Key>),
}

struct Builder<'f> {
    findings: &'f mut Findings,
    /// Where the file begins.
    top: At,
    open: Vec<Open>,
    root: Option<Yaml>,
    documents: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) {
        let (line, column) = (span.start.line().max(1), span.start.col() + 1);
        let at = At { line, column, ..self.top };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.findings.error(
                        at,
                        "a second YAML document begins here",
                        "put one dialplan in a file, without `---` in the middle",
                    );
                }
            }
            Event::Scalar(text, style, ..) => self.scalar(at, text, style),
            Event::SequenceStart(..) => self.open.push(Open::List(at, Vec::new())),
            Event::MappingStart(..) => self.open.push(Open::Map(at, Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(..) => {
                self.findings.error(
                    at,
                    "YAML aliases (`*name`) are not used in dialplans",
                    "write the value out, or put the shared part in a node and go to it",
                );
                self.value(at, Kind::Null);
            }
            _ => {}
        }
    }

    fn scalar(&mut self, at: At, text: Cow<'_, str>, style: ScalarStyle) {
        let plain = matches!(style, ScalarStyle::Plain);
        if plain && matches!(&*text, "" | "~" | "null") {
            self.value(at, Kind::Null);
        } else {
            self.value(at, Kind::Scalar(text.into_owned()));
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(at, items)) => self.value(at, Kind::List(items)),
            Some(Open::Map(at, entries, _)) => self.value(at, Kind::Map(entries)),
            None => {}
        }
    }

    /// Puts a complete value where it belongs: document, list, key or value of a map.
    fn value(&mut self, at: At, kind: Kind) {
        match self.open.last_mut() {
            None if self.documents <= 1 => self.root = Some(Yaml { at, kind }),
            None => {}
            Some(Open::List(_, items)) => items.push(Yaml { at, kind }),
            Some(Open::Map(_, entries, waiting)) => match waiting.take() {
                Some(key) => {
                    let first = entries.iter().find(|(k, _)| k.name == key.name);
                    if let Some((first, _)) = first {
                        self.findings.error(
                            key.at,
                            format!(
                                "`{}` is here twice, first in line {}",
                                key.name, first.at.line
                            ),
                            "keep one of the two",
                        );
                    } else {
                        entries.push((key, Yaml { at, kind }));
                    }
                }
                None => {
                    let name = match kind {
                        Kind::Scalar(name) => name,
                        _ => {
                            self.findings.error(
                                at,
                                "a key must be a plain word",
                                "quote it if it has special characters",
                            );
                            String::new()
                        }
                    };
                    *waiting = Some(Key { at, name });
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_ok(text: &str) -> Yaml {
        let mut findings = Findings::new("t.yaml");
        let yaml = parse(text, &mut findings).expect("parses");
        assert_eq!(findings.into_sorted(), []);
        yaml
    }

    fn first_error(text: &str) -> String {
        let mut findings = Findings::new("t.yaml");
        let _ = parse(text, &mut findings);
        findings.into_sorted()[0].to_string()
    }

    #[test]
    fn keys_and_values_know_their_places_and_scalars_keep_their_text() {
        let yaml = parse_ok("a: 1\nb:\n  - 007\n  - x: \"\"\n");
        let Kind::Map(entries) = yaml.kind else { panic!("a map") };
        assert_eq!(entries[1].0.at, At { line: 2, column: 1, ..At::TOP });
        let Kind::List(items) = &entries[1].1.kind else { panic!("a list") };
        assert_eq!(items[0].at, At { line: 3, column: 5, ..At::TOP });
        assert_eq!(items[0].kind, Kind::Scalar("007".into()));
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let yaml = parse_ok("{余额: 查, b: c}");
        let Kind::Map(entries) = yaml.kind else { panic!("a map") };
        assert_eq!(entries[1].0.at, At { line: 1, column: 9, ..At::TOP });
    }

    #[test]
    fn a_duplicate_key_is_reported_at_the_second_place() {
        assert_eq!(
            first_error("a: 1\nb: 2\na: 3\n"),
            "t.yaml:3:1: error: `a` is here twice, first in line 1\n  help: keep one of the two"
        );
    }

    #[test]
    fn a_syntax_error_has_a_line() {
        assert!(first_error("a: [1, 2\nb: c\n").starts_with("t.yaml:2:"));
    }

    #[test]
    fn an_alias_is_refused() {
        assert!(first_error("a: &x 1\nb: *x\n").starts_with("t.yaml:2:4: error: YAML aliases"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-c:\\-\\[\\]{}\"'&*?|>, \n#!%@`~0-9]{0,80}") {
            let mut findings = Findings::new("t.yaml");
            let yaml = parse(&text, &mut findings);
            prop_assert!(yaml.is_some() || findings.has_errors());
        }
    }
}
