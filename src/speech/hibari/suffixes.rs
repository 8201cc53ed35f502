//! Pronouncing `-s`, `-ed` and `-ing` after a stem, in American English.

/// The plural, possessive or third person of `stem`.
pub(super) fn with_s(stem: &str) -> String {
    let ending = match stem.chars().last() {
        Some(c) if "ptkfθ".contains(c) => "s",
        Some(c) if "szʃʒʧʤ".contains(c) => "ᵻz",
        _ => "z",
    };
    format!("{stem}{ending}")
}

/// The past of `stem`.
pub(super) fn with_ed(stem: &str) -> String {
    match stem.chars().last() {
        Some(c) if "pkfθʃsʧ".contains(c) => format!("{stem}t"),
        Some('d') => format!("{stem}ᵻd"),
        Some('t') => match flapped(stem) {
            Some(stem) => format!("{stem}ᵻd"),
            None if stem.len() == 1 => format!("{stem}ɪd"),
            None => format!("{stem}ᵻd"),
        },
        _ => format!("{stem}d"),
    }
}

/// The progressive of `stem`.
pub(super) fn with_ing(stem: &str) -> String {
    match flapped(stem) {
        Some(stem) => format!("{stem}ɪŋ"),
        None => format!("{stem}ɪŋ"),
    }
}

/// `stem` with its final t flapped, where it stands after a vowel that flaps it.
fn flapped(stem: &str) -> Option<String> {
    let stem = stem.strip_suffix('t')?;
    stem.ends_with(|c| "AIOWYiuæɑəɛɪɹʊʌ".contains(c)).then(|| format!("{stem}ɾ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_assimilates_to_the_stem() {
        assert_eq!(with_s("kˈæt"), "kˈæts");
        assert_eq!(with_s("dˈɑɡ"), "dˈɑɡz");
        assert_eq!(with_s("mˈæʧ"), "mˈæʧᵻz");
    }

    #[test]
    fn ed_assimilates_and_flaps() {
        assert_eq!(with_ed("stˈɑp"), "stˈɑpt");
        assert_eq!(with_ed("kˈɔl"), "kˈɔld");
        assert_eq!(with_ed("ˈæd"), "ˈædᵻd");
        assert_eq!(with_ed("wˈAt"), "wˈAɾᵻd");
        assert_eq!(with_ed("ˈækt"), "ˈæktᵻd");
    }

    #[test]
    fn ing_flaps() {
        assert_eq!(with_ing("wˈAt"), "wˈAɾɪŋ");
        assert_eq!(with_ing("kˈɔl"), "kˈɔlɪŋ");
    }
}
