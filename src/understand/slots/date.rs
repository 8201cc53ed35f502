//! Days: by name, by number, and counted from today.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};
use time::{Date, Duration, Month};

use super::figures::in_figures;
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
    let clauses = heard.split(['，', ',', '。', '.', ';', '；', '?', '？']);
    let suits = |clause: &&str| {
        let clause = clause.to_lowercase();
        !UNSUITABLE.iter().any(|words| clause.contains(words))
    };
    let left: Vec<&str> =
        clauses.filter(suits).filter(|clause| !clause.trim().is_empty()).collect();
    if left.is_empty() || heard.len() == left.concat().len() {
        heard.to_owned()
    } else {
        left.join("，")
    }
}

type Pattern = LazyLock<Option<Regex>>;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH: &str = r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

static ISO: Pattern =
    LazyLock::new(|| Regex::new(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?!\d)").ok());
static EN_MONTH_DAY: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b{MONTH} (?:the )?(\d{{1,2}})(?:th)?\b(?:,? (\d{{4}}))?")).ok()
});
static EN_DAY_MONTH: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b(\d{{1,2}})(?:th)?(?: of)? {MONTH}(?:,? (\d{{4}}))?")).ok()
});
static EN_SLASHES: Pattern =
    LazyLock::new(|| Regex::new(r"\b(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}))?\b").ok());
static EN_WEEKDAY: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:(next|this|coming) )?(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?s?\b(?: (week))?").ok()
});
static EN_AHEAD: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:in )?(\d{1,2}|an?) (day|week|month)s?(?: from (?:now|today)| later| time)")
        .ok()
});
static EN_IN: Pattern =
    LazyLock::new(|| Regex::new(r"\bin (\d{1,2}|an?) (day|week|month)s?\b").ok());
static EN_DAY: Pattern =
    LazyLock::new(|| Regex::new(r"\b(?:the )?(\d{1,2})th\b|\bthe (\d{1,2})\b").ok());

fn english(said: &str, today: Date) -> Option<Date> {
    if let Some(found) = first(&ISO, said) {
        return day(number(&found, 1)?, number(&found, 2)?, number(&found, 3)?);
    }
    let named = first(&EN_MONTH_DAY, said).map(|f| (text(&f, 1), number(&f, 2), number(&f, 3)));
    let named = named.or_else(|| {
        first(&EN_DAY_MONTH, said).map(|f| (text(&f, 2), number(&f, 1), number(&f, 3)))
    });
    if let Some((month, Some(day_of), year)) = named {
        let month = MONTHS.iter().position(|name| month.starts_with(name))? as i32 + 1;
        return in_year(year, month, day_of, today);
    }
    if let Some(found) = first(&EN_SLASHES, said) {
        let (one, two) = (number(&found, 1)?, number(&found, 2)?);
        // 27/11 and 11/27 are told apart where only one of the two can be a month.
        let (month, day_of) = if one > 12 { (two, one) } else { (one, two) };
        return in_year(number(&found, 3), month, day_of, today);
    }
    let plain = |words: &str| said.contains(words);
    if plain("day after tomorrow") {
        return later(today, 2);
    }
    if plain("tomorrow") {
        return later(today, 1);
    }
    if plain("end of next month") {
        return month_end(months_later(today.replace_day(1).ok()?, 1)?);
    }
    if plain("end of the month") || plain("end of this month") {
        return month_end(today);
    }
    if let Some(found) = first(&EN_AHEAD, said).or_else(|| first(&EN_IN, said)) {
        let count = number(&found, 1).unwrap_or(1);
        return match text(&found, 2) {
            "day" => later(today, i64::from(count)),
            "week" => later(today, 7 * i64::from(count)),
            _ => months_later(today, count),
        };
    }
    if plain("today") || plain("tonight") {
        return Some(today);
    }
    if let Some(found) = first(&EN_WEEKDAY, said) {
        let index = DAYS.iter().position(|name| text(&found, 2).starts_with(name))?;
        let week_after = text(&found, 3) == "week";
        let date = match text(&found, 1) {
            "next" => in_week(today, 1, index),
            _ => coming(today, index),
        }?;
        return if week_after { later(date, 7) } else { Some(date) };
    }
    let found = first(&EN_DAY, said)?;
    day_ahead(number(&found, 1).or_else(|| number(&found, 2))?, today)
}

static ZH_FULL: Pattern =
    LazyLock::new(|| Regex::new(r"(?:(\d{4})年)?(明年)?(\d{1,2})月份?(\d{1,2})[日号]?").ok());
static ZH_WEEKDAY: Pattern =
    LazyLock::new(|| Regex::new(r"(下下|下|这|本)?个?(?:周|星期|礼拜)([1-7日天])").ok());
static ZH_DAY: Pattern =
    LazyLock::new(|| Regex::new(r"(下个?月|这个?月|本月)?(\d{1,2})[号日]").ok());
static ZH_AHEAD: Pattern =
    LazyLock::new(|| Regex::new(r"(\d{1,2})(天|个?(?:周|星期|礼拜)|个月)(?:之|以)?后").ok());

fn chinese(said: &str, today: Date) -> Option<Date> {
    if let Some(found) = first(&ISO, said) {
        return day(number(&found, 1)?, number(&found, 2)?, number(&found, 3)?);
    }
    if let Some(found) = first(&ZH_FULL, said) {
        let next_year = (!text(&found, 2).is_empty()).then(|| today.year() + 1);
        return in_year(
            number(&found, 1).or(next_year),
            number(&found, 3)?,
            number(&found, 4)?,
            today,
        );
    }
    for (words, days) in [
        ("大后", 3),
        ("后天", 2),
        ("后日", 2),
        ("明天", 1),
        ("明儿", 1),
        ("明日", 1),
        ("明晚", 1),
        ("今天", 0),
        ("今儿", 0),
        ("今晚", 0),
        ("今日", 0),
    ] {
        if said.contains(words) {
            return later(today, days);
        }
    }
    if let Some(found) = first(&ZH_AHEAD, said) {
        let count = number(&found, 1)?;
        return match text(&found, 2) {
            "天" => later(today, i64::from(count)),
            "个月" => months_later(today, count),
            _ => later(today, 7 * i64::from(count)),
        };
    }
    if let Some(found) = first(&ZH_WEEKDAY, said) {
        let index = match text(&found, 2) {
            "日" | "天" | "7" => 6,
            day_of => day_of.parse::<usize>().ok()? - 1,
        };
        return match text(&found, 1) {
            "下下" => in_week(today, 2, index),
            "下" => in_week(today, 1, index),
            "这" | "本" => in_week(today, 0, index).filter(|date| *date >= today),
            _ => coming(today, index),
        };
    }
    if said.contains("月底") {
        let next = said.contains("下个月底") || said.contains("下月底");
        let month = if next { months_later(today.replace_day(1).ok()?, 1)? } else { today };
        return month_end(month);
    }
    if said.contains("周末") {
        return in_week(today, i64::from(said.contains("下周末")), 5).filter(|date| *date >= today);
    }
    let found = first(&ZH_DAY, said)?;
    let day_of = number(&found, 2)?;
    if text(&found, 1).starts_with('下') {
        let month = months_later(today.replace_day(1).ok()?, 1)?;
        return month.replace_day(u8::try_from(day_of).ok()?).ok();
    }
    day_ahead(day_of, today)
}

fn first<'t>(pattern: &'static Pattern, said: &'t str) -> Option<Captures<'t, str>> {
    pattern.as_ref().and_then(|regex| regex.captures(said).ok().flatten())
}

fn text<'t>(found: &Captures<'t, str>, group: usize) -> &'t str {
    found.get(group).map_or("", |m| m.as_str())
}

fn number(found: &Captures<'_, str>, group: usize) -> Option<i32> {
    text(found, group).parse().ok()
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

/// In that year, or else the next such day.
fn in_year(year: Option<i32>, month: i32, day_of: i32, today: Date) -> Option<Date> {
    match year {
        Some(year) => day(year, month, day_of),
        // 29 February may be years ahead.
        None => (0..=8)
            .filter_map(|ahead| day(today.year() + ahead, month, day_of))
            .find(|date| *date >= today),
    }
}

/// The next day of that number.
fn day_ahead(day_of: i32, today: Date) -> Option<Date> {
    let day_of = u8::try_from(day_of).ok()?;
    let first = today.replace_day(1).ok()?;
    (0..=2)
        .filter_map(|ahead| months_later(first, ahead)?.replace_day(day_of).ok())
        .find(|date| *date >= today)
}

fn later(from: Date, days: i64) -> Option<Date> {
    from.checked_add(Duration::days(days))
}

/// The same day so many months later, or the last of a shorter month.
fn months_later(from: Date, months: i32) -> Option<Date> {
    let all = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + months;
    let month = Month::try_from(u8::try_from(all.rem_euclid(12) + 1).ok()?).ok()?;
    let year = all.div_euclid(12);
    let last = month.length(year);
    Date::from_calendar_date(year, month, from.day().min(last)).ok()
}

fn month_end(date: Date) -> Option<Date> {
    date.replace_day(date.month().length(date.year())).ok()
}

/// The day of that index, from Monday, so many weeks after this.
fn in_week(today: Date, weeks: i64, index: usize) -> Option<Date> {
    let monday = later(today, -i64::from(today.weekday().number_days_from_monday()))?;
    later(monday, 7 * weeks + i64::try_from(index).ok()?)
}

/// The next day of that index; today when it is one.
fn coming(today: Date, index: usize) -> Option<Date> {
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
