//! Times of day.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};
use time::Time;

use super::figures::in_figures;
use crate::text::{Hypothesis, Lang};

type Pattern = LazyLock<Option<Regex>>;

static EN_FRACTION: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:a )?(half|quarter|3 quarters|\d{1,2})(?: min(?:ute)?s?)? (past|to|after|before) (\d{1,2})(?:[: ](\d{2}))?(?!\d)").ok()
});
static EN_CLOCK: Pattern = LazyLock::new(|| {
    Regex::new(r"(?<![\d/$.:-])(\d{1,2})(?:(?::| |\.| ?h ?)?(\d{2})|(?: oh| o) (\d))?(?::\d{2})?(?: o ?clock| oclock)?(?![\d/]|th\b)").ok()
});
/// Which half of the day is meant may stand anywhere: "in the afternoon at 7".
static EN_HALF: Pattern = LazyLock::new(|| {
    Regex::new(r"(?<![a-z])(a\.? ?m(?![a-z])|morning)|(?<![a-z])(p\.? ?m(?![a-z])|afternoon|evening|night)").ok()
});
static ZH_CLOCK: Pattern = LazyLock::new(|| {
    Regex::new(r"(凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|今晚|明晚)?(\d{1,2})(?:[点时:]钟?)(?:(半)|(\d)刻|(\d{1,2})分?)?").ok()
});

/// The time of day that the caller said; `None` when there is none. Without a half of the day, seven to twelve is before or
/// at noon and one to six after it, as callers of offices mean it; hours of 13 and more are of 24.
#[must_use]
pub fn time_of_day(lang: Lang, heard: &[Hypothesis]) -> Option<Time> {
    heard.iter().find_map(|hypothesis| {
        let said = in_figures(lang, &hypothesis.text);
        match lang {
            Lang::En => english(&said),
            Lang::Zh => chinese(&said),
        }
    })
}

fn english(said: &str) -> Option<Time> {
    let half =
        first(&EN_HALF, said).map(|f| if f.get(1).is_some() { Half::Before } else { Half::After });
    if let Some(found) = first(&EN_FRACTION, said) {
        let minutes = match text(&found, 1) {
            "half" => 30,
            "quarter" => 15,
            "3 quarters" => 45,
            figures => figures.parse().ok()?,
        };
        let hour = of_day(text(&found, 3).parse().ok()?, half)?;
        let from = hour * 60 + text(&found, 4).parse::<i32>().unwrap_or(0);
        let before = matches!(text(&found, 2), "to" | "before");
        return at(if before { from - minutes } else { from + minutes });
    }
    let clock = first(&EN_CLOCK, said).and_then(|found| {
        let minutes = text(&found, 2).parse().or_else(|_| text(&found, 3).parse()).unwrap_or(0);
        let hour = match text(&found, 1) {
            "12" if said.contains("night") => 0,
            hour => of_day(hour.parse().ok()?, half)?,
        };
        (minutes < 60).then(|| at(hour * 60 + minutes)).flatten()
    });
    clock.or_else(|| {
        let named =
            [("midnight", 0), ("mid night", 0), ("midday", 720), ("mid day", 720), ("noon", 720)];
        let (_, minutes) = named.iter().find(|(name, _)| {
            said.split(' ').any(|w| w == *name) || (name.contains(' ') && said.contains(name))
        })?;
        at(*minutes)
    })
}

fn chinese(said: &str) -> Option<Time> {
    let found = first(&ZH_CLOCK, said)?;
    let half = match text(&found, 1) {
        "凌晨" | "早上" | "早晨" | "上午" => Some(Half::Before),
        "中午" if matches!(text(&found, 2), "11" | "12") => Some(Half::Noon),
        "中午" | "下午" | "傍晚" | "晚上" | "今晚" | "明晚" => Some(Half::After),
        _ => None,
    };
    let minutes = match (text(&found, 3), text(&found, 4), text(&found, 5)) {
        ("半", ..) => 30,
        (_, quarters @ ("1" | "3"), _) => 15 * quarters.parse::<i32>().ok()?,
        (_, _, figures) => figures.parse().unwrap_or(0),
    };
    let hour = of_day(text(&found, 2).parse().ok()?, half)?;
    (minutes < 60).then(|| at(hour * 60 + minutes)).flatten()
}

/// Which half of the day.
#[derive(Clone, Copy, PartialEq)]
enum Half {
    Before,
    Noon,
    After,
}

/// The hour of 24.
fn of_day(hour: i32, half: Option<Half>) -> Option<i32> {
    match (hour, half) {
        (12, Some(Half::Before)) => Some(0),
        (0..=12, Some(Half::Before)) | (11..=12, Some(Half::Noon)) | (12, Some(Half::After)) => {
            Some(hour)
        }
        (1..=11, Some(Half::After)) => Some(hour + 12),
        (1..=6, None) => Some(hour + 12),
        (13..=23, _) | (0 | 7..=12, None) => Some(hour),
        _ => None,
    }
}

/// So many minutes after midnight.
fn at(minutes: i32) -> Option<Time> {
    let hour = u8::try_from(minutes.div_euclid(60)).ok()?;
    Time::from_hms(hour, u8::try_from(minutes.rem_euclid(60)).ok()?, 0).ok()
}

fn first<'t>(pattern: &'static Pattern, said: &'t str) -> Option<Captures<'t, str>> {
    pattern.as_ref().and_then(|regex| regex.captures(said).ok().flatten())
}

fn text<'t>(found: &Captures<'t, str>, group: usize) -> &'t str {
    found.get(group).map_or("", |m| m.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(lang: Lang, text: &str) -> Option<String> {
        let heard = [Hypothesis { text: text.to_owned(), confidence: 1.0 }];
        time_of_day(lang, &heard).map(|time| format!("{:02}:{:02}", time.hour(), time.minute()))
    }

    #[test]
    fn times_are_heard_in_all_their_forms() {
        for (lang, text, expected) in [
            (Lang::En, "half past two", Some("14:30")),
            (Lang::En, "two thirty", Some("14:30")),
            (Lang::En, "quarter to nine", Some("08:45")),
            (Lang::En, "ten past eight", Some("08:10")),
            (Lang::En, "8:30 a.m.", Some("08:30")),
            (Lang::En, "nine in the evening", Some("21:00")),
            (Lang::En, "nine oh five", Some("09:05")),
            (Lang::En, "three o'clock", Some("15:00")),
            (Lang::En, "17:45", Some("17:45")),
            (Lang::En, "at noon", Some("12:00")),
            (Lang::En, "in the afternoon", None),
            (Lang::En, "any time", None),
            (Lang::Zh, "下午两点半", Some("14:30")),
            (Lang::Zh, "九点一刻", Some("09:15")),
            (Lang::Zh, "早上八点三十", Some("08:30")),
            (Lang::Zh, "晚上七点", Some("19:00")),
            (Lang::Zh, "两点半行不行", Some("14:30")),
            (Lang::Zh, "中午十二点", Some("12:00")),
            (Lang::Zh, "随便", None),
        ] {
            assert_eq!(said(lang, text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), zh in "[零一二三十点半刻分上下午晚0-9:]{0,12}", en in "((one|half|past|to|quarter|thirty|pm|9:99|25) ?){0,8}") {
            for text in [text, zh, en] {
                said(Lang::En, &text);
                said(Lang::Zh, &text);
            }
        }
    }
}
