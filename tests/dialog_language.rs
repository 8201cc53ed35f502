//! Callers who speak another language than the call began in, and recognisers that only write one.

mod dialog_support;

use std::sync::Arc;

use dialog_support::play;
use hotline::{
    dialog::Event,
    dialplan::{Dialplan, DialplanSource},
    text::Lang,
};

const PLAN: &str = r#"
dialplan: two-languages
version: 1
language: zh
voices: {zh: zh-xiaoxiao, en: en-hibari}
start: main.menu
defaults:
  no_input: [{zh: "您还在吗？", en: "Are you there?"}]
  no_match: [{zh: "抱歉？", en: "Sorry?"}, {zh: "请再说一遍。", en: "Once more, please."}]
  give_up: main.bye
slots:
  message: text
intents:
  balance:
    zh: [余额是多少, 我想查余额, 查一下账户余额]
    en: [what is my balance, how much money do I have, check my balance]
  message:
    zh: [我要留言, 帮我留个言]
    en: [leave a message, I want to leave a message]
flows:
  main:
    menu: {ask: {zh: "您要办什么？", en: "What can I do for you?"}, on: {balance: balance, message: message}}
    balance: {say: {zh: "九元。", en: "Nine yuan."}, next: menu}
    message: {ask: {zh: "请留言。", en: "Your message, please."}, slot: message, next: thanks}
    thanks: {say: {zh: "谢谢。", en: "Thank you."}, next: menu}
    bye: {say: {zh: "再见。", en: "Goodbye."}, hang_up: done}
"#;

fn plan() -> Arc<Dialplan> {
    let source = DialplanSource::inline("two-languages.yaml", PLAN);
    Arc::new(Dialplan::from_source(source).unwrap_or_else(|found| panic!("{found:#?}")))
}

fn changes(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Language { .. })).count()
}

#[test]
fn a_request_in_the_other_language_is_answered_in_it() {
    let played = play(
        &plan(),
        "B 您要办什么？
         C what is my balance
         B Nine yuan.
         B What can I do for you?
         C 我想查余额
         B 九元。
         B 您要办什么？",
    );
    assert_eq!((changes(&played.events), played.machine.lang()), (2, Lang::Zh));
}

#[test]
fn a_line_that_nobody_said_does_not_change_the_language() {
    let played = play(
        &plan(),
        "B 您要办什么？
         C thank you for watching
         B 抱歉？
         B 您要办什么？
         C 我想查余额
         B 九元。
         B 您要办什么？
         C thank you for watching
         B 抱歉？
         B 您要办什么？",
    );
    assert_eq!((changes(&played.events), played.machine.lang()), (0, Lang::Zh));
}

#[test]
fn whoever_speaks_the_other_language_twice_is_answered_in_it_although_not_understood() {
    let played = play(
        &plan(),
        "B 您要办什么？
         C could somebody talk to me in english
         B 抱歉？
         B 您要办什么？
         C do you not understand any english
         B Once more, please.
         B What can I do for you?
         C what is my balance
         B Nine yuan.
         B What can I do for you?",
    );
    assert_eq!((changes(&played.events), played.machine.lang()), (1, Lang::En));
}

#[test]
fn a_message_is_kept_in_whatever_language_it_is_and_changes_none() {
    let played = play(
        &plan(),
        "B 您要办什么？
         C 我要留言
         B 请留言。
         C please call me back tomorrow
         B 谢谢。
         B 您要办什么？",
    );
    assert_eq!(played.machine.slot("message"), Some("please call me back tomorrow"));
    assert_eq!(changes(&played.events), 0);
}
