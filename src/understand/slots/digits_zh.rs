//! Spoken Chinese digits.

use super::digits::Token;
use crate::text::{Lang, normalize, toneless};

/// Words of more than one character, with `|` between them, and what they are.
const WORDS: [(Token, &str); 3] = [
    (
        Token::Restart,
        "不对|不是|等一下|等等|等下|说错了|错了|重来|重说|重新说|应该是|我再说一遍|\
         再说一遍|再说一次",
    ),
    (Token::Filler, "然后|就是|那个|后面|还有|接着|这个"),
    (
        Token::Word,
        "一下|一遍|一次|一样|一会|一起|一般|一共|一直|一点|一定|第一|第二|一个|两个|\
         万一|统一|四川|三亚|前六位|后六位|后四位",
    ),
];
const FILLERS: &str = "嗯呃啊额哦唔诶欸哎那再杠横是点的了呀";
/// Homophones of digits that also stand before and after numbers in ordinary sentences.
const EVERYDAY: &str = "吧把就而其以已亦起要无期有又由";
/// What recognisers write for 幺.
const YAO: &str = "腰要邀";
const X_NAMES: [&str; 7] = ["叉", "大叉", "埃克斯", "艾克斯", "爱克斯", "x", "ex"];

/// The tokens of an utterance.
pub(super) fn tokens(heard: &str) -> Vec<Token> {
    let folded = normalize(Lang::Zh, heard);
    let chars: Vec<char> = folded.chars().collect();
    let dictated = is_dictated(&chars);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (used, token) = token(&chars, at, dictated);
        tokens.extend(token);
        at += used;
    }
    tokens
}

/// Whether nearly all of an utterance sounds like digits: a number being read out, whatever
/// characters the recogniser wrote for it (伊山巴零零 for 一三八零零).
fn is_dictated(chars: &[char]) -> bool {
    let spoken: Vec<char> = chars.iter().copied().filter(|c| c.is_alphanumeric()).collect();
    let sounding = spoken.iter().filter(|c| digit(**c).is_some() || homophone(**c).is_some());
    let sounding = sounding.count();
    sounding >= 5 && sounding * 5 >= spoken.len() * 4
}

/// The token at `at`, if any, and how many characters it takes.
fn token(chars: &[char], at: usize, dictated: bool) -> (usize, Option<Token>) {
    let rest = &chars[at..];
    if let Some(repeated) = repeated(rest) {
        return (3, Some(Token::Digits(vec![repeated])));
    }
    for (token, words) in &WORDS {
        if let Some(word) = words.split('|').find(|word| begins(rest, word)) {
            return (word.chars().count(), Some(token.clone()));
        }
    }
    if let Some((used, ways)) = number(rest) {
        return (used, Some(Token::Digits(ways)));
    }
    let after_digit = at > 0 && digit(chars[at - 1]).is_some();
    let x_name = X_NAMES.iter().filter(|name| begins(rest, name)).max_by_key(|name| name.len());
    if let Some(name) = x_name.filter(|_| after_digit) {
        return (name.chars().count(), Some(Token::Digits(vec!["X".into(), String::new()])));
    }
    if rest[0] == ' ' {
        return (1, None);
    }
    if dictated && let Some(heard) = homophone(rest[0]).filter(|heard| heard != "X") {
        let edge = at == 0 || at + 1 == chars.len();
        return (
            1,
            Some(Token::Digits(if edge && EVERYDAY.contains(rest[0]) {
                vec![String::new(), heard]
            } else {
                vec![heard, String::new()]
            })),
        );
    }
    if let Some(ways) = misheard(chars, at) {
        return (1, Some(Token::Digits(ways)));
    }
    (1, Some(if FILLERS.contains(rest[0]) { Token::Filler } else { Token::Word }))
}

/// A digit's homophone among digits: likely a digit, less so at the edge when it is an everyday
/// word. One lone digit beside it is no telephone number being read out.
fn misheard(chars: &[char], at: usize) -> Option<Vec<String>> {
    let heard = homophone(chars[at])?;
    let is_digit = |c: &char| digit(*c).is_some() || homophone(*c).is_some_and(|d| d != "X");
    let before = at > 0 && is_digit(&chars[at - 1]);
    let after = chars.get(at + 1).is_some_and(is_digit);
    let around = at.saturating_sub(3)..(at + 4).min(chars.len());
    let sure = |c: char| digit(c).is_some() || YAO.contains(c);
    let near = around.filter(|near| *near != at && sure(chars[*near])).count();
    if near < 2 || !(before || after) {
        return None;
    }
    match heard == "X" {
        true if after || !before => None,
        true => Some(vec![String::new(), heard]),
        false if !(before && after) && EVERYDAY.contains(chars[at]) => {
            Some(vec![String::new(), heard])
        }
        false => Some(vec![heard, String::new()]),
    }
}

/// The digit that sounds like the Chinese character `c`.
fn homophone(c: char) -> Option<String> {
    if c.is_ascii() {
        return None;
    }
    let syllables = toneless(c.encode_utf8(&mut [0; 4]));
    let digit = match syllables.first()?.as_str() {
        "ling" | "lin" => "0",
        "yi" | "yao" | "you" => "1",
        "er" => "2",
        "san" | "shan" | "sen" | "seng" => "3",
        "si" | "ci" => "4",
        "wu" => "5",
        "liu" => "6",
        "qi" => "7",
        "ba" => "8",
        "jiu" => "9",
        "cha" => "X",
        _ => return None,
    };
    Some(digit.to_owned())
}

/// "Three zeros": 三个零.
fn repeated(rest: &[char]) -> Option<String> {
    let [times, '个', digit_name, ..] = rest else { return None };
    let times = digit(*times).filter(|times| *times >= 2)?;
    // 两个二 is 22, but 两个月 is no number, and 三个一百 is none of ours.
    let said = digit(*digit_name)?;
    let scaled = rest.get(3).is_some_and(|next| scale(*next).is_some());
    (!scaled).then(|| said.to_string().repeat(times as usize))
}

/// A number with tens, hundreds or thousands, or one digit: characters used and readings.
fn number(rest: &[char]) -> Option<(usize, Vec<String>)> {
    if rest[0] == '十' {
        return Some(match rest.get(1).and_then(|c| spoken(*c)).filter(|ones| *ones > 0) {
            Some(ones) if !scaled(rest, 1) => {
                (2, vec![(10 + ones).to_string(), format!("10{ones}")])
            }
            _ => (1, vec!["10".into()]),
        });
    }
    let first = digit(rest[0])?;
    if !scaled(rest, 0) || spoken(rest[0]).is_none_or(|first| first == 0) {
        return Some((1, vec![first.to_string()]));
    }
    let (mut value, mut used, mut limit) = (0, 0, u32::MAX);
    while let (Some(count), Some(size)) =
        (rest.get(used).and_then(|c| spoken(*c)), rest.get(used + 1).and_then(|c| scale(*c)))
        && size < limit
        && count > 0
    {
        value += count * size;
        limit = size;
        used += 2;
        // 零 inside a number stands for the missing places.
        let zero = rest.get(used) == Some(&'零');
        let next = rest.get(used + 1).copied().and_then(spoken).filter(|next| *next > 0);
        if zero && next.is_some() {
            used += 1;
            if !scaled(rest, used) {
                let plain = (value + next.unwrap_or(0)).to_string();
                return Some((used + 1, vec![plain]));
            }
        }
    }
    Some(last_digit(rest, value, used, limit))
}

/// Takes the digit after the last scale word: 二十三 is 23, 三百五 is 350, 八百五五 is 800 55.
fn last_digit(rest: &[char], value: u32, used: usize, limit: u32) -> (usize, Vec<String>) {
    let alone = |at: usize| rest.get(at).is_none_or(|c| digit(*c).is_none());
    match rest.get(used).and_then(|c| spoken(*c)).filter(|last| *last > 0) {
        Some(last) if limit == 10 => {
            (used + 1, vec![(value + last).to_string(), format!("{value}{last}")])
        }
        Some(last) if alone(used + 1) => {
            let beside = format!("{value}{last}");
            (used + 1, vec![(value + last * limit / 10).to_string(), beside])
        }
        _ => (used, vec![value.to_string()]),
    }
}

fn scaled(rest: &[char], at: usize) -> bool {
    rest.get(at + 1).is_some_and(|next| scale(*next).is_some())
}

pub(super) fn scale(c: char) -> Option<u32> {
    match c {
        '十' | '拾' => Some(10),
        '百' | '佰' => Some(100),
        '千' | '仟' => Some(1000),
        _ => None,
    }
}

/// A digit's value, spoken or written.
fn digit(c: char) -> Option<u32> {
    spoken(c).or_else(|| c.to_digit(10))
}

pub(super) fn spoken(c: char) -> Option<u32> {
    Some(match c {
        '零' | '〇' | '洞' => 0,
        '一' | '幺' | '壹' => 1,
        '二' | '两' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' | '拐' => 7,
        '八' | '捌' => 8,
        '九' | '玖' | '勾' => 9,
        _ => return None,
    })
}

fn begins(rest: &[char], word: &str) -> bool {
    let length = word.chars().count();
    rest.len() >= length && word.chars().eq(rest[..length].iter().copied())
}
