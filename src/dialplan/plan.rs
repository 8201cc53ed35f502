use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{
    DialplanError, DialplanSource, Severity,
    error::{At, Findings},
    graph::{self, Graph},
    include, lint,
    model::{Model, Part, Reference, SlotKind},
    offer, read,
};
use crate::{
    text::{Lang, Phrase, Piece, ReadAs},
    understand::{FaqIndex, IntentClassifier},
};

/// A dialplan that was read, checked and found free of errors.
#[derive(Debug, Clone)]
pub struct Dialplan {
    source: DialplanSource,
    hash: String,
    model: Model,
    /// Trained once for all calls.
    classifiers: BTreeMap<Lang, IntentClassifier>,
    /// The languages in which it has a knowledge base.
    faqs: BTreeMap<Lang, FaqIndex>,
    warnings: Vec<DialplanError>,
}

impl Dialplan {
    /// Loads the YAML file at `path` and the files that it includes and refers to, which stand in or
    /// below the same folder.
    ///
    /// # Errors
    /// Everything found, warnings too, in reading order; at least one of them is an error.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Vec<DialplanError>> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let mut findings = Findings::new(file.as_str());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                let remedy = "give the path of a dialplan, a UTF-8 text file that ends in .yaml";
                findings.error(At::TOP, format!("cannot read the file: {e}"), remedy);
                return Err(findings.into_sorted());
            }
        };
        let mut source = DialplanSource::inline(file.as_str(), text);
        source.read_files(path);
        Self::check(source, findings)
    }

    /// Whether `text` is that of a file for dialplans to include, which is checked with them.
    pub fn is_pack(text: &str) -> bool {
        include::is_pack(text)
    }

    /// Makes a dialplan of text alone, such as a call journal carries.
    ///
    /// # Errors
    /// As [`Dialplan::load`].
    pub fn from_source(source: DialplanSource) -> Result<Self, Vec<DialplanError>> {
        let findings = Findings::new(source.file.as_str());
        Self::check(source, findings)
    }

    /// The text it was made from, for a journal.
    pub fn source(&self) -> &DialplanSource {
        &self.source
    }

    /// Its name, as `dialplan:` has it.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// Its version, as `version:` has it.
    pub fn version(&self) -> u32 {
        self.model.version
    }

    /// SHA-256 of main text and tables, in lower-case hex: the same for the same content.
    pub fn content_hash(&self) -> &str {
        &self.hash
    }

    /// The language that calls begin in.
    pub fn language(&self) -> Lang {
        self.model.language
    }

    /// All its languages.
    pub fn languages(&self) -> &BTreeSet<Lang> {
        &self.model.languages
    }

    /// The voice that speaks `lang`; `None` when the dialplan does not speak it.
    pub fn voice(&self, lang: Lang) -> Option<&str> {
        self.model.voices.get(&lang).map(String::as_str)
    }

    /// The time zones that its calendars name, each once.
    pub fn zones(&self) -> BTreeSet<&str> {
        self.model.calendars.values().filter_map(|calendar| calendar.zone.as_deref()).collect()
    }

    /// Its recordings, by the hash of their content, and where they stand.
    pub fn recordings(&self) -> BTreeMap<&str, PathBuf> {
        let folder = Path::new(&self.source.file).parent().unwrap_or(Path::new(""));
        let recordings = self.source.recordings.iter();
        recordings.map(|(name, hash)| (hash.as_str(), folder.join(name))).collect()
    }

    /// What its author should look at though it works.
    pub fn warnings(&self) -> &[DialplanError] {
        &self.warnings
    }

    /// Everything the bot can say, each once, for rendering ahead. A value known only in the call
    /// is a [`Piece::Value`] with an empty `value`; words that a table or a choice can put into a
    /// prompt follow as phrases of their own.
    pub fn phrases(&self) -> Vec<Phrase> {
        let mut seen = BTreeSet::new();
        let mut phrases = Vec::new();
        for prompt in self.model.prompts() {
            let spoken = |(lang, _): &(&Lang, _)| self.model.languages.contains(lang);
            let texts = prompt.texts.iter().chain(&prompt.short).filter(spoken);
            for (lang, template) in texts.flat_map(|(l, ways)| ways.iter().map(move |way| (l, way)))
            {
                let pieces = template.parts.iter().map(placeholder).collect();
                let spliced = template.parts.iter().flat_map(|p| self.words_of(p, *lang));
                for pieces in [pieces].into_iter().chain(spliced.map(|w| vec![w])) {
                    let phrase = Phrase { lang: *lang, pieces };
                    if seen.insert(format!("{phrase:?}")) {
                        phrases.push(phrase);
                    }
                }
            }
        }
        let offered = offer::phrases(&self.model);
        phrases.extend(offered.filter(|phrase| seen.insert(format!("{phrase:?}"))));
        phrases
    }

    /// Its nodes, and which leads to which.
    pub fn graph(&self) -> Graph {
        graph::graph(&self.model)
    }

    /// The intents with their examples in `lang`, as its calls learn them.
    pub fn intents(&self, lang: Lang) -> Vec<(String, Vec<String>)> {
        intents(&self.model, lang)
    }

    /// Tells intents apart in `lang`.
    pub(crate) fn classifier(&self, lang: Lang) -> Option<&IntentClassifier> {
        self.classifiers.get(&lang)
    }

    /// Finds answers in `lang`; `None` when the dialplan has none in it.
    pub(crate) fn faq(&self, lang: Lang) -> Option<&FaqIndex> {
        self.faqs.get(&lang)
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    fn check(source: DialplanSource, findings: Findings) -> Result<Self, Vec<DialplanError>> {
        let (read, findings) = read::read(&source, findings);
        let Some(read) = read.filter(|_| !findings.has_errors()) else {
            return Err(findings.into_sorted());
        };
        let mut findings = findings;
        lint::lint(&read, &mut findings);
        let classifiers = classifiers(&read.model);
        lint::shadowed(&read, &classifiers, &mut findings);
        let found = findings.into_sorted();
        if found.iter().any(|f| f.severity == Severity::Error) {
            return Err(found);
        }
        Ok(Self {
            hash: source.content_hash(),
            source,
            classifiers,
            faqs: faqs(&read.model),
            model: read.model,
            warnings: found,
        })
    }

    /// The words that a value read as text can turn into, as far as they are known ahead.
    fn words_of(&self, part: &Part, lang: Lang) -> Vec<Piece> {
        let Part::Value { reference, read_as: ReadAs::Text } = part else {
            return Vec::new();
        };
        let words: Vec<&String> = match reference {
            Reference::Column { table, column } => {
                let table = self.model.tables.get(table);
                let rows = table.into_iter().flat_map(|t| &t.rows);
                rows.map(|row| &row[*column]).collect()
            }
            Reference::Slot(slot) => match self.model.slots.get(slot).map(|s| &s.kind) {
                Some(SlotKind::Choice(options)) => {
                    let phrases = options.iter().filter_map(|o| o.phrases.get(&lang));
                    phrases.filter_map(|p| p.first()).collect()
                }
                _ => Vec::new(),
            },
            Reference::Given { .. } | Reference::Call(_) => Vec::new(),
        };
        let mut pieces: Vec<Piece> = Vec::new();
        for value in words.into_iter().filter(|w| !w.is_empty()) {
            let piece = Piece::Value { value: value.clone(), read_as: ReadAs::Text };
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
        pieces
    }
}

fn classifiers(model: &Model) -> BTreeMap<Lang, IntentClassifier> {
    let train = |lang: Lang| IntentClassifier::train(lang, &intents(model, lang));
    model.languages.iter().map(|lang| (*lang, train(*lang))).collect()
}

fn faqs(model: &Model) -> BTreeMap<Lang, FaqIndex> {
    let index = |lang: &Lang| {
        let entries: Vec<(String, Vec<String>)> = model
            .knowledge
            .iter()
            .filter_map(|(id, entry)| Some((id.clone(), entry.questions.get(lang)?.clone())))
            .collect();
        (!entries.is_empty()).then(|| (*lang, FaqIndex::new(*lang, &entries)))
    };
    model.languages.iter().filter_map(index).collect()
}

fn intents(model: &Model, lang: Lang) -> Vec<(String, Vec<String>)> {
    let examples = |(intent, examples): (&String, &BTreeMap<Lang, Vec<String>>)| {
        Some((intent.clone(), examples.get(&lang)?.clone()))
    };
    model.intents.iter().filter_map(examples).collect()
}

fn placeholder(part: &Part) -> Piece {
    match part {
        Part::Words(words) => Piece::Words(words.clone()),
        Part::Mark(piece) => piece.clone(),
        Part::Value { read_as, .. } => Piece::Value { value: String::new(), read_as: *read_as },
    }
}
