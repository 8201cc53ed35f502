//! Arabic digits in Chinese text.

/// `text` with its digits as Chinese words, read one by one.
pub(super) fn spell_out(text: &str) -> String {
    text.chars()
        .map(|c| c.to_digit(10).map_or(c, |d| DIGITS[d as usize]))
        .collect()
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
