//! Codes of letters and digits: licence plates, postcodes, order numbers.

use crate::text::{Hypothesis, Lang};

/// Most letters and digits of a code.
const LONGEST: usize = 24;
/// Letters that were heard as digits, or digits as letters, at most.
const MENDED: usize = 2;
/// First characters of Chinese licence plates, one for each province.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领";

/// What a code looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeForm {
    shapes: Vec<Vec<Place>>,
}

/// What may stand at a place of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Letter,
    Digit,
    /// A letter or a digit, without the letters I and O.
    Either,
    /// The province of a licence plate.
    Province,
    Literal(char),
}

impl CodeForm {
    /// Chinese licence plates, those of electric cars too: 京A12345, 沪AD12345.
    #[must_use]
    pub fn plate() -> Self {
        let plate = |rest: usize| {
            let mut shape = vec![Place::Province, Place::Letter];
            shape.extend(std::iter::repeat_n(Place::Either, rest));
            shape
        };
        Self { shapes: vec![plate(5), plate(6)] }
    }

    /// Postcodes of the United Kingdom: SW1A2AA.
    #[must_use]
    pub fn uk_postcode() -> Self {
        let shapes = ["A99AA", "A999AA", "AA99AA", "AA999AA", "A9A9AA", "AA9A9AA"];
        Self { shapes: shapes.into_iter().filter_map(shape).collect() }
    }

    /// Of this pattern: `A` is any letter, `9` any digit, `*` either, other letters and digits themselves;
    /// everything else, such as dashes, is not said. `None` for a pattern without a place or of too many.
    #[must_use]
    pub fn pattern(pattern: &str) -> Option<Self> {
        shape(pattern).map(|shape| Self { shapes: vec![shape] })
    }

    /// Whether only digits are in it, so that keys can give it.
    #[must_use]
    pub fn is_digits(&self) -> bool {
        self.shapes.iter().flatten().all(|place| *place == Place::Digit)
    }

    /// Most letters and digits.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.shapes.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The code that keys gave.
    #[must_use]
    pub fn keyed(&self, keys: &str) -> Option<String> {
        self.fit(&keys.chars().collect::<Vec<_>>()).map(|(_, code)| code)
    }

    /// The code that `text`, letters and digits, is; letters heard for digits and the reverse are mended.
    fn fit(&self, text: &[char]) -> Option<(usize, String)> {
        let fits =
            self.shapes.iter().filter(|shape| shape.len() == text.len()).filter_map(|shape| {
                let mut mended = 0;
                let mut code = String::new();
                for (place, &c) in shape.iter().zip(text) {
                    let (fitting, was_mended) = place.take(c)?;
                    mended += usize::from(was_mended);
                    code.push(fitting);
                }
                (mended <= MENDED).then_some((mended, code))
            });
        fits.min_by_key(|(mended, _)| *mended)
    }
}

fn shape(pattern: &str) -> Option<Vec<Place>> {
    let place = |c: char| match c {
        'A' => Some(Place::Letter),
        '9' => Some(Place::Digit),
        '*' => Some(Place::Either),
        c if c.is_ascii_alphanumeric() => Some(Place::Literal(c.to_ascii_uppercase())),
        _ => None,
    };
    let shape: Vec<Place> = pattern.chars().filter_map(place).collect();
    (!shape.is_empty() && shape.len() <= LONGEST).then_some(shape)
}

impl Place {
    /// `c` as it may stand here, and whether it was heard as something else.
    fn take(self, c: char) -> Option<(char, bool)> {
        let as_digit = |c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let as_letter = |c| match c {
            '0' => 'O',
            '1' => 'I',
            c => c,
        };
        let fitting = match self {
            Self::Letter => as_letter(c),
            Self::Digit => as_digit(c),
            Self::Either if matches!(c, 'I' | 'O') => as_digit(c),
            Self::Either | Self::Province => c,
            Self::Literal(_) if c.is_ascii_digit() => as_letter(c),
            Self::Literal(wanted) if wanted.is_ascii_digit() => as_digit(c),
            Self::Literal(_) => c,
        };
        let fits = match self {
            Self::Letter => fitting.is_ascii_uppercase(),
            Self::Digit => fitting.is_ascii_digit(),
            Self::Either => fitting.is_ascii_alphanumeric(),
            Self::Province => PROVINCES.contains(fitting),
            Self::Literal(wanted) => fitting == wanted || c == wanted,
        };
        let fitting = if let Self::Literal(wanted) = self { wanted } else { fitting };
        fits.then_some((fitting, fitting != c))
    }
}

/// The code of that form in what was heard: the longest of the first reading that has one.
#[must_use]
pub fn code(lang: Lang, heard: &[Hypothesis], form: &CodeForm) -> Option<String> {
    heard.iter().find_map(|hypothesis| code_in(lang, &hypothesis.text, form))
}

fn code_in(lang: Lang, text: &str, form: &CodeForm) -> Option<String> {
    let said = match lang {
        Lang::En => english(text),
        Lang::Zh => chinese(text),
    };
    let mut best: Option<(usize, usize, String)> = None;
    for from in 0..said.len() {
        let mut run: Vec<char> = Vec::new();
        for symbols in &said[from..] {
            let Some(symbols) = symbols else { break };
            run.extend(symbols.chars());
            if run.len() > form.longest() {
                break;
            }
            if let Some((mended, code)) = form.fit(&run) {
                let better = best.as_ref().is_none_or(|(length, least, _)| {
                    run.len() > *length || (run.len() == *length && mended < *least)
                });
                if better {
                    best = Some((run.len(), mended, code));
                }
            }
        }
    }
    best.map(|(_, _, code)| code)
}

/// What each word of English spells: letters and digits, nothing for a filler, `None` for another word.
fn english(text: &str) -> Vec<Option<String>> {
    let lower = text.to_lowercase().replace("double you", "w").replace("double u", "w");
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut said: Vec<Option<String>> = Vec::new();
    let mut times = 1;
    for word in words {
        match word {
            "double" => times = 2,
            "triple" => times = 3,
            "dash" | "hyphen" | "space" | "then" | "and" | "for" | "as" | "in" | "like" | "uh"
            | "um" => said.push(Some(String::new())),
            _ => {
                let symbols = spelled(word);
                // "S for Sugar" spells an S.
                let twice = matches!(&symbols, Some(next) if repeats(&said, next, word));
                if !twice {
                    said.push(symbols.map(|symbols| symbols.repeat(times)));
                }
                times = 1;
            }
        }
    }
    said
}

/// Whether a word such as "sugar" only says again which letter came before it.
fn repeats(said: &[Option<String>], letter: &str, word: &str) -> bool {
    let mut before = said.iter().rev();
    let joined = before.next().is_some_and(|last| last.as_deref() == Some(""));
    joined && word.len() > 1 && before.next().is_some_and(|last| last.as_deref() == Some(letter))
}

fn spelled(word: &str) -> Option<String> {
    if let Some((_, symbol)) = NAMES.iter().find(|(name, _)| *name == word) {
        return Some((*symbol).to_owned());
    }
    // "SW1A", and letters that a recogniser joined.
    let joined = word.len() <= 3 || word.bytes().any(|b| b.is_ascii_digit());
    (joined && word.is_ascii()).then(|| word.to_ascii_uppercase())
}

/// Digits, letters by their names, and the spelling alphabet.
const NAMES: [(&str, &str); 76] = [
    ("zero", "0"),
    ("nought", "0"),
    ("one", "1"),
    ("two", "2"),
    ("too", "2"),
    ("to", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("niner", "9"),
    ("oh", "O"),
    ("ay", "A"),
    ("bee", "B"),
    ("be", "B"),
    ("cee", "C"),
    ("see", "C"),
    ("sea", "C"),
    ("dee", "D"),
    ("eff", "F"),
    ("gee", "G"),
    ("aitch", "H"),
    ("eye", "I"),
    ("jay", "J"),
    ("kay", "K"),
    ("el", "L"),
    ("em", "M"),
    ("en", "N"),
    ("pee", "P"),
    ("queue", "Q"),
    ("cue", "Q"),
    ("are", "R"),
    ("ess", "S"),
    ("tee", "T"),
    ("tea", "T"),
    ("you", "U"),
    ("vee", "V"),
    ("ex", "X"),
    ("why", "Y"),
    ("zed", "Z"),
    ("zee", "Z"),
    ("alpha", "A"),
    ("alfa", "A"),
    ("bravo", "B"),
    ("charlie", "C"),
    ("delta", "D"),
    ("echo", "E"),
    ("foxtrot", "F"),
    ("golf", "G"),
    ("hotel", "H"),
    ("india", "I"),
    ("juliet", "J"),
    ("juliett", "J"),
    ("kilo", "K"),
    ("lima", "L"),
    ("mike", "M"),
    ("november", "N"),
    ("oscar", "O"),
    ("papa", "P"),
    ("quebec", "Q"),
    ("romeo", "R"),
    ("sierra", "S"),
    ("sugar", "S"),
    ("tango", "T"),
    ("uniform", "U"),
    ("victor", "V"),
    ("whiskey", "W"),
    ("whisky", "W"),
    ("xray", "X"),
    ("yankee", "Y"),
    ("zulu", "Z"),
    ("london", "L"),
    ("apple", "A"),
];

/// What each character of Chinese spells.
fn chinese(text: &str) -> Vec<Option<String>> {
    const DIGITS: [(char, char); 13] = [
        ('零', '0'),
        ('〇', '0'),
        ('幺', '1'),
        ('一', '1'),
        ('二', '2'),
        ('两', '2'),
        ('三', '3'),
        ('四', '4'),
        ('五', '5'),
        ('六', '6'),
        ('七', '7'),
        ('八', '8'),
        ('九', '9'),
    ];
    let symbol = |c: char| {
        if let Some((_, digit)) = DIGITS.iter().find(|(name, _)| *name == c) {
            return Some(digit.to_string());
        }
        if c.is_ascii_alphanumeric() {
            return Some(c.to_ascii_uppercase().to_string());
        }
        if PROVINCES.contains(c) {
            return Some(c.to_string());
        }
        let filler = c.is_whitespace()
            || matches!(c, '，' | ',' | '。' | '.' | '、' | '-' | '·' | '杠' | '呃' | '嗯' | '点');
        filler.then(String::new)
    };
    text.chars().map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(lang: Lang, text: &str, form: &CodeForm) -> Option<String> {
        code(lang, &[Hypothesis { text: text.into(), confidence: 0.9 }], form)
    }

    #[test]
    fn postcodes_are_spelled_in_many_ways() {
        for (said, code) in [
            ("S W one A, two A A", Some("SW1A2AA")),
            ("it's sw1a 2aa", Some("SW1A2AA")),
            ("sierra whiskey one alpha two alpha alpha", Some("SW1A2AA")),
            ("my postcode is em one one double a", Some("M11AA")),
            ("E C one double you, nine oh T. sorry", Some("EC1W9OT")),
            ("bee three three, eight tee aitch", Some("B338TH")),
            ("S for sugar W one A two double A", Some("SW1A2AA")),
            ("C R two six X H", Some("CR26XH")),
            ("D N five five one P T", Some("DN551PT")),
            ("I don't know it", None),
            ("", None),
        ] {
            assert_eq!(heard(Lang::En, said, &CodeForm::uk_postcode()).as_deref(), code, "{said}");
        }
    }

    #[test]
    fn plates_are_said_with_their_province() {
        for (said, code) in [
            ("京A幺二三四五", Some("京A12345")),
            ("我的车牌是沪 B 8 8 6 6 D。", Some("沪B8866D")),
            ("粤BD一二三四五", Some("粤BD12345")),
            ("浙A O一二三四", Some("浙A01234")),
            ("车牌号我忘了", None),
            ("A12345", None),
        ] {
            assert_eq!(heard(Lang::Zh, said, &CodeForm::plate()).as_deref(), code, "{said}");
        }
    }

    #[test]
    fn order_numbers_follow_their_pattern() {
        let order = CodeForm::pattern("NF-9999-999").expect("a pattern");
        for (said, code) in [
            ("N F four four one seven nine oh two", Some("NF4417902")),
            ("it is november foxtrot 4417 902", Some("NF4417902")),
            ("en eff, four four one seven, nine zero two please", Some("NF4417902")),
            ("four four one seven", None),
        ] {
            assert_eq!(heard(Lang::En, said, &order).as_deref(), code, "{said}");
        }
        assert_eq!(CodeForm::pattern("---"), None);
        assert!(CodeForm::pattern("99999").expect("a pattern").is_digits());
    }

    proptest! {
        #[test]
        fn whatever_is_heard_a_code_has_its_form(said in "[a-z0-9京沪一二三 ]{0,40}", zh in any::<bool>()) {
            let lang = if zh { Lang::Zh } else { Lang::En };
            if let Some(code) = heard(lang, &said, &CodeForm::uk_postcode()) {
                prop_assert!((5..=7).contains(&code.len()));
                prop_assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
            }
        }
    }
}
