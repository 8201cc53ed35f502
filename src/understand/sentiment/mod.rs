//! How pleased or angry the words of a caller are.

mod lexicon;

use lexicon::{Entry, Lexicon};

use crate::text::{Lang, is_hanzi, normalize};

/// How the words weigh: one strong word is enough for most of the scale.
const STEEPNESS: f32 = 0.8;
/// A negation reaches so far: words of English, characters of Chinese.
const REACH_EN: usize = 3;
const REACH_ZH: usize = 3;
/// What is left of a word that is negated: "not happy" is bad, "not bad" is hardly good.
const NOT_GOOD: f32 = -0.8;
const NOT_BAD: f32 = -0.3;
const NOT_BAD_MOST: f32 = 0.25;
/// What a word such as "really" makes of the next.
const STRONGER: f32 = 1.4;

/// The sentiment of what was said, from -1 for anger to 1 for delight; 0 for most of what callers say.
///
/// Counts words and phrases that callers of hotlines use, with negation and emphasis; there is no model behind it, so
/// that irony and everything that is only meant stays unheard.
#[must_use]
pub fn sentiment(lang: Lang, text: &str) -> f32 {
    let ends = |c: char| {
        matches!(c, ',' | '.' | ';' | '?' | '!' | '，' | '。' | '；' | '？' | '！' | '、' | '\n')
    };
    let lexicon = lexicon::of(lang);
    let sum: f32 = text.split(ends).map(|clause| weigh(lang, lexicon, clause)).sum();
    let rounded = ((sum * STEEPNESS).tanh() * 100.0).round() / 100.0;
    // Not -0.
    rounded + 0.0
}

/// The weight of one clause, over which no negation reaches.
fn weigh(lang: Lang, lexicon: &Lexicon, clause: &str) -> f32 {
    let units = units(lang, clause);
    let mut sum = 0.0;
    let mut at = 0;
    while at < units.len() {
        let Some((length, entry)) = lexicon.longest(&units[at..]) else {
            at += 1;
            continue;
        };
        let Entry::Weight(weight) = entry else {
            at += length;
            continue;
        };
        sum += in_context(lang, lexicon, &units[..at], weight);
        at += length;
    }
    sum
}

/// What a word weighs after `before`.
fn in_context(lang: Lang, lexicon: &Lexicon, before: &[String], weight: f32) -> f32 {
    let reach = match lang {
        Lang::En => REACH_EN,
        Lang::Zh => REACH_ZH,
    };
    let near = &before[before.len().saturating_sub(reach)..];
    let (mut negated, mut stronger) = (false, false);
    let mut at = 0;
    while at < near.len() {
        match lexicon.longest(&near[at..]) {
            Some((length, Entry::Negation)) => {
                negated = !negated;
                at += length;
            }
            Some((length, Entry::Emphasis)) => {
                stronger = true;
                at += length;
            }
            Some((length, Entry::Weight(_) | Entry::Nothing)) => at += length,
            None => at += 1,
        }
    }
    let weight = if stronger { weight * STRONGER } else { weight };
    match (negated, weight > 0.0) {
        (false, _) => weight,
        (true, true) => weight * NOT_GOOD,
        // "Not a scam" is no praise.
        (true, false) => (weight * NOT_BAD).min(NOT_BAD_MOST),
    }
}

/// Words of English, characters of Chinese; of Latin words in Chinese, whole words.
fn units(lang: Lang, clause: &str) -> Vec<String> {
    let text = normalize(lang, clause);
    let mut units: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if lang == Lang::En {
            units.push(word.to_owned());
            continue;
        }
        let mut latin = String::new();
        for c in word.chars() {
            if is_hanzi(c) {
                if !latin.is_empty() {
                    units.push(std::mem::take(&mut latin));
                }
                units.push(c.to_string());
            } else {
                latin.push(c);
            }
        }
        if !latin.is_empty() {
            units.push(latin);
        }
    }
    units
}

/// How many syllables `text` has, about: for how fast somebody speaks.
#[must_use]
pub fn syllables(lang: Lang, text: &str) -> u32 {
    let text = normalize(lang, text);
    let vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut count = 0;
    let mut in_vowels = false;
    for c in text.chars() {
        if is_hanzi(c) || c.is_ascii_digit() {
            count += 1;
            in_vowels = false;
            continue;
        }
        if vowel(c) && !in_vowels {
            count += 1;
        }
        in_vowels = vowel(c);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angry_pleased_and_plain_words_are_told_apart() {
        for (lang, text, wanted) in [
            (Lang::En, "This is ridiculous, I have called three times already", -1),
            (Lang::En, "let me talk to your supervisor right now", -1),
            (Lang::En, "I'm going to call my lawyer", -1),
            (Lang::En, "you people are useless", -1),
            (Lang::En, "thank you so much, that was really helpful", 1),
            (Lang::En, "perfect, great", 1),
            (Lang::En, "my power is out", 0),
            (Lang::En, "what do I owe", 0),
            (Lang::En, "no", 0),
            (Lang::Zh, "你们这是骗子吧，我要投诉", -1),
            (Lang::Zh, "再不解决我就打12315", -1),
            (Lang::Zh, "我要找律师曝光你们", -1),
            (Lang::Zh, "打了三遍都没人管，太不像话了", -1),
            (Lang::Zh, "太好了，谢谢你，非常满意", 1),
            (Lang::Zh, "我想查一下公积金余额", 0),
            (Lang::Zh, "不是，是一三八", 0),
        ] {
            let score = sentiment(lang, text);
            let is = if score <= -0.4 {
                -1
            } else if score >= 0.4 {
                1
            } else {
                0
            };
            assert_eq!(is, wanted, "{text}: {score}");
        }
    }

    #[test]
    fn negation_turns_a_word_within_its_clause_only() {
        assert!(sentiment(Lang::En, "I am not happy with this") < -0.3);
        assert!(sentiment(Lang::En, "no, that is great") > 0.4);
        assert!(sentiment(Lang::En, "it is not bad") > 0.0);
        assert!(sentiment(Lang::Zh, "我对你们不满意") < -0.4);
        assert!(sentiment(Lang::Zh, "不，太好了") > 0.4);
        assert!(sentiment(Lang::Zh, "我不是要投诉") > -0.2);
    }

    #[test]
    fn syllables_are_counted_about() {
        assert_eq!(syllables(Lang::Zh, "我想查余额。"), 5);
        assert_eq!(syllables(Lang::En, "What is my balance?"), 6);
        assert_eq!(syllables(Lang::En, ""), 0);
    }

    proptest::proptest! {
        #[test]
        fn every_score_is_on_the_scale(text in proptest::prelude::any::<String>()) {
            for lang in [Lang::En, Lang::Zh] {
                proptest::prop_assert!((-1.0..=1.0).contains(&sentiment(lang, &text)));
            }
        }
    }
}
