use ::pinyin::ToPinyin;

use super::{is_hanzi, normalize, spoken::Lang};

/// The syllables of `text` in pinyin without tones: 余额 is `yu`, `e`. A run of Latin letters is
/// one token in lower case, each digit is one token, everything else is dropped.
#[must_use]
pub fn toneless(text: &str) -> Vec<String> {
    let mut syllables = Vec::new();
    let mut word = String::new();
    for c in normalize(Lang::Zh, text).chars() {
        if c.is_alphabetic() && !is_hanzi(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            syllables.push(std::mem::take(&mut word));
        }
        if let Some(syllable) = c.to_pinyin() {
            syllables.push(syllable.plain().to_owned());
        } else if c.is_alphanumeric() {
            syllables.push(c.to_string());
        }
    }
    if !word.is_empty() {
        syllables.push(word);
    }
    syllables
}

/// [`toneless`] with the sounds merged that speakers from different regions and recognisers mix
/// up: z/zh, c/ch, s/sh, n/l/r, f/h, an/ang, en/eng, in/ing.
#[must_use]
pub fn fuzzy(text: &str) -> Vec<String> {
    toneless(text).iter().map(|syllable| merge(syllable)).collect()
}

fn merge(syllable: &str) -> String {
    let folded = if let Some(rest) = strip_any(syllable, &["zh", "ch", "sh"]) {
        format!("{}{rest}", &syllable[..1])
    } else if let Some(rest) = strip_any(syllable, &["n", "r"]) {
        format!("l{rest}")
    } else if let Some(rest) = syllable.strip_prefix('f') {
        format!("h{rest}")
    } else if let Some(rest) = syllable.strip_prefix("hu").filter(|rest| !rest.is_empty()) {
        // 花 hua and 发 fa are mixed up whole, so the glide goes too; hui is fei.
        format!("h{}", if rest == "i" { "ei" } else { rest })
    } else {
        syllable.to_owned()
    };
    match folded.strip_suffix("ng") {
        Some(stem) if stem.ends_with(['a', 'e', 'i']) => format!("{stem}n"),
        _ => folded,
    }
}

fn strip_any<'a>(syllable: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| syllable.strip_prefix(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homophones_have_the_same_syllables() {
        assert_eq!(toneless("号码"), ["hao", "ma"]);
        assert_eq!(toneless("号码"), toneless("好嗎"));
    }

    #[test]
    fn letters_and_digits_are_tokens_of_their_own() {
        assert_eq!(toneless("尾号K22，APP"), ["wei", "hao", "k", "2", "2", "app"]);
    }

    #[test]
    fn confusable_sounds_merge() {
        for (one, other) in
            [("是", "四"), ("南", "蓝"), ("热", "乐"), ("房", "黄"), ("因", "应"), ("风", "横")]
        {
            assert_eq!(fuzzy(one), fuzzy(other), "{one} {other}");
        }
    }

    #[test]
    fn different_sounds_stay_apart() {
        for (one, other) in [("东", "单"), ("八", "发"), ("花", "呼"), ("一", "二")] {
            assert_ne!(fuzzy(one), fuzzy(other), "{one} {other}");
        }
    }
}
