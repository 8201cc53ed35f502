//! Latin letters inside Chinese text.

use super::Phonemizer;

/// Phonemes of a Latin word: abbreviations letter by letter as Chinese speakers say them (APP,
/// VIP, DTMF), other words by `english` when there is one.
pub(super) fn phonemes(word: &str, english: Option<&dyn Phonemizer>) -> String {
    let spelled = || word.chars().filter_map(letter).collect::<Vec<_>>().join(" ");
    match english {
        Some(english) if !is_abbreviation(word) => english.phonemes(word),
        _ => spelled(),
    }
}

/// No small letter, a single letter, or nothing that could be a vowel.
fn is_abbreviation(word: &str) -> bool {
    word.len() == 1
        || !word.contains(|c: char| c.is_ascii_lowercase())
        || !word.contains(|c: char| "aeiouyAEIOUY".contains(c))
}

/// The letter's English name in Kokoro's phonemes.
fn letter(c: char) -> Option<&'static str> {
    Some(match c.to_ascii_uppercase() {
        'A' => "ˈA",
        'B' => "bˈi",
        'C' => "sˈi",
        'D' => "dˈi",
        'E' => "ˈi",
        'F' => "ˈɛf",
        'G' => "ʤˈi",
        'H' => "ˈAʧ",
        'I' => "ˈI",
        'J' => "ʤˈA",
        'K' => "kˈA",
        'L' => "ˈɛl",
        'M' => "ˈɛm",
        'N' => "ˈɛn",
        'O' => "ˈO",
        'P' => "pˈi",
        'Q' => "kjˈu",
        'R' => "ˈɑɹ",
        'S' => "ˈɛs",
        'T' => "tˈi",
        'U' => "jˈu",
        'V' => "vˈi",
        'W' => "dˈʌbᵊlju",
        'X' => "ˈɛks",
        'Y' => "wˈI",
        'Z' => "zˈi",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Phonemizer for Fixed {
        fn phonemes(&self, _: &str) -> String {
            "wˈɜɹd".to_owned()
        }
    }

    #[test]
    fn abbreviations_are_spelled_even_with_an_english_front_end() {
        assert_eq!(phonemes("VIP", Some(&Fixed)), "vˈi ˈI pˈi");
        assert_eq!(phonemes("x", Some(&Fixed)), "ˈɛks");
    }

    #[test]
    fn words_go_to_the_english_front_end() {
        assert_eq!(phonemes("Hotline", Some(&Fixed)), "wˈɜɹd");
    }

    #[test]
    fn without_an_english_front_end_words_are_spelled() {
        assert_eq!(phonemes("App", None), "ˈA pˈi pˈi");
    }
}
