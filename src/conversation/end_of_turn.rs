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
    /// Judges what was heard of a turn so far. `understood` says whether the dialog would make
    /// something of it, `too_long` whether it is to end in any case.
    pub(super) fn judge(
        listen: &Listen,
        text: &[Hypothesis],
        understood: bool,
        too_long: bool,
    ) -> Self {
        if too_long {
            return Self::TooLong;
        }
        let Some(best) = text.first() else { return Self::NoWords };
        let lang = listen.lang;
        if let Expect::Digits { min, max } = listen.expect {
            match best_digits(lang, text, &DigitSpec { min, max, allow_x: true }) {
                Some(all) if all.chars().count() >= usize::from(max) => {
                    return Self::NumberComplete;
                }
                Some(_) => return Self::NumberMayGoOn,
                None if text.iter().any(|h| digits(lang, &h.text).is_some()) => {
                    return Self::NumberUnfinished;
                }
                None => {}
            }
        }
        if trails_off(lang, &best.text) {
            return Self::TrailedOff;
        }
        match listen.expect {
            Expect::YesNo if yes_no(lang, &best.text).is_some() => Self::Answered,
            Expect::Text => Self::Message,
            _ if understood => Self::Understood,
            _ => Self::NotUnderstood,
        }
    }

    /// The pause that ends such a turn.
    pub(super) fn pause(self, timing: &Timing, listen: &Listen) -> Duration {
        let ms = match self {
            Self::NumberComplete | Self::Answered => timing.complete_ms,
            Self::Understood => timing.understood_ms,
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

/// Whether an utterance ends in words after which people go on.
fn trails_off(lang: Lang, text: &str) -> bool {
    let text = normalize(lang, text);
    match lang {
        Lang::En => {
            const TAILS: &str = "and|but|because|um|uh|er|the|a|to|my|so|or|if|that|with|for|of|\
                                 is|its|i|im|then|well|like|when|from|at|your|about|want to";
            TAILS.split('|').any(|tail| text == tail || text.ends_with(&format!(" {tail}")))
        }
        Lang::Zh => {
            const TAILS: &str = "因为|然后|那个|这个|就是|就是说|还有|我想|如果|但是|的话|所以|或者|\
                                 而且|可是|不过|我要|想问|比如|呃|额|关于|还是|跟|和|把|给我";
            TAILS.split('|').any(|tail| text.ends_with(tail))
        }
    }
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
        EndOfTurn::judge(&listen(expect, lang), &heard, understood, false)
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
    fn a_patient_question_waits_longer() {
        let mut patient = listen(Expect::Open, Lang::Zh);
        patient.patience_percent = 200;
        let timing = Timing::default();
        let pause = EndOfTurn::NotUnderstood.pause(&timing, &patient);
        assert_eq!(pause.as_millis() as u64, 2 * timing.open_ms);
    }
}
