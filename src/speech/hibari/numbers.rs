//! English number words as `num2words` writes them: cardinals, ordinals, years, decimals.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 13] = [
    "",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
    "undecillion",
];

/// `1234` is "one thousand, two hundred and thirty-four".
pub(super) fn cardinal(n: u128) -> String {
    if n < 1000 {
        return below_1000(n as usize);
    }
    let mut groups = Vec::new();
    let mut rest = n;
    for scale in SCALES {
        let group = (rest % 1000) as usize;
        rest /= 1000;
        match (group, scale) {
            (0, _) => {}
            (_, "") => groups.push(below_1000(group)),
            _ => groups.push(format!("{} {scale}", below_1000(group))),
        }
    }
    groups.reverse();
    let ends_below_100 = (1..100).contains(&(n % 1000));
    match groups.split_last() {
        Some((last, head)) if ends_below_100 => format!("{} and {last}", head.join(", ")),
        _ => groups.join(", "),
    }
}

/// `23` is "twenty-third".
pub(super) fn ordinal(n: u128) -> String {
    let words = cardinal(n);
    let start = words.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (head, last) = words.split_at(start);
    head.to_owned() + &ordinal_word(last)
}

/// `1905` is "nineteen oh-five", `2005` is "two thousand and five".
pub(super) fn year(n: u128) -> String {
    let (high, low) = (n / 100, n % 100);
    if high == 0 || (high % 10 == 0 && low < 10) || high >= 100 {
        return cardinal(n);
    }
    let low = match low {
        0 => "hundred".to_owned(),
        1..10 => format!("oh-{}", cardinal(low)),
        _ => cardinal(low),
    };
    format!("{} {low}", cardinal(high))
}

/// `3.140` is "three point one four"; `None` unless `text` is digits with at most one dot.
pub(super) fn decimal(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut words = cardinal(whole);
    for (i, digit) in fraction.trim_end_matches('0').chars().enumerate() {
        words.push_str(if i == 0 { " point " } else { " " });
        words.push_str(ONES[digit.to_digit(10)? as usize]);
    }
    Some(words)
}

fn below_1000(n: usize) -> String {
    match (n / 100, n % 100) {
        (0, rest) => below_100(rest),
        (hundreds, 0) => format!("{} hundred", ONES[hundreds]),
        (hundreds, rest) => format!("{} hundred and {}", ONES[hundreds], below_100(rest)),
    }
}

fn below_100(n: usize) -> String {
    match (n / 10, n % 10) {
        (0 | 1, _) => ONES[n].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{}-{}", TENS[tens], ONES[ones]),
    }
}

fn ordinal_word(word: &str) -> String {
    match word {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        _ => match word.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{word}th"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cardinals_join_groups_as_num2words_does() {
        assert_eq!(cardinal(0), "zero");
        assert_eq!(cardinal(21), "twenty-one");
        assert_eq!(cardinal(1_000), "one thousand");
        assert_eq!(cardinal(1_001), "one thousand and one");
        assert_eq!(cardinal(1_234), "one thousand, two hundred and thirty-four");
        assert_eq!(cardinal(2_000_013), "two million and thirteen");
        assert_eq!(cardinal(1_000_500), "one million, five hundred");
    }

    #[test]
    fn the_largest_number_has_words() {
        assert!(cardinal(u128::MAX).starts_with("three hundred and forty undecillion, "));
    }

    #[test]
    fn only_the_last_word_of_an_ordinal_changes() {
        assert_eq!(ordinal(1), "first");
        assert_eq!(ordinal(12), "twelfth");
        assert_eq!(ordinal(23), "twenty-third");
        assert_eq!(ordinal(40), "fortieth");
        assert_eq!(ordinal(101), "one hundred and first");
        assert_eq!(ordinal(1000), "one thousandth");
    }

    #[test]
    fn years_are_read_in_pairs_where_people_do() {
        assert_eq!(year(1999), "nineteen ninety-nine");
        assert_eq!(year(1905), "nineteen oh-five");
        assert_eq!(year(1900), "nineteen hundred");
        assert_eq!(year(2005), "two thousand and five");
        assert_eq!(year(2024), "twenty twenty-four");
        assert_eq!(year(50), "fifty");
    }

    #[test]
    fn decimals_drop_trailing_zeros() {
        assert_eq!(decimal("3.14").as_deref(), Some("three point one four"));
        assert_eq!(decimal("3.0").as_deref(), Some("three"));
        assert_eq!(decimal(".5").as_deref(), Some("zero point five"));
        assert_eq!(decimal("1.2.3"), None);
        assert_eq!(decimal("x"), None);
    }
}
