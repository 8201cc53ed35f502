use crate::understand::found_in;

/// Lines that Whisper learnt from subtitles and returns for noise and silence.
const SUBTITLE_LINES: [&str; 12] = [
    "字幕by",
    "字幕志愿者",
    "字幕由",
    "中文字幕",
    "字幕提供",
    "amara.org",
    "明镜与点点",
    "点点栏目",
    "请不吝点赞",
    "订阅转发打赏",
    "优优独播剧场",
    "thanks for watching",
];

/// What a speaker can have said in `voiced_s` seconds of speech, out of what Whisper returned:
/// without bracketed remarks, subtitle credits and loops. Empty when nothing is left but
/// punctuation.
pub(super) fn clean(text: &str, voiced_s: f32) -> String {
    let text = without_remarks(text);
    let text = text.trim();
    let bare = text.to_lowercase().replace(' ', "");
    let credits = SUBTITLE_LINES.iter().any(|line| bare.contains(&line.replace(' ', "")));
    if credits || !text.contains(char::is_alphanumeric) {
        return String::new();
    }
    without_loop(text, voiced_s)
}

/// Removes `(music)`, `[BLANK_AUDIO]`, `【音乐】` and the like.
fn without_remarks(text: &str) -> String {
    let mut depth = 0usize;
    text.chars()
        .filter(|c| match c {
            '(' | '[' | '（' | '【' | '［' => {
                depth += 1;
                false
            }
            ')' | ']' | '）' | '】' | '］' => {
                depth = depth.saturating_sub(1);
                false
            }
            '♪' | '\u{fffd}' => false,
            _ => depth == 0,
        })
        .collect()
}

/// Reduces what repeats at the end to its first time, if there is more text than anyone says in
/// `voiced_s` seconds. Text that fits the time is kept even when it repeats: callers do say
/// 一三一三.
fn without_loop(text: &str, voiced_s: f32) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    while speaking_time(&chars) > voiced_s + 0.3 {
        let repeated = (1..=chars.len() / 2).map(|period| repeated_at_end(&chars, period)).max();
        match repeated.filter(|count| *count > 0).or_else(|| nearly_repeated_at_end(&chars)) {
            Some(count) => chars.truncate(chars.len() - count),
            None => break,
        }
    }
    chars.into_iter().collect()
}

/// Seconds that a fast speaker needs: 7 Chinese syllables, 7 digits or 22 English letters a
/// second. Noughts may stand for a word of their own or for none (一百, "two thousand").
fn speaking_time(chars: &[char]) -> f32 {
    let letters = chars.iter().filter(|c| c.is_ascii_alphabetic()).count();
    let digits = chars.iter().filter(|c| c.is_ascii_digit() && **c != '0').count();
    let han = chars.iter().filter(|c| !c.is_ascii() && c.is_alphanumeric()).count();
    (han + digits) as f32 / 7.0 + letters as f32 / 22.0
}

/// How many characters the last sentence has, when it says the one before it again but for a
/// slip: what a loop makes of a number (15926374866。159263748666。).
fn nearly_repeated_at_end(chars: &[char]) -> Option<usize> {
    let ends = |c: &char| matches!(c, '.' | '。' | '!' | '！' | '?' | '？');
    let bare = |part: &[char]| -> Vec<char> {
        part.iter().copied().filter(|c| c.is_alphanumeric()).collect()
    };
    let mut sentences = chars.split_inclusive(ends).rev();
    let (last, before) = (sentences.next()?, sentences.next()?);
    let said = bare(last);
    (said.len() > 2 && found_in(&said, &bare(before)) >= 0.75).then_some(last.len())
}

/// How many characters at the end say again what stands `period` before them; 0 for less than
/// one whole repetition.
fn repeated_at_end(chars: &[char], period: usize) -> usize {
    let again = chars.iter().rev().zip(chars.iter().rev().skip(period));
    let count = again.take_while(|(a, b)| a == b).count();
    if count < period { 0 } else { count }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_said_stays() {
        assert_eq!(clean(" 我想查一下余额。", 2.0), "我想查一下余额。");
        assert_eq!(clean("一三一三一三", 1.2), "一三一三一三");
    }

    #[test]
    fn subtitle_credits_are_dropped() {
        assert_eq!(clean("字幕 by 索兰娅", 2.0), "");
        assert_eq!(clean("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", 3.0), "");
    }

    #[test]
    fn remarks_about_sound_are_dropped() {
        assert_eq!(clean("(音乐)", 2.0), "");
        assert_eq!(clean("[BLANK_AUDIO] 好的", 2.0), "好的");
        assert_eq!(clean("。。！", 2.0), "");
    }

    #[test]
    fn a_loop_is_cut_to_its_first_time() {
        assert_eq!(clean("公共汽车公共汽车公共汽车公共", 0.9), "公共汽车");
        assert_eq!(clean("我要千种千种千种千种千种千种", 0.3), "我要千种");
        assert_eq!(clean("谢谢!谢谢!谢谢!谢谢!谢谢", 0.6), "谢谢!");
        assert_eq!(clean("159.2637.4866。159.2637.4866。159.", 2.1), "159.2637.4866。");
    }

    #[test]
    fn a_loop_that_slips_is_cut_too() {
        let looped = "15926374866。159263748666。159263748666。1592637486";
        assert_eq!(clean(looped, 2.1), "15926374866。");
    }

    #[test]
    fn a_number_said_twice_stays() {
        let twice = "15926374866。15926374866。";
        assert_eq!(clean(twice, 4.6), twice);
    }

    proptest! {
        #[test]
        fn cleaning_never_adds_text(text in "\\PC*", voiced_s in 0.0f32..10.0) {
            prop_assert!(clean(&text, voiced_s).chars().count() <= text.chars().count());
        }
    }
}
