use super::{Lang, simplify};

/// Folds `text` so that equal words are equal strings: simplified characters, half width, lower
/// case, no punctuation. Apostrophes vanish ("don't" is `dont`), other punctuation separates;
/// words stand one space apart. In Chinese no space stands next to a Chinese character.
#[must_use]
pub fn normalize(lang: Lang, text: &str) -> String {
    let simplified = match lang {
        Lang::Zh => simplify(text),
        Lang::En => text.to_owned(),
    };
    let mut folded = String::with_capacity(simplified.len());
    let mut gap = false;
    for c in simplified.chars().map(half_width).flat_map(char::to_lowercase) {
        if matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '`') {
            continue;
        }
        if !c.is_alphanumeric() {
            gap = true;
            continue;
        }
        let last = folded.chars().next_back();
        let joins = lang == Lang::Zh && (is_hanzi(c) || last.is_some_and(is_hanzi));
        if gap && last.is_some() && !joins {
            folded.push(' ');
        }
        gap = false;
        folded.push(c);
    }
    folded
}

/// Whether `c` is a Chinese character (CJK unified ideographs with extension A, and 〇).
#[must_use]
pub fn is_hanzi(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '〇')
}

/// A full-width ASCII character as its ordinary form.
pub(super) fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xff01 + u32::from('!')).unwrap_or(c)
        }
        '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn english_loses_case_punctuation_and_apostrophes() {
        assert_eq!(normalize(Lang::En, "  No, I DON\u{2019}T -- sorry! "), "no i dont sorry");
        assert_eq!(normalize(Lang::En, "uh-huh."), "uh huh");
    }

    #[test]
    fn chinese_loses_spaces_width_and_tradition() {
        assert_eq!(normalize(Lang::Zh, "我想 查 餘額。"), "我想查余额");
        assert_eq!(normalize(Lang::Zh, "尾号Ｋ２２９１，对吗？"), "尾号k2291对吗");
        assert_eq!(normalize(Lang::Zh, "138 0013 8000"), "138 0013 8000");
    }

    #[test]
    fn nothing_but_punctuation_is_nothing() {
        assert_eq!(normalize(Lang::Zh, "。，、 …"), "");
        assert_eq!(normalize(Lang::En, "'?'"), "");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            for lang in [Lang::En, Lang::Zh] {
                let once = normalize(lang, &text);
                prop_assert_eq!(normalize(lang, &once), once);
            }
        }
    }
}
