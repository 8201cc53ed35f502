//! Words by which a listener says "I am listening" and nothing else.

use crate::text::{Lang, is_hanzi, normalize};

/// What a backchannel says besides "go on".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backchannel {
    /// Nothing: 嗯, "uh-huh". While the other one speaks, it is never an answer.
    Hum,
    /// Yes, if it was asked for: 好的, "right". Under a statement it means "I follow".
    Assent,
}

/// Sounds, written as recognisers write them.
const HUMS_EN: &str = "uh huh|uhhuh|mm hmm|mmhmm|mhm|mm|mmm|hm|hmm|hmmm|um|umm|uh|uhh|er|erm|ah|ahh|oh|ooh|aha|huh|eh";
const ASSENT_EN: &str = "ok|okay|okey|k|right|alright|all right|yeah|yep|yup|yes|sure|i see|got it|\
                         of course|good|great|fine|cool|exactly|true|thank you|thanks";
const HUMS_ZH: &str = "嗯|哼|恩|唔|摁|哦|噢|喔|哦哦|啊|呃|额|诶|欸|唉|哎|哈|呵|呐|嗨";
const ASSENT_ZH: &str = "好的|好吧|好嘞|好|对的|对|是的|是啊|是|行|可以|没错|明白了|明白|知道了|知道|了解|谢谢|这样啊|这样";
/// Single words by which callers make the bot stop.
const CALLS_EN: &str = "stop|wait|hello|hey|what|sorry|pardon|no|nope|not|help|quit|enough|repeat|again|agent|operator|human";
const CALLS_ZH: &str = "停|喂|等|不|别|慢|人工|你好|什么|再说|救命|投诉";
/// Particles that change nothing.
const PARTICLES_ZH: &str = "啊呀呢吧哈啦了的";

/// What `heard` is if it holds nothing but backchannels; `None` for anything that says more, and
/// for nothing at all.
#[must_use]
pub fn backchannel(lang: Lang, heard: &str) -> Option<Backchannel> {
    match lang {
        Lang::En => {
            let heard = normalize(lang, heard);
            let words: Vec<&str> = heard.split(' ').filter(|word| !word.is_empty()).collect();
            consume(&words, |words| {
                let phrase = |list: &str| {
                    let phrases = list.split('|').map(|phrase| phrase.split(' ').count());
                    let fits = list.split('|').zip(phrases).filter(|(phrase, count)| {
                        words.len() >= *count
                            && phrase.split(' ').eq(words[..*count].iter().copied())
                    });
                    fits.map(|(_, count)| count).max()
                };
                longest(phrase(HUMS_EN), phrase(ASSENT_EN))
            })
        }
        Lang::Zh => {
            let heard: Vec<char> = normalize(lang, heard)
                .chars()
                .filter(|c| is_hanzi(*c) || c.is_alphanumeric())
                .collect();
            consume(&heard, |rest| {
                let phrase = |list: &str| {
                    let fits = list.split('|').map(|phrase| phrase.chars());
                    fits.filter(|phrase| rest.starts_with(&phrase.clone().collect::<Vec<_>>()))
                        .map(|phrase| phrase.count())
                        .max()
                };
                let particle = rest.first().is_some_and(|c| PARTICLES_ZH.contains(*c));
                longest(phrase(HUMS_ZH), phrase(ASSENT_ZH))
                    .or_else(|| particle.then_some((1, Backchannel::Hum)))
            })
        }
    }
}

/// Whether `heard` is one word, in Chinese two syllables at most, and none by which people interrupt.
#[must_use]
pub fn is_one_word(lang: Lang, heard: &str) -> bool {
    let heard = normalize(lang, heard);
    let (words, calls) = match lang {
        Lang::En => (heard.split(' ').filter(|word| !word.is_empty()).count(), CALLS_EN),
        Lang::Zh => (heard.chars().filter(|c| c.is_alphanumeric()).count(), CALLS_ZH),
    };
    let mut calls = calls.split('|');
    match lang {
        Lang::En => words == 1 && !calls.any(|call| heard == call),
        Lang::Zh => (1..=2).contains(&words) && !calls.any(|call| heard.contains(call)),
    }
}

/// Whether nobody could say so much in `ms`: nine Chinese syllables a second are a lot, or five English words.
/// Recognisers write sentences where there was a cough.
#[must_use]
pub fn is_too_much_for(lang: Lang, heard: &str, ms: u64) -> bool {
    let heard = normalize(lang, heard);
    let (count, each) = match lang {
        Lang::En => (heard.split(' ').filter(|word| !word.is_empty()).count(), 200),
        Lang::Zh => (heard.chars().filter(|c| c.is_alphanumeric()).count(), 110),
    };
    // What is found to be speech may lack a syllable at each end.
    count as u64 > 2 + ms / each
}

/// The longer of a hum and an assent.
fn longest(hum: Option<usize>, assent: Option<usize>) -> Option<(usize, Backchannel)> {
    let hum = hum.map(|count| (count, Backchannel::Hum));
    let assent = assent.map(|count| (count, Backchannel::Assent));
    hum.into_iter().chain(assent).max_by_key(|(count, _)| *count)
}

/// Takes backchannels off the front until nothing is left.
fn consume<T>(
    all: &[T],
    front: impl Fn(&[T]) -> Option<(usize, Backchannel)>,
) -> Option<Backchannel> {
    let mut rest = all;
    let mut found = None;
    while !rest.is_empty() {
        let (count, kind) = front(rest)?;
        if found != Some(Backchannel::Assent) {
            found = Some(kind);
        }
        rest = &rest[count..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hums_are_hums() {
        for text in ["嗯", "嗯，嗯。", "哦哦", "恩", "啊"] {
            assert_eq!(backchannel(Lang::Zh, text), Some(Backchannel::Hum), "{text}");
        }
        for text in ["Uh-huh.", "Mm-hmm", "Oh.", "Um, uh"] {
            assert_eq!(backchannel(Lang::En, text), Some(Backchannel::Hum), "{text}");
        }
    }

    #[test]
    fn one_word_may_be_anything_but_a_call() {
        for (lang, text) in
            [(Lang::En, "Mum."), (Lang::En, "you"), (Lang::Zh, "妈。"), (Lang::Zh, "你呢")]
        {
            assert!(is_one_word(lang, text), "{text}");
        }
        for (lang, text) in [
            (Lang::En, "Stop!"),
            (Lang::En, "my bill"),
            (Lang::Zh, "喂？"),
            (Lang::Zh, "停下"),
            (Lang::Zh, ""),
        ] {
            assert!(!is_one_word(lang, text), "{text}");
        }
    }

    #[test]
    fn nobody_says_three_syllables_in_a_cough() {
        assert!(is_too_much_for(Lang::Zh, "继续设", 64));
        assert!(is_too_much_for(Lang::En, "Thank you very much.", 150));
        assert!(!is_too_much_for(Lang::Zh, "转人工", 350));
        assert!(!is_too_much_for(Lang::En, "an agent please", 400));
    }

    #[test]
    fn assent_counts_as_such_beside_hums() {
        for text in ["好的", "嗯，好", "对对对", "行吧", "哦，这样啊"] {
            assert_eq!(backchannel(Lang::Zh, text), Some(Backchannel::Assent), "{text}");
        }
        for text in ["Okay.", "Oh, I see.", "yeah yeah", "Right."] {
            assert_eq!(backchannel(Lang::En, text), Some(Backchannel::Assent), "{text}");
        }
    }

    #[test]
    fn anything_that_says_more_is_not_one() {
        for text in ["不对", "我要转人工", "好贵", "对不起", "是谁", "等一下", ""]
        {
            assert_eq!(backchannel(Lang::Zh, text), None, "{text}");
        }
        for text in ["no", "okay stop", "right now", "I see a problem", "um agent", " "] {
            assert_eq!(backchannel(Lang::En, text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_accepted(text in "\\PC{0,40}") {
            let _ = backchannel(Lang::Zh, &text);
            let _ = backchannel(Lang::En, &text);
        }
    }
}
