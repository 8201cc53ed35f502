//! Scoring transcripts: word and character error rates.

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::text::{Lang, simplify};

/// Splits a transcript into the units its language is scored in: words for English, characters
/// for Chinese. Case, punctuation, and the two spellings of numbers do not count.
pub fn units(text: &str, lang: Lang) -> Vec<String> {
    match lang {
        Lang::En => words(text),
        Lang::Zh => characters(text),
    }
}

/// The least number of substitutions, insertions and deletions that turn `from` into `to`.
pub fn edit_distance<T: PartialEq>(from: &[T], to: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

/// Errors against reference units: of one clip, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Substitutions, insertions and deletions.
    pub errors: usize,
    /// Units in the reference.
    pub units: usize,
}

impl Tally {
    /// Scores one clip.
    pub fn of(reference: &str, hypothesis: &str, lang: Lang) -> Self {
        let reference = units(reference, lang);
        let errors = edit_distance(&reference, &units(hypothesis, lang));
        Self { errors, units: reference.len() }
    }

    /// Adds up the clips of a set.
    pub fn total(clips: &[Self]) -> Self {
        clips.iter().fold(Self::default(), |sum, clip| Self {
            errors: sum.errors + clip.errors,
            units: sum.units + clip.units,
        })
    }

    /// Errors per reference unit; may exceed 1. Zero for an empty reference.
    pub fn rate(self) -> f64 {
        if self.units == 0 { 0.0 } else { self.errors as f64 / self.units as f64 }
    }
}

/// The 95 % interval of the error rate of a set, from 2,000 resamplings of its clips
/// (percentile bootstrap; Bisani and Ney, ICASSP 2004). The same clips give the same interval.
pub fn interval95(clips: &[Tally]) -> (f64, f64) {
    const RESAMPLINGS: usize = 2_000;
    if clips.is_empty() {
        return (0.0, 0.0);
    }
    let mut rng = StdRng::seed_from_u64(1);
    let mut rates: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let drawn: Vec<Tally> =
                (0..clips.len()).map(|_| clips[rng.random_range(0..clips.len())]).collect();
            Tally::total(&drawn).rate()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    (rates[RESAMPLINGS * 25 / 1_000], rates[RESAMPLINGS * 975 / 1_000])
}

/// English: `5 5`, `five-five` and `Five, five.` are the same two words.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\u{2019}', '\''], "").replace("mr.", "mister");
    let text = without_thousands_commas(&text);
    let mut words = Vec::new();
    for run in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        for part in digits_apart(run) {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                spell(part, &mut words);
            } else if !part.is_empty() {
                words.push(part.to_owned());
            }
        }
    }
    words
}

/// Chinese: simplified characters and Latin letters, digits as characters.
fn characters(text: &str) -> Vec<String> {
    const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    simplify(text)
        .chars()
        .filter_map(|c| match c.to_digit(10) {
            Some(digit) => Some(DIGITS[digit as usize].to_string()),
            None if c.is_alphabetic() => Some(c.to_lowercase().to_string()),
            None => None,
        })
        .collect()
}

/// `1,205` is one number, `5, 5` are two.
fn without_thousands_commas(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    text.char_indices()
        .filter(|&(at, c)| {
            let grouped = c == ',' && at > 0 && digit(at - 1) && (1..=3).all(|k| digit(at + k));
            !grouped || digit(at + 4)
        })
        .map(|(_, c)| c)
        .collect()
}

/// Splits `10am` into `10` and `am`.
fn digits_apart(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let kind = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != kind).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        parts.push(part);
        rest = tail;
    }
    parts
}

/// Spells a number as it is said: `42` as a cardinal, `52601` digit by digit.
fn spell(number: &str, words: &mut Vec<String>) {
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
    let digits = number.bytes().map(|b| usize::from(b - b'0'));
    if number.len() != 2 || number.starts_with('0') {
        words.extend(digits.map(|d| ONES[d].to_owned()));
        return;
    }
    let value = digits.fold(0, |value, d| value * 10 + d);
    if value < 20 {
        words.push(ONES[value].to_owned());
        return;
    }
    words.push(TENS[value / 10].to_owned());
    if value % 10 > 0 {
        words.push(ONES[value % 10].to_owned());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(reference: &str, hypothesis: &str, lang: Lang) -> f64 {
        Tally::of(reference, hypothesis, lang).rate()
    }

    #[test]
    fn figures_and_words_are_the_same_number() {
        assert_eq!(rate("five five", "5-5.", Lang::En), 0.0);
        assert_eq!(rate("five two six zero one", "52601", Lang::En), 0.0);
        assert_eq!(rate("forty two", "42", Lang::En), 0.0);
        assert_eq!(rate("one two zero five", "1,205", Lang::En), 0.0);
    }

    #[test]
    fn case_and_punctuation_do_not_count() {
        assert_eq!(rate("he was ill disposed", "He was ill-disposed!", Lang::En), 0.0);
        assert_eq!(rate("mister dashwood", "Mr. Dashwood", Lang::En), 0.0);
    }

    #[test]
    fn one_wrong_word_of_four_is_a_quarter() {
        assert_eq!(rate("go forward ten meters", "go forward two meters", Lang::En), 0.25);
    }

    #[test]
    fn chinese_is_scored_by_character_after_simplifying() {
        assert_eq!(rate("号码一二", "號碼12。", Lang::Zh), 0.0);
        assert_eq!(rate("换一首歌", "换一手歌", Lang::Zh), 0.25);
    }

    #[test]
    fn too_many_words_can_cost_more_than_the_reference() {
        assert_eq!(rate("yes", "oh yes indeed", Lang::En), 2.0);
    }

    #[test]
    fn the_interval_holds_the_rate_and_repeats() {
        let clips: Vec<Tally> =
            (0..30).map(|i| Tally { errors: usize::from(i % 3 == 0), units: 5 }).collect();
        let (low, high) = interval95(&clips);
        let rate = Tally::total(&clips).rate();
        assert!(low < rate && rate < high, "{low} {rate} {high}");
        assert_eq!(interval95(&clips), (low, high));
    }

    proptest! {
        #[test]
        fn any_text_can_be_scored(reference in "\\PC*", hypothesis in "\\PC*") {
            for lang in [Lang::En, Lang::Zh] {
                let tally = Tally::of(&reference, &hypothesis, lang);
                prop_assert!(tally.errors <= tally.units.max(units(&hypothesis, lang).len()));
            }
        }
    }
}
