//! Phoneme classes of misaki's alphabet, and stress marks.

/// Mark before the vowel with primary stress.
pub(super) const PRIMARY: char = 'ˈ';
/// Mark before a vowel with secondary stress.
pub(super) const SECONDARY: char = 'ˌ';

/// What a word's place in the sentence does to the stress of its dictionary form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stress {
    /// Removes every mark.
    None,
    /// Makes a primary stress secondary.
    Weaken,
    /// At most secondary: weakens a primary stress, gives one to a form without.
    Secondary,
    /// Gives a secondary stress to a form without any.
    Raise,
    /// At least primary.
    Primary,
}

/// Whether `c` is a vowel or a diphthong.
pub(super) fn is_vowel(c: char) -> bool {
    "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ".contains(c)
}

/// Whether `c` is a consonant.
pub(super) fn is_consonant(c: char) -> bool {
    "bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ".contains(c)
}

/// How long a form is, with diphthongs and affricates counted twice.
pub(super) fn weight(phonemes: &str) -> usize {
    phonemes.chars().map(|c| if "AIOQWYʤʧ".contains(c) { 2 } else { 1 }).sum()
}

/// `phonemes` with its stress changed; unchanged without `stress`.
pub(super) fn apply(phonemes: String, stress: Option<Stress>) -> String {
    let has_primary = phonemes.contains(PRIMARY);
    let has_secondary = phonemes.contains(SECONDARY);
    match stress {
        Some(Stress::None) => phonemes.replace([PRIMARY, SECONDARY], ""),
        Some(Stress::Weaken | Stress::Secondary) if has_primary => {
            phonemes.replace(SECONDARY, "").replace(PRIMARY, &SECONDARY.to_string())
        }
        Some(Stress::Secondary | Stress::Raise) if !has_primary && !has_secondary => {
            mark_first_vowel(phonemes, SECONDARY)
        }
        Some(Stress::Primary) if !has_primary && has_secondary => {
            phonemes.replace(SECONDARY, &PRIMARY.to_string())
        }
        Some(Stress::Primary) if !has_primary => mark_first_vowel(phonemes, PRIMARY),
        _ => phonemes,
    }
}

fn mark_first_vowel(mut phonemes: String, mark: char) -> String {
    if let Some(at) = phonemes.find(is_vowel) {
        phonemes.insert(at, mark);
    }
    phonemes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(phonemes: &str, stress: Stress) -> String {
        apply(phonemes.to_owned(), Some(stress))
    }

    #[test]
    fn a_form_without_stress_gets_it_before_its_first_vowel() {
        assert_eq!(applied("ðæt", Stress::Primary), "ðˈæt");
        assert_eq!(applied("ðæt", Stress::Secondary), "ðˌæt");
        assert_eq!(applied("ðæt", Stress::Raise), "ðˌæt");
        assert_eq!(applied("ðæt", Stress::Weaken), "ðæt");
        assert_eq!(applied("m", Stress::Primary), "m");
    }

    #[test]
    fn a_primary_stress_can_be_weakened_or_removed() {
        assert_eq!(applied("ˌɑnsˈɛt", Stress::Weaken), "ɑnsˌɛt");
        assert_eq!(applied("ˌɑnsˈɛt", Stress::None), "ɑnsɛt");
        assert_eq!(applied("ˌɑnsˈɛt", Stress::Raise), "ˌɑnsˈɛt");
        assert_eq!(applied("ˌɑnsɛt", Stress::Primary), "ˈɑnsɛt");
    }
}
