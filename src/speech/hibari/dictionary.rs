//! A pronouncing dictionary.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// One word's entry.
#[derive(Debug)]
pub(super) enum Entry {
    /// One pronunciation, whatever the word is in its sentence.
    One(Box<str>),
    /// By part of speech, with `DEFAULT`; `null` says to spell the word.
    ByTag(HashMap<Box<str>, Option<Box<str>>>),
}

impl Entry {
    /// The pronunciation under `tag`, else under its parent, else the default one.
    ///
    /// `before_pause` is set when no sound follows, which some words have an entry for.
    pub(super) fn reading(&self, tag: Option<&str>, before_pause: bool) -> Option<&str> {
        let by_tag = match self {
            Self::One(phonemes) => return Some(phonemes),
            Self::ByTag(by_tag) => by_tag,
        };
        let tagged = match tag {
            _ if before_pause && by_tag.contains_key("None") => by_tag.get("None"),
            Some(tag) => by_tag.get(tag).or_else(|| by_tag.get(parent_tag(tag))),
            None => None,
        };
        tagged.or_else(|| by_tag.get("DEFAULT"))?.as_deref()
    }
}

/// By hand, for an untagged enum takes twice as long over a dictionary.
impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pronunciation, or pronunciations by part of speech")
    }

    fn visit_str<E: de::Error>(self, phonemes: &str) -> Result<Entry, E> {
        Ok(Entry::One(phonemes.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Entry::ByTag)
    }
}

/// Words and their pronunciations.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Dictionary(HashMap<Box<str>, Entry>);

impl Dictionary {
    /// The entry of `word`. `word` also finds `Word`'s entry, and `Word` finds `word`'s, when
    /// they have none of their own.
    pub(super) fn get(&self, word: &str) -> Option<&Entry> {
        if let Some(entry) = self.0.get(word) {
            return Some(entry);
        }
        let first = word.chars().next()?;
        let rest = &word[first.len_utf8()..];
        if rest.is_empty() || rest != rest.to_lowercase() {
            return None;
        }
        let lower = first.to_lowercase().to_string();
        let other = if lower.starts_with(first) { first.to_uppercase().to_string() } else { lower };
        self.0.get((other + rest).as_str())
    }

    /// Whether `word` has an entry.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.get(word).is_some()
    }
}

/// The part of speech that a Penn Treebank tag belongs to, in the dictionary's terms.
pub(super) fn parent_tag(tag: &str) -> &str {
    match tag {
        _ if tag.starts_with("VB") => "VERB",
        _ if tag.starts_with("NN") => "NOUN",
        _ if tag.starts_with("ADV") || tag.starts_with("RB") => "ADV",
        _ if tag.starts_with("ADJ") || tag.starts_with("JJ") => "ADJ",
        _ => tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        serde_json::from_str(
            r#"{"live": {"DEFAULT": "lˈIv", "VERB": "lˈɪv"}, "Paris": "pˈæɹɪs", "AD": "x",
                "had": {"DEFAULT": "hæd", "None": "hˈæd"}}"#,
        )
        .unwrap()
    }

    fn reading<'a>(dictionary: &'a Dictionary, word: &str, tag: &str) -> Option<&'a str> {
        dictionary.get(word)?.reading(Some(tag), false)
    }

    #[test]
    fn case_of_the_first_letter_does_not_hide_an_entry() {
        let dictionary = dictionary();
        assert!(dictionary.contains("paris"));
        assert!(dictionary.contains("Live"));
        assert!(!dictionary.contains("LIVE"));
        assert!(!dictionary.contains("Ad"));
        assert!(!dictionary.contains(""));
    }

    #[test]
    fn the_tag_or_its_parent_chooses_the_reading() {
        let dictionary = dictionary();
        assert_eq!(reading(&dictionary, "live", "VBP"), Some("lˈɪv"));
        assert_eq!(reading(&dictionary, "live", "JJ"), Some("lˈIv"));
    }

    #[test]
    fn a_pause_after_the_word_has_its_own_reading() {
        let dictionary = dictionary();
        let had = dictionary.get("had").unwrap();
        assert_eq!(had.reading(Some("VBD"), true), Some("hˈæd"));
        assert_eq!(had.reading(Some("VBD"), false), Some("hæd"));
    }
}
