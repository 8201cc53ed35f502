//! Words to phonemes by dictionary: part of speech, context, inflection, capitals, spelling out.

use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use super::{
    dictionary::{Dictionary, Entry, parent_tag},
    files::read_json,
    stress::{self, PRIMARY, SECONDARY, Stress},
    suffixes::{with_ed, with_ing, with_s},
    token::Token,
};
use crate::speech::SpeechError;

/// What comes after a word, which decides how some function words sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Following {
    /// Whether the next sound is a vowel; `None` before a pause.
    pub(super) vowel: Option<bool>,
    /// Whether the next word is "to".
    pub(super) is_to: bool,
}

/// A word and what is known about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    /// Penn Treebank part of speech.
    pub(super) tag: Option<&'a str>,
    /// The stress that its capitals ask for.
    pub(super) stress: Option<Stress>,
    /// What comes after it, where that is known.
    pub(super) following: Option<Following>,
}

impl Query<'static> {
    /// A word on its own.
    pub(super) const BARE: Self = Self { tag: None, stress: None, following: None };
}

/// The dictionaries: the checked one first.
pub(super) struct Lexicon {
    gold: Dictionary,
    silver: Dictionary,
}

impl Lexicon {
    /// Reads the American dictionaries in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, SpeechError> {
        Ok(Self {
            gold: read_json(dir, "lexicon_us_gold.json.gz")?,
            silver: read_json(dir, "lexicon_us_silver.json.gz")?,
        })
    }

    /// How `token` sounds before `following`; `None` for a word that is not known.
    pub(super) fn pronounce(&self, token: &Token, following: Following) -> Option<String> {
        let written = token.alias.unwrap_or(&token.text).replace(['‘', '’'], "'");
        let word: String = written.nfkc().collect();
        let stress = match () {
            () if is_lower(&word) => None,
            () if is_upper(&word) => Some(Stress::Primary),
            () => Some(Stress::Raise),
        };
        let query = Query { tag: Some(&token.tag), stress, following: Some(following) };
        match self.word(&word, query) {
            Some(phonemes) => Some(self.with_currency(phonemes, token.currency)),
            None => self.number(&word, token.currency, token.is_head),
        }
    }

    /// A dictionary word as it stands, or spelled out when it is an initialism.
    pub(super) fn lookup(&self, word: &str, query: Query<'_>) -> Option<String> {
        let shouted = is_upper(word) && !self.gold.contains(word);
        let lowered = shouted.then(|| word.to_lowercase());
        let word = lowered.as_deref().unwrap_or(word);
        let is_name = shouted && query.tag == Some("NNP");
        let before_pause = query.following.is_some_and(|next| next.vowel.is_none());
        let silver = || self.silver.get(word).filter(|_| !is_name);
        let entry = self.gold.get(word).or_else(silver);
        let found = entry.and_then(|entry| entry.reading(query.tag, before_pause));
        match found {
            Some(phonemes) if !is_name || phonemes.contains(PRIMARY) => {
                Some(stress::apply(phonemes.to_owned(), query.stress))
            }
            _ => self.spell(word),
        }
    }

    /// `word` letter by letter, with the stress on the last.
    pub(super) fn spell(&self, word: &str) -> Option<String> {
        let mut letters = String::new();
        for letter in word.chars().filter(|c| c.is_alphabetic()) {
            match self.gold.get(&letter.to_uppercase().to_string())? {
                Entry::One(phonemes) => letters.push_str(phonemes),
                Entry::ByTag(_) => return None,
            }
        }
        let mut phonemes = stress::apply(letters, Some(Stress::Secondary));
        if let Some(at) = phonemes.rfind(SECONDARY) {
            phonemes.replace_range(at..at + SECONDARY.len_utf8(), &PRIMARY.to_string());
        }
        Some(phonemes)
    }

    /// The plural of a dictionary word, or what else `-s` can be.
    pub(super) fn stem_s(&self, word: &str, query: Query<'_>) -> Option<String> {
        let cut = word.strip_suffix('s').filter(|_| word.chars().count() > 2)?;
        let is_long = word.chars().count() > 4;
        let es = || {
            let stem = word
                .strip_suffix("'s")
                .or_else(|| word.strip_suffix("es").filter(|_| is_long && !word.ends_with("ies")));
            stem.map(str::to_owned).filter(|stem| self.is_known(stem))
        };
        let ies = || {
            let stem = word.strip_suffix("ies").filter(|_| is_long).map(|stem| format!("{stem}y"));
            stem.filter(|stem| self.is_known(stem))
        };
        let plain = (!word.ends_with("ss") && self.is_known(cut)).then(|| cut.to_owned());
        let stem = plain.or_else(es).or_else(ies)?;
        inflected(self.lookup(&stem, query), with_s)
    }

    fn stem_ed(&self, word: &str, query: Query<'_>) -> Option<String> {
        let cut = word.strip_suffix('d').filter(|_| word.chars().count() > 3)?;
        let ed = || {
            word.strip_suffix("ed")
                .filter(|_| word.chars().count() > 4 && !word.ends_with("eed"))
                .filter(|stem| self.is_known(stem))
        };
        let plain = (!word.ends_with("dd") && self.is_known(cut)).then_some(cut);
        inflected(self.lookup(plain.or_else(ed)?, query), with_ed)
    }

    fn stem_ing(&self, word: &str, query: Query<'_>) -> Option<String> {
        let cut = word.strip_suffix("ing").filter(|_| word.chars().count() > 4)?;
        let is_long = word.chars().count() > 5;
        let plain = (is_long && self.is_known(cut)).then(|| cut.to_owned());
        let with_e = || Some(format!("{cut}e")).filter(|stem| self.is_known(stem));
        let doubled = || {
            let stem = undoubled(cut).filter(|_| is_long)?;
            self.is_known(stem).then(|| stem.to_owned())
        };
        let stem = plain.or_else(with_e).or_else(doubled)?;
        let stress = query.stress.or(Some(Stress::Raise));
        inflected(self.lookup(&stem, Query { stress, ..query }), with_ing)
    }

    fn word(&self, word: &str, query: Query<'_>) -> Option<String> {
        if let Some(phonemes) = self.special_case(word, query) {
            return Some(phonemes);
        }
        let lowered = self.lowered(word, query);
        let word = lowered.as_deref().unwrap_or(word);
        if self.is_known(word) {
            return self.lookup(word, query);
        }
        let possessive = word.strip_suffix("s'").map(|stem| format!("{stem}'s"));
        if let Some(word) = possessive.filter(|word| self.is_known(word)) {
            return self.lookup(&word, query);
        }
        if let Some(word) = word.strip_suffix('\'').filter(|word| self.is_known(word)) {
            return self.lookup(word, query);
        }
        self.stem(word, query)
    }

    fn stem(&self, word: &str, query: Query<'_>) -> Option<String> {
        self.stem_s(word, query)
            .or_else(|| self.stem_ed(word, query))
            .or_else(|| self.stem_ing(word, query))
    }

    /// `word` in small letters, where its capitals only come from a heading or a sentence start.
    fn lowered(&self, word: &str, query: Query<'_>) -> Option<String> {
        let letters = word.replace('\'', "");
        let length = word.chars().count();
        let is_word = length > 1 && !letters.is_empty() && letters.chars().all(char::is_alphabetic);
        let may_be_name = query.tag == Some("NNP") && length <= 7;
        let is_listed = self.gold.contains(word) || self.silver.contains(word);
        let is_cased = is_upper(word) || is_lower(after_first(word));
        if !is_word || may_be_name || is_listed || !is_cased || is_lower(word) {
            return None;
        }
        let lower = word.to_lowercase();
        let is_known = self.gold.contains(&lower)
            || self.silver.contains(&lower)
            || self.stem(&lower, query).is_some_and(|phonemes| !phonemes.is_empty());
        is_known.then_some(lower)
    }

    fn special_case(&self, word: &str, query: Query<'_>) -> Option<String> {
        let tag = query.tag.unwrap_or_default();
        let following = query.following.unwrap_or_default();
        if let Some((name, stress)) = symbol_name(word, tag) {
            return self.lookup(name, Query { tag: None, stress, ..query });
        }
        if is_dotted_initialism(word) {
            return self.spell(word);
        }
        let fixed = match word {
            "a" | "A" => {
                if tag == "DT" {
                    "ɐ"
                } else {
                    "ˈA"
                }
            }
            "am" | "Am" | "AM" => return self.am(word, query),
            "AN" if tag.starts_with("NN") => return self.spell(word),
            "an" | "An" | "AN" => "ɐn",
            "I" if tag == "PRP" => "ˌI",
            "by" | "By" | "BY" if parent_tag(tag) == "ADV" => "bˈI",
            "to" | "To" => return self.to(following),
            "TO" if matches!(tag, "TO" | "IN") => return self.to(following),
            "IN" if tag == "NNP" => return None,
            "in" | "In" | "IN" if following.vowel.is_none() || tag != "IN" => "ˈɪn",
            "in" | "In" | "IN" => "ɪn",
            "THE" if tag != "DT" => return None,
            "the" | "The" | "THE" => {
                if following.vowel == Some(true) {
                    "ði"
                } else {
                    "ðə"
                }
            }
            "used" | "Used" | "USED" => {
                let is_past_habit = matches!(tag, "VBD" | "JJ") && following.is_to;
                let tag = is_past_habit.then_some("VBD");
                return self.gold.get("used")?.reading(tag, false).map(str::to_owned);
            }
            _ if tag == "IN" && is_versus(word) => {
                return self.lookup("versus", Query { tag: None, stress: None, ..query });
            }
            _ => return None,
        };
        Some(fixed.to_owned())
    }

    fn am(&self, word: &str, query: Query<'_>) -> Option<String> {
        if query.tag.is_some_and(|tag| tag.starts_with("NN")) {
            return self.spell(word);
        }
        let is_raised = matches!(query.stress, Some(Stress::Raise | Stress::Primary));
        let before_pause = query.following.is_none_or(|next| next.vowel.is_none());
        if before_pause || word != "am" || is_raised {
            return self.gold.get("am")?.reading(None, false).map(str::to_owned);
        }
        Some("ɐm".to_owned())
    }

    fn to(&self, following: Following) -> Option<String> {
        match following.vowel {
            None => self.gold.get("to")?.reading(None, false).map(str::to_owned),
            Some(false) => Some("tə".to_owned()),
            Some(true) => Some("tʊ".to_owned()),
        }
    }

    fn is_known(&self, word: &str) -> bool {
        if self.gold.contains(word) || symbol_word(word).is_some() || self.silver.contains(word) {
            return true;
        }
        if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphabetic()) {
            return false;
        }
        let is_shouted_word = is_upper(word) && self.gold.contains(&word.to_lowercase());
        is_shouted_word || is_upper(after_first(word))
    }
}

fn inflected(stem: Option<String>, inflect: impl FnOnce(&str) -> String) -> Option<String> {
    stem.filter(|stem| !stem.is_empty()).map(|stem| inflect(&stem))
}

/// "runn" to "run", and "mimick" to "mimic".
fn undoubled(stem: &str) -> Option<&str> {
    let shorter = &stem[..stem.char_indices().next_back()?.0];
    let last = stem.chars().next_back()?;
    let is_doubled = shorter.ends_with(last) && "bcdgklmnprstvxz".contains(last);
    (is_doubled || stem.ends_with("ck")).then_some(shorter)
}

fn symbol_name(word: &str, tag: &str) -> Option<(&'static str, Option<Stress>)> {
    match (word, tag) {
        (".", "ADD") => Some(("dot", Some(Stress::Weaken))),
        ("/", "ADD") => Some(("slash", Some(Stress::Weaken))),
        _ => symbol_word(word).map(|name| (name, None)),
    }
}

fn symbol_word(word: &str) -> Option<&'static str> {
    match word {
        "%" => Some("percent"),
        "&" => Some("and"),
        "+" => Some("plus"),
        "@" => Some("at"),
        _ => None,
    }
}

/// "U.S." and "p.m", but not "etc." or "example.com".
fn is_dotted_initialism(word: &str) -> bool {
    word.trim_matches('.').contains('.')
        && word.chars().all(|c| c == '.' || c.is_alphabetic())
        && word.split('.').all(|part| part.chars().count() < 3)
}

fn is_versus(word: &str) -> bool {
    word.eq_ignore_ascii_case("vs") || word.eq_ignore_ascii_case("vs.")
}

fn after_first(word: &str) -> &str {
    word.char_indices().nth(1).map_or("", |(at, _)| &word[at..])
}

fn is_lower(word: &str) -> bool {
    word == word.to_lowercase()
}

fn is_upper(word: &str) -> bool {
    word == word.to_uppercase()
}
