//! Chinese text to Kokoro's phonemes.

use std::{collections::BTreeMap, sync::Arc};

use super::{Phonemizer, latin, reading, syllable};
use crate::text::{Lang, spell_out};

/// The Mandarin front end: text to the phonemes that Kokoro was trained on.
///
/// No tone sandhi is applied: Kokoro v1.0 was trained on dictionary tones and makes 3-3, 一 and 不
/// right by itself; only the words whose dictionary reading has it (不是, 一定) carry it.
pub struct ZhG2p {
    /// Word to phonemes, longest word first.
    lexicon: Vec<(String, String)>,
    english: Option<Arc<dyn Phonemizer>>,
}

impl ZhG2p {
    /// A front end with the readings of `lexicon`: a word, Chinese or Latin, to its pinyin with
    /// tone numbers (`"乐" = "yue4"`, `"APP" = "ei1 pi1 pi1"`; 5 is the neutral tone). These win over
    /// everything else, wherever the word stands. `english` reads Latin words.
    ///
    /// # Errors
    /// The entry that is no pinyin, as `word = "reading"`.
    pub fn new(
        lexicon: &BTreeMap<String, String>,
        english: Option<Arc<dyn Phonemizer>>,
    ) -> Result<Self, String> {
        let mut entries = Vec::with_capacity(lexicon.len());
        for (word, pinyin) in lexicon {
            let ipa: Option<String> = pinyin.split_whitespace().map(syllable::to_ipa).collect();
            match ipa {
                Some(ipa) if !ipa.is_empty() && !word.is_empty() => {
                    entries.push((word.clone(), ipa));
                }
                _ => return Err(format!("{word} = {pinyin:?}")),
            }
        }
        entries.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        Ok(Self { lexicon: entries, english })
    }

    /// The phonemes of `text`: words apart by spaces, tones as arrows, punctuation as Kokoro knows
    /// it. Empty when nothing in `text` can be pronounced.
    pub fn phonemes(&self, text: &str) -> String {
        let text = spell_out(Lang::Zh, text);
        let mut out = Output::default();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            rest = if let Some((word, ipa)) =
                self.lexicon.iter().find(|(word, _)| rest.starts_with(word))
            {
                out.word(ipa);
                &rest[word.len()..]
            } else {
                let run = self.run(rest, Script::of(first));
                self.pronounce(run, Script::of(first), &mut out);
                &rest[run.len()..]
            };
        }
        out.finish()
    }

    /// The longest beginning of `text` in one script that no lexicon word interrupts.
    fn run<'a>(&self, text: &'a str, script: Script) -> &'a str {
        let end = text
            .char_indices()
            .skip(1)
            .find(|&(at, c)| {
                Script::of(c) != script
                    || self.lexicon.iter().any(|(word, _)| text[at..].starts_with(word))
            })
            .map_or(text.len(), |(at, _)| at);
        &text[..end]
    }

    fn pronounce(&self, run: &str, script: Script, out: &mut Output) {
        match script {
            Script::Han => {
                for word in reading::words(run) {
                    let ipa: String = word.iter().filter_map(|s| syllable::to_ipa(s)).collect();
                    out.word(&ipa);
                }
            }
            Script::Latin => out.word(&latin::phonemes(run, self.english.as_deref())),
            Script::Other => out.punctuation(run),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Han,
    Latin,
    Other,
}

impl Script {
    fn of(c: char) -> Self {
        match c {
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => Self::Han,
            'a'..='z' | 'A'..='Z' => Self::Latin,
            _ => Self::Other,
        }
    }
}

#[derive(Default)]
struct Output {
    text: String,
    spoken: bool,
}

impl Output {
    fn word(&mut self, ipa: &str) {
        if ipa.is_empty() {
            return;
        }
        if !self.text.is_empty() && !self.text.ends_with([' ', '“', '(', '"']) {
            self.text.push(' ');
        }
        self.text.push_str(ipa);
        self.spoken = true;
    }

    fn punctuation(&mut self, run: &str) {
        for c in run.chars() {
            let mark = mark(c);
            if mark.starts_with(' ') && self.text.ends_with(' ') {
                self.text.push_str(mark.trim_start());
            } else {
                self.text.push_str(mark);
            }
        }
    }

    fn finish(self) -> String {
        if self.spoken { self.text.trim().to_owned() } else { String::new() }
    }
}

/// The mark as Kokoro's vocabulary writes it; nothing for a character without a pause or a sound.
fn mark(c: char) -> &'static str {
    match c {
        '、' | '，' | ',' => ", ",
        '。' | '．' | '.' => ". ",
        '！' | '!' => "! ",
        '？' | '?' => "? ",
        '：' | ':' => ": ",
        '；' | ';' => "; ",
        '«' | '《' | '「' | '『' | '【' | '“' => " “",
        '»' | '》' | '」' | '』' | '】' | '”' => "” ",
        '（' | '(' => " (",
        '）' | ')' => ") ",
        '—' => "—",
        '…' => "…",
        c if c.is_whitespace() => " ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> ZhG2p {
        ZhG2p::new(&BTreeMap::new(), None).unwrap()
    }

    fn with(word: &str, pinyin: &str) -> Result<ZhG2p, String> {
        ZhG2p::new(&BTreeMap::from([(word.to_owned(), pinyin.to_owned())]), None)
    }

    #[test]
    fn words_are_apart_and_punctuation_is_mapped() {
        assert_eq!(
            plain().phonemes("您好，请问有什么可以帮您？"),
            "ni↗nxau↓, ʨʰi↓ŋwə↘n jou↓ ʂə↗nmɤ kʰɤ↓i↓ pa→ŋ ni↗n?"
        );
    }

    #[test]
    fn the_lexicon_wins_inside_a_sentence() {
        let g2p = with("乐天", "yue4 tian1").unwrap();
        assert_eq!(g2p.phonemes("您好乐天，"), "ni↗nxau↓ ɥe↘tʰjɛ→n,");
    }

    #[test]
    fn the_lexicon_reads_latin_words_too() {
        assert_eq!(with("APP", "ei1 pi1 pi1").unwrap().phonemes("APP"), "ei→pʰi→pʰi→");
    }

    #[test]
    fn a_wrong_reading_is_reported_with_its_word() {
        assert_eq!(with("乐天", "yue tian").err().unwrap(), "乐天 = \"yue tian\"");
    }

    #[test]
    fn letters_in_chinese_are_spelled() {
        assert_eq!(plain().phonemes("您的VIP卡"), "ni↗n tɤ vˈi ˈI pˈi kʰa↓");
    }

    #[test]
    fn text_without_a_sound_has_no_phonemes() {
        for silent in ["", "  ", "。。。", "🙂", "（）《》", "@#%"] {
            assert_eq!(plain().phonemes(silent), "", "{silent:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_read_without_panic(text in "(\\PC|[一-龥]|[a-zA-Z0-9，。？ ]){0,40}") {
            let phonemes = plain().phonemes(&text);
            prop_assert!(!phonemes.starts_with(' ') && !phonemes.ends_with(' '));
        }
    }
}
