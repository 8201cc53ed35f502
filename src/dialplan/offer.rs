//! "Did you mean {first}, or {second}?", where two answers of a knowledge base are equally near.

use super::model::Model;
use crate::text::{Lang, Phrase, Piece, ReadAs};

/// The words around the two questions that are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer([String; 3]);

impl Offer {
    /// Reads text in which `{first}` and then `{second}` stand once, and no other braces.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once("{first}")?;
        let (between, after) = rest.split_once("{second}")?;
        let words = [before, between, after].map(str::to_owned);
        words.iter().all(|words| !words.contains(['{', '}'])).then_some(Self(words))
    }

    /// The whole prompt; with empty questions, what may be rendered ahead of it.
    pub(crate) fn phrase(&self, lang: Lang, first: &str, second: &str) -> Phrase {
        let Self([before, between, after]) = self;
        let words = |words: &String| Piece::Words(words.clone());
        let pieces =
            [words(before), question(first), words(between), question(second), words(after)];
        let said = |piece: &Piece| !matches!(piece, Piece::Words(words) if words.trim().is_empty());
        Phrase { lang, pieces: pieces.into_iter().filter(said).collect() }
    }
}

/// Everything that an offer can say: its own words, and the first question of every entry.
pub(super) fn phrases(model: &Model) -> impl Iterator<Item = Phrase> {
    model.offer.iter().flat_map(|(lang, offer)| {
        let entries =
            model.knowledge.values().filter_map(|entry| entry.questions.get(lang)?.first());
        let questions = entries.map(|text| Phrase { lang: *lang, pieces: vec![question(text)] });
        [offer.phrase(*lang, "", "")].into_iter().chain(questions)
    })
}

fn question(text: &str) -> Piece {
    Piece::Value { value: text.to_owned(), read_as: ReadAs::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_questions_are_named_in_order() {
        let offer = Offer::parse("Did you mean {first}, or {second}?").expect("an offer");
        let phrase = offer.phrase(Lang::En, "where can I park", "when are you open");
        let said = "Did you mean where can I park, or when are you open?";
        assert_eq!(phrase.to_string(), said);
        for text in ["Did you mean {first}?", "{second} or {first}", "{first} {x} {second}", ""] {
            assert_eq!(Offer::parse(text), None, "{text}");
        }
    }
}
