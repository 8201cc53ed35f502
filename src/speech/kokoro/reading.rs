//! How Chinese words are read: segmentation, polyphones, neutral tones.

use std::{collections::HashMap, sync::LazyLock};

use jieba_rs::Jieba;
use pinyin::ToPinyin;

/// A run of Chinese characters as words, each with its syllables in tone-number pinyin.
/// Characters that have no reading are left out.
pub(super) fn words(run: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = SEGMENTER.cut(run, true).into_iter().map(|t| t.word).collect();
    (0..words.len())
        .map(|i| {
            let before = i.checked_sub(1).map_or("", |before| words[before]);
            let after = words.get(i + 1).copied().unwrap_or("");
            match alone(before, words[i], after) {
                Some(syllable) => vec![syllable.to_owned()],
                None => syllables(words[i]),
            }
        })
        .collect()
}

/// The syllables of one word: as a whole if the tables know it, else by the longest known words
/// from the left, else character by character.
fn syllables(word: &str) -> Vec<String> {
    let mut rest = word;
    let mut out = Vec::new();
    while let Some(first) = rest.chars().next() {
        let known = prefixes(rest).find_map(|head| TABLE.get(head).map(|&read| (head.len(), read)));
        let taken = if let Some((len, read)) = known {
            out.extend(read.split(' ').map(str::to_owned));
            len
        } else {
            out.extend(character(first));
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// The first `n` characters of `text` for each `n`, longest first.
fn prefixes(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().rev().map(|(at, c)| &text[..at + c.len_utf8()])
}

/// The usual reading of a character.
fn character(c: char) -> Option<String> {
    let read = c.to_pinyin()?.with_tone_num_end().replace('ü', "v");
    Some(if read.ends_with(|c: char| c.is_ascii_digit()) { read } else { read + "5" })
}

/// The reading of a polyphone that stands alone as a word, by its neighbours; these are the ones
/// that a prompt about debts, addresses and waiting times cannot avoid.
fn alone(before: &str, word: &str, after: &str) -> Option<&'static str> {
    let number_follows = after.starts_with(NUMERALS);
    Some(match word {
        // "pay back" before an amount or at the end of a clause, else "still".
        "还" if number_follows || after.is_empty() => "huan2",
        "还" if after == "还是" => "huan2",
        "还" if after.starts_with(['了', '完', '清', '款', '钱', '给', '掉', '得']) => {
            "huan2"
        }
        // 金额为五百元, but 为您.
        "为" if number_follows => "wei2",
        // 顺利地完成: the adverb's particle; 地 alone otherwise is the ground.
        "地" if before.chars().count() > 1 && !after.is_empty() => "de5",
        // 您得先: "must" after a person; 说得好: the particle; 得 first is "get".
        "得" if before.ends_with(['您', '你', '我', '他', '她', '们', '就', '可']) => {
            "dei3"
        }
        "得" if !before.is_empty() => "de5",
        _ => return None,
    })
}

const NUMERALS: [char; 16] = [
    '零', '一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '百', '千', '万', '两', '多',
];

/// Checked by hand; also words of their own for the segmenter.
const WORDS: &str = include_str!("words.tsv");
const POLYPHONES: &str = include_str!("polyphones.tsv");

/// Word to syllables; loading takes a few milliseconds, once.
static TABLE: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| rows(POLYPHONES).chain(rows(WORDS)).collect());

/// Loading the dictionary takes some hundred milliseconds, once.
static SEGMENTER: LazyLock<Jieba> = LazyLock::new(|| {
    let mut jieba = Jieba::new();
    for (word, _) in rows(WORDS) {
        jieba.add_word(word, None, None);
    }
    jieba
});

fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::super::syllable::to_ipa;
    use super::*;

    fn read(text: &str) -> String {
        words(text).concat().join(" ")
    }

    #[test]
    fn polyphones_follow_their_word() {
        assert_eq!(read("银行"), "yin2 hang2");
        assert_eq!(read("行不行"), "xing2 bu4 xing2");
        assert_eq!(read("长期重要"), "chang2 qi1 zhong4 yao4");
        assert_eq!(read("重新了解"), "chong2 xin1 liao3 jie3");
        assert_eq!(read("便宜"), "pian2 yi5");
    }

    #[test]
    fn huan_is_to_pay_back_and_hai_is_still() {
        assert_eq!(read("还款"), "huan2 kuan3");
        assert_eq!(read("本期应还金额"), "ben3 qi1 ying1 huan2 jin1 e2");
        assert_eq!(read("还有其他问题"), "hai2 you3 qi2 ta1 wen4 ti2");
        assert_eq!(read("每期还五百元"), "mei3 qi1 huan2 wu3 bai3 yuan2");
        assert_eq!(read("您还在吗"), "nin2 hai2 zai4 ma5");
    }

    #[test]
    fn particles_are_neutral() {
        assert_eq!(read("您的"), "nin2 de5");
        assert_eq!(read("顺利地完成"), "shun4 li4 de5 wan2 cheng2");
        assert_eq!(read("您得先核对"), "nin2 dei3 xian1 he2 dui4");
    }

    #[test]
    fn every_row_has_a_syllable_for_each_character() {
        for (word, read) in rows(POLYPHONES).chain(rows(WORDS)) {
            assert_eq!(word.chars().count(), read.split(' ').count(), "{word}");
            for syllable in read.split(' ') {
                assert!(to_ipa(syllable).is_some(), "{word}: {syllable}");
            }
        }
    }

    #[test]
    fn every_common_character_has_phonemes() {
        let silent: Vec<char> = ('\u{4e00}'..='\u{9fa5}')
            .filter(|&c| character(c).is_some_and(|read| to_ipa(&read).is_none()))
            .collect();
        assert!(silent.is_empty(), "{silent:?}");
    }
}
