//! How many, and how much money.

use std::ops::RangeInclusive;

use fancy_regex::Regex;
use std::sync::LazyLock;

use super::figures::in_figures;
use crate::text::{Hypothesis, Lang};

/// After these, what was said before does not count.
const RESTARTS: [&str; 12] = [
    "no wait",
    "wait",
    "sorry",
    "i mean",
    "make it",
    "actually",
    "no",
    "不对",
    "不是",
    "说错了",
    "应该是",
    "改成",
];
const FEW: [(&str, i64); 6] =
    [("a couple", 2), ("a pair", 2), ("a dozen", 12), ("both", 2), ("once", 1), ("twice", 2)];
/// What recognisers write for a digit that is said alone.
const ALONE: [(&str, i64); 6] =
    [("to", 2), ("too", 2), ("for", 4), ("won", 1), ("ate", 8), ("tree", 3)];

static WHOLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?<![\d.:/$£€-])(\d{1,9})(?![\d.:/]|th\b|号|月|年|点)").ok());
static EN_MONEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let unit = "(?:(?:us|australian|canadian|swiss) )?(?:dollars?|bucks?|pounds?|quid|euros?|yuan|yen|rmb|usd|gbp|francs?|rupees?)";
    Regex::new(&format!(
        r"(?<![\d.])([$£€¥]?) ?(\d{{1,12}})(?:\.(\d{{1,2}})(?!\d))?(?![\d/:]|th\b)(?: ?({unit})\b)?(?:(?: and| point)? (\d{{1,2}})(?! ?(?:{unit}|th|percent)\b)(?![\d./:]) ?(cents?|pence|p\b)?)?"
    ))
    .ok()
});
static EN_CENTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:\D* )?(\d{1,3}) ?(?:cents?|pence|p)\b").ok());
static ZH_MONEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let unit = "块钱?|元|圆|美元|美金|日元|欧元|港币|港元|英镑|刀|人民币";
    Regex::new(&format!(
        r"([¥￥$]?)(?<![\d.a-z])(\d{{1,12}})(?:\.(\d{{1,2}})(?!\d))?(?:点(\d{{1,2}}))?(?:({unit})(?:(\d)(?!\d)[毛角]?)?(?:(\d)分)?)?(?![\d.:年月号日天点])"
    ))
    .ok()
});
static ZH_DIMES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\D*(\d)(?:毛|角(?!大))(?:(\d)分?)?").ok());

/// The whole number in `range` that the caller said; `None` when there is none, or several.
#[must_use]
pub fn number(lang: Lang, heard: &[Hypothesis], range: &RangeInclusive<i64>) -> Option<i64> {
    heard.iter().find_map(|hypothesis| {
        let said = in_figures(lang, &hypothesis.text);
        let alone = ALONE.iter().find(|(word, _)| *word == said);
        if let Some((_, value)) = alone.filter(|(_, value)| range.contains(value)) {
            return Some(*value);
        }
        one_of_these(&said, |part| {
            let few = FEW.iter().filter(|(words, _)| part.contains(words)).map(|(_, value)| *value);
            let figures = matches(&WHOLE, part).filter_map(|groups| groups[0].parse().ok());
            // Digits said one by one are one number: "one eight" is 18.
            let found: Vec<i64> = figures.collect();
            let joined = joined(part, &found);
            few.chain(joined.map_or(found, |whole| vec![whole]))
                .filter(|value| range.contains(value))
                .collect()
        })
    })
}

/// The sum of money that the caller said, in hundredths; `None` when there is none, or several.
#[must_use]
pub fn money(lang: Lang, heard: &[Hypothesis]) -> Option<i64> {
    heard.iter().find_map(|hypothesis| {
        let said = in_figures(lang, &hypothesis.text);
        one_of_these(&said, |part| match lang {
            Lang::En => english(part),
            Lang::Zh => chinese(part),
        })
    })
}

fn english(said: &str) -> Vec<i64> {
    if let Some(groups) = matches(&EN_CENTS, said).next() {
        return groups[0].parse().into_iter().collect();
    }
    let sum = |groups: &Vec<String>| {
        let whole: i64 = groups[1].parse().ok()?;
        let cents = match groups[2].as_str() {
            "" => hundredths(&groups[4], true),
            places => hundredths(places, false),
        };
        whole.checked_mul(100)?.checked_add(cents)
    };
    let all: Vec<Vec<String>> = matches(&EN_MONEY, said).collect();
    // What is marked as money is meant, whatever other numbers stand beside it.
    let marked = |groups: &&Vec<String>| {
        !groups[0].is_empty() || !groups[3].is_empty() || !groups[5].is_empty()
    };
    let meant: Vec<i64> = all.iter().filter(marked).filter_map(sum).collect();
    if meant.is_empty() { all.iter().filter_map(sum).collect() } else { meant }
}

fn chinese(said: &str) -> Vec<i64> {
    if let Some(groups) = matches(&ZH_DIMES, said).next() {
        return vec![digit(&groups[0]) * 10 + digit(&groups[1])];
    }
    let sum = |groups: &Vec<String>| {
        let whole: i64 = groups[1].parse().ok()?;
        let point = if groups[2].is_empty() { &groups[3] } else { &groups[2] };
        let cents = hundredths(point, false) + digit(&groups[5]) * 10 + digit(&groups[6]);
        whole.checked_mul(100)?.checked_add(cents)
    };
    let all: Vec<Vec<String>> = matches(&ZH_MONEY, said).collect();
    let marked = |groups: &&Vec<String>| !groups[0].is_empty() || !groups[4].is_empty();
    let meant: Vec<i64> = all.iter().filter(marked).filter_map(sum).collect();
    if meant.is_empty() { all.iter().filter_map(sum).collect() } else { meant }
}

/// Cents of what stands after the whole: `5` is fifty after a point, and five when it is said as cents.
fn hundredths(text: &str, said_as_cents: bool) -> i64 {
    match (text.len(), text.parse::<i64>()) {
        (1, Ok(tenths)) if !said_as_cents => tenths * 10,
        (_, Ok(cents)) => cents,
        _ => 0,
    }
}

fn digit(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// The number that single digits next to each other make.
fn joined(said: &str, found: &[i64]) -> Option<i64> {
    let digits = found.len() > 1 && found.iter().all(|value| (0..10).contains(value));
    let whole: String = found.iter().map(i64::to_string).collect();
    let spaced: Vec<String> = found.iter().map(i64::to_string).collect();
    (digits && said.contains(&spaced.join(" "))).then(|| whole.parse().ok()).flatten()
}

/// The one value that `read` finds after the last restart, or else in all of it.
fn one_of_these(said: &str, read: impl Fn(&str) -> Vec<i64>) -> Option<i64> {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let after = |word: &&str| {
        // "No" is no restart in "November".
        let whole = |at: &usize| {
            let (before, rest) = (&said[..*at], &said[*at + word.len()..]);
            !letter(before.chars().next_back()) && !letter(rest.chars().next())
        };
        let places = said
            .match_indices(*word)
            .map(|(at, _)| at)
            .filter(|at| word.starts_with(|c: char| !c.is_ascii()) || whole(at));
        places.last().map(|at| at + word.len())
    };
    let after = RESTARTS.iter().filter_map(after).max();
    let only = |part: &str| {
        let mut found = read(part);
        found.dedup();
        (found.len() == 1).then(|| found[0])
    };
    after.and_then(|at| only(&said[at..])).or_else(|| only(said))
}

/// The groups of every match; a group that took no part is empty.
fn matches<'t>(
    regex: &'static LazyLock<Option<Regex>>,
    text: &'t str,
) -> impl Iterator<Item = Vec<String>> + 't {
    let found = regex.as_ref().into_iter().flat_map(move |regex| regex.captures_iter(text));
    found.filter_map(Result::ok).map(|captures| {
        let group = |at: usize| captures.get(at).map(|m| m.as_str().to_owned()).unwrap_or_default();
        (1..captures.len()).map(group).collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(text: &str) -> [Hypothesis; 1] {
        [Hypothesis { text: text.to_owned(), confidence: 1.0 }]
    }

    #[test]
    fn how_many_is_heard_in_all_its_forms() {
        for (lang, said, value) in [
            (Lang::En, "can I split it in four", Some(4)),
            (Lang::En, "no wait, make it two", Some(2)),
            (Lang::En, "three, no, two", Some(2)),
            (Lang::En, "to", Some(2)),
            (Lang::En, "a couple", Some(2)),
            (Lang::En, "eighteen Alder Street", Some(18)),
            (Lang::En, "one eight", Some(18)),
            (Lang::En, "two in November", Some(2)),
            (Lang::En, "two or three", None),
            (Lang::En, "the second of May", None),
            (Lang::En, "I don't know", None),
            (Lang::Zh, "分三期", Some(3)),
            (Lang::Zh, "两个", Some(2)),
            (Lang::Zh, "不对，是五个", Some(5)),
            (Lang::Zh, "一百零五", Some(105)),
            (Lang::Zh, "等一下", None),
        ] {
            assert_eq!(number(lang, &heard(said), &(0..=9_999)), value, "{said}");
        }
        assert_eq!(number(Lang::En, &heard("forty"), &(1..=12)), None, "out of range");
    }

    #[test]
    fn money_is_heard_in_all_its_forms() {
        for (lang, said, value) in [
            (Lang::En, "sixty six twenty four", Some(6624)),
            (Lang::En, "a hundred and thirty two dollars and forty eight cents", Some(13_248)),
            (Lang::En, "twelve fifty", Some(1250)),
            (Lang::En, "forty quid", Some(4000)),
            (Lang::En, "$1,205.10", Some(120_510)),
            (Lang::En, "fifty cents", Some(50)),
            (Lang::En, "$48.2 million for 3 years", Some(4_820_000_000)),
            (Lang::En, "the 20 best cost 63 dollars and 45 cents", Some(6_345)),
            (Lang::En, "two thousand", Some(200_000)),
            (Lang::En, "five dollars and five cents", Some(505)),
            (Lang::En, "nothing", None),
            (Lang::Zh, "先还一千", Some(100_000)),
            (Lang::Zh, "两千三百六", Some(236_000)),
            (Lang::Zh, "一千二百块五", Some(120_050)),
            (Lang::Zh, "三块八毛", Some(380)),
            (Lang::Zh, "三块八毛五分", Some(385)),
            (Lang::Zh, "1000元", Some(100_000)),
            (Lang::Zh, "一万二", Some(1_200_000)),
            (Lang::Zh, "五毛", Some(50)),
            (Lang::Zh, "没有钱", None),
        ] {
            assert_eq!(money(lang, &heard(said)), value, "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), said in "[零一二两三九十百千万块元毛分点0-9.$ ]{0,24}", words in "((one|and|a|twenty|hundred|dollars|cents|point|no|9) ?){0,12}") {
            for text in [text, said, words] {
                for lang in [Lang::En, Lang::Zh] {
                    let value = number(lang, &heard(&text), &(0..=100));
                    prop_assert!(value.is_none_or(|value| (0..=100).contains(&value)));
                    prop_assert!(money(lang, &heard(&text)).is_none_or(|value| value >= 0));
                }
            }
        }
    }
}
