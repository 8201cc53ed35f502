use super::{Decimal, parse_date, parse_time, zh};
use crate::text::Lang;

/// Words after which a number is a code, read digit by digit.
const CODE_MARKS: [&str; 12] = [
    "尾号",
    "拨打",
    "致电",
    "电话",
    "热线",
    "编号",
    "工号",
    "单号",
    "验证码",
    "手机",
    "账号",
    "卡号",
];
/// Measure words before which 2 is 两.
const MEASURES: &str = "个次天位件项种条张份遍句分块元角点小周星步名家笔户套台人";

/// Writes the Arabic digits in a Chinese sentence as the Chinese words a speaker says: numbers,
/// decimals, percentages, money, dates, times, ranges and telephone numbers. English is left as it
/// is, because English synthesisers read digits themselves.
#[must_use]
pub fn spell_out(lang: Lang, text: &str) -> String {
    if lang == Lang::En || !text.contains(|c: char| half(c).is_ascii_digit()) {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().map(half).collect();
    let mut spelled = String::with_capacity(text.len() * 2);
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let currency =
            currency_sign(rest[0]).filter(|_| rest.get(1).is_some_and(char::is_ascii_digit));
        if let Some(name) = currency {
            let token = take_number(&rest[1..]);
            spelled.push_str(&money(&token, name));
            at += 1 + token.len();
        } else if rest[0].is_ascii_digit() {
            let token = take_token(rest);
            let after = &chars[at + token.len()..];
            let in_yuan = token.contains('.') && after.first() == Some(&'元');
            if in_yuan {
                spelled.push_str(&money(&token, "元"));
            } else {
                spelled.push_str(&spell(&token, &spelled, after));
            }
            let swallowed = in_yuan || after.first() == Some(&'%');
            at += token.len() + usize::from(swallowed);
        } else {
            spelled.push(if joins_range(&chars, at) { '到' } else { rest[0] });
            at += 1;
        }
    }
    spelled
}

/// The words for one token of digits and inner punctuation, seen in its surroundings.
fn spell(token: &str, before: &str, after: &[char]) -> String {
    let next = after.first().copied().unwrap_or(' ');
    if let Some(date) = parse_date(&token.replace('/', "-")) {
        return zh::date(date).concat();
    }
    if let Some((hour, minute)) = parse_time(token) {
        return zh::clock(hour, minute).concat();
    }
    let is_year = next == '年' && token.len() == 4;
    if is_year {
        return zh::year_digits(token).concat();
    }
    let Some(number) = Decimal::parse(token) else {
        return zh::digits(token).map_or_else(|| token.to_owned(), |words| words.concat());
    };
    if next == '%' {
        return format!("百分之{}", zh::number(&number).concat());
    }
    let plain = number.fraction.is_empty() && !token.contains(',');
    if plain && is_code(token, before) {
        return zh::digits(token).map_or_else(String::new, |words| words.concat());
    }
    if token == "2" && MEASURES.contains(next) {
        return "两".into();
    }
    zh::number(&number).concat()
}

/// Whether a run of digits names something rather than counts.
fn is_code(token: &str, before: &str) -> bool {
    let leading_zero = token.len() > 1 && token.starts_with('0');
    let tail: String = before.trim_end_matches([' ', '：', ':', '是', '为']).into();
    let marked = CODE_MARKS.iter().any(|mark| tail.ends_with(mark));
    leading_zero || token.len() >= 9 || (marked && token.len() >= 3)
}

/// Whether the sign at `at` stands between two numbers as "to".
fn joins_range(chars: &[char], at: usize) -> bool {
    let digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
    let before = at.checked_sub(1).and_then(|before| chars.get(before));
    matches!(chars[at], '-' | '~' | '–' | '—')
        && (digit(before) || before == Some(&'%'))
        && digit(chars.get(at + 1))
}

fn money(token: &str, currency: &str) -> String {
    let Some(number) = Decimal::parse(token) else { return format!("{token}{currency}") };
    match currency {
        "元" => zh::amount(&number).concat(),
        _ if number.whole == 2 && number.fraction.is_empty() => format!("两{currency}"),
        _ => format!("{}{currency}", zh::number(&number).concat()),
    }
}

fn currency_sign(c: char) -> Option<&'static str> {
    match c {
        '¥' | '￥' => Some("元"),
        '$' => Some("美元"),
        '£' => Some("英镑"),
        '€' => Some("欧元"),
        _ => None,
    }
}

/// Digits with `,` and `.` between them.
fn take_number(chars: &[char]) -> String {
    take(chars, &[',', '.'])
}

/// The longest of a date, a time, a number, or digits in groups ("138-0013-8000").
fn take_token(chars: &[char]) -> String {
    let grouped = take(chars, &['-', '/']);
    let groups: Vec<&str> = grouped.split('-').collect();
    let is_phone = groups.len() > 1 && grouped.len() >= 9 && groups.iter().all(|g| g.len() >= 3);
    if is_phone || parse_date(&grouped.replace('/', "-")).is_some() {
        return grouped;
    }
    let timed = take(chars, &[':']);
    if parse_time(&timed).is_some() && timed.contains(':') {
        return timed;
    }
    let number = take_number(chars);
    if Decimal::parse(&number).is_some() { number } else { take(chars, &[]) }
}

/// Digits, and any of `inner` where it stands between two digits.
fn take(chars: &[char], inner: &[char]) -> String {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    (0..chars.len())
        .take_while(|at| {
            digit(*at) || (*at > 0 && inner.contains(&chars[*at]) && digit(at - 1) && digit(at + 1))
        })
        .map(|at| chars[at])
        .collect()
}

/// Full-width digits and the signs that stand between digits, half width; the rest as it is, so
/// that Chinese punctuation survives.
fn half(c: char) -> char {
    match c {
        '０'..='９' | '％' | '＄' | '－' | '．' | '～' => crate::text::fold::half_width(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str)]) {
        for (written, spoken) in cases {
            assert_eq!(spell_out(Lang::Zh, written), *spoken, "{written}");
        }
    }

    #[test]
    fn dates_and_times() {
        check(&[
            ("工作日9:00到17:30。", "工作日九点到十七点三十分。"),
            ("2026年11月23日", "二零二六年十一月二十三日"),
            ("到期日2026-11-23，", "到期日二零二六年十一月二十三日，"),
            ("9:05-17:00", "九点零五分到十七点"),
            ("下午2点", "下午两点"),
        ]);
    }

    #[test]
    fn numbers_money_and_percentages() {
        check(&[
            ("每月最多1,500元", "每月最多一千五百元"),
            ("余额48215.60元", "余额四万八千二百一十五元六角"),
            ("￥12.50", "十二元五角"),
            ("$120", "一百二十美元"),
            ("涨了12%，", "涨了百分之十二，"),
            ("3-5个工作日", "三到五个工作日"),
            ("10%-20%", "百分之十到百分之二十"),
            ("2次和12次", "两次和十二次"),
            ("满意按1，一般按2", "满意按一，一般按二"),
        ]);
    }

    #[test]
    fn codes_and_telephone_numbers() {
        check(&[
            ("拨打12329", "拨打幺二三二九"),
            ("是138-0013-8000，对吗？", "是幺三八零零幺三八零零零，对吗？"),
            ("手机13800138000", "手机幺三八零零幺三八零零零"),
            ("尾号为1110的卡", "尾号为幺幺幺零的卡"),
            ("工号007", "工号零零七"),
        ]);
    }

    #[test]
    fn text_without_digits_and_english_stay() {
        check(&[("您好，请讲。", "您好，请讲。"), ("", "")]);
        assert_eq!(spell_out(Lang::En, "at 9:00"), "at 9:00");
    }

    #[test]
    fn full_width_digits_are_read_too() {
        check(&[("按１或２", "按一或二")]);
    }
}
