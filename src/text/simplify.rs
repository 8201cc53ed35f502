use std::sync::OnceLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};

/// Writes traditional characters as simplified ones, word by word (OpenCC `t2s`).
///
/// Recognisers trained on mixed text return both. The dictionary is in the binary and is unpacked
/// at the first use; text without Chinese characters never touches it.
#[must_use]
pub fn simplify(text: &str) -> String {
    static CONVERTER: OnceLock<Option<OpenCC>> = OnceLock::new();
    if !text.chars().any(super::is_hanzi) {
        return text.to_owned();
    }
    // The dictionary is compiled in, so building the converter fails only if it was built without
    // that feature; unsimplified text is then the best there is.
    match CONVERTER.get_or_init(|| OpenCC::from_config(BuiltinConfig::T2s).ok()) {
        Some(converter) => converter.convert(text),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_becomes_simplified() {
        assert_eq!(simplify("請問您的號碼是多少"), "请问您的号码是多少");
    }

    #[test]
    fn a_character_with_two_simplifications_follows_its_word() {
        assert_eq!(simplify("乾淨"), "干净");
        assert_eq!(simplify("乾坤"), "乾坤");
    }

    #[test]
    fn simplified_and_english_text_stays_as_it_is() {
        assert_eq!(simplify("我想查余额 balance"), "我想查余额 balance");
        assert_eq!(simplify(""), "");
    }
}
