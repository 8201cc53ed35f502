use time::Date;

use super::{Decimal, digit_string, parse_date, parse_time};
use crate::text::ReadAs;

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
/// What forms one unit with the numeral before it.
const AFTER_NUMERAL: [&str; 12] =
    ["十", "百", "千", "万", "亿", "元", "角", "分", "点", "年", "月", "日"];
const SCALES: [&str; 4] = ["", "十", "百", "千"];

pub(super) fn read(value: &str, read_as: ReadAs) -> Option<Vec<String>> {
    let words = match read_as {
        ReadAs::Text => return None,
        ReadAs::Digits => digits(value)?,
        ReadAs::Number => number(&Decimal::parse(value)?),
        ReadAs::Amount => amount(&Decimal::parse(value)?),
        ReadAs::Date => date(parse_date(value)?),
        ReadAs::Time => {
            let (hour, minute) = parse_time(value)?;
            let mut words = vec![part_of_day(hour)];
            words.extend(clock(if hour > 12 { hour - 12 } else { hour }, minute));
            words
        }
    };
    Some(joined(words))
}

/// Words as they are spoken in one go: a numeral with the place or measure after it, 四万 八千 五元.
fn joined(words: Vec<&'static str>) -> Vec<String> {
    let mut units: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        match units.last_mut() {
            Some(unit) if is_numeral(unit) && AFTER_NUMERAL.contains(&word) => unit.push_str(word),
            _ => units.push(word.to_owned()),
        }
    }
    units
}

fn is_numeral(unit: &str) -> bool {
    DIGITS.contains(&unit) || matches!(unit, "两" | "十")
}

/// Digit by digit with 幺 for 1, and X, the check digit of an identity number, as 叉; `None` when
/// there are other letters.
pub(super) fn digits(value: &str) -> Option<Vec<&'static str>> {
    digit_string(value)?
        .into_iter()
        .map(|c| match c {
            '1' => Some("幺"),
            'X' => Some("叉"),
            _ => c.to_digit(10).map(|digit| DIGITS[digit as usize]),
        })
        .collect()
}

/// A cardinal number with its decimals.
pub(super) fn number(value: &Decimal) -> Vec<&'static str> {
    let mut words = sign(value);
    words.extend(cardinal(value.whole));
    if !value.fraction.is_empty() {
        words.push("点");
        words.extend(value.fraction.bytes().map(|b| DIGITS[usize::from(b - b'0')]));
    }
    words
}

/// Money in yuan to the fen.
pub(super) fn amount(value: &Decimal) -> Vec<&'static str> {
    let (yuan, fen) = value.in_cents();
    let (jiao, fen) = (fen / 10, fen % 10);
    let mut words = sign(value);
    if yuan > 0 || (jiao == 0 && fen == 0) {
        words.extend(counted(yuan));
        words.push("元");
    }
    if jiao > 0 {
        words.extend(counted(jiao));
        words.push("角");
    }
    if fen > 0 {
        if yuan > 0 && jiao == 0 {
            words.push("零");
        }
        words.extend(counted(fen));
        words.push("分");
    }
    words
}

/// Year digit by digit, month and day as numbers.
pub(super) fn date(date: Date) -> Vec<&'static str> {
    let mut words = year_digits(&format!("{:04}", date.year()));
    words.push("年");
    words.extend(cardinal(u64::from(u8::from(date.month()))));
    words.push("月");
    words.extend(cardinal(u64::from(date.day())));
    words.push("日");
    words
}

/// Digits one by one, 1 as 一, as years are read.
pub(super) fn year_digits(year: &str) -> Vec<&'static str> {
    year.bytes().filter(u8::is_ascii_digit).map(|b| DIGITS[usize::from(b - b'0')]).collect()
}

/// Hour and minute; on the hour the minutes are left out.
pub(super) fn clock(hour: u8, minute: u8) -> Vec<&'static str> {
    let mut words = counted(u64::from(hour));
    words.push("点");
    if minute > 0 {
        if minute < 10 {
            words.push("零");
        }
        words.extend(cardinal(u64::from(minute)));
        words.push("分");
    }
    words
}

/// A number before a measure word: a lone 2 is 两.
pub(super) fn counted(number: u64) -> Vec<&'static str> {
    if number == 2 { vec!["两"] } else { cardinal(number) }
}

/// A cardinal number as an announcer reads it: 二十, 二百, but 两千, 两万, 两亿; 十五 but 一百一十五.
pub(super) fn cardinal(number: u64) -> Vec<&'static str> {
    let mut words = Vec::new();
    count(number, &mut words);
    if words.starts_with(&["一", "十"]) {
        words.remove(0);
    }
    if words.is_empty() {
        words.push("零");
    }
    words
}

fn sign(value: &Decimal) -> Vec<&'static str> {
    let is_zero = value.whole == 0 && value.fraction.bytes().all(|b| b == b'0');
    if value.negative && !is_zero { vec!["负"] } else { Vec::new() }
}

fn part_of_day(hour: u8) -> &'static str {
    match hour {
        0..=5 => "凌晨",
        6..=11 => "上午",
        12 => "中午",
        13..=17 => "下午",
        _ => "晚上",
    }
}

/// Appends the reading of `number`, nothing for zero.
fn count(number: u64, words: &mut Vec<&'static str>) {
    for (scale, name) in [(100_000_000, "亿"), (10_000, "万")] {
        if number < scale {
            continue;
        }
        let (above, below) = (number / scale, number % scale);
        if above == 2 {
            words.push("两")
        } else {
            count(above, words)
        }
        words.push(name);
        // 零 stands for the zeros between the two parts, and when the upper part ends in one.
        if below > 0 && below < scale / 10 {
            words.push("零");
        }
        return count(below, words);
    }
    count_below_ten_thousand(number, words);
}

fn count_below_ten_thousand(number: u64, words: &mut Vec<&'static str>) {
    let mut zeros_pending = false;
    for place in (0..4_usize).rev() {
        let digit = (number / 10_u64.pow(place as u32) % 10) as usize;
        if digit == 0 {
            zeros_pending = words_begun(number, place);
            continue;
        }
        if std::mem::take(&mut zeros_pending) {
            words.push("零");
        }
        words.push(if digit == 2 && place == 3 { "两" } else { DIGITS[digit] });
        if place > 0 {
            words.push(SCALES[place]);
        }
    }
}

/// Whether `number` has a digit above `place`, so that a zero there is inside it.
fn words_begun(number: u64, place: usize) -> bool {
    number / 10_u64.pow(place as u32 + 1) > 0
}

#[cfg(test)]
mod tests {
    use crate::text::{Lang, ReadAs, verbalize};

    fn said(value: &str, read_as: ReadAs) -> String {
        verbalize(Lang::Zh, value, read_as).concat()
    }

    #[test]
    fn digits_say_yao_for_one_and_skip_separators() {
        assert_eq!(said("138-0013-8000", ReadAs::Digits), "幺三八零零幺三八零零零");
        assert_eq!(said("31002x", ReadAs::Digits), "三幺零零二叉");
        assert_eq!(said("K2291", ReadAs::Digits), "K2291");
    }

    #[test]
    fn zeros_inside_a_number_are_said_once() {
        for (value, reading) in [
            ("0", "零"),
            ("10", "十"),
            ("15", "十五"),
            ("20", "二十"),
            ("101", "一百零一"),
            ("110", "一百一十"),
            ("115", "一百一十五"),
            ("1005", "一千零五"),
            ("1205", "一千二百零五"),
            ("2222", "两千二百二十二"),
            ("10010", "一万零一十"),
            ("20000", "两万"),
            ("100500", "十万零五百"),
            ("150000", "十五万"),
            ("1000000", "一百万"),
            ("200000000", "两亿"),
            ("100000005", "一亿零五"),
            ("-3.50", "负三点五零"),
            ("1,234.5", "一千二百三十四点五"),
        ] {
            assert_eq!(said(value, ReadAs::Number), reading);
        }
    }

    #[test]
    fn amounts_are_said_to_the_fen() {
        for (value, reading) in [
            ("48215.60", "四万八千二百一十五元六角"),
            ("2400.00", "两千四百元"),
            ("0", "零元"),
            ("2", "两元"),
            ("12.34", "十二元三角四分"),
            ("12.04", "十二元零四分"),
            ("0.05", "五分"),
            ("0.2", "两角"),
            ("-1500", "负一千五百元"),
            ("9.999", "十元"),
            ("-0.00", "零元"),
        ] {
            assert_eq!(said(value, ReadAs::Amount), reading);
        }
    }

    #[test]
    fn dates_and_times_are_said_as_announcers_do() {
        assert_eq!(said("2026-11-23", ReadAs::Date), "二零二六年十一月二十三日");
        assert_eq!(said("2026-02-01", ReadAs::Date), "二零二六年二月一日");
        for (value, reading) in [
            ("08:30", "上午八点三十分"),
            ("00:05", "凌晨零点零五分"),
            ("02:00", "凌晨两点"),
            ("12:10", "中午十二点十分"),
            ("14:00", "下午两点"),
            ("20:15:59", "晚上八点十五分"),
        ] {
            assert_eq!(said(value, ReadAs::Time), reading);
        }
    }
}
