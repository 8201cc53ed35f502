//! Days in English, with numbers already in figures.

use std::sync::LazyLock;

use fancy_regex::Regex;
use time::{Date, Weekday};

use super::date::{
    Pattern, coming, day_ahead, first, in_week, in_year, later, month_end, months_later, number,
    text, written_out,
};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH: &str = r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const WEEKDAY: &str = r"(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?s?";

static MONTH_DAY: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b{MONTH}[ /]?(?:the )?(\d{{1,2}})(?:th)?\b(?:,? (\d{{4}}))?")).ok()
});
static DAY_MONTH: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b(\d{{1,2}})(?:th)?(?: of)? {MONTH}(?:,? (\d{{4}}))?")).ok()
});
static SLASHES: Pattern = LazyLock::new(|| {
    Regex::new(r"(?<![\d./])(\d{1,2})[/.](\d{1,2})(?![\d./])|\bon (\d{1,2}) (\d{1,2})$").ok()
});
static NTH_WEEKDAY: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b(?:([1-5])th|last) {WEEKDAY}\b(?:(?: (?:of|in))? (this|next|the) month| (?:of|in) {MONTH})?")).ok()
});
static NAMED_DAY: Pattern = LazyLock::new(|| {
    Regex::new(&format!(r"\b(?:(next|this|coming|last|past) )?(?:week(?: on)? )?{WEEKDAY}\b")).ok()
});
static DAY_OF_NEXT_MONTH: Pattern =
    LazyLock::new(|| Regex::new(r"\b(\d{1,2})(?:th)? of (next|this|the) month").ok());
static COUNTED: Pattern = LazyLock::new(|| {
    let unit = r"(day|week|fortnight|month)s?";
    let from = r"(?:(?: from| after) (now|today|tomorrow)| later| time)";
    Regex::new(&format!(r"\b(\d{{1,2}}|an?) {unit}{from}|\bin (\d{{1,2}}|an?) {unit}\b")).ok()
});
static DAY: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:the )?(\d{1,2})th\b|\bthe (\d{1,2})\b|\bon (\d{1,2})$").ok()
});
/// What is over is no day to come.
static OVER: Pattern = LazyLock::new(|| {
    Regex::new(
        r"\b(?:yesterday|ago|last (?:week|month|year|sun|mon|tue|wed|thu|fri|sat)|past|previous)",
    )
    .ok()
});

/// The day in `said`, counted from `today`.
pub(super) fn english(said: &str, today: Date) -> Option<Date> {
    if let Some(date) = written_out(said) {
        return date;
    }
    if first(&OVER, said).is_some() {
        return None;
    }
    if let Some(found) =
        first(&NTH_WEEKDAY, said).filter(|f| f.get(3).or_else(|| f.get(4)).is_some())
    {
        let month = match (text(&found, 3), text(&found, 4)) {
            ("next", _) => months_later(today.replace_day(1).ok()?, 1)?,
            ("", name) => in_year(None, month_of(name)?, 1, today.replace_day(1).ok()?)?,
            _ => today.replace_day(1).ok()?,
        };
        return nth(number(&found, 1), weekday(text(&found, 2))?, month);
    }
    let named = first(&MONTH_DAY, said).map(|f| (text(&f, 1), number(&f, 2), number(&f, 3)));
    let named = named
        .or_else(|| first(&DAY_MONTH, said).map(|f| (text(&f, 2), number(&f, 1), number(&f, 3))));
    if let Some((month, Some(day_of), year)) = named {
        return in_year(year, month_of(month)?, day_of, today);
    }
    if let Some(found) = first(&SLASHES, said) {
        let one = number(&found, 1).or_else(|| number(&found, 3))?;
        let two = number(&found, 2).or_else(|| number(&found, 4))?;
        // 27/11 and 11/27 are told apart where only one of the two can be a month.
        let (month, day_of) = if one > 12 { (two, one) } else { (one, two) };
        return in_year(None, month, day_of, today);
    }
    if let Some(found) = first(&DAY_OF_NEXT_MONTH, said) {
        let ahead = i32::from(text(&found, 2) == "next");
        let month = months_later(today.replace_day(1).ok()?, ahead)?;
        return month.replace_day(u8::try_from(number(&found, 1)?).ok()?).ok();
    }
    counted(said, today).or_else(|| by_name(said, today)).or_else(|| {
        let found = first(&DAY, said)?;
        day_ahead(
            number(&found, 1).or_else(|| number(&found, 2)).or_else(|| number(&found, 3))?,
            today,
        )
    })
}

/// "In three days", "two weeks from tomorrow".
fn counted(said: &str, today: Date) -> Option<Date> {
    let found = first(&COUNTED, said)?;
    let (count, unit, from) = match text(&found, 2) {
        "" => (number(&found, 4), text(&found, 5), ""),
        unit => (number(&found, 1), unit, text(&found, 3)),
    };
    let from = if from == "tomorrow" { later(today, 1)? } else { today };
    let count = count.unwrap_or(1);
    match unit {
        "day" => later(from, i64::from(count)),
        "week" => later(from, 7 * i64::from(count)),
        "fortnight" => later(from, 14 * i64::from(count)),
        _ => months_later(from, count),
    }
}

/// "Tomorrow", "Friday", "Friday next week", "the end of the month".
fn by_name(said: &str, today: Date) -> Option<Date> {
    let plain = |words: &str| said.contains(words);
    for (words, days) in [
        ("day after tomorrow", 2),
        ("day after tmrw", 2),
        ("tomorrow", 1),
        ("tmrw", 1),
        ("next day", 1),
        ("today", 0),
        ("this day", 0),
        ("tonight", 0),
    ] {
        if plain(words) {
            return later(today, days);
        }
    }
    if plain("end of next month") {
        return month_end(months_later(today.replace_day(1).ok()?, 1)?);
    }
    if plain("end of the month") || plain("end of this month") {
        return month_end(today);
    }
    let found = first(&NAMED_DAY, said)?;
    let index = usize::from(weekday(text(&found, 2))?.number_days_from_monday());
    match text(&found, 1) {
        "next" => in_week(today, 1, index),
        _ if plain("next week") => in_week(today, 1, index),
        _ if first(&DAY, said).is_some() => {
            // "Friday the 27th": the number says which Friday.
            let day = first(&DAY, said).and_then(|f| number(&f, 1).or_else(|| number(&f, 2)))?;
            day_ahead(day, today)
        }
        _ => coming(today, index),
    }
}

fn month_of(name: &str) -> Option<i32> {
    MONTHS.iter().position(|month| name.starts_with(month)).map(|at| at as i32 + 1)
}

fn weekday(name: &str) -> Option<Weekday> {
    let at = DAYS.iter().position(|day| name.starts_with(day))?;
    Some(Weekday::Monday.nth_next(u8::try_from(at).ok()?))
}

/// The day of that name in the month of `first`, of which `None` is the last.
fn nth(place: Option<i32>, wanted: Weekday, first: Date) -> Option<Date> {
    let ahead = i64::from(
        (7 + wanted.number_days_from_monday() - first.weekday().number_days_from_monday()) % 7,
    );
    let of_month =
        |weeks: i64| later(first, ahead + 7 * weeks).filter(|date| date.month() == first.month());
    match place {
        Some(place) => of_month(i64::from(place) - 1),
        None => of_month(4).or_else(|| of_month(3)),
    }
}
