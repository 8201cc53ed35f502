//! One Mandarin syllable in Kokoro's phonemes.

use std::iter;

/// Kokoro's phonemes for a syllable in tone-number pinyin (`zhong1`, `lv4`, `de5`), the tone as
/// an arrow after the vowel; `None` when it is no pinyin syllable.
pub(super) fn to_ipa(pinyin: &str) -> Option<String> {
    let tone = match pinyin.as_bytes().last()? {
        b'1' => "→",
        b'2' => "↗",
        b'3' => "↓",
        b'4' => "↘",
        b'5' => "",
        _ => return None,
    };
    let plain = pinyin[..pinyin.len() - 1].replace('v', "ü");
    let (initial, rime) = match whole_syllable(&plain) {
        Some(rime) => ("", rime),
        None => split(&plain)?,
    };
    let (head, tail) = rime.split_once('0')?;
    Some([initial, head, tone, tail].concat())
}

/// Syllables that do not divide into an initial and a final. `0` marks where the tone goes.
fn whole_syllable(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "hm" => "hm0",
        "hng" => "hŋ0",
        "m" => "m0",
        "n" => "n0",
        "ng" => "ŋ0",
        "io" => "jɔ0",
        "ê" => "ɛ0",
        "er" => "ɚ0",
        "o" => "ɔ0",
        _ => return None,
    })
}

/// Initial and final of a syllable, both in phonemes.
fn split(plain: &str) -> Option<(&'static str, &'static str)> {
    let (letters, initial) = INITIALS
        .iter()
        .copied()
        .chain(iter::once(("", "")))
        .find(|(letters, _)| plain.starts_with(letters))?;
    let rest = &plain[letters.len()..];
    let sibilant = matches!(letters, "zh" | "ch" | "sh" | "r" | "z" | "c" | "s");
    if sibilant && rest == "i" {
        return Some((initial, "ɨ0"));
    }
    let spelled = full_spelling(letters, rest);
    FINALS.iter().find(|(letters, _)| *letters == spelled).map(|&(_, rime)| (initial, rime))
}

/// The final without pinyin's abbreviations: `you` is `iou`, `jun` is `jün`, `wei` is `uei`.
fn full_spelling(initial: &str, rest: &str) -> String {
    let (glide, vowel) = (rest.get(..1).unwrap_or(""), rest.get(1..).unwrap_or(""));
    match (initial, rest) {
        ("j" | "q" | "x", _) if glide == "u" => format!("ü{vowel}"),
        ("", _) if glide == "y" && vowel.starts_with('u') => format!("ü{}", &vowel[1..]),
        ("", _) if glide == "y" && vowel.starts_with(['i', 'ü']) => vowel.to_owned(),
        ("", _) if glide == "y" => format!("i{vowel}"),
        ("", _) if glide == "w" && vowel.starts_with('u') => vowel.to_owned(),
        ("", _) if glide == "w" => format!("u{vowel}"),
        (_, "iu") => "iou".to_owned(),
        (_, "ui") => "uei".to_owned(),
        (_, "un") => "uen".to_owned(),
        ("n" | "l", "ue") => "üe".to_owned(),
        _ => rest.to_owned(),
    }
}

/// Two-letter initials stand before their first letters.
const INITIALS: [(&str, &str); 21] = [
    ("zh", "ꭧ"),
    ("ch", "ꭧʰ"),
    ("sh", "ʂ"),
    ("b", "p"),
    ("p", "pʰ"),
    ("m", "m"),
    ("f", "f"),
    ("d", "t"),
    ("t", "tʰ"),
    ("n", "n"),
    ("l", "l"),
    ("g", "k"),
    ("k", "kʰ"),
    ("h", "x"),
    ("j", "ʨ"),
    ("q", "ʨʰ"),
    ("x", "ɕ"),
    ("r", "ɻ"),
    ("z", "ʦ"),
    ("c", "ʦʰ"),
    ("s", "s"),
];

const FINALS: [(&str, &str); 36] = [
    ("a", "a0"),
    ("ai", "ai0"),
    ("an", "a0n"),
    ("ang", "a0ŋ"),
    ("ao", "au0"),
    ("e", "ɤ0"),
    ("ei", "ei0"),
    ("en", "ə0n"),
    ("eng", "ə0ŋ"),
    ("i", "i0"),
    ("ia", "ja0"),
    ("ian", "jɛ0n"),
    ("iang", "ja0ŋ"),
    ("iao", "jau0"),
    ("ie", "je0"),
    ("in", "i0n"),
    ("iou", "jou0"),
    ("ing", "i0ŋ"),
    ("iong", "jʊ0ŋ"),
    ("ong", "ʊ0ŋ"),
    ("ou", "ou0"),
    ("u", "u0"),
    ("uei", "wei0"),
    ("ua", "wa0"),
    ("uai", "wai0"),
    ("uan", "wa0n"),
    ("uen", "wə0n"),
    ("uang", "wa0ŋ"),
    ("ueng", "wə0ŋ"),
    ("uo", "wo0"),
    ("o", "wo0"),
    ("ü", "y0"),
    ("üe", "ɥe0"),
    ("üan", "ɥɛ0n"),
    ("ün", "y0n"),
    // 哟 is `yo`, which spelled out is `io`.
    ("io", "wo0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syllable_carries_its_tone_after_the_vowel() {
        assert_eq!(to_ipa("nin2").as_deref(), Some("ni↗n"));
        assert_eq!(to_ipa("hao3").as_deref(), Some("xau↓"));
        assert_eq!(to_ipa("de5").as_deref(), Some("tɤ"));
    }

    #[test]
    fn pinyin_abbreviations_are_undone() {
        for (pinyin, ipa) in [
            ("you3", "jou↓"),
            ("liu4", "ljou↘"),
            ("wei4", "wei↘"),
            ("dui4", "twei↘"),
            ("wen4", "wə↘n"),
            ("zhun3", "ꭧwə↓n"),
            ("jun1", "ʨy→n"),
            ("yuan2", "ɥɛ↗n"),
            ("yue4", "ɥe↘"),
            ("lv4", "ly↘"),
            ("yi1", "i→"),
            ("wu3", "u↓"),
            ("yong4", "jʊ↘ŋ"),
        ] {
            assert_eq!(to_ipa(pinyin).as_deref(), Some(ipa), "{pinyin}");
        }
    }

    #[test]
    fn the_vowel_of_zhi_and_si_is_not_i() {
        assert_eq!(to_ipa("shi2").as_deref(), Some("ʂɨ↗"));
        assert_eq!(to_ipa("si4").as_deref(), Some("sɨ↘"));
        assert_eq!(to_ipa("ri4").as_deref(), Some("ɻɨ↘"));
    }

    #[test]
    fn what_is_no_syllable_has_no_phonemes() {
        for wrong in ["", "5", "hao", "hao6", "xyz1", "银", "h银3", "zz4"] {
            assert_eq!(to_ipa(wrong), None, "{wrong:?}");
        }
    }
}
