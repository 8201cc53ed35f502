//! What of a dialplan works without speech recognition.

use super::{
    Dialplan,
    model::{Ask, Model, NodeKind, SlotKind, Wants},
};

impl Dialplan {
    /// The questions, as `flow.node`, that keys cannot answer, or not every answer of them. A
    /// dialplan without any works without speech recognition.
    pub fn questions_for_speech(&self) -> Vec<&str> {
        let model = self.model();
        let by_speech = model.nodes.iter().filter(|node| match &node.kind {
            NodeKind::Ask(ask) => !keys_answer(model, ask),
            NodeKind::Llm(_) => true,
            NodeKind::Offer(offering) => !keys_answer(model, &offering.ask),
            _ => false,
        });
        by_speech.map(|node| node.name.as_str()).collect()
    }
}

fn keys_answer(model: &Model, ask: &Ask) -> bool {
    match &ask.wants {
        Wants::Intent => {
            ask.routes.on.values().all(|to| ask.routes.keys.values().any(|by_key| by_key == to))
                && !ask.routes.keys.is_empty()
        }
        Wants::Talk => false,
        // 1 and 2.
        Wants::YesNo { .. } => true,
        Wants::Slot { slot, .. } => match model.slots.get(slot).map(|slot| &slot.kind) {
            Some(
                SlotKind::Digits(_)
                | SlotKind::YesNo
                | SlotKind::Offered(_)
                | SlotKind::Number { .. }
                | SlotKind::Money
                | SlotKind::Date
                | SlotKind::Time,
            ) => true,
            Some(SlotKind::Choice(options)) => options.iter().all(|option| option.key.is_some()),
            Some(SlotKind::Code(form)) => form.is_digits(),
            Some(SlotKind::Text | SlotKind::Counter) | None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::DialplanSource;

    /// The questions for speech of a dialplan whose first question, `main.first`, is `ask`.
    fn for_speech(ask: &str) -> Vec<String> {
        let text = format!(
            r#"dialplan: example
version: 1
language: en
voices: {{en: en-hibari}}
start: main.first
slots:
  account: {{type: digits, length: 6-8}}
  town: {{type: choice, options: {{oslo: {{phrases: [Oslo], key: "1"}}, rome: {{phrases: [Rome], key: "2"}}}}}}
  fruit: {{type: choice, options: {{fig: {{phrases: [a fig], key: "1"}}, pear: [a pear]}}}}
  words: {{type: text}}
intents:
  balance: [my balance, what do I owe]
  fault: [a fault, something is broken]
defaults:
  wait: 5s
  no_input: ["Hello?"]
  no_match: ["Sorry?"]
  give_up: main.bye
flows:
  main:
    first: {ask}
    bye: {{say: "Goodbye.", hang_up: resolved}}
    told: {{say: "Told.", next: bye}}
"#
        );
        let plan = Dialplan::from_source(DialplanSource::inline("p.yaml", text)).unwrap();
        plan.questions_for_speech().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn numbers_yes_and_no_and_choices_with_keys_need_no_speech() {
        for ask in [
            r#"{ask: "Your account?", slot: account, confirm: "{account:digits}?", next: told}"#,
            r#"{ask: "Is it?", yes: told, no: bye}"#,
            r#"{ask: "Which town?", slot: town, next: told}"#,
            r#"{say: "Good day.", next: told}"#,
        ] {
            assert_eq!(for_speech(ask), [""; 0], "{ask}");
        }
    }

    #[test]
    fn words_and_choices_without_a_key_do() {
        for ask in [
            r#"{ask: "What is it?", slot: words, next: told}"#,
            r#"{ask: "Which fruit?", slot: fruit, next: told}"#,
        ] {
            assert_eq!(for_speech(ask), ["main.first"], "{ask}");
        }
    }

    #[test]
    fn a_menu_needs_none_when_each_way_has_a_key() {
        let on = "on: {balance: told, fault: bye}";
        let menu = |keys: &str| format!(r#"{{ask: "How can I help?", {on}{keys}}}"#);
        assert_eq!(for_speech(&menu("")), ["main.first"]);
        assert_eq!(for_speech(&menu(r#", keys: {"1": told}"#)), ["main.first"]);
        assert_eq!(for_speech(&menu(r#", keys: {"1": told, "2": bye}"#)), [""; 0]);
    }
}
