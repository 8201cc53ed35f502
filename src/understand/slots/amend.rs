//! Corrections of a part of a number: 后四位是…, "the last two are …", 不对，是一三八….

use super::digits::{DigitSpec, digits};
use crate::text::{Hypothesis, Lang};

/// Fewest digits that stand for a part without a word about which.
const FEWEST: usize = 2;

/// `old` with the part replaced that the caller said anew; `None` when none was said, or nothing tells where it belongs.
#[must_use]
pub fn amended(lang: Lang, old: &str, heard: &[Hypothesis], spec: &DigitSpec) -> Option<String> {
    let new = heard.iter().find_map(|hypothesis| amended_by(lang, old, &hypothesis.text))?;
    (new != old && spec.fits(&new)).then_some(new)
}

fn amended_by(lang: Lang, old: &str, text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let cue = cues(lang).iter().filter_map(|(word, end)| Some((text.rfind(word)?, word, *end)));
    if let Some((at, word, end)) = cue.max_by_key(|(at, word, _)| (*at, word.len())) {
        let after = &text[at + word.len()..];
        let (count, after) = counted(lang, after);
        let said = digits(lang, after)?;
        return put(old, &said, end, count);
    }
    let said = digits(lang, &text)?;
    if said.len() < FEWEST || said.len() * 2 > old.len() {
        return None;
    }
    // It is nearest to what it is to replace.
    let front = distance(&said, old.get(..said.len())?);
    let back = distance(&said, old.get(old.len() - said.len()..)?);
    match front.cmp(&back) {
        std::cmp::Ordering::Less => put(old, &said, End::Front, None),
        std::cmp::Ordering::Greater => put(old, &said, End::Back, None),
        std::cmp::Ordering::Equal => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

fn cues(lang: Lang) -> &'static [(&'static str, End)] {
    use End::{Back, Front};
    match lang {
        Lang::En => &[
            ("the last", Back),
            ("last ", Back),
            ("ends in", Back),
            ("ends with", Back),
            ("ending in", Back),
            ("at the end", Back),
            ("the first", Front),
            ("first ", Front),
            ("starts with", Front),
            ("begins with", Front),
            ("beginning with", Front),
        ],
        Lang::Zh => &[
            ("最后", Back),
            ("后面", Back),
            ("尾号", Back),
            ("末尾", Back),
            ("后", Back),
            ("末", Back),
            ("前面", Front),
            ("开头", Front),
            ("前", Front),
        ],
    }
}

/// How many digits the caller says that they are: 四位, "four digits are".
fn counted(lang: Lang, after: &str) -> (Option<usize>, &str) {
    let after = after.trim_start();
    let names: &[&str] = match lang {
        Lang::En => &["one", "two", "three", "four", "five", "six", "seven", "eight"],
        Lang::Zh => &["一", "两", "三", "四", "五", "六", "七", "八"],
    };
    for (at, name) in names.iter().enumerate() {
        let digit = (at + 1).to_string();
        let alias = if *name == "两" { "二" } else { digit.as_str() };
        for name in [*name, alias, digit.as_str()] {
            let Some(rest) = after.strip_prefix(name) else { continue };
            let rest = rest.trim_start();
            let unit = match lang {
                Lang::En => {
                    ["digits", "numbers", "are", "is", "should"].iter().any(|u| rest.starts_with(u))
                }
                Lang::Zh => rest.starts_with('位') || rest.starts_with('个'),
            };
            if unit {
                return (Some(at + 1), rest);
            }
        }
    }
    (None, after)
}

fn put(old: &str, said: &str, end: End, count: Option<usize>) -> Option<String> {
    if count.is_some_and(|count| count != said.len()) || said.len() >= old.len() {
        return None;
    }
    let kept = old.len() - said.len();
    Some(match end {
        End::Front => format!("{said}{}", old.get(said.len()..)?),
        End::Back => format!("{}{said}", old.get(..kept)?),
    })
}

fn distance(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(lang: Lang, old: &str, said: &str) -> Option<String> {
        let length = u8::try_from(old.len()).unwrap_or(0);
        let spec = DigitSpec { min: length, max: length, ..DigitSpec::NONE };
        amended(lang, old, &[Hypothesis { text: said.into(), confidence: 0.9 }], &spec)
    }

    #[test]
    fn a_part_said_anew_replaces_that_part() {
        for (old, said, expected) in [
            ("13912345678", "后四位是六六七八", Some("13912346678")),
            ("13912345678", "不对，最后两位是七九", Some("13912345679")),
            ("13912345678", "尾号是五六七九", Some("13912345679")),
            ("13912345678", "不对，前三位是一三八", Some("13812345678")),
            ("13912345678", "不对，是一三八", Some("13812345678")),
            ("13912345678", "不对，是五六七九", Some("13912345679")),
            ("13912345678", "后四位是六六七", None),
            ("13912345678", "对的", None),
            ("13912345678", "后四位不对", None),
        ] {
            assert_eq!(new(Lang::Zh, old, said).as_deref(), expected, "{said}");
        }
        for (old, said, expected) in [
            ("4155550134", "no, the last four are oh one three five", Some("4155550135")),
            ("4155550134", "no it ends in three five", Some("4155550135")),
            ("4155550134", "the first three digits are four one six", Some("4165550134")),
            ("4155550134", "no, four one six", Some("4165550134")),
            ("4155550134", "no that's wrong", None),
        ] {
            assert_eq!(new(Lang::En, old, said).as_deref(), expected, "{said}");
        }
    }
}
