//! When a pause is the end of the turn: from what is expected and what was heard, not from one
//! timer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timing;
use crate::{
    dialog::{Expect, Listen},
    text::{Hypothesis, Lang, normalize},
    understand::{DigitSpec, best_digits, digits, yes_no},
};

/// Why a turn was taken to be over after the pause that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndOfTurn {
    /// Every digit that was asked for is there.
    NumberComplete,
    /// Enough digits are there, but there might be more.
    NumberMayGoOn,
    /// Digits are missing, and none came for long.
    NumberUnfinished,
    /// A yes or a no to a question for it.
    Answered,
    /// The beginning of something longer that callers say.
    Begun,
    /// The dialog has an answer to what was said.
    Understood,
    /// A message in the caller's own words.
    Message,
    /// Words that the dialog makes nothing of; perhaps the rest would have helped.
    NotUnderstood,
    /// It broke off at a word after which people go on, and nothing came.
    TrailedOff,
    /// No word was found in it.
    NoWords,
    /// It had grown too long.
    TooLong,
}

impl EndOfTurn {
    /// As it stands in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NumberComplete => "number_complete",
            Self::NumberMayGoOn => "number_may_go_on",
            Self::NumberUnfinished => "number_unfinished",
            Self::Answered => "answered",
            Self::Begun => "begun",
            Self::Understood => "understood",
            Self::Message => "message",
            Self::NotUnderstood => "not_understood",
            Self::TrailedOff => "trailed_off",
            Self::NoWords => "no_words",
            Self::TooLong => "too_long",
        }
    }

    /// Judges what was heard of a turn so far. `understood` says whether the dialog would make
    /// something of it, `begun` whether it expects more, `too_long` whether it is to end in any case.
    pub(super) fn judge(
        listen: &Listen,
        text: &[Hypothesis],
        understood: bool,
        begun: bool,
        too_long: bool,
    ) -> Self {
        if too_long {
            return Self::TooLong;
        }
        let Some(best) = text.first() else { return Self::NoWords };
        let lang = listen.lang;
        if let Expect::Digits { min, max } = listen.expect {
            match best_digits(lang, text, &DigitSpec { min, max, allow_x: true, ..DigitSpec::NONE })
            {
                Some(all) if all.chars().count() >= usize::from(max) => {
                    return Self::NumberComplete;
                }
                Some(_) => return Self::NumberMayGoOn,
                None => {
                    let digits = text.iter().any(|h| digits(lang, &h.text).is_some());
                    if digits || (!understood && is_scrap(lang, &best.text)) {
                        return Self::NumberUnfinished;
                    }
                }
            }
        }
        if trails_off(lang, &best.text, understood) {
            return Self::TrailedOff;
        }
        match listen.expect {
            Expect::YesNo if yes_no(lang, &best.text).is_some() => Self::Answered,
            Expect::Text => Self::Message,
            _ if begun => Self::Begun,
            // A model makes something of everything, and callers think aloud.
            Expect::Talk => Self::NotUnderstood,
            Expect::Open if is_topic(lang, &best.text) => Self::Begun,
            _ if understood => Self::Understood,
            _ => Self::NotUnderstood,
        }
    }

    /// The pause that ends such a turn.
    pub(super) fn pause(self, timing: &Timing, listen: &Listen) -> Duration {
        let ms = match self {
            Self::NumberComplete | Self::Answered => timing.complete_ms,
            Self::Understood => timing.understood_ms,
            Self::Begun => timing.begun_ms,
            Self::NotUnderstood | Self::NoWords => timing.open_ms,
            Self::NumberMayGoOn => timing.may_go_on_ms,
            Self::Message => timing.message_ms,
            Self::NumberUnfinished => timing.digits_missing_ms,
            Self::TrailedOff => timing.unfinished_ms,
            Self::TooLong => 0,
        };
        Duration::from_millis(ms * u64::from(listen.patience_percent) / 100)
    }
}

/// Whether it is so short that, where a number was asked for, it is likelier its first digits misheard
/// (有三吧 for 幺三八) than something else that was said instead.
fn is_scrap(lang: Lang, text: &str) -> bool {
    let text = normalize(lang, text);
    match lang {
        Lang::En => text.split_whitespace().count() <= 4,
        Lang::Zh => text.chars().filter(|c| c.is_alphanumeric()).count() <= 6,
    }
}

/// Whether it names only what it is about, as Chinese requests often begin: 我的公积金账户 … 余额是多少.
fn is_topic(lang: Lang, text: &str) -> bool {
    const ASKS: &str = "查|看|问|想|要|办|提|转|交|取|改|找|帮|给|算|还|租|是|有|能|会|可以|怎|什么|多少|几|哪|吗|呢|没|不|了|丢|坏|错";
    let text = normalize(lang, text);
    let topic = ["我的", "我们的", "我家", "关于"].iter().any(|start| text.starts_with(start));
    lang == Lang::Zh && topic && !ASKS.split('|').any(|word| text.contains(word))
}

/// Whether an utterance ends in words after which people go on; of one that is understood, only where
/// something new would follow.
fn trails_off(lang: Lang, text: &str, understood: bool) -> bool {
    let comma = text.trim_end().ends_with([',', '，', '、', '-', '…']) || text.ends_with("...");
    let text = normalize(lang, text);
    let ends_in = |tails: &str| match lang {
        Lang::En => tails.split('|').any(|t| text == t || text.ends_with(&format!(" {t}"))),
        Lang::Zh => tails.split('|').any(|tail| text.ends_with(tail)),
    };
    let (joining, leading) = match lang {
        Lang::En => (
            "and|but|because|or|so|um|uh|er|then|if",
            "the|a|to|my|that|with|for|of|is|its|i|im|well|like|when|from|at|your|about|know|want|\
             need|hello|hi|please tell me",
        ),
        Lang::Zh => (
            "因为|然后|还有|如果|但是|的话|所以|或者|而且|可是|不过|比如|呃|还是",
            "那个|这个|就是|就是说|我想|我要|想问|问一下|问下|请问|你好|您好|喂|关于|跟|和|把|给我|我的",
        ),
    };
    // A hum at the beginning is written as some character of its sound.
    let hum = lang == Lang::Zh && text.chars().count() == 1;
    ends_in(joining) || (!understood && (comma || hum || ends_in(leading)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::KeyRules;

    fn listen(expect: Expect, lang: Lang) -> Listen {
        Listen {
            lang,
            expect,
            phrases: Vec::new(),
            no_input: Duration::from_secs(5),
            keys: KeyRules { max: 1, terminator: None, inter_digit: Duration::from_secs(3) },
            patience_percent: 100,
        }
    }

    fn judge(expect: Expect, lang: Lang, text: &str, understood: bool) -> EndOfTurn {
        let heard = [Hypothesis { text: text.into(), confidence: 1.0 }];
        EndOfTurn::judge(&listen(expect, lang), &heard, understood, false, false)
    }

    #[test]
    fn the_beginning_of_a_known_request_is_waited_for() {
        let heard = [Hypothesis { text: "I have a question.".into(), confidence: 1.0 }];
        let judge = |expect| EndOfTurn::judge(&listen(expect, Lang::En), &heard, true, true, false);
        assert_eq!(judge(Expect::Open), EndOfTurn::Begun);
        assert_eq!(judge(Expect::Text), EndOfTurn::Message);
    }

    #[test]
    fn a_chinese_topic_alone_is_the_beginning_of_a_request() {
        for (text, why) in [
            ("我的公积金账户", EndOfTurn::Begun),
            ("我的公积金余额是多少", EndOfTurn::Understood),
            ("查一下我的账户", EndOfTurn::Understood),
            ("我的卡丢了", EndOfTurn::Understood),
        ] {
            assert_eq!(judge(Expect::Open, Lang::Zh, text, true), why, "{text}");
        }
    }

    #[test]
    fn a_number_is_judged_by_its_length() {
        let phone = Expect::Digits { min: 11, max: 11 };
        let number = judge(phone.clone(), Lang::Zh, "一三八零零一三八零零零", true);
        assert_eq!(number, EndOfTurn::NumberComplete);
        let half = judge(phone, Lang::Zh, "一三八零零一三", false);
        assert_eq!(half, EndOfTurn::NumberUnfinished);
        let pin = Expect::Digits { min: 4, max: 6 };
        assert_eq!(judge(pin, Lang::En, "one two three four", true), EndOfTurn::NumberMayGoOn);
    }

    #[test]
    fn a_scrap_where_a_number_is_expected_is_its_beginning() {
        let phone = Expect::Digits { min: 11, max: 11 };
        let scrap = judge(phone.clone(), Lang::Zh, "有森啊", false);
        assert_eq!(scrap, EndOfTurn::NumberUnfinished);
        let other = judge(phone, Lang::En, "I do not have that number with me", false);
        assert_eq!(other, EndOfTurn::NotUnderstood);
    }

    #[test]
    fn a_request_in_place_of_a_number_is_understood() {
        let phone = Expect::Digits { min: 11, max: 11 };
        assert_eq!(judge(phone, Lang::En, "an agent please", true), EndOfTurn::Understood);
    }

    #[test]
    fn yes_ends_a_turn_and_yes_but_does_not() {
        assert_eq!(judge(Expect::YesNo, Lang::En, "Yes.", true), EndOfTurn::Answered);
        assert_eq!(judge(Expect::YesNo, Lang::En, "Yes, but", true), EndOfTurn::TrailedOff);
        assert_eq!(judge(Expect::YesNo, Lang::En, "the blue one", false), EndOfTurn::NotUnderstood);
    }

    #[test]
    fn words_after_which_people_go_on_are_waited_for_even_when_understood() {
        assert_eq!(judge(Expect::Open, Lang::Zh, "我想查余额，因为", true), EndOfTurn::TrailedOff);
        assert_eq!(
            judge(Expect::Open, Lang::En, "My bill is wrong and", true),
            EndOfTurn::TrailedOff
        );
        assert_eq!(judge(Expect::Open, Lang::En, "My bill is wrong.", true), EndOfTurn::Understood);
    }

    #[test]
    fn what_is_understood_may_end_in_a_small_word() {
        assert_eq!(
            judge(Expect::Open, Lang::En, "what my balance is", true),
            EndOfTurn::Understood
        );
        assert_eq!(
            judge(Expect::Open, Lang::En, "I'd like to know.", false),
            EndOfTurn::TrailedOff
        );
        assert_eq!(judge(Expect::Open, Lang::En, "This morning,", false), EndOfTurn::TrailedOff);
        assert_eq!(judge(Expect::Open, Lang::Zh, "你好，我想问一下", false), EndOfTurn::TrailedOff);
        assert_eq!(judge(Expect::Open, Lang::Zh, "买", false), EndOfTurn::TrailedOff);
        assert_eq!(judge(Expect::Open, Lang::Zh, "查一下余额", true), EndOfTurn::Understood);
        assert_eq!(judge(Expect::Open, Lang::Zh, "我要那个", true), EndOfTurn::Understood);
    }

    #[test]
    fn a_patient_question_waits_longer() {
        let mut patient = listen(Expect::Open, Lang::Zh);
        patient.patience_percent = 200;
        let timing = Timing::default();
        let pause = EndOfTurn::NotUnderstood.pause(&timing, &patient);
        assert_eq!(pause.as_millis() as u64, 2 * timing.open_ms);
    }
}
