//! Days in Chinese, with numbers already in figures.

use std::sync::LazyLock;

use fancy_regex::Regex;
use time::Date;

use super::date::{
    Pattern, coming, day_ahead, first, in_week, in_year, later, month_end, months_later, number,
    text, written_out,
};

static ZH_FULL: Pattern =
    LazyLock::new(|| Regex::new(r"(?:(\d{4})年)?(明年)?(\d{1,2})月份?(\d{1,2})[日号]?").ok());
static ZH_SLASH: Pattern =
    LazyLock::new(|| Regex::new(r"(?<![\d./-])(\d{1,2})[/](\d{1,2})(?![\d./-])").ok());
static ZH_WEEKDAY: Pattern =
    LazyLock::new(|| Regex::new(r"(下下|下|这|本)?个?(?:周|星期|礼拜)([1-7日天])").ok());
static ZH_DAY: Pattern =
    LazyLock::new(|| Regex::new(r"(下个?月|这个?月|本月)?(\d{1,2})[号日]").ok());
static ZH_AHEAD: Pattern =
    LazyLock::new(|| Regex::new(r"(\d{1,2})(天|个?(?:周|星期|礼拜)|个月)(?:之|以)?后").ok());

/// The day in `said`, counted from `today`.
pub(super) fn chinese(said: &str, today: Date) -> Option<Date> {
    if let Some(date) = written_out(said) {
        return date;
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
    // 12/1 in writing.
    if let Some(found) = first(&ZH_SLASH, said) {
        return in_year(None, number(&found, 1)?, number(&found, 2)?, today);
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
    // What is over is no day to come.
    if ["昨天", "昨日", "前天", "上周", "上个", "去年"].iter().any(|words| said.contains(words))
    {
        return None;
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
