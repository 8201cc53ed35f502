//! Whether what a caller said asks for something to be told.

use crate::text::{Lang, normalize};

/// Words that make a Chinese sentence a question, wherever they stand.
const ZH: [&str; 21] = [
    "吗",
    "呢",
    "什么",
    "怎么",
    "怎样",
    "咋",
    "多少",
    "多久",
    "多长",
    "多大",
    "多高",
    "哪",
    "谁",
    "为啥",
    "几点",
    "几个",
    "几天",
    "几号",
    "能不能",
    "可不可以",
    "有没有",
];
/// Words that an English question begins with.
const EN: [&str; 29] = [
    "what", "whats", "when", "whens", "where", "wheres", "who", "whos", "why", "whys", "how",
    "hows", "which", "can", "could", "do", "does", "did", "is", "are", "am", "was", "will",
    "would", "should", "may", "have", "has", "tell",
];
/// What people say before they ask.
const EN_BEFORE: [&str; 16] = [
    "and", "so", "but", "well", "uh", "um", "er", "oh", "ok", "okay", "hey", "wait", "sorry",
    "please", "actually", "by",
];

/// Whether `heard` is a question: by its words, for recognisers do not write question marks reliably.
///
/// An answer that looks like a question ("is it eighteen") counts as one, so ask only about what was no answer.
#[must_use]
pub fn is_question(lang: Lang, heard: &str) -> bool {
    if heard.trim_end().ends_with(['?', '？']) {
        return true;
    }
    let said = normalize(lang, heard);
    match lang {
        Lang::Zh => ZH.iter().any(|word| said.contains(word)),
        Lang::En => {
            let mut words = said.split_whitespace().map(|word| word.replace('\'', ""));
            let first = words.find(|word| !EN_BEFORE.contains(&word.as_str()));
            first.is_some_and(|word| EN.contains(&word.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_answers() {
        for (lang, text) in [
            (Lang::Zh, "公积金贷款最多能贷多少"),
            (Lang::Zh, "哎那你们周末上班吗"),
            (Lang::Zh, "能不能代办"),
            (Lang::En, "and what's your office address"),
            (Lang::En, "do you take cheques"),
            (Lang::En, "so how long does it take"),
            (Lang::En, "You're open on Sunday?"),
        ] {
            assert!(is_question(lang, text), "{text}");
        }
        for (lang, text) in [
            (Lang::Zh, "一三八零零一三八零零零"),
            (Lang::Zh, "我没听清"),
            (Lang::Zh, "好的"),
            (Lang::En, "nine four one one oh"),
            (Lang::En, "the second one please"),
            (Lang::En, ""),
        ] {
            assert!(!is_question(lang, text), "{text}");
        }
    }
}
