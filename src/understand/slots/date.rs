//! Days: by name, by number, and counted from today.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};
use time::{Date, Duration, Month};

use super::{date_en::english, date_zh::chinese, figures::in_figures};
use crate::text::{Hypothesis, Lang};

/// The day that the caller said, counted from `today`; `None` when there is none. A dialog's days lie ahead: a
/// day or month without a year is the next such one. 下周三 and "next Wednesday" are of the week after this, which begins
/// on Monday; a bare "Wednesday" is the next one to come.
#[must_use]
pub fn date(lang: Lang, heard: &[Hypothesis], today: Date) -> Option<Date> {
    heard.iter().find_map(|hypothesis| {
        let said = in_figures(lang, &wanted(&hypothesis.text));
        match lang {
            Lang::En => english(&said, today),
            Lang::Zh => chinese(&said, today),
        }
    })
}

/// What is left of an utterance without the days that do not suit: 周三不行，周六呢. All of it when nothing is left.
fn wanted(heard: &str) -> String {
    const UNSUITABLE: [&str; 10] = [
        "不行",
        "不可以",
        "没空",
        "不方便",
        "不好",
        "can't",
        "cannot",
        "doesn't",
        "not ",
        "no good",
    ];
    let clauses =
        heard.split(['，', ',', '。', ';', '；', '?', '？']).filter(|c| !c.trim().is_empty());
    let clauses: Vec<&str> = clauses.collect();
    let suits = |clause: &&&str| {
        let clause = clause.to_lowercase();
        !UNSUITABLE.iter().any(|words| clause.contains(words))
    };
    let left: Vec<&str> = clauses.iter().filter(suits).copied().collect();
    let all = left.is_empty() || left.len() == clauses.len();
    if all { heard.to_owned() } else { left.join("，") }
}

/// A pattern that is compiled when it is first used.
pub(super) type Pattern = LazyLock<Option<Regex>>;

/// A day with all of its parts, the year first.
pub(super) static ISO: Pattern =
    LazyLock::new(|| Regex::new(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?!\d)").ok());
/// A day with all of its parts, the year last.
static YEAR_LAST: Pattern = LazyLock::new(|| {
    Regex::new(r"(?<!\d)(\d{1,2})[-/. ](\d{1,2})[-/., ]+(\d{4}|\d{2})(?!\d)").ok()
});

/// A day written with its year: which of the other two is the month shows where only one of them can be.
pub(super) fn written_out(said: &str) -> Option<Option<Date>> {
    if let Some(found) = first(&ISO, said) {
        let part = |group| number(&found, group);
        return Some(part(1).zip(part(2)).zip(part(3)).and_then(|((y, m), d)| day(y, m, d)));
    }
    let found = first(&YEAR_LAST, said)?;
    let (one, two, year) = (number(&found, 1)?, number(&found, 2)?, number(&found, 3)?);
    let year = if year < 100 { 2000 + year } else { year };
    let (month, day_of) = if one > 12 { (two, one) } else { (one, two) };
    Some(day(year, month, day_of))
}

pub(super) fn first<'t>(pattern: &'static Pattern, said: &'t str) -> Option<Captures<'t, str>> {
    pattern.as_ref().and_then(|regex| regex.captures(said).ok().flatten())
}

pub(super) fn text<'t>(found: &Captures<'t, str>, group: usize) -> &'t str {
    found.get(group).map_or("", |m| m.as_str())
}

pub(super) fn number(found: &Captures<'_, str>, group: usize) -> Option<i32> {
    text(found, group).parse().ok()
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

/// In that year, or else the next such day.
pub(super) fn in_year(year: Option<i32>, month: i32, day_of: i32, today: Date) -> Option<Date> {
    match year {
        Some(year) => day(year, month, day_of),
        // 29 February may be years ahead.
        None => (0..=8)
            .filter_map(|ahead| day(today.year() + ahead, month, day_of))
            .find(|date| *date >= today),
    }
}

/// The next day of that number.
pub(super) fn day_ahead(day_of: i32, today: Date) -> Option<Date> {
    let day_of = u8::try_from(day_of).ok()?;
    let first = today.replace_day(1).ok()?;
    (0..=2)
        .filter_map(|ahead| months_later(first, ahead)?.replace_day(day_of).ok())
        .find(|date| *date >= today)
}

pub(super) fn later(from: Date, days: i64) -> Option<Date> {
    from.checked_add(Duration::days(days))
}

/// The same day so many months later, or the last of a shorter month.
pub(super) fn months_later(from: Date, months: i32) -> Option<Date> {
    let all = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + months;
    let month = Month::try_from(u8::try_from(all.rem_euclid(12) + 1).ok()?).ok()?;
    let year = all.div_euclid(12);
    let last = month.length(year);
    Date::from_calendar_date(year, month, from.day().min(last)).ok()
}

pub(super) fn month_end(date: Date) -> Option<Date> {
    date.replace_day(date.month().length(date.year())).ok()
}

/// The day of that index, from Monday, so many weeks after this.
pub(super) fn in_week(today: Date, weeks: i64, index: usize) -> Option<Date> {
    let monday = later(today, -i64::from(today.weekday().number_days_from_monday()))?;
    later(monday, 7 * weeks + i64::try_from(index).ok()?)
}

/// The next day of that index; today when it is one.
pub(super) fn coming(today: Date, index: usize) -> Option<Date> {
    let ahead = (i64::try_from(index).ok()? - i64::from(today.weekday().number_days_from_monday()))
        .rem_euclid(7);
    later(today, ahead)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date as on;

    use super::*;

    const TODAY: Date = on!(2026 - 11 - 23);

    fn said(lang: Lang, text: &str, today: Date) -> Option<String> {
        let heard = [Hypothesis { text: text.to_owned(), confidence: 1.0 }];
        date(lang, &heard, today).map(|date| date.to_string())
    }

    #[test]
    fn english_days_lie_ahead() {
        for (text, expected) in [
            ("November 27th", Some("2026-11-27")),
            ("the twenty seventh of November", Some("2026-11-27")),
            ("november twenty seven", Some("2026-11-27")),
            ("January the second", Some("2027-01-02")),
            ("the 27th please", Some("2026-11-27")),
            ("the third", Some("2026-12-03")),
            ("27/11", Some("2026-11-27")),
            ("today", Some("2026-11-23")),
            ("tomorrow morning", Some("2026-11-24")),
            ("the day after tomorrow", Some("2026-11-25")),
            ("Friday", Some("2026-11-27")),
            ("this Friday", Some("2026-11-27")),
            ("next Wednesday", Some("2026-12-02")),
            ("Wednesday doesn't work, Saturday then", Some("2026-11-28")),
            ("in three days", Some("2026-11-26")),
            ("a week from today", Some("2026-11-30")),
            ("two weeks from now", Some("2026-12-07")),
            ("at the end of the month", Some("2026-11-30")),
            ("2026-12-24", Some("2026-12-24")),
            ("February thirtieth", None),
            ("I don't know", None),
            ("eighteen Alder Street", None),
        ] {
            assert_eq!(said(Lang::En, text, TODAY).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn chinese_days_lie_ahead() {
        for (text, expected) in [
            ("十一月二十七号", Some("2026-11-27")),
            ("二〇二六年十二月二日", Some("2026-12-02")),
            ("二十七号", Some("2026-11-27")),
            ("三号吧", Some("2026-12-03")),
            ("今天", Some("2026-11-23")),
            ("后天啊", Some("2026-11-25")),
            ("大后天", Some("2026-11-26")),
            ("是这周五，发工资", Some("2026-11-27")),
            ("下周三吧", Some("2026-12-02")),
            ("下下周一", Some("2026-12-07")),
            ("周三不行，周六呢", Some("2026-11-28")),
            ("后天不行", Some("2026-11-25")),
            ("礼拜六", Some("2026-11-28")),
            ("三天后", Some("2026-11-26")),
            ("两个星期以后", Some("2026-12-07")),
            ("月底", Some("2026-11-30")),
            ("下个月五号", Some("2026-12-05")),
            ("周末", Some("2026-11-28")),
            ("不知道", None),
        ] {
            assert_eq!(said(Lang::Zh, text, TODAY).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_end_of_the_year_and_short_months_are_no_trouble() {
        assert_eq!(said(Lang::En, "tomorrow", on!(2026 - 12 - 31)).as_deref(), Some("2027-01-01"));
        assert_eq!(
            said(Lang::En, "in a month", on!(2027 - 01 - 31)).as_deref(),
            Some("2027-02-28")
        );
        assert_eq!(said(Lang::Zh, "二月二十九号", TODAY).as_deref(), Some("2028-02-29"));
        assert_eq!(said(Lang::En, "the 31st", on!(2027 - 02 - 01)).as_deref(), Some("2027-03-31"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), zh in "[零一二两三下周月号日天后年底0-9]{0,16}", en in "((one|next|in|friday|the|first|of|may|month|week|9/9|2026) ?){0,10}") {
            for text in [text, zh, en] {
                said(Lang::En, &text, TODAY);
                said(Lang::Zh, &text, TODAY);
            }
        }
    }
}
