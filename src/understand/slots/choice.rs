use crate::{
    text::{Hypothesis, Lang, fuzzy, normalize},
    understand::distance::found_in,
};

/// Likeness below which a misheard phrase is not taken for an option.
const TOLERATED: f32 = 0.72;
/// How much better than the second the best option must be.
const MARGIN: f32 = 0.08;
const HYPOTHESIS_DECAY: f32 = 0.92;

/// One of the things a caller may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceOption {
    /// The value the slot gets.
    pub name: String,
    /// What callers say for it.
    pub phrases: Vec<String>,
}

/// The option a caller chose.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceMatch {
    /// Its [`ChoiceOption::name`].
    pub name: String,
    /// How sure, `0.0..=1.0`: 1 for exactly a phrase, below 0.72 never.
    pub score: f32,
}

/// Which of `options` the caller means; `None` when nothing is near or two are equally near.
///
/// A phrase counts when it is what was said, stands in it, or sounds like part of it (pinyin with
/// merged sounds in Chinese, letters in English). "The second one" and 第二个 choose by position.
/// Options that the caller rules out ("not the kettle", 不要水壶) do not count.
#[must_use]
pub fn choice(lang: Lang, heard: &[Hypothesis], options: &[ChoiceOption]) -> Option<ChoiceMatch> {
    let mut scores = vec![0.0_f32; options.len()];
    let mut weight = 1.0;
    for hypothesis in heard {
        let said = normalize(lang, &hypothesis.text);
        let position = ordinal(lang, &said, options.len());
        for (at, option) in options.iter().enumerate() {
            let by_position = if position == Some(at) { 0.8 } else { 0.0 };
            let score = option_score(lang, &said, option).max(by_position);
            scores[at] = scores[at].max(score * weight);
        }
        weight *= HYPOTHESIS_DECAY;
    }
    let best = (0..options.len()).reduce(|a, b| if scores[b] > scores[a] { b } else { a })?;
    let others = scores.iter().enumerate().filter(|(at, _)| *at != best).map(|(_, score)| *score);
    let second = others.fold(0.0, f32::max);
    let clear = scores[best] >= TOLERATED * 0.99 && scores[best] - second >= MARGIN;
    clear.then(|| ChoiceMatch { name: options[best].name.clone(), score: scores[best].min(1.0) })
}

fn option_score(lang: Lang, said: &str, option: &ChoiceOption) -> f32 {
    let phrases = option.phrases.iter().map(|phrase| normalize(lang, phrase));
    let scores = phrases.filter(|phrase| !phrase.is_empty()).map(|p| phrase_score(lang, said, &p));
    scores.fold(0.0, f32::max)
}

/// How surely `phrase` was chosen by saying `said`, both normalised.
fn phrase_score(lang: Lang, said: &str, phrase: &str) -> f32 {
    if said == phrase {
        return 1.0;
    }
    match occurrence(lang, said, phrase) {
        Occurrence::Chosen => {
            // A longer phrase explains more: "gift card" beats "card" when both stand there.
            let covered = phrase.chars().count() as f32 / said.chars().count().max(1) as f32;
            let length = (phrase.chars().count() as f32 / 20.0).min(0.1) * 2.0;
            return (0.78 + 0.1 * covered + length * 0.5).min(0.98);
        }
        Occurrence::RuledOut => return 0.0,
        Occurrence::Absent => {}
    }
    if said.chars().count() >= 2 && occurrence(lang, phrase, said) == Occurrence::Chosen {
        return 0.76;
    }
    0.95 * sound_likeness(lang, said, phrase)
}

#[derive(PartialEq)]
enum Occurrence {
    Chosen,
    RuledOut,
    Absent,
}

/// Whether `phrase` stands in `said`, in English at word boundaries, and not after a "not".
fn occurrence(lang: Lang, said: &str, phrase: &str) -> Occurrence {
    let mut found = Occurrence::Absent;
    for (at, _) in said.match_indices(phrase) {
        let (before, after) = (&said[..at], &said[at + phrase.len()..]);
        let whole = before.chars().next_back().is_none_or(|c| c == ' ')
            && after.chars().next().is_none_or(|c| c == ' ');
        if lang == Lang::En && !whole {
            continue;
        }
        if !is_ruled_out(lang, before) {
            return Occurrence::Chosen;
        }
        found = Occurrence::RuledOut;
    }
    found
}

fn is_ruled_out(lang: Lang, before: &str) -> bool {
    match lang {
        Lang::Zh => {
            ["不要", "不是", "不办", "不想要", "不查"].iter().any(|no| before.ends_with(no))
        }
        Lang::En => {
            let mut words =
                before.split(' ').filter(|word| !matches!(*word, "the" | "a" | "my" | ""));
            words.next_back().is_some_and(|word| matches!(word, "not" | "dont" | "isnt"))
        }
    }
}

/// How well the sounds of `phrase` are found in those of `said`.
fn sound_likeness(lang: Lang, said: &str, phrase: &str) -> f32 {
    match lang {
        Lang::Zh => {
            let syllables = fuzzy(phrase);
            // One syllable sounds like too many things.
            if syllables.len() < 2 { 0.0 } else { found_in(&syllables, &fuzzy(said)) }
        }
        Lang::En => {
            let letters: Vec<char> = phrase.chars().collect();
            if letters.len() < 4 {
                return 0.0;
            }
            found_in(&letters, &said.chars().collect::<Vec<_>>())
        }
    }
}

/// The position, from 0, that the caller names: "the second one", 第二个, "the last one".
fn ordinal(lang: Lang, said: &str, count: usize) -> Option<usize> {
    let names: &[&[&str]] = match lang {
        Lang::En => &[
            &["first one", "the first", "number one", "option one", "option 1", "number 1"],
            &["second one", "the second", "number two", "option two", "option 2", "number 2"],
            &["third one", "the third", "number three", "option three", "option 3", "number 3"],
            &["fourth one", "the fourth", "number four", "option four", "option 4", "number 4"],
        ],
        Lang::Zh => &[&["第一", "第1"], &["第二", "第2"], &["第三", "第3"], &["第四", "第4"]],
    };
    let last: &[&str] = match lang {
        Lang::En => &["last one", "the last"],
        Lang::Zh => &["最后一个", "最后那个"],
    };
    let named = |names: &[&str]| names.iter().any(|name| occurs(lang, said, name));
    if named(last) {
        return count.checked_sub(1);
    }
    names.iter().position(|names| named(names)).filter(|at| *at < count)
}

fn occurs(lang: Lang, said: &str, name: &str) -> bool {
    occurrence(lang, said, name) == Occurrence::Chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(table: &[(&str, &[&str])]) -> Vec<ChoiceOption> {
        let option = |(name, phrases): &(&str, &[&str])| ChoiceOption {
            name: (*name).into(),
            phrases: phrases.iter().map(|phrase| (*phrase).into()).collect(),
        };
        table.iter().map(option).collect()
    }

    fn chosen(lang: Lang, said: &str, options: &[ChoiceOption]) -> Option<String> {
        let heard = [Hypothesis { text: said.into(), confidence: 1.0 }];
        choice(lang, &heard, options).map(|chosen| chosen.name)
    }

    fn goods() -> Vec<ChoiceOption> {
        options(&[
            ("kettle", &["kettle", "the kettle"]),
            ("headphones", &["headphones", "earphones"]),
            ("gift_card", &["gift card", "voucher"]),
        ])
    }

    fn services() -> Vec<ChoiceOption> {
        options(&[
            ("balance", &["余额", "查余额", "还有多少钱"]),
            ("rent", &["租房提取", "提取"]),
            ("loan", &["贷款"]),
        ])
    }

    #[test]
    fn a_phrase_is_found_in_a_sentence() {
        for (said, name) in [
            ("Kettle.", "kettle"),
            ("er, the kettle I think", "kettle"),
            ("I'd like a voucher please", "gift_card"),
            ("the second one", "headphones"),
            ("not the kettle, the headphones", "headphones"),
        ] {
            assert_eq!(chosen(Lang::En, said, &goods()).as_deref(), Some(name), "{said}");
        }
        for (said, name) in [
            ("我要查一下余额", "balance"),
            ("租房的提取", "rent"),
            ("第三个", "loan"),
            ("不要贷款，查余额", "balance"),
        ] {
            assert_eq!(chosen(Lang::Zh, said, &services()).as_deref(), Some(name), "{said}");
        }
    }

    #[test]
    fn a_misheard_phrase_is_still_found() {
        assert_eq!(chosen(Lang::En, "the head phones", &goods()).as_deref(), Some("headphones"));
        assert_eq!(chosen(Lang::En, "a cettle", &goods()).as_deref(), Some("kettle"));
        assert_eq!(chosen(Lang::Zh, "插鱼鹅", &services()).as_deref(), Some("balance"));
        assert_eq!(chosen(Lang::Zh, "带宽", &services()).as_deref(), Some("loan"));
    }

    #[test]
    fn anything_else_and_two_at_once_are_no_choice() {
        assert_eq!(chosen(Lang::En, "what's the weather like", &goods()), None);
        assert_eq!(chosen(Lang::En, "", &goods()), None);
        assert_eq!(chosen(Lang::Zh, "今天天气怎么样", &services()), None);
        assert_eq!(chosen(Lang::Zh, "余额和贷款", &services()), None);
        assert_eq!(chosen(Lang::Zh, "余额", &[]), None);
    }

    #[test]
    fn a_later_hypothesis_can_decide() {
        let heard = ["ketchup or cattle", "kettle"]
            .map(|text| Hypothesis { text: text.into(), confidence: 0.6 });
        assert_eq!(choice(Lang::En, &heard, &goods()).map(|c| c.name).as_deref(), Some("kettle"));
    }
}
