use super::{Lang, is_hanzi};

/// Words of Latin letters from which a text is taken for English: one or two may stand in any Chinese sentence.
const LATIN_WORDS: usize = 3;

/// The language that a text is written in, where its letters leave no doubt: Chinese by its characters, English by
/// several words without any. `None` for numbers, a word or two, and mixtures.
#[must_use]
pub fn language_of(text: &str) -> Option<Lang> {
    let han = text.chars().filter(|c| is_hanzi(*c)).count();
    let latin = text
        .split(|c: char| !c.is_ascii_alphabetic() && c != '\'')
        .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()))
        .count();
    match (han, latin) {
        (0, words) if words >= LATIN_WORDS => Some(Lang::En),
        (han, words) if han > 0 && words <= han / 2 => Some(Lang::Zh),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_tell_a_language_where_there_are_enough() {
        for (text, lang) in [
            ("可以", Some(Lang::Zh)),
            ("在APP里办", Some(Lang::Zh)),
            ("speak English please", Some(Lang::En)),
            ("I'd like that", Some(Lang::En)),
            ("OK", None),
            ("VIP card", None),
            ("13800138000", None),
            ("好 yes no okay", None),
            ("", None),
        ] {
            assert_eq!(language_of(text), lang, "{text}");
        }
    }
}
