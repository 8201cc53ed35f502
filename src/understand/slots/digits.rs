use super::{digits_en, digits_zh};
use crate::text::{Hypothesis, Lang};

/// Most readings of one utterance that are kept.
const MOST_READINGS: usize = 48;
/// How much less a reading counts than the one before it, and a hypothesis than the one before.
const READING_DECAY: f32 = 0.8;
const HYPOTHESIS_DECAY: f32 = 0.9;

/// What string of digits a slot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigitSpec {
    /// Fewest characters.
    pub min: u8,
    /// Most characters.
    pub max: u8,
    /// Whether the last one may be `X`, as in a Chinese identity number.
    pub allow_x: bool,
    /// What its last character must agree with.
    pub check: Option<DigitCheck>,
}

/// How the last character of a number follows from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigitCheck {
    /// Chinese identity numbers, GB 11643: 18 characters, the last of which may be `X`.
    Gb11643,
    /// Numbers of cards, ISO/IEC 7812.
    Luhn,
}

impl DigitCheck {
    /// Whether `number` ends as it must.
    #[must_use]
    pub fn holds(self, number: &str) -> bool {
        let digits: Option<Vec<u32>> =
            number.chars().map(|c| if c == 'X' { Some(10) } else { c.to_digit(10) }).collect();
        let Some(digits) = digits.filter(|digits| !digits.is_empty()) else { return false };
        match self {
            Self::Gb11643 => {
                // Weights are powers of two modulo 11, from the last place on.
                let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
                digits.len() == weights.len()
                    && digits.iter().zip(weights).map(|(d, w)| d * w).sum::<u32>() % 11 == 1
            }
            Self::Luhn => {
                let doubled = |(at, d): (usize, &u32)| match at % 2 {
                    0 => *d,
                    _ => d * 2 / 10 + d * 2 % 10,
                };
                digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
            }
        }
    }
}

impl DigitSpec {
    /// Nothing, to fill in what one needs not say.
    pub const NONE: Self = Self { min: 0, max: 0, allow_x: false, check: None };

    /// Whether `digits` (`0-9`, `X`) is such a string.
    #[must_use]
    pub fn fits(&self, digits: &str) -> bool {
        let body = if self.allow_x { digits.strip_suffix('X').unwrap_or(digits) } else { digits };
        (usize::from(self.min)..=usize::from(self.max)).contains(&digits.len())
            && body.bytes().all(|b| b.is_ascii_digit())
            && self.check.is_none_or(|check| check.holds(digits))
    }
}

/// A piece of an utterance, as the language's grammar sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Digits; several when the words can be read several ways, likeliest first, empty for
    /// "perhaps no digit at all".
    Digits(Vec<String>),
    /// A sound or word that people put between digits.
    Filler,
    /// Any other word: the digits around it may not belong together.
    Word,
    /// The caller starts over: "no wait", 不对.
    Restart,
}

/// Whether what was heard is the number of a payment card: 13 to 19 digits with a right check digit.
#[must_use]
pub fn is_card_number(lang: Lang, heard: &str) -> bool {
    const CARD: DigitSpec =
        DigitSpec { min: 13, max: 19, allow_x: false, check: Some(DigitCheck::Luhn) };
    // Nothing shorter has as many digits, in figures or in words.
    heard.chars().count() >= usize::from(CARD.min)
        && readings(lang, heard).iter().any(|reading| CARD.fits(reading))
}

/// The digits the caller said, as `0-9` with a possible final `X`; `None` when there are none.
///
/// Understands groups ("one thirty-eight"), "double oh", 幺, 三个零, Arabic digits in any
/// grouping, and common mishearings between digits. Of digits in several places the longest
/// stretch is taken, and after "no wait" what comes then.
#[must_use]
pub fn digits(lang: Lang, heard: &str) -> Option<String> {
    readings(lang, heard).into_iter().next()
}

/// All strings of digits that fit `spec`, over all readings of all hypotheses: for looking them up among known ones.
#[must_use]
pub fn digit_readings(lang: Lang, heard: &[Hypothesis], spec: &DigitSpec) -> Vec<String> {
    let all = heard.iter().flat_map(|hypothesis| readings(lang, &hypothesis.text));
    all.filter(|reading| spec.fits(reading)).collect()
}

/// The string of digits that fits `spec`, over all readings of all hypotheses; readings that agree
/// support each other. `None` when nothing fits.
#[must_use]
pub fn best_digits(lang: Lang, heard: &[Hypothesis], spec: &DigitSpec) -> Option<String> {
    let mut scored: Vec<(String, f32)> = Vec::new();
    let mut hypothesis_weight = 1.0;
    for hypothesis in heard {
        let mut weight = hypothesis_weight * hypothesis.confidence.clamp(0.05, 1.0);
        for reading in readings(lang, &hypothesis.text).into_iter().filter(|r| spec.fits(r)) {
            match scored.iter_mut().find(|(known, _)| *known == reading) {
                Some((_, score)) => *score += weight,
                None => scored.push((reading, weight)),
            }
            weight *= READING_DECAY;
        }
        hypothesis_weight *= HYPOTHESIS_DECAY;
    }
    // `reduce` keeps the earlier of equals, which is the better ranked.
    scored.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|s| s.0)
}

/// All readings, likeliest first, none twice.
fn readings(lang: Lang, heard: &str) -> Vec<String> {
    let tokens = match lang {
        Lang::En => digits_en::tokens(heard),
        Lang::Zh => digits_zh::tokens(heard),
    };
    let mut found: Vec<String> = Vec::new();
    let after_restart = tokens.rsplit(|token| *token == Token::Restart).next().unwrap_or_default();
    for tokens in [after_restart, &tokens] {
        let mut runs = runs(tokens);
        let whole = runs.concat();
        runs.sort_by_key(|run| std::cmp::Reverse(length(run)));
        runs.insert(1.min(runs.len()), whole);
        let read: Vec<String> = runs.iter().flat_map(expand).collect();
        let once = read.iter().filter_map(|reading| said_once(reading)).collect::<Vec<_>>();
        for reading in once.into_iter().chain(read) {
            if !reading.is_empty() && !found.contains(&reading) && found.len() < MOST_READINGS {
                found.push(reading);
            }
        }
    }
    found
}

/// The number in a reading that says it over and over, as recognisers do that loop and callers
/// who repeat themselves; the last time may be cut short, and after three times alike anything may
/// follow, for a loop ends in confusion. Two digits repeated are just digits.
fn said_once(reading: &str) -> Option<String> {
    let bytes = reading.as_bytes();
    let repeats = |&period: &usize| {
        let later = bytes.iter().skip(period);
        let alike = period + bytes.iter().zip(later).take_while(|(a, b)| a == b).count();
        alike == bytes.len() || alike >= 3 * period
    };
    (4..=bytes.len() / 2).find(repeats).map(|period| reading[..period].to_owned())
}

type Run = Vec<Vec<String>>;

/// Stretches of digits with nothing but fillers between them.
fn runs(tokens: &[Token]) -> Vec<Run> {
    let breaks = |token: &Token| matches!(token, Token::Word | Token::Restart);
    let digits = |token: &Token| match token {
        Token::Digits(ways) => Some(ways.clone()),
        _ => None,
    };
    tokens
        .split(breaks)
        .map(|stretch| stretch.iter().filter_map(digits).collect::<Run>())
        .filter(|run| !run.is_empty())
        .collect()
}

fn length(run: &Run) -> usize {
    run.iter().filter_map(|ways| ways.first()).map(String::len).sum()
}

/// The readings of one run, those with the fewest second choices first.
fn expand(run: &Run) -> Vec<String> {
    let mut readings = vec![(0_usize, String::new())];
    for ways in run {
        let mut longer = Vec::with_capacity(readings.len() * ways.len());
        for (rank, way) in ways.iter().enumerate() {
            longer
                .extend(readings.iter().map(|(cost, said)| (cost + rank, format!("{said}{way}"))));
        }
        longer.sort_by_key(|(cost, _)| *cost);
        longer.truncate(MOST_READINGS);
        readings = longer;
    }
    // X is a check character: it ends a number or is none.
    let valid = |said: &String| said.find('X').is_none_or(|at| at + 1 == said.len());
    readings.into_iter().map(|(_, said)| said).filter(valid).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(texts: &[&str]) -> Vec<Hypothesis> {
        texts.iter().map(|text| Hypothesis { text: (*text).into(), confidence: 1.0 }).collect()
    }

    const PHONE: DigitSpec = DigitSpec { min: 11, max: 11, allow_x: false, ..DigitSpec::NONE };
    const ID_TAIL: DigitSpec = DigitSpec { min: 6, max: 6, allow_x: true, ..DigitSpec::NONE };
    const ZIP: DigitSpec = DigitSpec { min: 5, max: 5, allow_x: false, ..DigitSpec::NONE };

    #[test]
    fn the_reading_that_fits_is_chosen_from_any_hypothesis() {
        let n_best = heard(&["一三八零零幺三八零零", "一三八零零幺三八零零零"]);
        assert_eq!(best_digits(Lang::Zh, &n_best, &PHONE).as_deref(), Some("13800138000"));
    }

    #[test]
    fn agreeing_hypotheses_outvote_the_first() {
        let n_best = heard(&["94111", "nine four one one oh", "94110"]);
        assert_eq!(best_digits(Lang::En, &n_best, &ZIP).as_deref(), Some("94110"));
    }

    #[test]
    fn a_number_said_anew_replaces_the_broken_one() {
        let restarted = heard(&["呃，二九三…等一下啊，二九三二二四"]);
        assert_eq!(best_digits(Lang::Zh, &restarted, &ID_TAIL).as_deref(), Some("293224"));
        let continued = heard(&["二九三，等一下，二二四"]);
        assert_eq!(best_digits(Lang::Zh, &continued, &ID_TAIL).as_deref(), Some("293224"));
    }

    #[test]
    fn what_a_recogniser_writes_for_a_four_is_one() {
        let said = best_digits(Lang::Zh, &heard(&["92637次。"]), &ID_TAIL);
        assert_eq!(said.as_deref(), Some("926374"));
    }

    #[test]
    fn what_a_recogniser_writes_for_the_one_of_telephone_numbers_is_one() {
        for (said, number) in [
            ("有三八，零零幽三，八零零零", "13800138000"),
            ("187,1628,988有", "18716289881"),
            ("由森八，零零一三，八零零零", "13800138000"),
        ] {
            assert_eq!(
                best_digits(Lang::Zh, &heard(&[said]), &PHONE).as_deref(),
                Some(number),
                "{said}"
            );
        }
        assert_eq!(best_digits(Lang::Zh, &heard(&["我有三个问题"]), &ID_TAIL), None);
    }

    #[test]
    fn x_is_taken_only_where_it_is_allowed_and_last() {
        let said = heard(&["三一零零二叉"]);
        assert_eq!(best_digits(Lang::Zh, &said, &ID_TAIL).as_deref(), Some("31002X"));
        let spec = DigitSpec { allow_x: false, ..ID_TAIL };
        assert_eq!(best_digits(Lang::Zh, &said, &spec), None);
        assert!(!ID_TAIL.fits("3100X2"));
    }

    #[test]
    fn the_zip_is_found_beside_the_house_number() {
        let said = heard(&["nine four double one oh, and it's eighteen"]);
        assert_eq!(best_digits(Lang::En, &said, &ZIP).as_deref(), Some("94110"));
    }

    #[test]
    fn a_number_that_the_recogniser_repeats_is_heard_once() {
        let said = heard(&["15926374866。15926374866。15926374866。159"]);
        assert_eq!(best_digits(Lang::Zh, &said, &PHONE).as_deref(), Some("15926374866"));
        let said = heard(&["15926374866。15926374866。15926374866。1592637486666。15"]);
        assert_eq!(best_digits(Lang::Zh, &said, &PHONE).as_deref(), Some("15926374866"));
    }

    #[test]
    fn what_does_not_fit_is_nothing() {
        assert_eq!(best_digits(Lang::En, &heard(&["four five"]), &ZIP), None);
        assert_eq!(best_digits(Lang::En, &[], &ZIP), None);
    }

    #[test]
    fn check_digits_follow_from_the_others() {
        for (check, number, holds) in [
            (DigitCheck::Gb11643, "310115198804293224", true),
            (DigitCheck::Gb11643, "370202199102061110", true),
            (DigitCheck::Gb11643, "11010519491231002X", true),
            (DigitCheck::Gb11643, "110105194912310021", false),
            (DigitCheck::Gb11643, "310115198804293225", false),
            (DigitCheck::Gb11643, "293224", false),
            (DigitCheck::Luhn, "4111111111111111", true),
            (DigitCheck::Luhn, "4111111111111112", false),
            (DigitCheck::Luhn, "", false),
        ] {
            assert_eq!(check.holds(number), holds, "{number}");
        }
    }

    #[test]
    fn of_several_readings_the_one_with_the_right_check_digit_counts() {
        let heard = ["110105194912310021", "一一零一零五一九四九一二三一零零二叉"];
        let heard: Vec<Hypothesis> = heard
            .into_iter()
            .map(|text| Hypothesis { text: text.to_owned(), confidence: 0.9 })
            .collect();
        let check = Some(DigitCheck::Gb11643);
        let spec = DigitSpec { min: 18, max: 18, allow_x: true, check };
        let number = best_digits(Lang::Zh, &heard, &spec);
        assert_eq!(number.as_deref(), Some("11010519491231002X"));
    }

    proptest! {
        #[test]
        fn any_text_gives_digits_or_nothing(
            text in any::<String>(),
            said in "[一二三四五六七八九十百千零幺两个叉吧要0-9x ]{0,40}",
            words in "((one|twenty|hundred|thousand|oh|double|to|x|7) ?){0,12}",
        ) {
            for text in [text, said, words] {
                for lang in [Lang::En, Lang::Zh] {
                    let found = digits(lang, &text).unwrap_or_default();
                    let spec = DigitSpec { min: 0, max: u8::MAX, allow_x: true, ..DigitSpec::NONE };
                    prop_assert!(found.len() > 255 || spec.fits(&found), "{text:?}: {found:?}");
                }
            }
        }
    }
}
