//! A call in a few sentences.

use std::collections::BTreeMap;

use super::{HandOverReason, Progress};
use crate::{dialog::Secret, text::Lang};

/// What the caller wanted, what is known, why they are handed over, and what they said last.
pub(super) fn summary(
    lang: Lang,
    progress: &Progress,
    slots: &BTreeMap<String, String>,
    secrets: &[Secret],
) -> String {
    let words = Words::of(lang);
    let mut sentences = Vec::new();
    if !progress.intents().is_empty() {
        sentences.push((words.wanted, progress.intents().join(words.comma)));
    }
    if !slots.is_empty() {
        let known = slots.iter().map(|(slot, value)| format!("{slot} {value}"));
        sentences.push((words.known, known.collect::<Vec<_>>().join(words.comma)));
    }
    sentences.push((words.reason, words.why(&progress.reason())));
    if let Some(last) = progress.last_words(secrets) {
        sentences.push((words.last, format!("“{last}”")));
    }
    let sentences = sentences.iter().map(|(head, rest)| format!("{head}{rest}{}", words.stop));
    sentences.collect::<Vec<_>>().join(words.gap)
}

/// The words of a language.
struct Words {
    wanted: &'static str,
    known: &'static str,
    reason: &'static str,
    last: &'static str,
    comma: &'static str,
    stop: &'static str,
    gap: &'static str,
    zh: bool,
}

impl Words {
    fn of(lang: Lang) -> Self {
        match lang {
            Lang::En => Self {
                wanted: "Wanted: ",
                known: "Known: ",
                reason: "Handed over: ",
                last: "Last words: ",
                comma: ", ",
                stop: ".",
                gap: " ",
                zh: false,
            },
            Lang::Zh => Self {
                wanted: "来意：",
                known: "已知：",
                reason: "转接原因：",
                last: "最后说：",
                comma: "，",
                stop: "。",
                gap: "",
                zh: true,
            },
        }
    }

    fn why(&self, reason: &HandOverReason) -> String {
        match (reason, self.zh) {
            (HandOverReason::Asked { intent }, false) => format!("asked for {intent}"),
            (HandOverReason::Asked { intent }, true) => format!("客户要求（{intent}）"),
            (HandOverReason::NotUnderstood, false) => "not understood".to_owned(),
            (HandOverReason::NotUnderstood, true) => "没有听懂".to_owned(),
            (HandOverReason::NoInput, false) => "said nothing".to_owned(),
            (HandOverReason::NoInput, true) => "客户没有说话".to_owned(),
            (HandOverReason::ToolFailed { tool }, false) => format!("{tool} gave nothing"),
            (HandOverReason::ToolFailed { tool }, true) => format!("{tool} 没有结果"),
            (HandOverReason::Dialplan, false) => "as the dialplan says".to_owned(),
            (HandOverReason::Dialplan, true) => "按流程".to_owned(),
            (HandOverReason::Operator, false) => "by an operator".to_owned(),
            (HandOverReason::Operator, true) => "人工操作".to_owned(),
        }
    }
}
