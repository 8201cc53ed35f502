//! What holds for every dialog, whatever the caller does.

mod dialog_support;

use std::sync::Arc;

use hotline::{
    audio::CallTime,
    dialog::{CallFacts, Input, Machine, Output},
    dialplan::{Dialplan, DialplanSource},
    text::Hypothesis,
};
use proptest::prelude::*;

fn facts() -> CallFacts {
    CallFacts::new("4155550134", "1000", time::macros::datetime!(2026-11-23 10:05))
}

fn inputs() -> impl Strategy<Value = Input> {
    let words = prop_oneof![
        Just("yes".to_owned()),
        Just("no".to_owned()),
        Just("不对，是一三八零零一三八零零零".to_owned()),
        Just("what is my balance".to_owned()),
        Just("转人工".to_owned()),
        Just("four four one seven nine oh two".to_owned()),
        Just("repeat that".to_owned()),
        Just("goodbye".to_owned()),
        ".{0,40}",
    ];
    let heard = prop::collection::vec((words, 0.0_f32..=1.0), 1..3).prop_map(|readings| {
        let hypothesis = |(text, confidence)| Hypothesis { text, confidence };
        Input::Heard(readings.into_iter().map(hypothesis).collect())
    });
    prop_oneof![
        8 => heard,
        4 => "[0-9*#]{0,12}".prop_map(Input::Keys),
        2 => Just(Input::NoInput),
        1 => Just(Input::Unclear),
        1 => Just(Input::Start),
        1 => Just(Input::Heard(Vec::new())),
    ]
}

/// Plays `inputs` after a start and checks the contract of every step.
fn holds(plan: &Arc<Dialplan>, inputs: Vec<Input>) -> Result<(), TestCaseError> {
    let mut machine = Machine::new(Arc::clone(plan), facts());
    let mut over = false;
    for (at, input) in [Input::Start].into_iter().chain(inputs).enumerate() {
        let twin = machine.clone();
        let now = CallTime::from_ms(at as u64 * 1_000);
        let outputs = machine.step(now, input.clone());
        let mut again = twin;
        prop_assert_eq!(&again.step(now, input), &outputs, "the same step comes out the same");
        if over {
            prop_assert!(outputs.is_empty(), "silence after the end, not {:?}", outputs);
            continue;
        }
        let ends = |o: &Output| matches!(o, Output::Listen(_) | Output::HangUp(_));
        prop_assert_eq!(outputs.iter().filter(|o| ends(o)).count(), 1);
        prop_assert!(outputs.last().is_some_and(ends), "the end comes last: {:?}", outputs);
        over = matches!(outputs.last(), Some(Output::HangUp(_)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_caller_gets_an_orderly_answer_in_english(steps in prop::collection::vec(inputs(), 0..60)) {
        holds(&dialog_support::dialplan("utility-en.yaml"), steps)?;
    }

    #[test]
    fn any_caller_gets_an_orderly_answer_in_chinese(steps in prop::collection::vec(inputs(), 0..60)) {
        holds(&dialog_support::dialplan("fund-zh.yaml"), steps)?;
    }
}

#[test]
fn a_caller_who_goes_round_in_circles_is_brought_to_an_end() {
    let plan = dialog_support::dialplan("utility-en.yaml");
    let mut machine = Machine::new(plan, facts());
    machine.step(CallTime::ZERO, Input::Start);
    let mut turns = 0;
    let end = loop {
        let outputs = machine.step(CallTime::ZERO, Input::Keys("*".into()));
        turns += 1;
        assert!(turns <= 41, "the limit is 40");
        if let Some(Output::HangUp(outcome)) = outputs.last() {
            break outcome.disposition.clone();
        }
    };
    assert_eq!((turns, end.as_str()), (41, "max_turns"));
}

#[test]
fn nothing_comes_after_the_caller_hung_up() {
    let plan = dialog_support::dialplan("utility-en.yaml");
    let mut machine = Machine::new(plan, facts());
    machine.step(CallTime::ZERO, Input::Start);
    assert_eq!(machine.step(CallTime::ZERO, Input::HungUp), []);
    assert_eq!(machine.step(CallTime::ZERO, Input::NoInput), []);
}

#[test]
fn a_dialplan_made_again_from_its_journalled_source_is_the_same() {
    let plan = dialog_support::dialplan("fund-zh.yaml");
    let journalled = serde_json::to_string(plan.source()).expect("serialises");
    let source: DialplanSource = serde_json::from_str(&journalled).expect("reads");
    let again = Dialplan::from_source(source).expect("still right");
    assert_eq!(again.content_hash(), plan.content_hash());
    let script = "
        B 您好，云州公积金中心智能语音助手，通话将被录音。
        B 请问您要办什么业务？
        C 查余额
        B 请说一下您登记的手机号码。
    ";
    dialog_support::play(&Arc::new(again), script);
}

const CONDITIONS: &str = r#"
dialplan: conditions
version: 1
language: en
voices: {en: en-hibari, zh: zh-xiaoxiao}
start: main.open
slots:
  how: {type: choice, options: {post: {phrases: {en: [by post, mail], zh: [邮寄]}, key: "1"}, sms: {phrases: {en: [text message], zh: [短信]}, key: "2"}}}
  owner: yes_no
  note: text
defaults:
  no_input: [{en: "Hello?", zh: 您好？}]
  no_match: [{en: "Sorry?", zh: 抱歉？}]
  give_up: main.bye
flows:
  main:
    open:
      when:
        - {value: call.weekday, one_of: [sat, sun], next: closed}
        - {value: call.time, between: ["09:00", "17:00"], next: owner}
      else: closed
    closed: {say: {en: "We are closed.", zh: 已下班。}, hang_up: closed}
    owner:
      ask: {en: "Are you the owner?", zh: 您是户主吗？}
      slot: owner
      next: check_owner
    check_owner:
      when: [{value: owner, equals: "no", next: bye}]
      else: how
    how:
      ask: {en: "By post or text message?", zh: 邮寄还是短信？}
      slot: how
      confirm: {en: "You want it {how}?", zh: "用{how}吗？"}
      next: speak
    speak: {language: zh, next: fill}
    fill: {set: {note: "{call.caller} {how}"}, next: told}
    told: {say: {en: "Done, {note}.", zh: "好的，{how}。"}, next: bye}
    bye: {say: {en: "Bye.", zh: 再见。}, hang_up: done}
"#;

fn conditions() -> Arc<Dialplan> {
    let source = DialplanSource::inline("conditions.yaml", CONDITIONS);
    Arc::new(Dialplan::from_source(source).unwrap_or_else(|found| panic!("{found:#?}")))
}

#[test]
fn choices_conditions_set_and_language_work_together() {
    let played = dialog_support::play(
        &conditions(),
        "
        B Are you the owner?
        C yes I am
        B By post or text message?
        C as a text message please
        B You want it text message?
        C no, by post
        B You want it by post?
        C yes
        B 好的，邮寄。
        B 再见。
        = done
        ",
    );
    let outcome = played.outcome.expect("the bot hung up");
    assert_eq!(outcome.slots["note"], "4155550134 post");
    assert_eq!(outcome.slots["owner"], "yes");
    assert_eq!(played.listens[1].phrases, ["by post", "mail", "text message"]);
}

#[test]
fn a_value_rejected_three_times_is_given_up() {
    dialog_support::play(
        &conditions(),
        "
        B Are you the owner?
        C [1]
        B By post or text message?
        C [1]
        B You want it by post?
        C [2]
        B By post or text message?
        C [1]
        B You want it by post?
        C no
        B By post or text message?
        C [2]
        B You want it text message?
        C no
        B Bye.
        = done
        ",
    );
}

#[test]
fn a_call_outside_the_hours_takes_the_other_branch() {
    let now = time::macros::datetime!(2026-11-22 10:05);
    let mut machine = Machine::new(conditions(), CallFacts::new("", "", now));
    let outputs = machine.step(CallTime::ZERO, Input::Start);
    let Some(Output::HangUp(outcome)) = outputs.last() else {
        panic!("a Sunday call should end: {outputs:?}")
    };
    assert_eq!(outcome.disposition, "closed");
}
